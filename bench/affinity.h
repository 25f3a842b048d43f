// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include <sched.h>

namespace linearb::bench {

/// On every CPU that there is: the suite is tied to its own, and what it starts with it.
inline void run_anywhere() noexcept {
  cpu_set_t all;
  std::memset(&all, 0xff, sizeof(all));
  ::sched_setaffinity(0, sizeof(all), &all);
}

}  // namespace linearb::bench
