// SPDX-License-Identifier: Apache-2.0
#include "merge/options.h"

#include <cmath>

#include <fmt/format.h>

#include "config/line_value.h"
#include "linearb/error.h"

namespace linearb::merge {

std::vector<Line> lines_of(std::size_t captures) {
  if (captures < 1 || captures > kLinesMax)
    throw UsageError(
        fmt::format("{} captures; there can be 1 to {}: each is a line", captures, kLinesMax));
  std::vector<Line> lines;
  for (std::size_t i = 0; i < captures; ++i) {
    const std::string name(1, static_cast<char>('A' + i));
    lines.push_back({name, name});
  }
  return lines;
}

void set_offset(std::string_view text, MergeOptions& options) {
  std::vector<std::string> names;
  for (const Line& line : options.receiver.lines) names.push_back(line.name);
  const config::LineValue part = config::split_line_value("offset", text, names);
  const std::optional<double> ns = config::parse_duration_ns(part.value);
  if (!ns || !(std::abs(*ns) <= static_cast<double>(kOffsetMaxNs)))
    throw UsageError(
        fmt::format("--offset {}: accepted is a time of at most 100 days, 8640000s, in ns, us, ms "
                    "or s, also below 0 (B=-1.5ms), with LINE= in front for one line",
                    text));
  for (std::size_t line = part.begin; line < part.end; ++line)
    options.captures[line].offset_ns = std::llround(*ns);
}

}  // namespace linearb::merge
