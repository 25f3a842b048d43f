// SPDX-License-Identifier: Apache-2.0
//
// Where framings come from: those that are built in, and files of the user's.
#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "config/embedded_framings.h"
#include "config/framing_file.h"
#include "config/nearest.h"
#include "linearb/error.h"

namespace linearb::config {
namespace {

const EmbeddedFraming* find_embedded(std::string_view name) noexcept {
  const auto framings = embedded_framings();
  const auto found = std::ranges::find(framings, name, &EmbeddedFraming::name);
  return found == framings.end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> builtin_framing_names() {
  std::vector<std::string> names;
  for (const EmbeddedFraming& framing : embedded_framings()) names.emplace_back(framing.name);
  return names;
}

Framing builtin_framing(std::string_view name) {
  if (const EmbeddedFraming* framing = find_embedded(name))
    return parse_framing(framing->toml, fmt::format("framings/{}.toml", name));
  throw UsageError(fmt::format(
      "no framing \"{}\" is built in; {}; a file of your own is named by its path: ./{}.toml", name,
      suggest_name(name, builtin_framing_names()), name));
}

bool is_framing_path(std::string_view text) noexcept {
  return text.find('/') != text.npos || text.ends_with(".toml");
}

std::string framing_text(const std::string& name_or_path) {
  if (is_framing_path(name_or_path)) {
    std::ifstream stream(name_or_path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  const EmbeddedFraming* framing = find_embedded(name_or_path);
  return framing ? std::string(framing->toml) : "";
}

std::string leading_comment(std::string_view toml) {
  std::string comment;
  while (toml.starts_with('#')) {
    const std::string_view line = toml.substr(0, toml.find('\n'));
    comment += line.substr(std::min<std::size_t>(line.starts_with("# ") ? 2 : 1, line.size()));
    comment += '\n';
    toml.remove_prefix(std::min(line.size() + 1, toml.size()));
  }
  return comment;
}

Framing load_framing(const std::string& name_or_path) {
  return is_framing_path(name_or_path) ? read_framing_file(name_or_path)
                                       : builtin_framing(name_or_path);
}

}  // namespace linearb::config
