// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace linearb::sequencer {

/// Numbers [first, end).
struct Range {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

struct GapOrigin {
  std::uint32_t channel = 0;  ///< Channel::serial
  std::uint64_t epoch = 0;
};

/// The first gaps of a run, with their exact ranges. It never allocates after its construction.
class GapList {
 public:
  static constexpr std::size_t kReported = 1000;

  struct Gap {
    GapOrigin origin;
    Range range;
  };

  GapList() { gaps_.reserve(kReported); }

  void add(GapOrigin origin, Range range) noexcept {
    if (gaps_.size() < kReported)
      gaps_.push_back({origin, range});
    else
      truncated_ = true;
  }

  /// There are gaps of which nobody can say where they are.
  void truncate() noexcept { truncated_ = true; }

  const std::vector<Gap>& gaps() const noexcept { return gaps_; }
  bool truncated() const noexcept { return truncated_; }

 private:
  std::vector<Gap> gaps_;
  bool truncated_ = false;
};

}  // namespace linearb::sequencer
