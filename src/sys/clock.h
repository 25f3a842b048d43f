// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ctime>

namespace linearb::sys {

inline std::uint64_t clock_ns(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// CLOCK_MONOTONIC in nanoseconds: the clock of bpf_ktime_get_ns.
inline std::uint64_t monotonic_ns() noexcept {
  return clock_ns(CLOCK_MONOTONIC);
}

/// CLOCK_REALTIME in nanoseconds since the epoch: the clock of captures.
inline std::uint64_t realtime_ns() noexcept {
  return clock_ns(CLOCK_REALTIME);
}

}  // namespace linearb::sys
