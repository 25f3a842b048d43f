// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The feeds that the hook of these tests is told of, and their packets in words:
///
///     mold(1000, 3).vlan(5)          messages 1000 to 1002
///     pitch(1000).to("...", 30011)
///     feed_packet(kMold, {.first = 1000, .count = 3, .messages = 2})
///
/// Each channel shows one way in which feeds differ.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "framing/framing.h"
#include "support/packet.h"

namespace linearb::test {

enum Channel : std::uint16_t {
  kOptiq,        ///< any address, port 30001; one message a packet, guards, no session
  kMold,         ///< a group of its own on each line; session, count, end of session
  kPitch,        ///< one group for both lines; unit, payload length, unsequenced messages
  kIdentifiers,  ///< any address, port 30002; optiq under dedup = "lru"
};
constexpr std::uint16_t kChannels = 4;
constexpr std::string_view kChannelNames[kChannels] = {"optiq", "mold", "pitch", "identifiers"};

/// Where a channel's packets go. Empty takes every address.
struct Group {
  std::string_view on_a;
  std::string_view on_b;
  std::uint16_t port;
};
constexpr Group kGroups[kChannels] = {{"", "", 30001},
                                      {"239.1.1.1", "239.1.2.1", 26400},
                                      {"224.0.130.128", "224.0.130.128", 30011},
                                      {"", "", 30002}};

const lb_framing& framing_of(Channel channel);

/// What a packet says. Fields that its framing does not have are ignored.
struct Header {
  std::uint64_t first = 0;
  std::uint64_t count = 1;
  std::optional<std::size_t> messages{};  ///< that are there; as many as it says without it
  std::string session = "SESSION001";
  std::uint64_t unit = 1;
};

/// A packet of the channel as line A brings it.
PacketBuilder feed_packet(Channel channel, const Header& header);

inline PacketBuilder optiq(std::uint64_t number) {
  return feed_packet(kOptiq, {.first = number});
}
inline PacketBuilder identifier(std::uint64_t number) {
  return feed_packet(kIdentifiers, {.first = number});
}
inline PacketBuilder mold(std::uint64_t first, std::uint64_t count = 1) {
  return feed_packet(kMold, {.first = first, .count = count});
}
inline PacketBuilder mold_heartbeat(std::uint64_t next) {
  return mold(next, 0);
}
inline PacketBuilder mold_end_of_session(std::uint64_t next) {
  return feed_packet(kMold, {.first = next, .count = 0xffff, .messages = 0});
}
inline PacketBuilder pitch(std::uint64_t first, std::uint64_t count = 1) {
  return feed_packet(kPitch, {.first = first, .count = count});
}

/// What a channel is published with: the session of its packets, as the hook reads it.
std::uint64_t session_of(Channel channel);

}  // namespace linearb::test
