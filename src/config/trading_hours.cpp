// SPDX-License-Identifier: Apache-2.0
#include "config/trading_hours.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "linearb/error.h"

namespace linearb::config {
namespace {

constexpr std::array<std::string_view, TradingHours::kDays> kDayNames = {"Sun", "Mon", "Tue", "Wed",
                                                                         "Thu", "Fri", "Sat"};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

[[noreturn]] void refuse(std::string_view text, std::string_view reason) {
  throw UsageError(fmt::format(
      "hours \"{}\": {}; they are written as \"08:00-17:30\", \"Mon-Fri 08:00-17:30\" or "
      "\"Sun-Thu 18:00-17:00, Fri 18:00-20:00\"",
      text, reason));
}

/// Of two digits; -1 where it is not.
int number_of(std::string_view text) {
  const auto is_digit = [](char sign) { return sign >= '0' && sign <= '9'; };
  if (text.size() != 2 || !std::ranges::all_of(text, is_digit)) return -1;
  return 10 * (text[0] - '0') + text[1] - '0';
}

int minute_of(std::string_view time, std::string_view text) {
  const std::size_t colon = time.find(':');
  const int hours = number_of(time.substr(0, colon));
  const int minutes = colon == time.npos ? -1 : number_of(time.substr(colon + 1));
  const int minute = hours * 60 + minutes;
  if (hours < 0 || minutes < 0 || minutes > 59 || minute > TradingHours::kMinutes)
    refuse(text, fmt::format("\"{}\" is no time of a day", time));
  return minute;
}

int day_of(std::string_view name, std::string_view text) {
  const auto day = std::ranges::find(kDayNames, name);
  if (day == kDayNames.end()) refuse(text, fmt::format("\"{}\" is no day", name));
  return static_cast<int>(day - kDayNames.begin());
}

/// "Mon", "Mon-Fri", "Fri-Mon".
std::uint8_t days_of(std::string_view days, std::string_view text) {
  const std::size_t dash = days.find('-');
  const int first = day_of(days.substr(0, dash), text);
  const int last = dash == days.npos ? first : day_of(days.substr(dash + 1), text);
  std::uint8_t bits = 0;
  for (int day = first;; day = (day + 1) % TradingHours::kDays) {
    bits = static_cast<std::uint8_t>(bits | 1u << day);
    if (day == last) return bits;
  }
}

bool has(std::uint8_t days, int day) noexcept {
  return (days >> day & 1) != 0;
}

}  // namespace

TradingHours TradingHours::parse(std::string_view text) {
  TradingHours hours;
  if (trimmed(text).empty()) return hours;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    hours.spans_.push_back(parse_span(trimmed(text.substr(begin, comma - begin))));
    begin = comma + 1;
  }
  return hours;
}

TradingHours::Span TradingHours::parse_span(std::string_view text) {
  Span span{.days = (1u << kDays) - 1};
  const std::size_t space = text.find(' ');
  if (space != text.npos) span.days = days_of(text.substr(0, space), text);
  const std::string_view times = trimmed(text.substr(space == text.npos ? 0 : space));
  const std::size_t dash = times.find('-');
  if (dash == times.npos) refuse(text, "it has no end");
  span.begin = minute_of(times.substr(0, dash), text);
  span.end = minute_of(times.substr(dash + 1), text);
  if (span.begin == span.end) refuse(text, "it ends when it begins");
  return span;
}

bool TradingHours::contain(int day, int minute) const noexcept {
  const int day_before = (day + kDays - 1) % kDays;
  return std::ranges::any_of(spans_, [=](const Span& span) {
    if (span.begin < span.end)
      return has(span.days, day) && minute >= span.begin && minute < span.end;
    return (has(span.days, day) && minute >= span.begin) ||
           (has(span.days, day_before) && minute < span.end);
  });
}

bool TradingHours::contain_now() const noexcept {
  if (!are_limited()) return true;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return contain(local.tm_wday, local.tm_hour * 60 + local.tm_min);
}

}  // namespace linearb::config
