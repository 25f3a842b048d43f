// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sequencer/sequencer.h"

namespace linearb::merge {

/// A packet that the sequencer has not decided yet: a copy, since the reader's record is gone with
/// the next one.
struct KeptPacket {
  std::vector<std::uint8_t> bytes;  ///< from the Ethernet header to the end of the payload
  std::uint32_t payload_offset = 0;
  std::uint64_t time_ns = 0;  ///< of its record, the line's offset added

  std::span<const std::uint8_t> payload() const noexcept {
    return std::span(bytes).subspan(payload_offset);
  }
};

/// Room for the packet at hand and for all that the sequencer may hold. A place keeps the memory
/// that its largest packet needed, so the whole is bounded by the longest record there can be.
class PacketPool {
 public:
  static constexpr std::size_t kPlaces = sequencer::Sequencer::kHeldMax + 1;

  PacketPool() {
    for (std::size_t i = 0; i < kPlaces; ++i) free_[i] = kPlaces - 1 - i;
  }

  /// There is one: no more are out than are held, and the one at hand.
  std::uint64_t take() noexcept { return free_[--free_count_]; }
  void give(std::uint64_t place) noexcept { free_[free_count_++] = place; }
  KeptPacket& operator[](std::uint64_t place) noexcept { return packets_[place]; }
  bool all_are_back() const noexcept { return free_count_ == kPlaces; }

 private:
  std::array<KeptPacket, kPlaces> packets_;
  std::array<std::uint64_t, kPlaces> free_{};
  std::size_t free_count_ = kPlaces;
};

}  // namespace linearb::merge
