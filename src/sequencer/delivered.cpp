// SPDX-License-Identifier: Apache-2.0
#include "sequencer/delivered.h"

#include <bit>

namespace linearb::sequencer {

Delivered::Delivered(GapList& gaps)
    : gaps_(gaps),
      bits_(std::make_unique<std::uint64_t[]>(kWords)),
      times_ms_(std::make_unique<std::uint32_t[]>(kSteps)) {
  missing_.reserve(2 * kMissing + 1);  // filling a hole in its middle makes two of it
}

void Delivered::begin(std::uint64_t first, GapOrigin origin) noexcept {
  origin_ = origin;
  std::fill_n(bits_.get(), kWords, 0);
  std::fill_n(times_ms_.get(), kSteps, 0);
  base_ = first > kBack ? (first - kBack) / kStep * kStep : 0;
  first_ = end_ = first;
  messages_ = 0;
  missing_.clear();
  has_forgotten_ = false;
}

Delivered::Knowledge Delivered::knowledge(std::uint64_t first, std::uint32_t count) const noexcept {
  for (std::uint64_t number = first; number < first + count;) {
    if (number >= end_) return Knowledge::missing;
    if (number >= base_) {
      const std::uint64_t hit = next(number, true);
      return hit < first + count ? Knowledge::delivered : Knowledge::missing;
    }
    if (number < first_) {
      number = first_;
      continue;
    }
    const auto hole = const_cast<Delivered*>(this)->find_missing(number);
    if (hole == missing_.end() || hole->first > number)
      return has_forgotten_ && hole == missing_.begin() ? Knowledge::forgotten
                                                        : Knowledge::delivered;
    number = hole->end;
  }
  return Knowledge::missing;
}

std::uint32_t Delivered::time_ms(std::uint64_t number) const noexcept {
  return number >= base_ && number < top() ? step_time_ms(number) : 0;
}

std::size_t Delivered::take(std::uint64_t first, std::uint32_t count, std::uint32_t now_ms,
                            lb_run* news) noexcept {
  const std::uint64_t end = first + count;
  if (end > top()) slide_to_hold(end);
  end_ = std::max(end_, end);
  if (first < base_) {
    forget_if_full();
    reach_back(first);
  }
  std::size_t runs = 0;
  for (std::uint64_t number = first; number < end; ++number) {
    if (number < base_) {
      if (!take_missing(number)) continue;
    } else {
      const std::uint64_t bit = 1ull << number % kWordBits;
      std::uint64_t& held = word(number);
      if (held & bit) continue;
      if (now_ms != 0) step_time_ms(number) = now_ms;
      held |= bit;
      first_ = std::min(first_, number);
    }
    ++messages_;
    if (runs > 0 && news[runs - 1].first + news[runs - 1].count == number)
      ++news[runs - 1].count;
    else
      news[runs++] = {number, 1};
  }
  return runs;
}

bool Delivered::give_back(std::uint64_t number) noexcept {
  const std::uint64_t bit = 1ull << number % kWordBits;
  if (number < base_ || number >= end_ || !(word(number) & bit)) return false;
  word(number) &= ~bit;
  --messages_;
  return true;
}

void Delivered::announce(std::uint64_t end) noexcept {
  if (end > top()) slide_to_hold(end);
  end_ = std::max(end_, end);
}

void Delivered::report_gaps() const noexcept {
  Range last;  // not added yet: what comes next may go on with it
  const auto add = [&](Range range) {
    if (last.first < last.end && last.end != range.first) gaps_.add(origin_, last);
    last = {last.end == range.first ? last.first : range.first, range.end};
  };
  for (const Range& range : missing_) add(range);
  std::uint64_t number = std::max(base_, first_);
  while (number < end_) {
    const std::uint64_t hole = next(number, false);
    if (hole >= end_) break;
    number = std::min(next(hole, true), end_);
    add({hole, number});
  }
  if (last.first < last.end) gaps_.add(origin_, last);
}

/// The first number from `number` on that is delivered, or is not; top() if there is none.
std::uint64_t Delivered::next(std::uint64_t number, bool delivered) const noexcept {
  while (number < top()) {
    const std::uint64_t bits = delivered ? word(number) : ~word(number);
    const std::uint64_t rest = bits >> number % kWordBits;
    if (rest) return number + static_cast<std::uint64_t>(std::countr_zero(rest));
    number = (number / kWordBits + 1) * kWordBits;
  }
  return top();
}

/// Moves the bitmap up so that it holds the numbers before `end`. The holes that it leaves behind
/// become missing ranges.
void Delivered::slide_to_hold(std::uint64_t end) noexcept {
  const std::uint64_t base = (end - kMessages + kStep - 1) / kStep * kStep;
  const std::uint64_t left = std::min(base, top());
  std::uint64_t number = std::max(base_, first_);
  while (number < left) {
    const std::uint64_t hole = next(number, false);
    if (hole >= left) break;
    number = std::min(next(hole, true), left);
    leave_behind({hole, number});
  }
  if (base > top() && base > first_) leave_behind({std::max(top(), first_), base});
  const std::uint64_t cleared = std::min(base - base_, kMessages);
  for (std::uint64_t i = 0; i < cleared; i += kWordBits) word(base_ + i) = 0;
  for (std::uint64_t i = 0; i < cleared; i += kStep) step_time_ms(base_ + i) = 0;
  base_ = base;
}

void Delivered::leave_behind(Range missing) noexcept {
  if (!missing_.empty() && missing_.back().end == missing.first) {
    missing_.back().end = missing.end;
    return;
  }
  forget_if_full();
  missing_.push_back(missing);
}

/// Nothing before the first number was delivered: from `first` up to it everything is missing.
void Delivered::reach_back(std::uint64_t first) noexcept {
  if (first >= first_) return;
  missing_.insert(missing_.begin(), {first, std::min(base_, first_)});
  first_ = first;
}

void Delivered::forget_if_full() noexcept {
  if (missing_.size() < 2 * kMissing) return;
  const auto begin = missing_.begin();
  for (auto range = begin; range != begin + kMissing; ++range) gaps_.add(origin_, *range);
  missing_.erase(begin, begin + kMissing);
  has_forgotten_ = true;
}

/// The missing range that holds `number`, or the first one behind it.
std::vector<Range>::iterator Delivered::find_missing(std::uint64_t number) noexcept {
  return std::upper_bound(
      missing_.begin(), missing_.end(), number,
      [](std::uint64_t value, const Range& range) { return value < range.end; });
}

/// Takes one number out of the missing ranges. False when it is in none of them.
bool Delivered::take_missing(std::uint64_t number) noexcept {
  const auto range = find_missing(number);
  if (range == missing_.end() || range->first > number) return false;
  const Range rest{number + 1, range->end};
  if (range->first < number) {
    range->end = number;
    if (rest.first < rest.end) missing_.insert(range + 1, rest);
  } else if (rest.first < rest.end) {
    *range = rest;
  } else {
    missing_.erase(range);
  }
  return true;
}

}  // namespace linearb::sequencer
