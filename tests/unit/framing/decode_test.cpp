// SPDX-License-Identifier: Apache-2.0
//
// The edges of what a descriptor says: rules and where they look, numbers and sessions in parts,
// messages that are walked to be counted, or that nobody can walk.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "framing/framing.h"
#include "unit/framing/bytes.h"

namespace linearb {
namespace {

using test::bytes_of;
using test::decode_exactly;

/// A header of eight bytes: number, session, flags, count; messages with a length of one byte.
lb_framing framing_with(const std::string& more, const std::string& sequence = "",
                        const std::string& session = "", const std::string& message = "") {
  return config::parse_framing(
             "name = \"test\"\ntitle = \"t\"\nsource = \"s\"\nendian = \"big\"\n"
             "header_length = 8\n"
             "[sequence]\noffset = 0\nwidth = 4\n" +
                 sequence + "[session]\noffset = 4\nwidth = 2\n" + session +
                 "[count]\noffset = 7\nwidth = 1\n"
                 "[message]\nlength = { offset = 0, width = 1 }\n" +
                 message + more,
             "test.toml")
      .descriptor;
}

std::string rule(const std::string& text) {
  return "[[kind]]\n" + text + "\n";
}

struct Decoded {
  lb_kind kind;
  lb_datagram datagram;
};

Decoded decode(const lb_framing& framing, const std::string& hex) {
  Decoded decoded{};
  decoded.kind = decode_exactly(framing, bytes_of(hex), &decoded.datagram);
  return decoded;
}

const std::string kTwoMessages =
    "00000005"  // number
    "0102"      // session
    "00"        // flags
    "02"        // count
    "02aa"      // a message
    "03bbcc";

TEST(Rules, TheFirstThatFitsDecides) {
  const lb_framing framing = framing_with(
      rule("is = \"heartbeat\"\noffset = 6\nwidth = 1\nvalue = 0\nnumber = \"last\"") +
      rule("is = \"reset\"\noffset = 6\nwidth = 1\nleast = 0\nmost = 9\nnumber = \"own\""));
  Decoded decoded = decode(framing, kTwoMessages);
  EXPECT_EQ(decoded.kind, LB_KIND_HEARTBEAT);
  EXPECT_EQ(decoded.datagram.first, 6u);
  EXPECT_EQ(decoded.datagram.count, 0u);
  decoded = decode(framing, "0000000501020a0202aa02aa");
  EXPECT_EQ(decoded.kind, LB_KIND_DATA);  // no rule fits
  decoded = decode(framing, "00000005010209" + kTwoMessages.substr(14));
  EXPECT_EQ(decoded.kind, LB_KIND_RESET);
  EXPECT_EQ(decoded.datagram.first, 5u);
  EXPECT_EQ(decoded.datagram.count, 2u);
}

TEST(Rules, OfBytesThatAreNotThereDoNotFit) {
  const lb_framing framing = framing_with(
      rule("is = \"heartbeat\"\noffset = 11\nwidth = 2\nvalue = 0xbbcc\nnumber = \"next\""));
  EXPECT_EQ(decode(framing, kTwoMessages).kind, LB_KIND_HEARTBEAT);
  // Cut by a byte: the end of the last message is missing, and with it what the rule asks for.
  EXPECT_EQ(decode(framing, kTwoMessages.substr(0, kTwoMessages.size() - 2)).kind, LB_KIND_DATA);
}

TEST(Rules, DoNotLookBehindThePayload) {
  const lb_framing framing = framing_with(
      rule("is = \"heartbeat\"\noffset = 11\nwidth = 2\nvalue = 0xbbcc\nnumber = \"next\""));
  const std::vector<lb_u8> frame = bytes_of(kTwoMessages);
  const auto length = static_cast<lb_u32>(frame.size() - 1);  // of the payload: then padding
  lb_datagram datagram{};
  EXPECT_EQ(
      lb_framing_decode(&framing, frame.data(), frame.data() + frame.size(), length, &datagram),
      LB_KIND_DATA);
}

TEST(Rules, LookUnderTheirMask) {
  const lb_framing framing =
      framing_with(rule("is = \"retransmission\"\noffset = 6\nwidth = 1\nmask = 0x04\nvalue = 4") +
                   rule("is = \"unsequenced\"\noffset = 6\nwidth = 1\nmask = 0x30\n"
                        "least = 0x10\nmost = 0x20"));
  auto kind_of = [&](const std::string& flags) {
    return decode(framing, "000000050102" + flags + kTwoMessages.substr(14)).kind;
  };
  EXPECT_EQ(kind_of("04"), LB_KIND_RETRANSMISSION);
  EXPECT_EQ(kind_of("ff"), LB_KIND_RETRANSMISSION);
  EXPECT_EQ(kind_of("fb"), LB_KIND_DATA);  // 0x30 is beyond the range
  EXPECT_EQ(kind_of("10"), LB_KIND_UNSEQUENCED);
  EXPECT_EQ(kind_of("2b"), LB_KIND_UNSEQUENCED);
  EXPECT_EQ(kind_of("0b"), LB_KIND_DATA);
}

TEST(Rules, NumberWithinTheMessageHasToBeThere) {
  const lb_framing framing =
      framing_with(rule("is = \"reset\"\noffset = 8\nwidth = 1\nvalue = 2\n"
                        "next = { offset = 10, width = 3 }"));
  const Decoded decoded = decode(framing, kTwoMessages);
  EXPECT_EQ(decoded.kind, LB_KIND_RESET);
  EXPECT_EQ(decoded.datagram.first, 0x03bbccu);
  EXPECT_EQ(decoded.datagram.numbered, 1u);
  EXPECT_EQ(decode(framing, kTwoMessages.substr(0, 24)).kind, LB_KIND_MALFORMED);
}

TEST(Rules, ANumberThatSaysNothingIsNone) {
  const lb_framing framing = framing_with(
      rule("is = \"end_of_session\"\noffset = 6\nwidth = 1\nvalue = 0\nnumber = \"none\""));
  const Decoded decoded = decode(framing, kTwoMessages);
  EXPECT_EQ(decoded.kind, LB_KIND_END_OF_SESSION);
  EXPECT_EQ(decoded.datagram.numbered, 0u);
}

TEST(Rules, ZeroIsANumberWhereARuleSaysWhichComesNext) {
  const std::string zero = "00000000" + kTwoMessages.substr(8);
  const std::string sequence = "unsequenced = \"zero\"\n";
  const lb_framing framing = framing_with(
      rule("is = \"reset\"\noffset = 6\nwidth = 1\nvalue = 0\nnumber = \"last\""), sequence);
  EXPECT_EQ(decode(framing, zero).datagram.first, 1u);
  EXPECT_EQ(decode(framing, zero).datagram.numbered, 1u);
  EXPECT_EQ(decode(framing_with("", sequence), zero).kind, LB_KIND_UNSEQUENCED);
}

TEST(Rules, APacketWithoutMessagesIsAHeartbeatWhateverItsMessagesWouldBe) {
  const lb_framing framing = framing_with(rule("is = \"data\"\noffset = 6\nwidth = 1\nvalue = 0"));
  EXPECT_EQ(decode(framing, "0000000501020000").kind, LB_KIND_HEARTBEAT);
}

TEST(Numbers, HaveBitsElsewhere) {
  const lb_framing framing = framing_with("", "high = { offset = 6, width = 1, mask = 0x70 }\n");
  auto first = [&](const std::string& flags) {
    return decode(framing, "ffffffff0102" + flags + kTwoMessages.substr(14)).datagram.first;
  };
  EXPECT_EQ(first("00"), 0xffffffffu);
  EXPECT_EQ(first("8f"), 0xffffffffu);
  EXPECT_EQ(first("10"), 0x1ffffffffu);
  EXPECT_EQ(first("7f"), 0x7ffffffffu);
  EXPECT_EQ(lb_framing_next(&framing, 0xffffffffu, 1), 0x100000000u);
  EXPECT_EQ(lb_framing_next(&framing, 0x7ffffffffu, 1), 0u);
}

TEST(Sessions, AreReadUnderTheirMask) {
  const lb_framing framing = framing_with("", "", "mask = 0x0ff0\norder = \"rising\"\n");
  auto session = [&](const std::string& bytes) {
    return decode(framing, "00000005" + bytes + kTwoMessages.substr(12)).datagram.session;
  };
  EXPECT_EQ(session("0120"), 0x120u);  // of a session that rises the number itself
  EXPECT_EQ(session("f12f"), 0x120u);
  EXPECT_NE(session("0130"), 0x120u);
  EXPECT_EQ(framing.session_bits, 12);
}

TEST(Guards, HaveOneOfTwoValues) {
  const lb_framing framing =
      framing_with("[[guard]]\noffset = 6\nwidth = 1\nvalue = 0x54\nor = 0x51\n");
  for (unsigned flags = 0; flags < 256; flags++) {
    std::vector<lb_u8> bytes = bytes_of(kTwoMessages);
    bytes[6] = static_cast<lb_u8>(flags);
    lb_datagram datagram{};
    EXPECT_EQ(decode_exactly(framing, bytes, &datagram),
              flags == 0x54 || flags == 0x51 ? LB_KIND_DATA : LB_KIND_MALFORMED);
  }
}

TEST(Opaque, MessagesAreNotWalked) {
  const lb_framing framing =
      framing_with("", "", "", "opaque = { offset = 6, width = 1, mask = 0x81 }\n");
  for (const char* flags : {"00", "7e", "01", "80", "ff"}) {
    const std::vector<lb_u8> bytes =
        bytes_of("000000050102" + std::string(flags) + kTwoMessages.substr(14));
    const auto length = static_cast<lb_u32>(bytes.size());
    const bool is_clear = !(bytes[6] & 0x81);
    EXPECT_EQ(lb_messages_can_be_walked(&framing, bytes.data(), length), is_clear);
    EXPECT_EQ(lb_message_length(&framing, bytes.data(), length, 8), is_clear ? 2u : 0u);
    lb_datagram datagram{};
    EXPECT_EQ(decode_exactly(framing, bytes, &datagram), LB_KIND_DATA);
    EXPECT_EQ(datagram.count, 2u);
  }
}

class Walked : public testing::Test {
 protected:
  const lb_framing framing_ = config::builtin_framing("miax-mach").descriptor;

  /// MACH packets of so many bytes each.
  static std::vector<lb_u8> packet(const std::vector<lb_u8>& sizes) {
    std::vector<lb_u8> bytes;
    for (lb_u8 size : sizes) {
      std::vector<lb_u8> message(size);
      message[8] = size;
      message[10] = 3;
      bytes.insert(bytes.end(), message.begin(), message.end());
    }
    return bytes;
  }
};

TEST_F(Walked, MessagesAreCountedInUserSpaceOnly) {
  for (std::size_t count = 1; count <= 20; count++) {
    const std::vector<lb_u8> bytes =
        packet(std::vector<lb_u8>(count, static_cast<lb_u8>(12 + count)));
    lb_datagram datagram{};
    EXPECT_EQ(decode_exactly(framing_, bytes, &datagram), LB_KIND_DATA);
    EXPECT_EQ(datagram.count, count);
    EXPECT_EQ(lb_framing_decode_header(&framing_, bytes.data(), bytes.data() + bytes.size(),
                                       static_cast<lb_u32>(bytes.size()), &datagram),
              LB_KIND_DATA);
    EXPECT_EQ(datagram.count, LB_COUNT_UNKNOWN);
  }
}

TEST_F(Walked, CutAnywhereButBetweenMessagesItIsMalformed) {
  const std::vector<lb_u8> bytes = packet({12, 20, 13});
  for (std::size_t length = 0; length <= bytes.size(); length++) {
    SCOPED_TRACE(length);
    lb_datagram datagram{};
    const bool is_whole = length == 12 || length == 32 || length == 45;
    EXPECT_EQ(decode_exactly(framing_, {bytes.data(), length}, &datagram),
              is_whole ? LB_KIND_DATA : LB_KIND_MALFORMED);
    if (is_whole) {
      EXPECT_EQ(datagram.count, length == 12 ? 1u : length == 32 ? 2u : 3u);
    }
  }
}

TEST_F(Walked, AMessageShorterThanTheSmallestIsMalformed) {
  for (lb_u8 said = 0; said < 12; said++) {
    std::vector<lb_u8> bytes = packet({12, 12});
    bytes[8] = said;
    lb_datagram datagram{};
    EXPECT_EQ(decode_exactly(framing_, bytes, &datagram), LB_KIND_MALFORMED);
  }
}

}  // namespace
}  // namespace linearb
