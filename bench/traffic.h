// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is sent to a contender, and what has to come out of it.

#include <cstdint>
#include <vector>

#include "bench/board.h"

namespace linearb::bench {

/// Packets are counted from 0 over all channels, which take turns: packet i is of channel
/// i % channels. Each has one message of optiq, or several of MoldUDP64 on one channel.
struct Traffic {
  std::uint32_t channels = 1;
  std::uint32_t frame_bytes =
      0;                       ///< of a packet, Ethernet header included; 0: no more than it needs
  std::uint32_t messages = 0;  ///< of MoldUDP64 in a packet; 0: it is one of optiq
  double loss = 0;             ///< of each line by itself, of 1

  std::uint32_t loss_of_2_32() const noexcept;
  std::uint32_t messages_in_packet() const noexcept { return messages != 0 ? messages : 1; }
  /// With the headers of a packet of the first channel, without its number.
  std::vector<std::uint8_t> packet() const;
};

/// What any of so many lines brings, in the order in which it is sent.
class Expected {
 public:
  Expected(const Traffic& traffic, std::size_t lines) : traffic_(traffic), lines_(lines) {}

  /// How many messages the packets [0, packets) have, which does not decrease. Asked for while the
  /// time is taken: it costs something where packets are lost.
  std::uint64_t messages_of(std::uint64_t packets) noexcept;
  /// Which those are.
  Digest digest_of(std::uint64_t packets) const noexcept;

 private:
  bool any_line_brings(std::uint64_t packet) const noexcept;

  Traffic traffic_;
  std::size_t lines_;
  std::uint64_t packets_ = 0;   ///< that were looked at
  std::uint64_t messages_ = 0;  ///< of those
};

}  // namespace linearb::bench
