// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/layout.h"
#include "core/run.h"

namespace linearb::merge {

/// When the messages of a channel were delivered, and from which line: one number in 16, as the
/// hook samples them (core/skew.h). A copy reads how far it is behind its winner.
///
/// The hook has 256 stamps of a word. Here there is room and time for all sampled numbers that the
/// window remembers, so that lines whose clocks are far apart are measured too, which is where
/// somebody looks for an offset; and the line stands beside the time, so that what a line repeats
/// is no copy of another.
class WinnerTimes {
 public:
  static constexpr std::size_t kStamps = std::size_t{LB_WINDOW_MESSAGES} >> LB_SKEW_SAMPLE_SHIFT;

  struct Winner {
    std::uint64_t epoch = 0;
    std::uint32_t line = 0;
    std::uint64_t time_ns = 0;
  };

  WinnerTimes() : stamps_(kStamps) {}

  void won(const lb_run& run, const Winner& winner) noexcept {
    const std::uint64_t step = 1ull << LB_SKEW_SAMPLE_SHIFT;
    for (std::uint64_t number = (run.first + step - 1) / step * step;
         number < run.first + run.count; number += step)
      stamp(number) = {key(number, winner), winner.time_ns, winner.line};
  }

  /// Nothing for a number that this line won itself, or that is not remembered. A copy whose time
  /// stamp is before its winner's is no time behind it.
  std::optional<std::uint64_t> behind_ns(std::uint64_t number, const Winner& copy) const noexcept {
    const Stamp& stamp = stamps_[place(number)];
    if (stamp.key != key(number, copy) || stamp.line == copy.line) return std::nullopt;
    return copy.time_ns > stamp.time_ns ? copy.time_ns - stamp.time_ns : 0;
  }

 private:
  struct Stamp {
    std::uint64_t key = 0;  ///< 0: unused
    std::uint64_t time_ns = 0;
    std::uint32_t line = 0;
  };

  static std::size_t place(std::uint64_t number) noexcept {
    return number >> LB_SKEW_SAMPLE_SHIFT & (kStamps - 1);
  }
  Stamp& stamp(std::uint64_t number) noexcept { return stamps_[place(number)]; }

  /// Number and epoch; epochs count from 1, and of 255 in a row no two are alike.
  static std::uint64_t key(std::uint64_t number, const Winner& winner) noexcept {
    return number | (winner.epoch % 255 + 1) << LB_MARK_BITS;
  }
  static_assert((kStamps & (kStamps - 1)) == 0);

  std::vector<Stamp> stamps_;
};

}  // namespace linearb::merge
