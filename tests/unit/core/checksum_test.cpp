// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.h"

#include <random>

#include <gtest/gtest.h>

#include "support/packet.h"

namespace linearb::test {
namespace {

bool is_wrong(const Bytes& frame) {
  lb_walk walk{};
  EXPECT_EQ(lb_walk_frame(frame.data(), frame.data() + frame.size(), &walk), LB_WALK_DATAGRAM);
  return lb_checksum_is_wrong(frame.data(), frame.data() + frame.size(), walk.ip_offset,
                              walk.payload_offset - LB_HEADERS_MIN, walk.payload_length) != 0;
}

Bytes random_bytes(std::mt19937& random, std::size_t length) {
  Bytes bytes(length);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(Checksum, IsRightForEveryLengthAndWrongWhenOneBitIsFlipped) {
  std::mt19937 random(1);
  for (std::size_t length = 0; length <= 200; ++length) {
    PacketBuilder packet = udp_packet().payload(random_bytes(random, length));
    if (length % 3 == 0) packet.options(4 * (length % 11));
    if (length % 4 == 0) packet.vlan(7);
    Bytes frame = packet.build();
    ASSERT_FALSE(is_wrong(frame)) << length;
    const std::size_t first = packet.payload_offset() - LB_UDP_HEADER;  // the ports
    const std::size_t bit = random() % 8;
    const std::size_t where = length == 0 ? first : packet.payload_offset() + random() % length;
    frame[where] = static_cast<std::uint8_t>(frame[where] ^ 1 << bit);
    ASSERT_TRUE(is_wrong(frame)) << length << " byte " << where << " bit " << bit;
  }
}

TEST(Checksum, CarriesMoreThanOnce) {
  for (const std::size_t length : {1u, 2u, 7u, 8u, 31u, 32u, 33u, 1472u, 3796u})
    EXPECT_FALSE(is_wrong(udp_packet().payload(Bytes(length, 0xff)).build())) << length;
}

TEST(Checksum, CoversTheAddresses) {
  Bytes frame = udp_packet().payload({1, 2, 3}).build();
  frame[30] ^= 1;  // the destination
  EXPECT_TRUE(is_wrong(frame));
}

TEST(Checksum, NoneIsRight) {
  EXPECT_FALSE(is_wrong(udp_packet().payload({1, 2, 3}).without_udp_checksum().build()));
}

/// A sum of 0 is sent as 0xffff (RFC 768): 0 says that there is none.
TEST(Checksum, OfZeroIsSentAsItsOther) {
  for (std::uint32_t value = 0; value <= 0xffff; ++value) {
    const Bytes payload = {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
    const Bytes frame = udp_packet().payload(payload).build();
    const std::uint32_t sent = lb_load_u16_be(frame.data() + 40);
    ASSERT_NE(sent, 0u);
    ASSERT_FALSE(is_wrong(frame)) << value;
  }
}

TEST(Checksum, OfADatagramThatIsTooLongCannotBeRight) {
  Bytes frame = udp_packet().payload(Bytes(LB_CHECKSUM_BYTES_MAX + 40, 1)).build();
  EXPECT_TRUE(is_wrong(frame));
}

}  // namespace
}  // namespace linearb::test
