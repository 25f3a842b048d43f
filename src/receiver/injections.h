// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "linearb/options.h"

namespace linearb::receiver {

/// A packet that the application hands in.
struct Injected {
  std::uint32_t slot = 0;
  std::uint32_t serial = 0;  ///< of the configured channel
  std::uint16_t place = 0;   ///< that it had when the packet was handed in
  std::span<const std::uint8_t> frame;
  std::uint32_t payload_offset = 0;
};

/// Packets on their way from the application to the data thread: copied into memory that was taken
/// at the start, as frames with headers, so that behind this nobody has to know where a packet
/// comes from.
class Injections {
 public:
  static constexpr std::size_t kPackets = 64;
  static constexpr std::size_t kPayloadMax = 9'000;  ///< a jumbo frame has less

  Injections();

  /// Any thread. False when there is no room now, or nobody takes any more. The payload is no
  /// longer than kPayloadMax.
  bool push(std::uint32_t serial, std::uint16_t place, const Destination& destination,
            std::span<const std::uint8_t> payload);
  /// Any thread: nothing is taken from here on; what was taken is there for pop().
  void close();

  /// Data thread. The oldest, and its bytes, until it is given back.
  std::optional<Injected> pop() noexcept;
  /// Data thread.
  void give_back(std::uint32_t slot) noexcept { free_.push(slot); }
  /// The bytes in a slot.
  std::span<const std::uint8_t> frame(std::uint32_t slot) const noexcept {
    return {memory_.data() + slot * kSlotBytes, slots_[slot].length};
  }

 private:
  static constexpr std::size_t kSlotBytes = 9'216;

  struct Slot {
    std::uint32_t serial = 0;
    std::uint16_t place = 0;
    std::uint32_t length = 0;
  };
  /// Of slots, from one thread to another: there is room for all.
  class Ring {
   public:
    void push(std::uint32_t slot) noexcept {
      const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
      slots_[tail % kPackets] = slot;
      tail_.store(tail + 1, std::memory_order_release);
    }
    std::optional<std::uint32_t> pop() noexcept {
      const std::uint64_t head = head_.load(std::memory_order_relaxed);
      if (head == tail_.load(std::memory_order_acquire)) return std::nullopt;
      const std::uint32_t slot = slots_[head % kPackets];
      head_.store(head + 1, std::memory_order_release);
      return slot;
    }

   private:
    std::array<std::uint32_t, kPackets> slots_{};
    std::atomic<std::uint64_t> tail_ = 0;
    std::atomic<std::uint64_t> head_ = 0;
  };

  std::vector<std::uint8_t> memory_;
  std::array<Slot, kPackets> slots_{};
  Ring taken_;        ///< to the data thread
  Ring free_;         ///< and back
  std::mutex mutex_;  ///< of those who hand in
  bool is_closed_ = false;
};

}  // namespace linearb::receiver
