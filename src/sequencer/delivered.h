// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/memory.h"
#include "core/run.h"
#include "sequencer/gap_list.h"

namespace linearb::sequencer {

/// Which numbers of an epoch were delivered, exactly.
///
/// The last kMessages numbers are a bitmap; of those before it the missing ranges are kept. So a
/// copy that comes however late is judged right, as long as no more than kMissing holes are older
/// than the bitmap: then the oldest holes are forgotten, which makes them gaps for good, and what
/// would have filled them is late.
///
/// It works on memory of its owner's (core/memory.h). Where that outlives the process, whoever
/// comes next goes on from it by adopt(). Its figures are its own then: what it delivered itself,
/// and the gaps that nobody has reported before.
///
/// Nothing allocates. One thread.
class Delivered {
 public:
  static constexpr std::uint64_t kMessages = LB_MEMORY_MESSAGES;
  static constexpr std::size_t kMissing = LB_MEMORY_FORGOTTEN;
  /// Room in the bitmap below the first number, for a slower line that brings what was before it.
  static constexpr std::uint64_t kBack = kMessages / 2;

  /// For its coarse times, where 0 means unknown.
  static std::uint32_t to_ms(std::uint64_t ns) noexcept {
    return static_cast<std::uint32_t>(ns / 1'000'000) | 1u;
  }

  enum class Knowledge {
    missing,    ///< no number of the range was delivered, and that is certain
    delivered,  ///< some number of it was
    forgotten,  ///< behind the memory
  };

  /// Holes that are forgotten go to `gaps`. With `in_hand`, what take() marks is in hand until the
  /// caller clears its count. All outlive this object; the memory is left as it is.
  Delivered(GapList& gaps, lb_delivered& memory, lb_in_hand* in_hand = nullptr)
      : gaps_(gaps), memory_(memory), in_hand_(in_hand) {}

  /// Forgets everything; numbers begin at `first`. `origin` is what gaps are said to be of; session
  /// and time are for whoever adopts it.
  void begin(std::uint64_t first, GapOrigin origin, std::uint64_t session = 0,
             std::uint64_t began_ns = 0) noexcept;
  /// Goes on from what is in the memory, whenever its writer was killed. What was in hand then was
  /// not delivered. False when there is nothing, or nothing that makes sense; then begin().
  bool adopt(GapOrigin origin) noexcept;
  /// There was no such epoch: the memory has none.
  void disown() noexcept { lb_memory_store(&memory_.epoch, 0); }

  std::uint64_t first() const noexcept { return memory_.first; }
  /// After the highest number that is known to exist, delivered or announced.
  std::uint64_t end() const noexcept { return memory_.end; }
  /// Delivered here.
  std::uint64_t messages() const noexcept { return messages_; }
  /// Missing, and not reported by whoever was here before.
  std::uint64_t gap_messages() const noexcept { return holes_; }
  /// Of the numbers from the first that is missing or was delivered here: those that others
  /// answered for before. end() - that first one = messages + gap_messages + adopted.
  std::uint64_t adopted() const noexcept { return end() - own_first_ - messages_ - holes_; }

  Knowledge knowledge(std::uint64_t first, std::uint32_t count) const noexcept;

  /// When a number of the neighbourhood was delivered last, in milliseconds of the caller's clock:
  /// the number itself then or earlier. 0 if that is not known any more.
  std::uint32_t time_ms(std::uint64_t number) const noexcept;

  /// Marks the range as delivered and writes the runs that were not before to `news`, which has
  /// room for (count + 1) / 2. Returns how many runs. Numbers that were forgotten count as
  /// delivered. With a time of 0 the neighbourhood keeps the time that it has.
  std::size_t take(std::uint64_t first, std::uint32_t count, std::uint32_t now_ms,
                   lb_run* news) noexcept;

  /// take() of numbers of one word that follow all that are known: almost every packet that wins.
  /// False, and nothing is done, where they are others, or somebody wants to know what is in hand.
  bool take_next(std::uint64_t first, std::uint32_t count, std::uint32_t now_ms) noexcept {
    const std::uint64_t end = first + count;
    const bool is_in_word = count != 0 && first / kWordBits == (end - 1) / kWordBits;
    if (first != memory_.end || !is_in_word || end > top() || in_hand_) return false;
    if (first < memory_.answered.end) return false;
    memory_.end = end;
    mark_in_word(first, end, now_ms);
    messages_ += count;
    return true;
  }

  /// A number that was delivered turned out to be another epoch's. False when it is too old to be
  /// taken back.
  bool give_back(std::uint64_t number) noexcept;

  /// Numbers up to `end` exist, says a heartbeat.
  void announce(std::uint64_t end) noexcept;

  /// Adds every hole that is left to the gaps, ascending. What was forgotten is there already.
  void report_gaps() const noexcept;

  /// The first hole in the range that nobody has reported before, as far as it lies in there; an
  /// empty one where there is none. What was forgotten is none.
  Range next_gap(Range among) const noexcept;

 private:
  static constexpr std::uint64_t kWordBits = LB_MEMORY_WORD_MESSAGES;
  static constexpr std::uint64_t kStep = LB_MEMORY_STEP;

  /// Of [first, end) in its word.
  static std::uint64_t bits_of(std::uint64_t first, std::uint64_t end) noexcept {
    return ~0ull >> (kWordBits - (end - first)) << first % kWordBits;
  }
  std::uint64_t& word(std::uint64_t number) const noexcept {
    return memory_.bits[number / kWordBits % LB_MEMORY_WORDS];
  }
  std::uint32_t& step_time_ms(std::uint64_t number) const noexcept {
    return memory_.times_ms[number / kStep % LB_MEMORY_STEPS];
  }
  std::uint64_t base() const noexcept { return memory_.base; }
  std::uint64_t top() const noexcept { return base() + kMessages; }
  lb_missing& list() const noexcept { return memory_.missing[memory_.list]; }
  /// The other one: changed at will, then change_list().
  lb_missing& spare_list() const noexcept { return memory_.missing[memory_.list ^ 1]; }
  void change_list() noexcept { lb_memory_store(&memory_.list, memory_.list ^ 1); }
  std::span<const lb_range> missing() const noexcept { return {list().ranges, list().count}; }
  const lb_range* find_missing(std::uint64_t number) const noexcept;

  std::uint64_t next(std::uint64_t number, bool delivered, std::uint64_t end) const noexcept;
  lb_range next_hole(std::uint64_t number, std::uint64_t end) const noexcept;
  bool is_one_hole(std::uint64_t first, std::uint64_t end) const noexcept;
  std::size_t find_news(std::uint64_t first, std::uint64_t end, lb_run* news) const noexcept;

  void open_hand() noexcept;
  void take_in_hand(std::uint64_t first, std::uint32_t count) noexcept;
  void mark(std::span<const lb_run> news, std::uint32_t now_ms) noexcept;
  /// With a time of 0 the step keeps the time that it has.
  void mark_in_word(std::uint64_t first, std::uint64_t end, std::uint32_t now_ms) noexcept {
    word(first) |= bits_of(first, end);
    if (now_ms != 0) step_time_ms(first) = now_ms;
  }
  void count_taken(std::span<const lb_run> news) noexcept;
  void raise_end(std::uint64_t end) noexcept;
  void lower_first(std::uint64_t first) noexcept;

  void slide_to_hold(std::uint64_t end) noexcept;
  void slide_step() noexcept;
  void clear_step(std::uint64_t number) noexcept;
  void leave_behind(lb_range missing) noexcept;
  void reach_back(std::uint64_t first) noexcept;
  void forget_if_full() noexcept;
  void take_missing(std::uint64_t first, std::uint64_t end) noexcept;

  bool is_sound() const noexcept;
  void put_back_what_was_in_hand() noexcept;
  void finish_slide() noexcept;
  void drop_what_does_not_count_yet() noexcept;
  Range next_unanswered(Range among) const noexcept;
  template <class Tell>
  void for_unanswered(lb_range range, Tell tell) const noexcept;

  GapList& gaps_;
  GapOrigin origin_{};
  lb_delivered& memory_;
  lb_in_hand* in_hand_;
  std::uint64_t messages_ = 0;
  std::uint64_t holes_ = 0;
  std::uint64_t own_first_ = 0;
  std::uint64_t begun_ = 0;  ///< what it was begun at; what is brought from before it is first()
};

}  // namespace linearb::sequencer
