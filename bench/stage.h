// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/contender.h"

namespace linearb::bench {

/// The CPUs of a measurement: what sends, and the hooks behind it, on the first; what receives on
/// the last.
struct Cpus {
  unsigned sender = 0;
  unsigned receiver = 0;
};

/// Of those that the process may run on. Throws Error where there is one only.
Cpus choose_cpus();

/// The lines that one contender is measured on, made anew for each: nothing that another has done
/// to them is left. In the network namespace of the process, which is a private one.
class Stage {
 public:
  Stage(unsigned lines, const Contender& contender);

  const std::vector<std::string>& sources() const noexcept { return sources_; }
  const std::vector<std::string>& destinations() const noexcept { return destinations_; }

 private:
  std::vector<std::string> sources_;
  std::vector<std::string> destinations_;
};

}  // namespace linearb::bench
