// SPDX-License-Identifier: Apache-2.0
#include "sequencer/line_state.h"

namespace linearb::sequencer {

void LineHoles::add(Range hole) noexcept {
  if (size_ == kHoles) {
    std::move(holes_.begin() + 1, holes_.end(), holes_.begin());
    --size_;
  }
  holes_[size_++] = hole;
}

std::uint64_t LineHoles::fill(Range range) noexcept {
  std::uint64_t filled = 0;
  const std::size_t before = size_;
  std::array<Range, kHoles> old = holes_;
  size_ = 0;
  for (std::size_t i = 0; i < before; ++i) {
    const Range hole = old[i];
    const Range common{std::max(hole.first, range.first), std::min(hole.end, range.end)};
    if (common.first >= common.end) {
      add(hole);
      continue;
    }
    filled += common.end - common.first;
    if (hole.first < common.first) add({hole.first, common.first});
    if (common.end < hole.end) add({common.end, hole.end});
  }
  return filled;
}

/// Several marks, a step apart, so that one is old enough and not much older.
void Trail::keep_latest() noexcept {
  std::move(marks_.begin() + 1, marks_.end(), marks_.begin());
  marks_.back() = latest_;
}

bool Trail::had_come_to(std::uint64_t end, std::uint64_t by_ns) const noexcept {
  const auto had = [=](const Mark& mark) { return mark.ns <= by_ns && mark.end >= end; };
  return had(latest_) || std::any_of(marks_.begin(), marks_.end(), had);
}

}  // namespace linearb::sequencer
