// SPDX-License-Identifier: Apache-2.0
#include "core/walk.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/packet.h"

namespace linearb {
namespace {

using test::Bytes;
using test::PacketBuilder;
using test::udp_packet;

constexpr const char* kGroup = "239.1.1.1";
constexpr std::uint16_t kPort = 30001;
const Bytes kPayload = {1, 2, 3, 4, 5, 6, 7};

/// A walk over a copy in a buffer of exactly its size, so that AddressSanitizer sees a read of the
/// byte behind it.
lb_walk_result walk_exactly(std::span<const std::uint8_t> packet, lb_walk* walk) {
  auto buffer = std::make_unique<std::uint8_t[]>(packet.size());
  std::ranges::copy(packet, buffer.get());
  return lb_walk_frame(buffer.get(), buffer.get() + packet.size(), walk);
}

PacketBuilder feed_packet() {
  return udp_packet().to(kGroup, kPort).payload(kPayload);
}

struct Row {
  const char* description;
  PacketBuilder packet;
  lb_walk_result result;
};

const Row kTable[] = {
    {"plain", feed_packet(), LB_WALK_DATAGRAM},
    {"one VLAN tag", feed_packet().vlan(5), LB_WALK_DATAGRAM},
    {"VLAN tag with priority", feed_packet().vlan(0xe005), LB_WALK_DATAGRAM},
    {"two VLAN tags", feed_packet().vlan(7, 0x88a8).vlan(5), LB_WALK_DATAGRAM},
    {"two VLAN tags of the inner type", feed_packet().vlan(7).vlan(5), LB_WALK_DATAGRAM},
    {"three VLAN tags", feed_packet().vlan(9, 0x88a8).vlan(7).vlan(5), LB_WALK_NOT_UDP},
    {"options", feed_packet().options(4), LB_WALK_DATAGRAM},
    {"all the options there can be", feed_packet().options(40), LB_WALK_DATAGRAM},
    {"options behind two VLAN tags", feed_packet().vlan(7).vlan(5).options(8), LB_WALK_DATAGRAM},
    {"unicast", udp_packet().to("192.0.2.7", kPort).payload(kPayload), LB_WALK_DATAGRAM},
    {"no payload", udp_packet().to(kGroup, kPort), LB_WALK_DATAGRAM},
    {"Ethernet padding", feed_packet().padding(11), LB_WALK_DATAGRAM},
    {"a trailer longer than the packet", feed_packet().padding(400), LB_WALK_DATAGRAM},
    {"no UDP checksum", feed_packet().without_udp_checksum(), LB_WALK_DATAGRAM},
    {"wrong UDP checksum", feed_packet().wrong_udp_checksum(), LB_WALK_DATAGRAM},
    {"don't fragment", feed_packet().fragment(0x4000), LB_WALK_DATAGRAM},

    {"first fragment", feed_packet().fragment(0x2000), LB_WALK_NOT_UDP},
    {"middle fragment", feed_packet().fragment(0x2001), LB_WALK_NOT_UDP},
    {"last fragment", feed_packet().fragment(0x0001), LB_WALK_NOT_UDP},
    {"fragment with the largest offset", feed_packet().fragment(0x1fff), LB_WALK_NOT_UDP},
    {"IPv6", feed_packet().ethertype(0x86dd).wrong_ip_version(6), LB_WALK_NOT_UDP},
    {"IPv6 behind a VLAN tag", feed_packet().vlan(5).ethertype(0x86dd), LB_WALK_NOT_UDP},
    {"ARP", feed_packet().ethertype(0x0806), LB_WALK_NOT_UDP},
    {"a length instead of a type (802.3)", feed_packet().ethertype(46), LB_WALK_NOT_UDP},
    {"TCP", feed_packet().protocol(6), LB_WALK_NOT_UDP},
    {"ICMP", feed_packet().protocol(1), LB_WALK_NOT_UDP},
    {"version 6 under the type of IPv4", feed_packet().wrong_ip_version(6), LB_WALK_NOT_UDP},
    {"header length 0", feed_packet().wrong_ip_header_words(0), LB_WALK_NOT_UDP},
    {"header length below 5", feed_packet().wrong_ip_header_words(4), LB_WALK_NOT_UDP},
    {"header length beyond the packet", feed_packet().wrong_ip_header_words(15), LB_WALK_NOT_UDP},

    {"UDP length 0", feed_packet().wrong_udp_length(0), LB_WALK_INCONSISTENT},
    {"UDP length below its header", feed_packet().wrong_udp_length(7), LB_WALK_INCONSISTENT},
    {"UDP length beyond the IP packet", feed_packet().wrong_udp_length(16), LB_WALK_INCONSISTENT},
    {"UDP length beyond the IP packet, in the padding",
     feed_packet().wrong_udp_length(16).padding(8), LB_WALK_INCONSISTENT},
    {"UDP length at its largest", feed_packet().wrong_udp_length(0xffff), LB_WALK_INCONSISTENT},
    {"IP length 0", feed_packet().wrong_ip_length(0), LB_WALK_INCONSISTENT},
    {"IP length below the UDP length", feed_packet().wrong_ip_length(34), LB_WALK_INCONSISTENT},
    {"both lengths beyond the frame", feed_packet().wrong_ip_length(36).wrong_udp_length(16),
     LB_WALK_INCONSISTENT},
    {"IP length beyond the frame", feed_packet().wrong_ip_length(36), LB_WALK_DATAGRAM},
    {"both lengths beyond the packet, but not the frame",
     feed_packet().wrong_ip_length(36).wrong_udp_length(16).padding(1), LB_WALK_DATAGRAM},
};

TEST(Walk, SaysWhatAFrameIs) {
  for (const Row& row : kTable) {
    lb_walk walk{};
    EXPECT_EQ(walk_exactly(row.packet.build(), &walk), row.result) << row.description;
  }
}

/// Also what is inconsistent says where it goes: a channel's malformed packets are counted as its.
TEST(Walk, SaysWhereItGoes) {
  for (const Row& row : kTable) {
    if (row.result == LB_WALK_NOT_UDP) continue;
    SCOPED_TRACE(row.description);
    lb_walk walk{};
    Bytes packet = row.packet.build();
    walk_exactly(packet, &walk);
    EXPECT_EQ(walk.port, kPort);
    EXPECT_EQ(walk.payload_offset, row.packet.payload_offset());
    EXPECT_EQ(packet[walk.ip_offset] >> 4, 4);
    std::string to = std::string(row.description) == "unicast" ? "192.0.2.7" : kGroup;
    EXPECT_EQ(walk.destination, test::address(to));
    EXPECT_EQ(lb_walk_source(packet.data(), packet.data() + packet.size(), walk.ip_offset),
              test::address("192.0.2.1"));
  }
}

TEST(Walk, FindsThePayload) {
  for (const Row& row : kTable) {
    Bytes packet = row.packet.build();
    lb_walk walk{};
    if (walk_exactly(packet, &walk) != LB_WALK_DATAGRAM) continue;
    SCOPED_TRACE(row.description);
    ASSERT_LE(walk.payload_offset + std::size_t{walk.payload_length}, packet.size());
    std::size_t length = std::min<std::size_t>(walk.payload_length, kPayload.size());
    EXPECT_TRUE(std::equal(kPayload.begin(), kPayload.begin() + static_cast<std::ptrdiff_t>(length),
                           packet.begin() + walk.payload_offset));
  }
}

TEST(Walk, TakesTheLengthOfThePayloadFromUdp) {
  lb_walk walk{};
  ASSERT_EQ(walk_exactly(feed_packet().padding(11).build(), &walk), LB_WALK_DATAGRAM);
  EXPECT_EQ(walk.payload_length, kPayload.size());
  ASSERT_EQ(walk_exactly(feed_packet().wrong_udp_length(11).build(), &walk), LB_WALK_DATAGRAM);
  EXPECT_EQ(walk.payload_length, 3) << "shorter than the IP packet is allowed (RFC 768)";
  ASSERT_EQ(walk_exactly(udp_packet().to(kGroup, kPort).build(), &walk), LB_WALK_DATAGRAM);
  EXPECT_EQ(walk.payload_length, 0);
}

/// A frame that was cut is never a datagram with less in it.
TEST(Walk, NeverTakesAPartForTheWhole) {
  const PacketBuilder packets[] = {
      feed_packet(),
      feed_packet().vlan(5),
      feed_packet().vlan(7, 0x88a8).vlan(5).options(40),
      udp_packet().to(kGroup, kPort),
  };
  for (const PacketBuilder& builder : packets) {
    Bytes packet = builder.build();
    for (std::size_t length = 0; length < packet.size(); length++) {
      SCOPED_TRACE(testing::Message() << length << " of " << packet.size() << " bytes");
      lb_walk walk{};
      lb_walk_result expected =
          length < builder.payload_offset() ? LB_WALK_NOT_UDP : LB_WALK_INCONSISTENT;
      EXPECT_EQ(walk_exactly(std::span(packet).first(length), &walk), expected);
    }
  }
}

TEST(Walk, NeedsNothingOfThePadding) {
  Bytes packet = feed_packet().padding(30).build();
  for (std::size_t padding = 0; padding <= 30; padding++) {
    lb_walk walk{};
    auto cut = std::span(packet).first(packet.size() - padding);
    EXPECT_EQ(walk_exactly(cut, &walk), LB_WALK_DATAGRAM) << padding;
    EXPECT_EQ(walk.payload_length, kPayload.size()) << padding;
  }
}

/// Whatever the bytes are, a datagram lies inside the frame. The random bytes are put into a valid
/// packet, a few at a time: wholly random ones never get beyond the first check.
TEST(Walk, StaysInsideTheFrameWhateverItHolds) {
  std::mt19937_64 random(42);
  int datagrams = 0;
  for (int round = 0; round < 50'000; round++) {
    Bytes packet = feed_packet().options(4 * (random() % 3)).vlan(5).build();
    packet.resize(packet.size() - random() % 8);
    for (std::uint64_t changes = random() % 4; changes > 0; changes--)
      packet[12 + random() % 40] = static_cast<std::uint8_t>(random());
    lb_walk walk{};
    if (walk_exactly(packet, &walk) != LB_WALK_DATAGRAM) continue;
    datagrams++;
    ASSERT_LE(walk.payload_offset + std::size_t{walk.payload_length}, packet.size()) << round;
    ASSERT_LT(walk.ip_offset, walk.payload_offset) << round;
  }
  EXPECT_GT(datagrams, 0);
}

/// The builder is trusted by every test of a packet, so it is looked at once, by the rule that a
/// sum over a header and its checksum is all ones (RFC 1071).
TEST(PacketBuilder, WritesRightChecksums) {
  const Bytes payloads[] = {{}, {1}, {1, 2}, kPayload, Bytes(1400, 0xff)};
  for (const Bytes& payload : payloads) {
    SCOPED_TRACE(payload.size());
    Bytes packet = udp_packet().to(kGroup, kPort).payload(payload).options(8).build();
    std::span<const std::uint8_t> ip = std::span(packet).subspan(14, 28);
    std::span<const std::uint8_t> udp = std::span(packet).subspan(14 + 28);
    EXPECT_EQ(test::checksum_fold(ip), 0xffff);
    std::uint32_t pseudo_header =
        test::checksum_fold(ip.subspan(12, 8)) + 17u + static_cast<std::uint32_t>(udp.size());
    EXPECT_EQ(test::checksum_fold(udp, pseudo_header), 0xffff);
  }
}

TEST(PacketBuilder, WritesAWrongOrNoChecksumWhenAsked) {
  Bytes right = feed_packet().build();
  Bytes wrong = feed_packet().wrong_udp_checksum().build();
  Bytes none = feed_packet().without_udp_checksum().build();
  std::size_t checksum = feed_packet().payload_offset() - 2;
  EXPECT_NE(lb_load_u16_be(&right[checksum]), lb_load_u16_be(&wrong[checksum]));
  EXPECT_EQ(lb_load_u16_be(&none[checksum]), 0);
}

/// RFC 1112 6.4: 01-00-5E and the low 23 bits of the group.
TEST(PacketBuilder, WritesTheMulticastAddress) {
  Bytes packet = udp_packet().to("239.192.30.1", kPort).build();
  EXPECT_EQ(Bytes(packet.begin(), packet.begin() + 6), (Bytes{0x01, 0x00, 0x5e, 0x40, 0x1e, 0x01}));
}

TEST(PacketBuilder, RefusesWhatIsNoAddress) {
  EXPECT_THROW(udp_packet().to("239.1.1", kPort), std::invalid_argument);
}

}  // namespace
}  // namespace linearb
