// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/run.h"
#include "core/window.h"
#include "sequencer/gap_list.h"

namespace linearb::sequencer {

/// Which numbers of an epoch were delivered, exactly.
///
/// The last kMessages numbers are a bitmap; of those before it the missing ranges are kept. So a
/// copy that comes however late is judged right, as long as no more than kMissing holes are older
/// than the bitmap: then the oldest holes are forgotten, which makes them gaps for good, and what
/// would have filled them is late.
///
/// All memory is taken in the constructor; nothing later allocates. One thread.
class Delivered {
 public:
  /// Twice the hook's window: what the hook calls late is still known here.
  static constexpr std::uint64_t kMessages = 2 * LB_WINDOW_MESSAGES;
  static constexpr std::size_t kMissing = 256;
  /// Room in the bitmap below the first number, for a slower line that brings what was before it.
  static constexpr std::uint64_t kBack = kMessages / 2;

  enum class Knowledge {
    missing,    ///< no number of the range was delivered, and that is certain
    delivered,  ///< some number of it was
    forgotten,  ///< behind the memory
  };

  /// Holes that are forgotten go to `gaps`, which outlives this object.
  explicit Delivered(GapList& gaps);

  /// Forgets everything; numbers begin at `first`. `origin` is what gaps are said to be of.
  void begin(std::uint64_t first, GapOrigin origin) noexcept;

  std::uint64_t first() const noexcept { return first_; }
  /// After the highest number that is known to exist, delivered or announced.
  std::uint64_t end() const noexcept { return end_; }
  std::uint64_t messages() const noexcept { return messages_; }
  std::uint64_t gap_messages() const noexcept { return end_ - first_ - messages_; }

  Knowledge knowledge(std::uint64_t first, std::uint32_t count) const noexcept;

  /// When a number of the neighbourhood was delivered last, in milliseconds of the caller's clock:
  /// the number itself then or earlier. 0 if that is not known any more.
  std::uint32_t time_ms(std::uint64_t number) const noexcept;

  /// Marks the range as delivered and writes the runs that were not before to `news`, which has
  /// room for (count + 1) / 2. Returns how many runs. Numbers that were forgotten count as
  /// delivered. With a time of 0 the neighbourhood keeps the time that it has.
  std::size_t take(std::uint64_t first, std::uint32_t count, std::uint32_t now_ms,
                   lb_run* news) noexcept;

  /// A number that was delivered turned out to be another epoch's. False when it is too old to be
  /// taken back.
  bool give_back(std::uint64_t number) noexcept;

  /// Numbers up to `end` exist, says a heartbeat.
  void announce(std::uint64_t end) noexcept;

  /// Adds every hole that is left to the gaps, ascending. What was forgotten is there already.
  void report_gaps() const noexcept;

 private:
  static constexpr std::uint64_t kWordBits = 64;
  static constexpr std::uint64_t kWords = kMessages / kWordBits;
  /// The bitmap moves in steps, and a step has one time.
  static constexpr std::uint64_t kStep = 512;
  static constexpr std::uint64_t kSteps = kMessages / kStep;
  static_assert((kWords & (kWords - 1)) == 0 && (kSteps & (kSteps - 1)) == 0);

  std::uint64_t& word(std::uint64_t number) const noexcept {
    return bits_[number / kWordBits % kWords];
  }
  std::uint64_t top() const noexcept { return base_ + kMessages; }
  std::uint64_t next(std::uint64_t number, bool delivered) const noexcept;
  void slide_to_hold(std::uint64_t end) noexcept;
  void leave_behind(Range missing) noexcept;
  void reach_back(std::uint64_t first) noexcept;
  void forget_if_full() noexcept;
  std::uint32_t& step_time_ms(std::uint64_t number) const noexcept {
    return times_ms_[number / kStep % kSteps];
  }
  bool take_missing(std::uint64_t number) noexcept;
  std::vector<Range>::iterator find_missing(std::uint64_t number) noexcept;

  GapList& gaps_;
  GapOrigin origin_{};
  std::unique_ptr<std::uint64_t[]> bits_;
  std::unique_ptr<std::uint32_t[]> times_ms_;
  std::uint64_t base_ = 0;  ///< of the bitmap: a multiple of kStep
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t messages_ = 0;
  std::vector<Range> missing_;  ///< behind the bitmap, ascending
  bool has_forgotten_ = false;
};

}  // namespace linearb::sequencer
