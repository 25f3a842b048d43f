// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The four rings of an AF_XDP socket, as batches that publish when they leave scope.
///
///   ring        user space is   an entry is     the frame goes                     batch
///   fill        producer        frame           user -> kernel, to receive into    FillBatch
///   RX          consumer        packet          kernel -> user, received           RxBatch
///   TX          producer        packet          user -> kernel, to be sent         TxBatch
///   completion  consumer        frame           kernel -> user, sent or dropped    CompletionBatch
///
/// So a frame goes round in one of two ways, and has one owner at each moment (FrameOwner):
///
///   user --FillBatch--> receiving --RxBatch--> user
///   user --TxBatch--> sending --CompletionBatch--> user
///
/// A frame is the user's from the moment its entry is in a batch; releasing the entry only tells
/// the kernel that the place in the ring is free. It is the kernel's from put() on, although the
/// kernel sees it at submit().
///
/// The rings are libxdp's: single producer, single consumer, one batch of a ring at a time. Their
/// index words pair with the kernel's in net/xdp/xsk_queue.h: submit and release store with
/// release order, the constructors of the batches load with acquire order.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include <xdp/xsk.h>

#include "xsk/frame_owners.h"

namespace linearb::xsk {

/// Entries that the kernel has produced. They are given back all at once.
class ConsumerBatch {
 public:
  ConsumerBatch(const ConsumerBatch&) = delete;
  ConsumerBatch& operator=(const ConsumerBatch&) = delete;

  std::uint32_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

  /// Frees the places in the ring, and empties the batch. The frames stay the user's.
  void release() noexcept {
    if (size_ > 0) xsk_ring_cons__release(&ring_, size_);
    size_ = 0;
  }

 protected:
  ConsumerBatch(xsk_ring_cons& ring, std::uint32_t max) noexcept
      : ring_(ring), size_(xsk_ring_cons__peek(&ring, max, &first_)) {}
  ~ConsumerBatch() { release(); }

  xsk_ring_cons& ring_;
  std::uint32_t first_ = 0;
  std::uint32_t size_;
};

/// Places that the kernel has consumed, to be filled with put(). What is not used goes back.
class ProducerBatch {
 public:
  ProducerBatch(const ProducerBatch&) = delete;
  ProducerBatch& operator=(const ProducerBatch&) = delete;

  /// How many more can be put. A batch may have less room than was wanted, or none: the ring is
  /// full of what the kernel has not taken yet, and the caller tries again later.
  std::uint32_t room() const noexcept { return reserved_ - size_; }
  /// How many were put since the last submit.
  std::uint32_t size() const noexcept { return size_; }

 protected:
  ProducerBatch(xsk_ring_prod& ring, std::uint32_t wanted) noexcept
      : ring_(ring), reserved_(std::min(wanted, xsk_prod_nb_free(&ring, wanted))) {
    xsk_ring_prod__reserve(&ring_, reserved_, &first_);
  }
  ~ProducerBatch() = default;

  std::uint32_t next_place() noexcept {
    assert(room() > 0);
    return first_ + size_++;
  }
  /// Publishes what was put and ends the batch: it has no room any more.
  std::uint32_t publish() noexcept {
    const std::uint32_t published = size_;
    ring_.cached_prod -= room();
    if (published > 0) xsk_ring_prod__submit(&ring_, published);
    first_ += reserved_;
    reserved_ = size_ = 0;
    return published;
  }

  xsk_ring_prod& ring_;
  std::uint32_t first_ = 0;
  std::uint32_t reserved_;
  std::uint32_t size_ = 0;
};

/// A packet that was received. `data` is valid until the frame is given to a ring again.
struct RxPacket {
  std::uint64_t frame;  ///< what is handed back to the fill ring of the same queue
  std::uint32_t length_bytes;
  std::byte* data;  ///< first byte of the packet; the hook's metadata lies right in front of it
};

class RxBatch : public ConsumerBatch {
 public:
  RxBatch(xsk_ring_cons& ring, std::byte* umem, FrameOwners& owners, std::uint32_t max) noexcept
      : ConsumerBatch(ring, max), umem_(umem), frame_size_(owners.span().frame_size) {
    for (std::uint32_t index = 0; kOwnersChecked && index < size_; ++index)
      owners.check((*this)[index].frame, FrameOwner::kReceiving, FrameOwner::kUser);
    owners.moved(size_, FrameOwner::kReceiving, FrameOwner::kUser);
  }

  RxPacket operator[](std::uint32_t index) const noexcept {
    const xdp_desc& descriptor = *xsk_ring_cons__rx_desc(&ring_, first_ + index);
    return {frame_of(descriptor.addr, frame_size_), descriptor.len, umem_ + descriptor.addr};
  }

  /// Asks for the memory of a packet that is looked at soon: its first bytes, and what stands in
  /// front of them. Nothing where the batch has no such packet.
  void prefetch(std::uint32_t index) const noexcept {
    if (index >= size_) return;
    const std::byte* const data = (*this)[index].data;
    __builtin_prefetch(data - kCacheLine, 1);
    __builtin_prefetch(data);
    __builtin_prefetch(data + kCacheLine);
  }

  class Iterator {
   public:
    Iterator(const RxBatch& batch, std::uint32_t index) noexcept : batch_(batch), index_(index) {}
    RxPacket operator*() const noexcept { return batch_[index_]; }
    Iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const noexcept { return index_ == other.index_; }

   private:
    const RxBatch& batch_;
    std::uint32_t index_;
  };
  Iterator begin() const noexcept { return {*this, 0}; }
  Iterator end() const noexcept { return {*this, size_}; }

 private:
  static constexpr std::ptrdiff_t kCacheLine = 64;

  std::byte* umem_;
  std::uint32_t frame_size_;
};

/// Frames that were sent, or dropped by the kernel while it sent them: a completion is not a
/// delivery.
class CompletionBatch : public ConsumerBatch {
 public:
  CompletionBatch(xsk_ring_cons& ring, FrameOwners& owners, std::uint32_t max) noexcept
      : ConsumerBatch(ring, max), frame_size_(owners.span().frame_size) {
    for (std::uint32_t index = 0; kOwnersChecked && index < size_; ++index)
      owners.check((*this)[index], FrameOwner::kSending, FrameOwner::kUser);
    owners.moved(size_, FrameOwner::kSending, FrameOwner::kUser);
  }

  std::uint64_t operator[](std::uint32_t index) const noexcept {
    return frame_of(*xsk_ring_cons__comp_addr(&ring_, first_ + index), frame_size_);
  }

 private:
  std::uint32_t frame_size_;
};

class FillBatch : public ProducerBatch {
 public:
  FillBatch(xsk_ring_prod& ring, FrameOwners& owners, std::uint32_t wanted) noexcept
      : ProducerBatch(ring, wanted), owners_(owners) {}
  ~FillBatch() { submit(); }

  /// Only while there is room.
  void put(std::uint64_t frame) noexcept {
    owners_.check(frame, FrameOwner::kUser, FrameOwner::kReceiving);
    *xsk_ring_prod__fill_addr(&ring_, next_place()) = frame;
  }
  void submit() noexcept { owners_.moved(publish(), FrameOwner::kUser, FrameOwner::kReceiving); }

 private:
  FrameOwners& owners_;
};

class TxBatch : public ProducerBatch {
 public:
  TxBatch(xsk_ring_prod& ring, FrameOwners& owners, std::uint32_t wanted) noexcept
      : ProducerBatch(ring, wanted), owners_(owners) {}
  ~TxBatch() { submit(); }

  /// Sends `length_bytes` from the first byte of the frame. Only while there is room.
  void put(std::uint64_t frame, std::uint32_t length_bytes) noexcept {
    owners_.check(frame, FrameOwner::kUser, FrameOwner::kSending);
    *xsk_ring_prod__tx_desc(&ring_, next_place()) = {frame, length_bytes, 0};
  }
  void submit() noexcept { owners_.moved(publish(), FrameOwner::kUser, FrameOwner::kSending); }

 private:
  FrameOwners& owners_;
};

}  // namespace linearb::xsk
