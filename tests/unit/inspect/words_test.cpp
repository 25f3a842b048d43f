// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "inspect/framing_words.h"
#include "inspect/packet_words.h"
#include "unit/framing/bytes.h"

namespace linearb::inspect {
namespace {

using test::bytes_of;
using testing::ElementsAre;
using testing::HasSubstr;

lb_framing framing(const char* name) {
  return config::builtin_framing(name).descriptor;
}

std::string session(const char* name, const std::string& hex) {
  return session_text(framing(name), bytes_of(hex)).value_or("none");
}

TEST(SessionText, IsTextWhereItIsSome) {
  EXPECT_EQ(session("moldudp64", "53455353494f4e30303100000000000000660000"), "SESSION001");
  EXPECT_EQ(session("moldudp64",
                    "444159312020202020200000000000000066"
                    "0000"),
            "DAY1");
  EXPECT_EQ(session("moldudp64",
                    "44415931000000000000000000000000006600"
                    "00"),
            "DAY1");
}

TEST(SessionText, IsANumberInTheFeedsByteOrderElse) {
  EXPECT_EQ(session("memx", "00125553453164e486c80000000000000007"), "0x5553453164e486c8");
  EXPECT_EQ(session("iex-tp",
                    "010004800100000000008742000000009da6210000000000"
                    "ccc300000000000000002a36fe9c9717"),
            "0x42870000");
  EXPECT_EQ(session("ice-impact", "050b0003dea100000000018bcfe56800"), "1291");
  EXPECT_EQ(session("ice-impact", "41420003dea100000000018bcfe56800"), "16706")
      << "two letters are a number all the same";
  EXPECT_EQ(session("b3-umdf", "320035050112000000002a36fe9c9717"), "1333");
  EXPECT_EQ(session("euronext-optiq-mdg", "00002a36fe9c971701000000060058020a00"), "3")
      << "the restarts alone, of the bits of a byte";
  EXPECT_EQ(session("moldudp64",
                    "00000000000000000000000000000000006600"
                    "00"),
            "0x00000000000000000000");
}

TEST(SessionText, IsNoneWhereThereIsNone) {
  EXPECT_EQ(session("cme-mdp3", "8813000000002a36fe9c9717"), "none");
  EXPECT_EQ(session("moldudp64", "534553"), "none");
}

TEST(KeyOf, IsTheUnitOrTheChannel) {
  EXPECT_EQ(key_of(framing("cboe-pitch"), bytes_of("080000034d000000")), "3");
  EXPECT_EQ(key_of(framing("euronext-optiq-mdg"), bytes_of("00002a36fe9c97170100000006005802")),
            "600");
  EXPECT_EQ(key_of(framing("moldudp64"), bytes_of("53455353494f4e30303100000000000000660000")),
            std::nullopt);
}

TEST(WhyMalformed, IsTheFirstRuleThatIsBroken) {
  const struct {
    const char* framing;
    const char* hex;
    const char* why;
  } kRows[] = {
      {"moldudp64", "5345", "it has 2 bytes, and the shortest packet 20"},
      {"opra-v6", "0500224f200017ff8a79016553f10000000001055e4f484c20000000000000000000",
       "byte 0 is 0x5 in place of 0x6"},
      {"cboe-pitch", "090000034d000000", "it says that it has 9 bytes, and has 8"},
      {"memx", "03125553453164e486c80000000000000007", "the framing says so of byte 0"},
      {"memx", "02125553453164e486c80000000000000007", "it has 18 bytes, and a header 20"},
      {"b3-umdf", "320035050000000000002a36fe9c97170c0050eb0400020002001000",
       "bytes 28 to 31 have to say which number comes next, and are not there"},
      {"moldudp64", "53455353494f4e303031000000000000006400020000",
       "2 messages of at least 2 bytes do not fit the 2 bytes behind the header"},
      {"moldudp64", "53455353494f4e303031010000000000000000010000",
       "its number is beyond 72057594037927935"},
      {"miax-mach", "600300000000000016000301787878787878",
       "its messages do not end where it ends"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(decode(framing(row.framing), bytes_of(row.hex)).kind, LB_KIND_MALFORMED) << row.why;
    EXPECT_EQ(why_malformed(framing(row.framing), bytes_of(row.hex)), row.why);
  }
}

TEST(Names, AreThoseOfTheSummary) {
  EXPECT_EQ(kind_name(LB_KIND_END_OF_SESSION), "end_of_session");
  EXPECT_EQ(kind_name(LB_KIND_MALFORMED), "malformed");
  EXPECT_EQ(outcome_name(sequencer::Outcome::won), "won");
  EXPECT_EQ(outcome_name(sequencer::Outcome::old_epoch), "old_epoch");
  EXPECT_EQ(outcome_name(sequencer::Outcome::malformed), "malformed");
}

TEST(ByteMap, HasANameAtEveryByteThatSaysSomething) {
  EXPECT_EQ(byte_map(framing("moldudp64")),
            "      +0      +1      +2      +3      +4      +5      +6      +7\n"
            "   0 |session                                                        |\n"
            "   8 |session        |sequence                                       |\n"
            "  16 |sequence       |count          |\n");
}

TEST(ByteMap, OfEveryFramingHasARowForEachEightBytes) {
  for (const std::string& name : config::builtin_framing_names()) {
    const lb_framing header = framing(name.c_str());
    const std::string map = byte_map(header);
    const int bytes = std::max(header.header_length, header.least_length);
    EXPECT_EQ(std::ranges::count(map, '\n'), 1 + (bytes + 7) / 8) << name;
    EXPECT_THAT(map, HasSubstr(bytes == 1 || name == "aquis" ? "count" : "seq")) << name;
  }
}

TEST(FramingWords, FieldsStandInTheOrderOfTheirBytes) {
  std::vector<std::string> names;
  for (const FieldWords& words : fields_of(framing("cboe-pitch"))) names.push_back(words.name);
  EXPECT_THAT(names, ElementsAre("length", "count", "key", "sequence"));
}

TEST(FramingWords, SayWhatEachPlaceMeans) {
  auto says = [](const char* name, const std::string& field) {
    for (const FieldWords& words : fields_of(framing(name)))
      if (words.name == field) return place_text(words.field) + ": " + words.says;
    return std::string("nothing");
  };
  EXPECT_EQ(says("cboe-pitch", "sequence"),
            "bytes 4 to 7, little-endian: number of the first message; 0: its messages have none; "
            "after 4294967295 comes 1");
  EXPECT_EQ(says("moldudp64", "count"),
            "bytes 18 to 19, big-endian: messages in the packet; 0xffff: end of the session");
  EXPECT_EQ(says("iex-tp", "length"),
            "bytes 12 to 13, little-endian: length of the payload, less 40");
  EXPECT_EQ(says("euronext-optiq-mdg", "high"),
            "bytes 12 to 13, little-endian: bits 4 to 6 are the highest of the number");
  EXPECT_EQ(says("euronext-optiq-mdg", "session"),
            "byte 12: session, bits 1 to 3 of it; of two the higher one is the newer, and they go "
            "round");
  EXPECT_EQ(says("hkex-omd", "opaque"), "byte 3: any of 0xff: the messages cannot be told apart");
  EXPECT_EQ(says("memx", "guard"), "byte 1: 18 in every packet");
}

TEST(FramingWords, SayWhatAPacketIs) {
  EXPECT_THAT(
      sentences_of(framing("hkex-omd")),
      ElementsAre(
          "The header has 16 bytes.", "A packet that is new in part is cut down to what is new.",
          "A message has at least 4 bytes; its length is bytes 0 to 1, little-endian of it.",
          "A packet without messages is a heartbeat, with the number of the last message.",
          "The first of these that fits says what a packet is; else it is data:",
          "  byte 3 is 1 to 255: data",
          "  bytes 18 to 19, little-endian is 100: reset; the number of the next message is "
          "bytes 20 to 23, little-endian"));
  EXPECT_THAT(
      sentences_of(framing("cta-v2")),
      testing::Contains("  bytes 22 to 23, big-endian is 0x435a (\"CZ\"): end_of_session, a "
                        "message with a number of its own"));
  EXPECT_THAT(sentences_of(framing("coinbase-derivatives")),
              testing::Contains("  byte 18 under the mask 0x4 is 4: retransmission"));
}

}  // namespace
}  // namespace linearb::inspect
