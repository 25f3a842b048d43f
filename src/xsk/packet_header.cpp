// SPDX-License-Identifier: Apache-2.0
#include "xsk/packet_header.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "core/bytes.h"

namespace linearb::xsk {
namespace {

constexpr std::size_t kIp = LB_ETHERNET_HEADER;
constexpr std::size_t kUdp = kIp + LB_IPV4_HEADER;

/// What is made here stays on the link: no router forwards it.
constexpr std::uint8_t kTimeToLive = 1;

void store_u16_be(std::uint8_t* bytes, std::uint32_t value) noexcept {
  bytes[0] = static_cast<std::uint8_t>(value >> 8);
  bytes[1] = static_cast<std::uint8_t>(value);
}

void store_u32_be(std::uint8_t* bytes, std::uint32_t value) noexcept {
  store_u16_be(bytes, value >> 16);
  store_u16_be(bytes + 2, value);
}

/// The sum of the 16-bit words, not folded yet, in the byte order of the machine: RFC 1071 section
/// 2 (B) says that a checksum may be computed in either. Two words at a time.
std::uint64_t sum_words(std::span<const std::uint8_t> bytes) noexcept {
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) sum += lb_load_u32_le(&bytes[at]);
  std::array<std::uint8_t, 4> rest{};
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), rest.begin());
  return sum + lb_load_u32_le(rest.data());
}

std::uint16_t word_in_network_order(std::uint32_t value) noexcept {
  return __builtin_bswap16(static_cast<std::uint16_t>(value));
}

std::uint16_t folded_complement(std::uint64_t sum) noexcept {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void store_checksum(std::uint8_t* bytes, std::uint16_t checksum) noexcept {
  std::memcpy(bytes, &checksum, sizeof(checksum));
}

}  // namespace

sys::MacAddress multicast_mac(std::uint32_t group) noexcept {
  return {0x01,
          0x00,
          0x5e,
          static_cast<std::uint8_t>(group >> 16 & 0x7f),
          static_cast<std::uint8_t>(group >> 8),
          static_cast<std::uint8_t>(group)};
}

PacketHeader::PacketHeader(const PacketAddresses& addresses) noexcept {
  std::copy(addresses.destination_mac.begin(), addresses.destination_mac.end(), bytes_.begin());
  std::copy(addresses.source_mac.begin(), addresses.source_mac.end(), bytes_.begin() + 6);
  store_u16_be(&bytes_[12], LB_ETHERTYPE_IPV4);

  bytes_[kIp] = 0x45;      // version 4, five words
  bytes_[kIp + 6] = 0x40;  // do not fragment; so the identification may be 0 (RFC 6864, 4.1)
  bytes_[kIp + 8] = kTimeToLive;
  bytes_[kIp + 9] = LB_PROTOCOL_UDP;
  store_u32_be(&bytes_[kIp + 12], addresses.source);
  store_u32_be(&bytes_[kIp + 16], addresses.destination);
  ip_sum_ = sum_words({&bytes_[kIp], LB_IPV4_HEADER});

  store_u16_be(&bytes_[kUdp], addresses.source_port);
  store_u16_be(&bytes_[kUdp + 2], addresses.destination_port);
  udp_sum_ = sum_words({&bytes_[kIp + 12], 8}) + word_in_network_order(LB_PROTOCOL_UDP) +
             sum_words({&bytes_[kUdp], 4});
}

std::uint32_t PacketHeader::write(std::uint8_t* frame,
                                  std::uint32_t payload_length) const noexcept {
  std::copy(bytes_.begin(), bytes_.end(), frame);
  std::uint32_t udp_length = LB_UDP_HEADER + payload_length;
  std::uint32_t ip_length = LB_IPV4_HEADER + udp_length;
  store_u16_be(frame + kIp + 2, ip_length);
  store_checksum(frame + kIp + 10, folded_complement(ip_sum_ + word_in_network_order(ip_length)));

  store_u16_be(frame + kUdp + 4, udp_length);
  /* The length is summed twice: in the pseudo header and in the header (RFC 768). */
  std::uint16_t checksum = folded_complement(udp_sum_ + 2u * word_in_network_order(udp_length) +
                                             sum_words({frame + kHeaderLength, payload_length}));
  store_checksum(frame + kUdp + 6, checksum != 0 ? checksum : std::uint16_t{0xffff});
  return LB_ETHERNET_HEADER + ip_length;
}

}  // namespace linearb::xsk
