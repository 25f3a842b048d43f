// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>

#include "sys/clock.h"

namespace linearb::feeder {

/// Waiting is sleeping while there is this much time, and spinning after that: Linux wakes a
/// sleeper 50 us late by default (PR_SET_TIMERSLACK, prctl(2)), and a little later when the CPU was
/// idle.
inline constexpr std::uint64_t kSpinNs = 100'000;
/// The longest sleep: how long stop() may go unnoticed.
inline constexpr std::uint64_t kSleepMaxNs = 50'000'000;

/// Sleeps towards `when_ns` (CLOCK_MONOTONIC): returns early, to be called again, and at once when
/// it is near. A signal ends the sleep.
inline void sleep_towards(std::uint64_t when_ns) noexcept {
  std::uint64_t now_ns = sys::monotonic_ns();
  if (when_ns <= now_ns + kSpinNs) return;
  std::uint64_t until_ns = now_ns + std::min(when_ns - now_ns - kSpinNs, kSleepMaxNs);
  timespec until{.tv_sec = static_cast<time_t>(until_ns / 1'000'000'000u),
                 .tv_nsec = static_cast<long>(until_ns % 1'000'000'000u)};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace linearb::feeder
