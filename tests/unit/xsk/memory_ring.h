// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <xdp/xsk.h>

namespace linearb::xsk {

/// A ring in plain memory, with the test in the kernel's place: produce() and consume() are what
/// the kernel does on the other side.
template <class Entry>
class MemoryRing {
 public:
  /// `start` is where both index words begin: near 2^32 they wrap around.
  explicit MemoryRing(std::uint32_t entries, std::uint32_t start = 0)
      : producer_(start), consumer_(start), entries_(entries) {}
  MemoryRing(const MemoryRing&) = delete;

  xsk_ring_prod for_producer() {
    xsk_ring_prod ring{};
    describe(ring);
    ring.cached_prod = producer_;
    ring.cached_cons = consumer_ + ring.size;
    return ring;
  }
  xsk_ring_cons for_consumer() {
    xsk_ring_cons ring{};
    describe(ring);
    ring.cached_prod = producer_;
    ring.cached_cons = consumer_;
    return ring;
  }

  std::uint32_t size() const { return producer_ - consumer_; }
  void produce(const Entry& entry) { entries_[producer_++ & mask()] = entry; }
  Entry consume() { return entries_[consumer_++ & mask()]; }

 private:
  std::uint32_t mask() const { return static_cast<std::uint32_t>(entries_.size()) - 1; }
  template <class Ring>
  void describe(Ring& ring) {
    ring.size = static_cast<std::uint32_t>(entries_.size());
    ring.mask = mask();
    ring.producer = &producer_;
    ring.consumer = &consumer_;
    ring.ring = entries_.data();
    ring.flags = &flags_;
  }

  std::uint32_t producer_;
  std::uint32_t consumer_;
  std::uint32_t flags_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace linearb::xsk
