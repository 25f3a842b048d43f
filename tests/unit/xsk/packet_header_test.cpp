// SPDX-License-Identifier: Apache-2.0
#include "xsk/packet_header.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace linearb::xsk {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr PacketAddresses kAddresses{.source_mac = {2, 0, 0, 0, 0, 1},
                                     .destination_mac = {1, 0, 0x5e, 0x40, 0x1e, 1},
                                     .source = 0xc6120001,       // 198.18.0.1
                                     .destination = 0xefc01e01,  // 239.192.30.1
                                     .source_port = 30000,
                                     .destination_port = 30001};

/// The ones' complement sum of big-endian words, as RFC 1071 section 1 says it in words.
std::uint32_t ones_complement_sum(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

Bytes frame_with(Bytes payload) {
  Bytes frame(kHeaderLength + payload.size(), 0xee);
  std::copy(payload.begin(), payload.end(), frame.begin() + kHeaderLength);
  std::uint32_t length =
      PacketHeader(kAddresses).write(frame.data(), static_cast<std::uint32_t>(payload.size()));
  EXPECT_EQ(length, frame.size());
  return frame;
}

std::uint32_t udp_sum(const Bytes& frame) {
  Bytes pseudo(frame.begin() + 26, frame.begin() + 34);
  pseudo.insert(pseudo.end(), {0, 17, frame[38], frame[39]});
  pseudo.insert(pseudo.end(), frame.begin() + 34, frame.end());
  return ones_complement_sum(pseudo);
}

TEST(PacketHeader, IsRightByteForByte) {
  Bytes frame = frame_with({1, 2, 3, 4});
  const Bytes expected{
      0x01, 0x00, 0x5e, 0x40, 0x1e, 0x01, 2,    0, 0, 0,  0, 1, 0x08, 0x00,  // Ethernet
      0x45, 0,    0,    32,   0,    0,    0x40, 0, 1, 17, 0, 0, 198,  18,
      0,    1,    239,  192,  30,   1,               // IPv4
      0x75, 0x30, 0x75, 0x31, 0,    12,   0,    0};  // UDP
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i == 24 || i == 25 || i == 40 || i == 41) continue;  // the checksums
    EXPECT_EQ(frame[i], expected[i]) << i;
  }
}

TEST(PacketHeader, ChecksumsHoldForEveryLength) {
  for (std::size_t length = 0; length < 70; ++length) {
    Bytes payload(length);
    for (std::size_t i = 0; i < length; ++i) payload[i] = static_cast<std::uint8_t>(255 - i * 7);
    Bytes frame = frame_with(payload);
    EXPECT_EQ(ones_complement_sum(Bytes(frame.begin() + 14, frame.begin() + 34)), 0xffffu);
    EXPECT_EQ(udp_sum(frame), 0xffffu) << length;
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(), frame.begin() + kHeaderLength));
  }
}

TEST(PacketHeader, AChecksumOfZeroIsSentAsAllOnes) {
  // The second word of the payload makes the sum 0xffff, and its complement 0 (RFC 768).
  Bytes frame = frame_with({0, 0, 0, 0});
  std::uint16_t checksum = lb_load_u16_be(&frame[40]);
  frame = frame_with(
      {0, 0, static_cast<std::uint8_t>(checksum >> 8), static_cast<std::uint8_t>(checksum)});
  EXPECT_EQ(lb_load_u16_be(&frame[40]), 0xffff);
  EXPECT_EQ(udp_sum(frame), 0xffffu);
}

TEST(PacketHeader, MulticastAddressesKeep23Bits) {
  EXPECT_EQ(multicast_mac(0xefc01e01), (sys::MacAddress{0x01, 0x00, 0x5e, 0x40, 0x1e, 0x01}));
  EXPECT_EQ(multicast_mac(0xefffffff), (sys::MacAddress{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xff}));
  EXPECT_TRUE(lb_is_multicast(0xe0000001));
  EXPECT_TRUE(lb_is_multicast(0xefffffff));
  EXPECT_FALSE(lb_is_multicast(0xf0000001));
  EXPECT_FALSE(lb_is_multicast(0xc6120001));
}

}  // namespace
}  // namespace linearb::xsk
