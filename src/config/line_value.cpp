// SPDX-License-Identifier: Apache-2.0
#include "config/line_value.h"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "linearb/error.h"

namespace linearb::config {
namespace {

struct Unit {
  std::string_view name;
  double ns;
};
/// "s" is a suffix of the others and stands last.
constexpr std::array kUnits{Unit{"ns", 1}, Unit{"us", 1e3}, Unit{"ms", 1e6}, Unit{"s", 1e9}};

}  // namespace

LineValue split_line_value(std::string_view option, std::string_view text,
                           std::span<const std::string> lines) {
  std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {0, lines.size(), text};
  std::string_view name = text.substr(0, equals);
  for (std::size_t line = 0; line < lines.size(); ++line) {
    if (lines[line] == name) return {line, line + 1, text.substr(equals + 1)};
  }
  throw UsageError(fmt::format("--{} {}: there is no line '{}'; the lines are {}", option, text,
                               name, fmt::join(lines, ", ")));
}

std::optional<double> parse_duration_ns(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    text.remove_suffix(unit.name.size());
    auto number = parse_number<double>(text);
    if (!number) return std::nullopt;
    return *number * unit.ns;
  }
  return std::nullopt;
}

}  // namespace linearb::config
