// SPDX-License-Identifier: Apache-2.0
#include "sys/cpu.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>

#include "sys/error.h"

namespace linearb::sys {

std::vector<unsigned> allowed_cpus() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    throw_errno("ask for the CPUs of this thread (sched_getaffinity)");
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

void require_cpu(unsigned cpu) {
  const auto allowed = allowed_cpus();
  if (std::ranges::find(allowed, cpu) == allowed.end())
    throw UsageError(fmt::format("pin a thread to CPU {}: it may run on {} only", cpu,
                                 fmt::join(allowed, ", ")));
}

void pin_this_thread(unsigned cpu) {
  require_cpu(cpu);
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (::sched_setaffinity(0, sizeof set, &set) != 0)
    throw_errno(fmt::format("pin a thread to CPU {} (sched_setaffinity)", cpu));
}

}  // namespace linearb::sys
