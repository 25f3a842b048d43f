// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "sequencer/notice.h"

namespace linearb::receiver {

/// A notice, and whose it is.
struct TaggedNotice {
  sequencer::Notice notice;
  std::uint32_t channel = 0;  ///< serial of the configured channel
  bool is_stream = false;     ///< its framing has a key
  std::uint64_t key = 0;
};

/// From the data thread, which must not wait, to one that tells. The data thread makes no system
/// call but where the other sleeps: then it wakes it, once.
class NoticeRing {
 public:
  static constexpr std::size_t kNotices = 4096;

  /// `wake` gets the other thread out of its sleep.
  explicit NoticeRing(std::function<void()> wake) : wake_(std::move(wake)), notices_(kNotices) {}

  /// When the other thread has ended: from here on the data thread tells by itself, which may take
  /// its time, and must not throw.
  void tell_at_once(std::function<void(const TaggedNotice&)> tell) { tell_ = std::move(tell); }

  /// Data thread.
  bool has_room() const noexcept {
    return tell_ ||
           tail_.load(std::memory_order_relaxed) - head_.load(std::memory_order_acquire) < kNotices;
  }
  /// Data thread. What there is no room for is counted.
  void push(const TaggedNotice& notice) noexcept {
    if (tell_) return tell_(notice);
    if (!has_room()) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    notices_[tail % kNotices] = notice;
    tail_.store(tail + 1);  // before the look at is_asleep_, as the other looks the other way round
    if (is_asleep_.load() && is_asleep_.exchange(false)) wake_();
  }

  /// The other thread: the oldest; false when there is none.
  bool pop(TaggedNotice& notice) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load()) return false;
    notice = notices_[head % kNotices];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  /// The other thread. False when it must not sleep: there is something.
  bool may_sleep() noexcept {
    is_asleep_.store(true);
    if (head_.load(std::memory_order_relaxed) == tail_.load()) return true;
    is_asleep_.store(false);
    return false;
  }
  /// How many were lost since this was asked last.
  std::uint64_t take_lost() noexcept { return lost_.exchange(0, std::memory_order_relaxed); }

 private:
  std::function<void()> wake_;
  std::function<void(const TaggedNotice&)> tell_;
  std::vector<TaggedNotice> notices_;
  std::atomic<std::uint64_t> tail_ = 0;
  std::atomic<std::uint64_t> head_ = 0;
  std::atomic<bool> is_asleep_ = false;
  std::atomic<std::uint64_t> lost_ = 0;
};

}  // namespace linearb::receiver
