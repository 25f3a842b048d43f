// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace linearb::config {

/// When a channel is expected to bring something: spans of days and times, in the time zone of
/// whoever asks. One that ends before it begins goes on over midnight, and belongs to the day on
/// which it begins.
class TradingHours {
 public:
  static constexpr int kDays = 7;
  static constexpr int kMinutes = 24 * 60;

  /// "08:00-17:30", "Mon-Fri 08:00-17:30", "Sun-Thu 18:00-17:00, Fri 18:00-20:00"; an empty text
  /// is all the time. Throws UsageError naming what is wrong and what is accepted.
  static TradingHours parse(std::string_view text);

  /// False: they were given as an empty text.
  bool are_limited() const noexcept { return !spans_.empty(); }
  /// `day` from 0, a Sunday, as in std::tm; `minute` of the day.
  bool contain(int day, int minute) const noexcept;
  /// By the local time of this machine.
  bool contain_now() const noexcept;

 private:
  struct Span {
    std::uint8_t days = 0;  ///< a bit for each, Sunday's the lowest
    int begin = 0;          ///< minute of the day
    int end = 0;            ///< the first that is not in it; up to kMinutes
  };

  static Span parse_span(std::string_view text);

  std::vector<Span> spans_;
};

}  // namespace linearb::config
