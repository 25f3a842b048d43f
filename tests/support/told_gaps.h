// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "linearb/summary.h"

namespace linearb::test {

/// What is left of the gaps that somebody was told of, less the late repairs: in the end it has to
/// be what the summary says. Nothing is to be told twice, nor to be repaired that was not told.
class ToldGaps {
 public:
  void add(const Gap& gap) {
    Ranges& ranges = gaps_[of(gap)];
    const std::uint64_t end = gap.first + gap.count;
    const auto behind = ranges.lower_bound(end);
    const bool overlaps = behind != ranges.begin() && std::prev(behind)->second > gap.first;
    if (overlaps || gap.count == 0)
      complaint_ += "told twice: " + text_of(of(gap), gap.first, end);
    else
      insert(ranges, gap.first, end);
  }

  void repair(const Gap& repaired) {
    Ranges& ranges = gaps_[of(repaired)];
    const std::uint64_t end = repaired.first + repaired.count;
    const auto behind = ranges.upper_bound(repaired.first);
    const bool was_told = behind != ranges.begin() && std::prev(behind)->second >= end;
    if (was_told && repaired.count > 0) {
      const auto [gap_first, gap_end] = *std::prev(behind);
      ranges.erase(gap_first);
      if (gap_first < repaired.first) ranges[gap_first] = repaired.first;
      if (end < gap_end) ranges[end] = gap_end;
    } else {
      complaint_ += "repaired, and was not told: " + text_of(of(repaired), repaired.first, end);
    }
    if (ranges.empty()) gaps_.erase(of(repaired));
  }

  /// Empty when they are these, which are all there are.
  std::string complaint(std::span<const Gap> counted) const {
    std::map<Epoch, Ranges> expected;
    for (const Gap& gap : counted) insert(expected[of(gap)], gap.first, gap.first + gap.count);
    std::string text = complaint_;
    if (expected == gaps_) return text;
    for (const auto& [epoch, ranges] : gaps_)
      for (const auto& [first, end] : ranges) text += "told: " + text_of(epoch, first, end);
    for (const auto& [epoch, ranges] : expected)
      for (const auto& [first, end] : ranges) text += "counted: " + text_of(epoch, first, end);
    return text;
  }

 private:
  using Epoch = std::pair<std::string, std::uint64_t>;    ///< of a channel
  using Ranges = std::map<std::uint64_t, std::uint64_t>;  ///< first and end; none touches another

  static Epoch of(const Gap& gap) { return {gap.channel, gap.epoch}; }

  static std::string text_of(const Epoch& epoch, std::uint64_t first, std::uint64_t end) {
    return fmt::format("{} epoch {}, {} to {}\n", epoch.first, epoch.second, first, end - 1);
  }

  static void insert(Ranges& ranges, std::uint64_t first, std::uint64_t end) {
    if (const auto behind = ranges.find(end); behind != ranges.end()) {
      end = behind->second;
      ranges.erase(behind);
    }
    const auto place = ranges.lower_bound(first);
    if (place != ranges.begin() && std::prev(place)->second == first)
      std::prev(place)->second = end;
    else
      ranges[first] = end;
  }

  std::map<Epoch, Ranges> gaps_;  ///< none is empty
  std::string complaint_;
};

}  // namespace linearb::test
