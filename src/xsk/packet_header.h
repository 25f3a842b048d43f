// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/walk.h"
#include "sys/interface.h"

namespace linearb::xsk {

inline constexpr sys::MacAddress kBroadcastMac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/// Ethernet, IPv4 without options, UDP: what stands in front of a payload.
inline constexpr std::size_t kHeaderLength = LB_ETHERNET_HEADER + LB_IPV4_HEADER + LB_UDP_HEADER;

/// 01:00:5e and the lower 23 bits of the group (RFC 1112, section 6.4).
sys::MacAddress multicast_mac(std::uint32_t group) noexcept;

/// Addresses and ports in host byte order.
struct PacketAddresses {
  sys::MacAddress source_mac{};
  sys::MacAddress destination_mac{};
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

/// Writes the headers of one flow: the constant part once, lengths and checksums per packet.
class PacketHeader {
 public:
  explicit PacketHeader(const PacketAddresses& addresses) noexcept;

  /// Writes kHeaderLength bytes at `frame`, behind which the payload stands already, and returns
  /// the length of the whole frame. A payload has at most 65,507 bytes.
  std::uint32_t write(std::uint8_t* frame, std::uint32_t payload_length) const noexcept;

 private:
  std::array<std::uint8_t, kHeaderLength> bytes_{};
  std::uint64_t ip_sum_ = 0;   // of the constant words of the IPv4 header
  std::uint64_t udp_sum_ = 0;  // of the constant words of the pseudo header and the UDP header
};

}  // namespace linearb::xsk
