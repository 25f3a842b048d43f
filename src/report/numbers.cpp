// SPDX-License-Identifier: Apache-2.0
#include "report/numbers.h"

#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace linearb::report {

std::string grouped(std::uint64_t number) {
  std::string digits = fmt::format("{}", number);
  for (std::size_t behind = 3; behind < digits.size(); behind += 4)
    digits.insert(digits.size() - behind, ",");
  return digits;
}

std::string time_text(std::uint64_t ns) {
  if (ns < 1'000) return fmt::format("{} ns", ns);
  struct Unit {
    double ns;
    std::string_view name;
  };
  // A value that three digits would round to 1000 is one of the next unit.
  constexpr std::array kUnits{Unit{1e3, "us"}, Unit{1e6, "ms"}};
  for (const Unit& unit : kUnits) {
    double value = static_cast<double>(ns) / unit.ns;
    if (value < 9.995) return fmt::format("{:.2f} {}", value, unit.name);
    if (value < 99.95) return fmt::format("{:.1f} {}", value, unit.name);
    if (value < 999.5) return fmt::format("{:.0f} {}", value, unit.name);
  }
  return fmt::format("{:.2f} s", static_cast<double>(ns) / 1e9);
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  double share = whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
  return fmt::format("{:.2f} %", 100 * share);
}

std::uint64_t rate_per_second(std::uint64_t count, double seconds) {
  if (!(seconds > 0)) return 0;
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) / seconds));
}

}  // namespace linearb::report
