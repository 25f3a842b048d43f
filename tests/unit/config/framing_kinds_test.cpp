// SPDX-License-Identifier: Apache-2.0
//
// What a framing says beyond a plain header: kinds of packets, numbers and sessions in parts,
// messages that are counted by walking or that cannot be walked.
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "support/error_text.h"
#include "unit/config/framing_text.h"

namespace linearb::config {
namespace {

using test::refusal;
using test::Refused;
using test::replaced;
using testing::HasSubstr;

/// Every key that framing_file_test.cpp has not, on one line each, so that a test can name the
/// line.
const std::string kRich = R"(name = "rich"
title = "Every other key"
source = "This test"
endian = "little"
header_length = 24
least_length = 20
[sequence]
offset = 0
width = 4
high = { offset = 4, width = 1, mask = 0x70 }
[session]
offset = 5
width = 2
mask = 0x0FFE
order = "rising"
[count]
offset = 20
width = 2
[payload_length]
offset = 7
width = 2
extra = 9
[message]
smallest = 4
length = { offset = 0, width = 2 }
opaque = { offset = 9, width = 1, mask = 0x03 }
[[guard]]
offset = 10
width = 1
value = 1
or = 2
[[kind]]
is = "heartbeat"
offset = 26
width = 2
value = 7
next = { offset = 30, width = 4 }
[[kind]]
is = "reset"
offset = 11
width = 1
mask = 0x0F
least = 2
most = 5
number = "own"
)";

const std::string kWalked = R"(name = "walked"
title = "Messages with numbers of their own"
source = "This test"
endian = "big"
header_length = 0
least_length = 10
sequence = { offset = 0, width = 8 }
count = { by = "walk" }
[message]
smallest = 10
length = { offset = 8, width = 2 }
)";

TEST(FramingKinds, EveryOtherKeyIsRead) {
  const lb_framing header = parse_framing(kRich, "feed.toml").descriptor;
  EXPECT_EQ(header.header_length, 24);
  EXPECT_EQ(header.least_length, 20);
  EXPECT_EQ(header.sequence_high.offset, 4);
  EXPECT_EQ(header.sequence_high_mask, 0x70u);
  EXPECT_EQ(header.sequence_high_shift, 4);
  EXPECT_EQ(header.sequence_high_place, 32);
  EXPECT_EQ(header.sequence_limit, 1ull << 35);
  EXPECT_EQ(header.flags, LB_FRAMING_SESSIONS_RISE);
  EXPECT_EQ(header.session_ignored, ~0x0FFEull);
  EXPECT_EQ(header.session_bits, 12);
  EXPECT_EQ(header.payload_length_extra, 9);
  EXPECT_EQ(header.opaque.offset, 9);
  EXPECT_EQ(header.opaque_mask, 3u);
  EXPECT_EQ(header.guards[0].value, 1u);
  EXPECT_EQ(header.guards[0].other, 2u);
  ASSERT_EQ(header.rule_count, 2);
  EXPECT_EQ(header.rules[0].kind, LB_KIND_HEARTBEAT);
  EXPECT_EQ(header.rules[0].field.offset, 26);
  EXPECT_EQ(header.rules[0].mask, 0xFFFFu);
  EXPECT_EQ(header.rules[0].least, 7u);
  EXPECT_EQ(header.rules[0].most, 7u);
  EXPECT_EQ(header.rules[0].number, LB_NUMBER_FIELD);
  EXPECT_EQ(header.rules[0].next.offset, 30);
  EXPECT_EQ(header.rules[0].next.width, 4);
  EXPECT_EQ(header.rules[1].kind, LB_KIND_RESET);
  EXPECT_EQ(header.rules[1].mask, 0x0Fu);
  EXPECT_EQ(header.rules[1].least, 2u);
  EXPECT_EQ(header.rules[1].most, 5u);
  EXPECT_EQ(header.rules[1].number, LB_NUMBER_OWN);
}

TEST(FramingKinds, WhatIsNotSaidIsThePlainHeader) {
  std::string toml = replaced(kRich, "least_length = 20\n", "");
  toml = replaced(toml, "or = 2\n", "");
  toml = replaced(toml, ", mask = 0x03", "");
  toml = replaced(toml, "mask = 0x0FFE\norder = \"rising\"\n", "");
  toml = replaced(toml, "extra = 9\n", "");
  const lb_framing header = parse_framing(toml, "feed.toml").descriptor;
  EXPECT_EQ(header.least_length, 24);
  EXPECT_EQ(header.guards[0].other, 1u);
  EXPECT_EQ(header.opaque_mask, 0xFFu);
  EXPECT_EQ(header.session_ignored, 0u);
  EXPECT_EQ(header.flags, 0);
  EXPECT_EQ(header.payload_length_extra, 0);
}

TEST(FramingKinds, MessagesMayBeCountedByWalking) {
  const lb_framing header = parse_framing(kWalked, "feed.toml").descriptor;
  EXPECT_EQ(header.flags, LB_FRAMING_COUNT_BY_WALK);
  EXPECT_EQ(header.header_length, 0);
  EXPECT_EQ(header.least_length, 10);
  EXPECT_EQ(header.count.width, 0);
  EXPECT_EQ(header.message_length.offset, 8);
}

TEST(FramingKinds, EveryKindAndNumberIsKnown) {
  const struct {
    const char* rule;
    lb_kind kind;
    lb_number number;
  } kRows[] = {
      {"is = \"data\"", LB_KIND_DATA, LB_NUMBER_OWN},
      {"is = \"unsequenced\"", LB_KIND_UNSEQUENCED, LB_NUMBER_OWN},
      {"is = \"retransmission\"", LB_KIND_RETRANSMISSION, LB_NUMBER_OWN},
      {"is = \"malformed\"", LB_KIND_MALFORMED, LB_NUMBER_NONE},
      {"is = \"heartbeat\"\nnumber = \"next\"", LB_KIND_HEARTBEAT, LB_NUMBER_NEXT},
      {"is = \"heartbeat\"\nnumber = \"last\"", LB_KIND_HEARTBEAT, LB_NUMBER_LAST},
      {"is = \"heartbeat\"\nnumber = \"none\"", LB_KIND_HEARTBEAT, LB_NUMBER_NONE},
      {"is = \"end_of_session\"\nnumber = \"own\"", LB_KIND_END_OF_SESSION, LB_NUMBER_OWN},
      {"is = \"reset\"\nnext = { offset = 1, width = 1 }", LB_KIND_RESET, LB_NUMBER_FIELD},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.rule);
    std::string toml = replaced(kRich, "is = \"reset\"", row.rule);
    toml = replaced(toml, "most = 5\nnumber = \"own\"\n", "most = 5\n");
    const lb_framing header = parse_framing(toml, "feed.toml").descriptor;
    EXPECT_EQ(header.rules[1].kind, row.kind);
    EXPECT_EQ(header.rules[1].number, row.number);
  }
}

class FramingKindsRefuse : public testing::TestWithParam<Refused> {};

TEST_P(FramingKindsRefuse, WithFileLineColumnAndReason) {
  const Refused& row = GetParam();
  EXPECT_THAT(refusal(replaced(kRich, row.from, row.to)), HasSubstr(row.message));
}

const Refused kRefused[] = {
    {"LeastLengthIsNothing", "least_length = 20", "least_length = 0",
     "feed.toml:6:16: least_length is 0; it has to be 1 to 1024"},
    {"LeastLengthTooShortForAField", "least_length = 20", "least_length = 3",
     "do not end within the shortest packet of 3 bytes"},
    {"HighWithoutMask", ", mask = 0x70", "", "feed.toml:10:8: [sequence.high] has no \"mask\""},
    {"HighBitsApart", "mask = 0x70", "mask = 0x50", "has to be of bits that stand side by side"},
    {"HighMaskIsNothing", "mask = 0x70", "mask = 0", "mask is 0; it has to be 1 to 255"},
    {"HighMaskDoesNotFit", "mask = 0x70", "mask = 0x100", "mask is 256; it has to be 1 to 255"},
    {"HighMakesNumbersTooLarge", "width = 4\nhigh", "width = 7\nhigh",
     "makes numbers of more than 56 bits"},
    {"HighOutside", "{ offset = 4, width = 1", "{ offset = 20, width = 1",
     "[sequence.high] offset is 20: the 1 bytes"},
    {"UnknownKeyInHigh", "mask = 0x70", "mask = 0x70, shift = 4",
     "[sequence.high] has no key \"shift\""},
    {"SessionMaskIsNothing", "mask = 0x0FFE", "mask = 0", "mask is 0; it has to be 1 to 65535"},
    {"SessionMaskDoesNotFit", "mask = 0x0FFE", "mask = 0x10000", "it has to be 1 to 65535"},
    {"SessionMaskOfText", "width = 2\nmask = 0x0FFE", "width = 9\nmask = 0x0FFE",
     "mask is of no use: a session of more than 8 bytes is no number"},
    {"SessionOrder", "\"rising\"", "\"falling\"",
     "feed.toml:15:9: [session] order is \"falling\"; it can be \"none\", \"rising\""},
    {"SessionRisesTooWide", "width = 2\nmask", "width = 5\nmask",
     "order can be \"rising\" for up to 4 bytes"},
    {"CountBy", "offset = 20\nwidth = 2", "by = \"looking\"",
     "by is \"looking\"; it can be \"field\", \"walk\""},
    {"CountByWalkAndField", "offset = 20\nwidth = 2", "by = \"walk\"\noffset = 20",
     "[count] has no key \"offset\""},
    {"CountByWalkWithoutLengths", "width = 2\n[payload", "by = \"walk\"\n[payload",
     "[count] has no key \"offset\""},
    {"ExtraOfPayloadLength", "extra = 9", "extra = 256", "extra is 256; it has to be 0 to 255"},
    {"OpaqueOutside", "{ offset = 9", "{ offset = 24",
     "[message.opaque] offset is 24: the 1 bytes read there do not end within the header of 24"},
    {"OpaqueMaskIsNothing", "mask = 0x03", "mask = 0", "mask is 0; it has to be 1 to 255"},
    {"UnknownKeyInOpaque", "mask = 0x03", "value = 0x03",
     "[message.opaque] has no key \"value\"; it can be offset, width, endian, mask"},
    {"OtherValueOfGuardDoesNotFit", "or = 2", "or = 256", "or is 256; it has to be 0 to 255"},
    {"KindIsNoArray",
     "[[kind]]\nis = \"heartbeat\"\noffset = 26\nwidth = 2\nvalue = 7\n"
     "next = { offset = 30, width = 4 }\n[[kind]]",
     "[kind]", "kind has to be one or more tables: [[kind]]"},
    {"KindIsNotSaid", "is = \"reset\"\n", "",
     "feed.toml:38:1: [[kind]] is is missing: what such a packet is"},
    {"KindIsUnknown", "\"reset\"", "\"rest\"", "is is \"rest\"; it can be \"data\", "},
    {"KindLooksTooFar", "offset = 26", "offset = 1023", "[[kind]] offset is 1023: the 2 bytes"},
    {"KindIsTooWide", "width = 2\nvalue = 7", "width = 5\nvalue = 7",
     "width is 5; it has to be 1 to 4"},
    {"KindValueDoesNotFit", "value = 7", "value = 0x10000", "it has to be 0 to 65535"},
    {"KindValueOutsideOfItsMask", "mask = 0x0F\nleast = 2\nmost = 5", "mask = 0x0F\nvalue = 0x10",
     "value is 16; it has to be 0 to 15"},
    {"KindHasNoValue", "value = 7\n", "", "feed.toml:32:1: [[kind]] has no \"least\""},
    {"KindHasNoMost", "most = 5\n", "", "[[kind]] has no \"most\""},
    {"KindMostBelowLeast", "most = 5", "most = 1", "most is 1; it has to be 2 to 15"},
    {"KindValueAndRange", "least = 2", "value = 2\nleast = 2", "[[kind]] has no key \"least\""},
    {"NumberIsMissing", "number = \"own\"\n", "",
     "[[kind]] number is missing: \"own\", \"next\", \"last\" or \"none\", or next = { offset, "
     "width }"},
    {"NumberIsUnknown", "\"own\"", "\"previous\"",
     "number is \"previous\"; it can be \"own\", \"next\", \"last\", \"none\""},
    {"NumberOfData", "is = \"reset\"", "is = \"data\"\nnumber = \"next\"\n[[kind]]\nis = \"reset\"",
     "feed.toml:38:1: [[kind]] has no \"offset\""},
    {"NumberOfHeartbeatIsOwn", "is = \"reset\"", "is = \"heartbeat\"",
     "number cannot be \"own\": a heartbeat has no message"},
    {"NextOfData", "is = \"heartbeat\"", "is = \"data\"",
     "next is what a heartbeat, an end of session or a reset says"},
    {"NextAndNumber", "next = {", "number = \"last\"\nnext = {", "[[kind]] has no key \"number\""},
    {"NextLooksTooFar", "{ offset = 30", "{ offset = 1022",
     "[kind.next] offset is 1022: the 4 bytes"},
    {"UnknownKeyInNext", "width = 4 }\n[[kind]]", "width = 4, mask = 1 }\n[[kind]]",
     "has no key \"mask\""},
    {"UnknownKeyInKind", "most = 5", "most = 5\nthen = 1", "[[kind]] has no key \"then\""},
};

INSTANTIATE_TEST_SUITE_P(Table, FramingKindsRefuse, testing::ValuesIn(kRefused),
                         [](const auto& row) { return row.param.what; });

TEST(FramingKinds, NumberOfDataIsItsOwn) {
  for (const char* kind : {"data", "unsequenced", "retransmission", "malformed"}) {
    std::string toml = replaced(kRich, "is = \"reset\"", std::string("is = \"") + kind + '"');
    EXPECT_THAT(refusal(replaced(toml, "\"own\"", "\"next\"")),
                HasSubstr("number is what a heartbeat, an end of session or a reset says"));
  }
}

TEST(FramingKinds, TooManyAreRefused) {
  std::string toml = kRich;
  for (int i = 2; i < LB_RULES_MAX + 1; i++)
    toml += "[[kind]]\nis = \"data\"\noffset = 0\nwidth = 1\nvalue = 1\n";
  EXPECT_THAT(refusal(toml), HasSubstr("[[kind]] is one too many: a framing has at most 8"));
}

TEST(FramingKinds, WalkingNeedsLengths) {
  std::string toml = replaced(kWalked, "length = { offset = 8, width = 2 }\n", "");
  EXPECT_THAT(refusal(toml), HasSubstr("[message] length is missing: with count by walk it says "
                                       "where the next one begins"));
  toml = replaced(toml, "[message]\nsmallest = 10\n", "");
  EXPECT_THAT(refusal(toml), HasSubstr("message is missing: with count by walk"));
}

TEST(FramingKinds, ASessionThatRisesHasAByteOrder) {
  const std::string rising =
      "name = \"a\"\ntitle = \"a\"\nsource = \"a\"\nheader_length = 8\n"
      "sequence = { offset = 0, width = 4, endian = \"big\" }\n"
      "session = { offset = 4, width = 2, order = \"rising\" }\n";
  EXPECT_THAT(refusal(rising), HasSubstr("[session] needs endian = \"big\" or \"little\", here or "
                                         "for the whole file"));
  const std::string big = replaced(rising, "\"rising\"", "\"rising\", endian = \"big\"");
  EXPECT_TRUE(parse_framing(big, "feed.toml").descriptor.session.big_endian);
  const std::string one_byte = replaced(rising, "width = 2", "width = 1");
  EXPECT_EQ(parse_framing(one_byte, "feed.toml").descriptor.session_bits, 8);
}

}  // namespace
}  // namespace linearb::config
