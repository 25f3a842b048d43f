// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

namespace linearb::feeder {

/// The mixing function of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, OOPSLA 2014, figure 14): a bijection in which every input bit moves half of the
/// output bits.
constexpr std::uint64_t mix64(std::uint64_t value) noexcept {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27) * 0x94d049bb133111ebu;
  return value ^ value >> 31;
}

/// 2^64 / golden ratio, odd: the step of SplitMix64, same source.
inline constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15u;

/// Random numbers that are looked up, not drawn: number `index` of a stream depends on the seed,
/// the line, the kind of choice and the index, and on nothing else. So a run repeats exactly on
/// every machine, and a fault that is switched on leaves the choices of the others as they were.
/// Not for secrets. The distributions of <random> are not used: the standard leaves their results
/// to the library.
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint64_t line, std::uint64_t kind) noexcept
      : start_(mix64(mix64(mix64(seed + kGoldenGamma) + line + 1) + kind + 1)) {}

  std::uint64_t at(std::uint64_t index) const noexcept {
    return mix64(start_ + (index + 1) * kGoldenGamma);
  }

 private:
  std::uint64_t start_;
};

/// A number in [0, bound) from a random one; bound is not 0. The bias is below bound / 2^64.
constexpr std::uint64_t scale_to(std::uint64_t random, std::uint64_t bound) noexcept {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(random) * bound >> 64);
}

/// A probability as a threshold for random numbers: no floating point where packets pass.
class Chance {
 public:
  /// `probability` is in [0, 1].
  explicit Chance(double probability) noexcept
      : always_(probability >= 1),
        threshold_(always_ ? 0 : static_cast<std::uint64_t>(std::ldexp(probability, 64))) {}

  bool hits(std::uint64_t random) const noexcept { return always_ || random < threshold_; }

 private:
  bool always_;
  std::uint64_t threshold_;
};

}  // namespace linearb::feeder
