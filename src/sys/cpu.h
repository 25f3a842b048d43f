// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace linearb::sys {

/// The CPUs that the calling thread may run on, in order.
std::vector<unsigned> allowed_cpus();

/// Throws UsageError when the calling thread may not run on the CPU.
void require_cpu(unsigned cpu);

/// Ties the calling thread to one CPU. Throws UsageError when the thread may not run there.
void pin_this_thread(unsigned cpu);

}  // namespace linearb::sys
