// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/run.h"
#include "feeder/impairment.h"
#include "feeder/source.h"

namespace linearb::feeder {

/// The most departures that one line can have waiting: 1 s of skew at a million packets a second.
/// 32 MiB a line, of which only what is used is ever touched.
inline constexpr std::size_t kDelayQueueLimit = 1 << 20;
/// And the least that a queue has to hold: what one packet can set free, twice each.
inline constexpr std::size_t kDelayQueueMin = 256;
static_assert(kDelayQueueMin > 2 * (1 + kReorderDepthMax));

/// The departures of one line that are not due yet, in the order in which they leave: by time,
/// and among equal times as they were put in. An impairment gives them in that order already, so
/// this is a ring and not a heap.
///
/// It never drops. Whoever fills it asks for room() first, and waits when there is none.
class DelayQueue {
 public:
  /// `limit` is a power of two.
  explicit DelayQueue(std::size_t limit)
      : mask_(limit - 1), ring_(std::make_unique_for_overwrite<Departure[]>(limit)) {
    assert(limit != 0 && (limit & mask_) == 0);
  }

  bool empty() const noexcept { return head_ == tail_; }
  std::size_t size() const noexcept { return tail_ - head_; }
  std::size_t room() const noexcept { return mask_ + 1 - size(); }

  /// There is room, and the departure is not before the one put in last.
  void push(const Departure& departure) noexcept {
    assert(room() != 0);
    assert(empty() || ring_[(tail_ - 1) & mask_].departure_ns <= departure.departure_ns);
    ring_[tail_++ & mask_] = departure;
  }

  /// The next to leave; valid until pop(). Not empty.
  const Departure& front() const noexcept {
    assert(!empty());
    return ring_[head_ & mask_];
  }
  void pop() noexcept {
    assert(!empty());
    ++head_;
  }

 private:
  std::size_t mask_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::unique_ptr<Departure[]> ring_;
};

/// One line between the source and the wire: cuts units into packets, impairs them, and keeps them
/// until they are due. Pure: no clock, no socket.
class LineSchedule {
 public:
  LineSchedule(std::uint32_t units_per_packet, const LineImpairment& impairment, std::uint64_t seed,
               std::uint64_t line, std::size_t limit = kDelayQueueLimit)
      : cut_(units_per_packet), impairment_(impairment, seed, line), queue_(limit) {}

  /// Whether take() may be called.
  bool has_room() const noexcept { return queue_.room() >= impairment_.most_departures(1); }
  /// The line's copy of the unit that the source took last.
  void take(Source& source, std::uint64_t base_ns) noexcept;
  /// The source took its last unit: what is not yet a whole packet, and what was held back, leaves
  /// too. There is room.
  void finish(Source& source, std::uint64_t base_ns) noexcept;

  /// When the next packet is due; kNever when none waits.
  std::uint64_t due_ns() const noexcept {
    return queue_.empty() ? kNever : queue_.front().departure_ns;
  }
  const Departure& front() const noexcept { return queue_.front(); }
  void pop() noexcept { queue_.pop(); }
  std::size_t size() const noexcept { return queue_.size(); }

  /// What the packet with this index carries.
  UnitRange units_of(std::uint64_t index) const noexcept;
  const Ledger& ledger() const noexcept { return impairment_.ledger(); }
  const LostRuns& lost_packets() const noexcept { return impairment_.lost(); }
  /// The same in units; `first` counts units from 0.
  std::vector<lb_run> lost_units() const;

 private:
  void offer(Source& source, std::uint64_t base_ns) noexcept;
  void enqueue(std::span<const Departure> departures) noexcept;

  std::uint32_t cut_;
  std::uint64_t taken_ = 0;  // units
  Impairment impairment_;
  DelayQueue queue_;
};

}  // namespace linearb::feeder
