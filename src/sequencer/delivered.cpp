// SPDX-License-Identifier: Apache-2.0
#include "sequencer/delivered.h"

#include <bit>
#include <utility>

namespace linearb::sequencer {
namespace {

constexpr std::uint64_t kCountMax = 65'535;  // of a packet
static_assert(kCountMax / LB_MEMORY_WORD_MESSAGES + 2 <= LB_MEMORY_HAND_WORDS);

std::uint64_t size_of(lb_range range) noexcept {
  return range.first < range.end ? range.end - range.first : 0;
}

lb_range both(lb_range a, lb_range b) noexcept {
  return {std::max(a.first, b.first), std::min(a.end, b.end)};
}

/// To a list that nobody reads yet.
void append(lb_missing& list, lb_range range) noexcept {
  if (range.first < range.end) list.ranges[list.count++] = range;
}

}  // namespace

void Delivered::begin(std::uint64_t first, GapOrigin origin, std::uint64_t session,
                      std::uint64_t began_ns) noexcept {
  disown();
  const std::uint64_t base = first > kBack ? (first - kBack) / kStep * kStep : 0;
  memory_.session = session;
  memory_.began_ns = began_ns;
  memory_.first = memory_.end = first;
  memory_.base = memory_.sliding_to = base;
  memory_.list = 0;
  memory_.answered = {};
  memory_.missing[0].count = memory_.missing[0].has_forgotten = memory_.missing[0].forgotten = 0;
  std::ranges::fill(memory_.bits, 0);
  std::ranges::fill(memory_.times_ms, 0);
  origin_ = origin;
  messages_ = holes_ = 0;
  begun_ = own_first_ = first;
  lb_memory_store(&memory_.epoch, origin.epoch);
}

bool Delivered::adopt(GapOrigin origin) noexcept {
  if (!is_sound()) {
    disown();
    return false;
  }
  origin_ = origin;
  put_back_what_was_in_hand();
  finish_slide();
  drop_what_does_not_count_yet();
  memory_.end = std::max(memory_.end, base());
  if (!missing().empty()) memory_.first = std::min(memory_.first, missing().front().first);
  messages_ = 0;
  holes_ = list().forgotten;
  own_first_ = end();
  for (Range gap = next_gap({first(), end()}); gap.first < gap.end;
       gap = next_gap({gap.end, end()})) {
    holes_ += gap.end - gap.first;
    own_first_ = std::min(own_first_, gap.first);
  }
  if (list().forgotten > 0) {  // which they were, nobody knows any more
    own_first_ = std::min(own_first_, first());
    gaps_.truncate();
  }
  return true;
}

/// Whether it can be worked on at all: nothing outside of it is ever touched.
bool Delivered::is_sound() const noexcept {
  if (memory_.epoch == 0 || memory_.list > 1 || list().count > LB_MEMORY_MISSING) return false;
  if (base() % kStep != 0 || memory_.first > memory_.end || memory_.end > top()) return false;
  const bool is_sliding = memory_.sliding_to > base();
  if (is_sliding && memory_.sliding_to != base() + kStep) return false;
  std::uint64_t before = 0;
  return std::ranges::all_of(missing(), [&](const lb_range& range) {
    return range.first < range.end && std::exchange(before, range.end) <= range.first;
  });
}

/// As often as it takes: it stays in hand.
void Delivered::put_back_what_was_in_hand() noexcept {
  if (!in_hand_ || in_hand_->count == 0 || in_hand_->epoch != memory_.epoch) return;
  const std::uint64_t end = in_hand_->first + in_hand_->count;
  if (in_hand_->count > kCountMax || end > top() || in_hand_->list > 1) return;
  const std::uint64_t* held = in_hand_->words;
  for (std::uint64_t number = std::max(in_hand_->first, base()) / kWordBits * kWordBits;
       number < end; number += kWordBits)
    word(number) = *held++;
  lb_memory_store(&memory_.list, in_hand_->list);
}

void Delivered::finish_slide() noexcept {
  if (memory_.sliding_to <= base()) return;
  clear_step(base());
  lb_memory_store(&memory_.base, memory_.sliding_to);
}

void Delivered::drop_what_does_not_count_yet() noexcept {
  lb_missing& list = this->list();
  while (list.count > 0 && list.ranges[list.count - 1].first >= base()) --list.count;
  if (list.count == 0) return;
  lb_range& last = list.ranges[list.count - 1];
  last.end = std::min(last.end, base());
}

Delivered::Knowledge Delivered::knowledge(std::uint64_t first, std::uint32_t count) const noexcept {
  for (std::uint64_t number = first; number < first + count;) {
    if (number >= end()) return Knowledge::missing;
    if (number >= base()) {
      const std::uint64_t hit = next(number, true, first + count);
      return hit < first + count ? Knowledge::delivered : Knowledge::missing;
    }
    if (number < this->first()) {
      number = this->first();
      continue;
    }
    const lb_range* const hole = find_missing(number);
    if (hole == list().ranges + list().count || hole->first > number)
      return list().has_forgotten && hole == list().ranges ? Knowledge::forgotten
                                                           : Knowledge::delivered;
    number = hole->end;
  }
  return Knowledge::missing;
}

std::uint32_t Delivered::time_ms(std::uint64_t number) const noexcept {
  return number >= base() && number < top() ? step_time_ms(number) : 0;
}

std::size_t Delivered::take(std::uint64_t first, std::uint32_t count, std::uint32_t now_ms,
                            lb_run* news) noexcept {
  open_hand();
  const std::uint64_t end = first + count;
  if (end > top()) slide_to_hold(end);
  raise_end(end);
  if (first < base()) {
    forget_if_full();
    reach_back(first);
  }
  lower_first(first);
  const bool is_plain = is_one_hole(first, end);
  if (is_plain) news[0] = {first, count};
  const std::size_t runs = is_plain ? 1 : find_news(first, end, news);
  if (runs == 0) return 0;
  take_in_hand(first, count);
  if (is_plain)
    mark_in_word(first, end, now_ms);
  else
    mark({news, runs}, now_ms);
  count_taken({news, runs});
  return runs;
}

bool Delivered::give_back(std::uint64_t number) noexcept {
  const std::uint64_t bit = bits_of(number, number + 1);
  if (number < base() || number >= end() || !(word(number) & bit)) return false;
  open_hand();
  word(number) &= ~bit;
  --messages_;
  ++holes_;
  // What stood before the others and is not there any more leaves no gap before them.
  if (number == first() && number < begun_) {
    const std::uint64_t first = next(number, true, begun_);
    holes_ -= first - number;
    own_first_ = std::max(own_first_, first);
    memory_.first = first;
  }
  return true;
}

void Delivered::announce(std::uint64_t end) noexcept {
  open_hand();
  if (end > top()) slide_to_hold(end);
  raise_end(end);
}

/// Almost always: a few numbers in one word, and nobody has brought them.
bool Delivered::is_one_hole(std::uint64_t first, std::uint64_t end) const noexcept {
  if (first < base() || first == end || first / kWordBits != (end - 1) / kWordBits) return false;
  return (word(first) & bits_of(first, end)) == 0;
}

/// The runs of [first, end) that are missing.
std::size_t Delivered::find_news(std::uint64_t first, std::uint64_t end,
                                 lb_run* news) const noexcept {
  std::size_t runs = 0;
  for (std::uint64_t number = first; number < end;) {
    const lb_range hole = next_hole(number, end);
    if (hole.first >= end) break;
    const auto size = static_cast<std::uint32_t>(size_of(hole));
    if (runs > 0 && news[runs - 1].first + news[runs - 1].count == hole.first)
      news[runs - 1].count += size;
    else
      news[runs++] = {hole.first, size};
    number = hole.end;
  }
  return runs;
}

/// The next hole in [number, end); it begins at `end` if there is none. One that goes on in the
/// bitmap is two.
lb_range Delivered::next_hole(std::uint64_t number, std::uint64_t end) const noexcept {
  if (number < base()) {
    const lb_range* const range = find_missing(number);
    if (range != list().ranges + list().count && range->first < end)
      return {std::max(number, range->first), std::min(range->end, end)};
    number = base();
  }
  if (number >= end) return {end, end};
  const std::uint64_t hole = next(number, false, end);
  return {hole, hole < end ? next(hole, true, end) : end};
}

/// Whatever was in hand is settled: what moves the bitmap makes its words useless.
void Delivered::open_hand() noexcept {
  if (in_hand_) lb_memory_store(&in_hand_->count, 0);
}

/// From here on, until the count is cleared, the range counts as not delivered.
void Delivered::take_in_hand(std::uint64_t first, std::uint32_t count) noexcept {
  if (!in_hand_) return;
  in_hand_->epoch = memory_.epoch;
  in_hand_->first = first;
  in_hand_->list = memory_.list;
  std::uint64_t* held = in_hand_->words;
  for (std::uint64_t number = std::max(first, base()) / kWordBits * kWordBits;
       number < first + count; number += kWordBits)
    *held++ = word(number);
  lb_memory_store(&in_hand_->count, count);
}

void Delivered::mark(std::span<const lb_run> news, std::uint32_t now_ms) noexcept {
  if (news.front().first < base())
    take_missing(news.front().first, std::min(news.back().first + news.back().count, base()));
  for (const lb_run& run : news) {
    const std::uint64_t end = run.first + run.count;
    for (std::uint64_t number = std::max(run.first, base()); number < end;) {
      const std::uint64_t next = std::min(end, (number / kWordBits + 1) * kWordBits);
      mark_in_word(number, next, now_ms);
      number = next;
    }
  }
}

/// What somebody has reported as a gap is none of the holes here.
void Delivered::count_taken(std::span<const lb_run> news) noexcept {
  own_first_ = std::min(own_first_, news.front().first);
  for (const lb_run& run : news) {
    messages_ += run.count;
    holes_ -= run.count;
    if (run.first < memory_.answered.end)
      holes_ += size_of(both({run.first, run.first + run.count}, memory_.answered));
  }
}

void Delivered::raise_end(std::uint64_t end) noexcept {
  if (end <= memory_.end) return;
  holes_ += end - memory_.end;
  memory_.end = end;
}

void Delivered::lower_first(std::uint64_t first) noexcept {
  if (first >= memory_.first) return;
  holes_ += memory_.first - first;
  memory_.first = first;
  own_first_ = std::min(own_first_, first);
}

void Delivered::report_gaps() const noexcept {
  for (Range gap = next_gap({first(), end()}); gap.first < gap.end;
       gap = next_gap({gap.end, end()}))
    gaps_.add(origin_, gap);
}

Range Delivered::next_gap(Range among) const noexcept {
  const std::uint64_t end = std::min(among.end, this->end());
  Range gap = next_unanswered({std::max(among.first, first()), end});
  while (gap.end < end) {  // one that goes on is in pieces
    const Range rest = next_unanswered({gap.end, end});
    if (rest.first != gap.end) break;
    gap.end = rest.end;
  }
  return gap;
}

/// One piece of a hole, and none of what was answered for before; it begins at the end if there is
/// none.
Range Delivered::next_unanswered(Range among) const noexcept {
  const lb_range answered = memory_.answered;
  std::uint64_t number = among.first;
  while (number < among.end) {
    const lb_range hole = next_hole(number, among.end);
    const bool is_answered = hole.first >= answered.first && hole.first < answered.end;
    if (!is_answered)
      return {hole.first,
              hole.first < answered.first ? std::min(hole.end, answered.first) : hole.end};
    number = std::min(hole.end, answered.end);
  }
  return {among.end, among.end};
}

/// Of a range what nobody has reported; empty ones among it.
template <class Tell>
void Delivered::for_unanswered(lb_range range, Tell tell) const noexcept {
  const lb_range answered = memory_.answered;
  if (size_of(both(range, answered)) == 0) return tell(range);
  tell(lb_range{range.first, answered.first});
  tell(lb_range{answered.end, range.end});
}

/// The first number in [number, end) that is delivered, or is not; `end` if there is none. All of
/// it is in the bitmap, or behind all there is.
std::uint64_t Delivered::next(std::uint64_t number, bool delivered,
                              std::uint64_t end) const noexcept {
  while (number < std::min(end, top())) {
    const std::uint64_t bits = delivered ? word(number) : ~word(number);
    const std::uint64_t rest = bits >> number % kWordBits;
    if (rest) return std::min(end, number + static_cast<std::uint64_t>(std::countr_zero(rest)));
    number = (number / kWordBits + 1) * kWordBits;
  }
  return end;
}

/// Moves the bitmap up so that it holds the numbers before `end`. The holes that it leaves behind
/// become missing ranges. Step by step: one that is cut off is redone by finish_slide().
void Delivered::slide_to_hold(std::uint64_t end) noexcept {
  const std::uint64_t target = (end - kMessages + kStep - 1) / kStep * kStep;
  const std::uint64_t left = std::min(target, top());
  while (base() < left) slide_step();
  if (base() == target) return;
  // The bitmap is empty by now: it may jump.
  if (target > first()) leave_behind({std::max(base(), first()), target});
  lb_memory_store(&memory_.base, target);
}

void Delivered::slide_step() noexcept {
  const std::uint64_t left = base() + kStep;
  for (std::uint64_t number = std::max(base(), first()); number < left;) {
    const lb_range hole = next_hole(number, left);
    if (hole.first < hole.end) leave_behind(hole);
    number = hole.end;
  }
  lb_memory_store(&memory_.sliding_to, left);
  clear_step(base());
  lb_memory_store(&memory_.base, left);
}

void Delivered::clear_step(std::uint64_t number) noexcept {
  for (std::uint64_t i = 0; i < kStep; i += kWordBits) word(number + i) = 0;
  step_time_ms(number) = 0;
}

void Delivered::leave_behind(lb_range range) noexcept {
  if (!missing().empty() && missing().back().end == range.first) {
    lb_memory_store(&list().ranges[list().count - 1].end, range.end);
    return;
  }
  forget_if_full();
  lb_missing& list = this->list();
  list.ranges[list.count] = range;
  lb_memory_store(&list.count, list.count + 1);
}

/// Nothing before the first number was delivered: from `first` up to it everything is missing.
void Delivered::reach_back(std::uint64_t first) noexcept {
  if (first >= this->first()) return;
  lb_missing& spare = spare_list();
  spare.has_forgotten = list().has_forgotten;
  spare.forgotten = list().forgotten;
  spare.count = 0;
  append(spare, {first, std::min(base(), this->first())});
  for (const lb_range& range : missing()) append(spare, range);
  change_list();
}

void Delivered::forget_if_full() noexcept {
  if (missing().size() < 2 * kMissing) return;
  lb_missing& spare = spare_list();
  spare.has_forgotten = 1;
  spare.forgotten = list().forgotten;
  spare.count = 0;
  for (const lb_range& range : missing().first(kMissing))
    for_unanswered(range, [&](lb_range gap) {
      if (size_of(gap) == 0) return;
      gaps_.add(origin_, {gap.first, gap.end});
      spare.forgotten += size_of(gap);
    });
  for (const lb_range& range : missing().subspan(kMissing)) append(spare, range);
  change_list();
}

/// The missing range that holds `number`, or the first one behind it.
const lb_range* Delivered::find_missing(std::uint64_t number) const noexcept {
  return std::upper_bound(
      list().ranges, list().ranges + list().count, number,
      [](std::uint64_t value, const lb_range& range) { return value < range.end; });
}

/// Takes [first, end) out of the missing ranges.
void Delivered::take_missing(std::uint64_t first, std::uint64_t end) noexcept {
  lb_missing& spare = spare_list();
  spare.has_forgotten = list().has_forgotten;
  spare.forgotten = list().forgotten;
  spare.count = 0;
  for (const lb_range& range : missing()) {
    append(spare, {range.first, std::min(range.end, std::max(range.first, first))});
    append(spare, {std::max(range.first, std::min(range.end, end)), range.end});
  }
  change_list();
}

}  // namespace linearb::sequencer
