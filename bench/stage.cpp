// SPDX-License-Identifier: Apache-2.0
#include "bench/stage.h"

#include "lab/lab.h"
#include "linearb/error.h"
#include "live/sender.h"
#include "sys/cpu.h"

namespace linearb::bench {

Cpus choose_cpus() {
  const std::vector<unsigned> cpus = sys::allowed_cpus();
  if (cpus.size() < 2)
    throw Error("the benchmarks need two CPUs: one to send and for the hook, one to receive");
  return {cpus.front(), cpus.back()};
}

Stage::Stage(unsigned lines, const Contender& contender) {
  lab::down();
  lab::up({.lines = lines});
  for (unsigned i = 0; i < lines; ++i) {
    const auto line = static_cast<char>('A' + i);
    sources_.push_back(lab::source_name(line));
    destinations_.push_back(lab::destination_name(line));
  }
  if (contender.uses_stack)
    for (const std::string& interface : destinations_) live::take_live_frames(interface);
}

}  // namespace linearb::bench
