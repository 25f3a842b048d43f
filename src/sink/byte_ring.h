// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

namespace linearb::sink {

/// A bounded ring of packets from one thread to another, without locks: packets of any length
/// stand back to back in one buffer, each behind a head, none broken at the end of the buffer.
///
///   producer   reserve() gives room or nothing; fill it; commit() makes it visible
///   consumer   front() shows the oldest; write it out; pop() gives its room back
///
/// The buffer is written to once when it is made, so that no page is missing later. Positions only
/// grow; the place in the buffer is the position modulo its size.
class ByteRing {
 public:
  struct Packet {
    std::uint64_t timestamp_ns;
    std::uint32_t original_length;
    std::span<const std::uint8_t> bytes;  // until pop()
  };

  /// Rounded up to a power of two. A packet takes up to half of it.
  explicit ByteRing(std::size_t bytes)
      : size_(std::bit_ceil(std::max(bytes, 4 * sizeof(Head)))),
        buffer_(std::make_unique<Block[]>(size_ / sizeof(Block))) {}

  std::size_t packet_max() const noexcept { return size_ / 2 - sizeof(Head); }

  /// Room for `length` bytes, at most packet_max(); null when the consumer has to give some back
  /// first. Called again before commit(), it forgets the room it gave.
  std::uint8_t* reserve(std::size_t length) noexcept {
    std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    std::size_t needed = whole_blocks(sizeof(Head) + length);
    std::size_t to_end = size_ - place(tail);
    std::size_t skipped = needed > to_end ? to_end : 0;
    if (!has_room(tail, skipped + needed)) return nullptr;
    if (skipped) put_head(tail, {.timestamp_ns = 0, .length = kSkip, .original_length = 0});
    reserved_ = tail + skipped;
    reserved_length_ = length;
    return at(reserved_ + sizeof(Head));
  }

  /// The stores of tail_ here pair with the load in front().
  void commit(std::uint64_t timestamp_ns, std::uint32_t original_length) noexcept {
    put_head(reserved_, {.timestamp_ns = timestamp_ns,
                         .length = static_cast<std::uint32_t>(reserved_length_),
                         .original_length = original_length});
    tail_.store(reserved_ + whole_blocks(sizeof(Head) + reserved_length_),
                std::memory_order_release);
  }

  std::optional<Packet> front() noexcept {
    if (head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire))
      return std::nullopt;
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head_at(head).length == kSkip) {
      /* A packet was committed together with what is skipped. */
      head += size_ - place(head);
      head_.store(head, std::memory_order_release);
    }
    Head found = head_at(head);
    return Packet{.timestamp_ns = found.timestamp_ns,
                  .original_length = found.original_length,
                  .bytes = {at(head + sizeof(Head)), found.length}};
  }

  /// The store of head_ pairs with the load in has_room(): the bytes are read before they are
  /// written again.
  void pop() noexcept {
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    head_.store(head + whole_blocks(sizeof(Head) + head_at(head).length),
                std::memory_order_release);
  }

 private:
  struct alignas(16) Head {
    std::uint64_t timestamp_ns;
    std::uint32_t length;
    std::uint32_t original_length;
  };
  static_assert(sizeof(Head) == 16);

  /// Everything begins at a multiple of it, so that a head always fits before the end.
  struct alignas(sizeof(Head)) Block {
    std::uint8_t bytes[sizeof(Head)];
  };

  /// Instead of a length: nothing more until the end of the buffer.
  static constexpr std::uint32_t kSkip = ~std::uint32_t{0};

  static constexpr std::size_t whole_blocks(std::size_t length) noexcept {
    return (length + sizeof(Block) - 1) / sizeof(Block) * sizeof(Block);
  }
  std::size_t place(std::uint64_t position) const noexcept { return position & (size_ - 1); }
  std::uint8_t* at(std::uint64_t position) noexcept {
    return buffer_[place(position) / sizeof(Block)].bytes;
  }
  Head head_at(std::uint64_t position) noexcept {
    Head head;
    std::memcpy(&head, at(position), sizeof(head));
    return head;
  }
  void put_head(std::uint64_t position, const Head& head) noexcept {
    std::memcpy(at(position), &head, sizeof(head));
  }

  bool has_room(std::uint64_t tail, std::size_t needed) noexcept {
    if (size_ - (tail - known_head_) >= needed) return true;
    known_head_ = head_.load(std::memory_order_acquire);
    return size_ - (tail - known_head_) >= needed;
  }

  const std::size_t size_;
  const std::unique_ptr<Block[]> buffer_;
  /* The producer's cache line. */
  alignas(64) std::atomic<std::uint64_t> tail_ = 0;
  std::uint64_t known_head_ = 0;
  std::uint64_t reserved_ = 0;
  std::size_t reserved_length_ = 0;
  /* The consumer's cache line. */
  alignas(64) std::atomic<std::uint64_t> head_ = 0;
};

}  // namespace linearb::sink
