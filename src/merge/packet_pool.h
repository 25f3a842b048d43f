// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace linearb::merge {

/// A packet that waits to be decided or delivered: a copy, since the reader's record is gone with
/// the next one.
struct KeptPacket {
  std::vector<std::uint8_t> bytes;  ///< from the Ethernet header to the end of the payload
  std::uint32_t payload_offset = 0;
  std::uint64_t time_ns = 0;  ///< of its record, the line's offset added

  std::span<const std::uint8_t> payload() const noexcept {
    return std::span(bytes).subspan(payload_offset);
  }
};

/// Room for so many packets. A place that is free keeps the memory of a packet of ordinary size, so
/// that hardly one allocates.
class PacketPool {
 public:
  static constexpr std::size_t kKeptBytes = 2048;

  explicit PacketPool(std::size_t places) : packets_(places) {
    free_.reserve(places);
    for (std::size_t i = 0; i < places; ++i) free_.push_back(places - 1 - i);
  }

  /// There is one: its owner holds no more than there are places.
  std::uint64_t take(std::span<const std::uint8_t> bytes, std::uint32_t payload_offset,
                     std::uint64_t time_ns) {
    const std::uint64_t place = free_.back();
    free_.pop_back();
    KeptPacket& packet = packets_[place];
    packet.bytes.assign(bytes.begin(), bytes.end());
    packet.payload_offset = payload_offset;
    packet.time_ns = time_ns;
    bytes_ += bytes.size();
    return place;
  }
  void give(std::uint64_t place) noexcept {
    std::vector<std::uint8_t>& bytes = packets_[place].bytes;
    bytes_ -= bytes.size();
    if (bytes.capacity() > kKeptBytes) bytes = std::vector<std::uint8_t>();
    free_.push_back(place);
  }
  const KeptPacket& operator[](std::uint64_t place) const noexcept { return packets_[place]; }
  /// Of the packets that are out.
  std::uint64_t bytes() const noexcept { return bytes_; }
  bool all_are_back() const noexcept { return free_.size() == packets_.size(); }

 private:
  std::vector<KeptPacket> packets_;
  std::vector<std::uint64_t> free_;
  std::uint64_t bytes_ = 0;
};

}  // namespace linearb::merge
