// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace linearb::config {

/// What the text of an option is about, and what it says: "B=50us" of one line, "50us" of all.
struct LineValue {
  std::size_t begin;  // lines [begin, end)
  std::size_t end;
  std::string_view value;
};

/// Throws UsageError that names option and text when there is no such line. The option is named
/// without its dashes.
LineValue split_line_value(std::string_view option, std::string_view text,
                           std::span<const std::string> lines);

/// Nothing when the text is more, or something else, than a number of that type.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "50us", "-1.5ms" in nanoseconds; the units are ns, us, ms and s. What is no number, or too large
/// a one, is for the caller to refuse: he knows the limits.
std::optional<double> parse_duration_ns(std::string_view text);

}  // namespace linearb::config
