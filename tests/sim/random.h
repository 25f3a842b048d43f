// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>

#include "feeder/random.h"

namespace linearb::sim {

/// The choices of one seed, in the order in which they are asked for. The same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(feeder::mix64(seed + 1)) {}

  std::uint64_t next() noexcept { return feeder::mix64(state_ += feeder::kGoldenGamma); }
  /// In [0, bound); bound is not 0.
  std::uint64_t below(std::uint64_t bound) noexcept { return feeder::scale_to(next(), bound); }
  /// In [least, most].
  std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept {
    return least + below(most - least + 1);
  }
  /// Once in `n` times.
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }
  template <class Value>
  Value one_of(std::initializer_list<Value> values) noexcept {
    return *(values.begin() + below(values.size()));
  }
  /// Another sequence, which stays the same whatever else is asked of this one.
  Random branch() noexcept { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace linearb::sim
