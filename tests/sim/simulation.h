// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace linearb::sim {

/// What a run came to, for those who want to know whether a seed does anything.
struct Figures {
  std::uint64_t packets = 0;
  std::uint64_t delivered = 0;
  std::uint64_t steps = 0;
  std::uint64_t receivers = 0;
};

/// Runs the world that the seed describes. Does not return when an invariant fails (failure.h).
/// `story` becomes all that happened, if it is wanted.
Figures simulate(std::uint64_t seed, std::string* story = nullptr);

/// The world of the run that goes on, and with `everything` all that happened in it.
std::string describe_run(bool everything);

}  // namespace linearb::sim
