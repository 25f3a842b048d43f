// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "support/packet.h"

namespace linearb::test {

/// Random choices that a seed repeats.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + below(most - least + 1);
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

/// Turns up to two bits over, mostly of the headers, and cuts some packets off.
inline void damage(Dice& dice, Bytes& packet) {
  constexpr std::size_t kHeaders = 64;
  constexpr std::size_t kShortest = 14;  // BPF_PROG_RUN takes no less
  for (std::uint64_t hits = dice.below(3); hits > 0; --hits) {
    const std::size_t reach = dice.one_in(2) ? packet.size() : std::min(packet.size(), kHeaders);
    packet[dice.below(reach)] ^= static_cast<std::uint8_t>(1u << dice.below(8));
  }
  if (dice.one_in(8)) packet.resize(dice.between(kShortest, packet.size()));
}

}  // namespace linearb::test
