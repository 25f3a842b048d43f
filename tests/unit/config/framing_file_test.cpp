// SPDX-License-Identifier: Apache-2.0
#include "config/framing_file.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_text.h"
#include "unit/config/framing_text.h"

namespace linearb::config {
namespace {

using test::refusal;
using test::Refused;
using test::replaced;
using testing::ElementsAre;
using testing::HasSubstr;

/// Every key that there is, on one line each, so that a test can name the line.
const std::string kComplete = R"(name = "every-key_1"
title = "Every key"
source = "This test"
endian = "little"
header_length = 40
[session]
offset = 0
width = 16
[sequence]
offset = 16
width = 4
endian = "big"
heartbeat = "last"
unsequenced = "zero"
largest = 9999
wraps_to = 5
[count]
offset = 20
width = 2
end_of_session = 0xFFFE
[key]
offset = 22
width = 1
[payload_length]
offset = 24
width = 4
[message]
smallest = 6
length = { offset = 2, width = 2, extra = 3 }
[[guard]]
offset = 28
width = 4
value = 0xFFFFFFFF
[[guard]]
offset = 32
width = 1
value = 7
)";

TEST(FramingFile, ReadsEveryKey) {
  Framing framing = parse_framing(kComplete, "feed.toml");
  EXPECT_EQ(framing.name, "every-key_1");
  EXPECT_EQ(framing.title, "Every key");
  EXPECT_EQ(framing.source, "This test");
  const lb_framing& header = framing.descriptor;
  EXPECT_EQ(header.header_length, 40);
  EXPECT_EQ(header.smallest_message, 6);
  EXPECT_EQ(header.flags, LB_FRAMING_ZERO_UNSEQUENCED | LB_FRAMING_HAS_END_COUNT);
  EXPECT_EQ(header.heartbeat_number, LB_NUMBER_LAST);
  EXPECT_EQ(header.session.offset, 0);
  EXPECT_EQ(header.session.width, 16);
  EXPECT_EQ(header.sequence.offset, 16);
  EXPECT_EQ(header.sequence.width, 4);
  EXPECT_TRUE(header.sequence.big_endian);
  EXPECT_EQ(header.count.offset, 20);
  EXPECT_EQ(header.count.width, 2);
  EXPECT_FALSE(header.count.big_endian);
  EXPECT_EQ(header.keys[0].offset, 22);
  EXPECT_EQ(header.keys[0].width, 1);
  EXPECT_EQ(header.payload_length.offset, 24);
  EXPECT_EQ(header.payload_length.width, 4);
  EXPECT_EQ(header.message_length.offset, 2);
  EXPECT_EQ(header.message_length.width, 2);
  EXPECT_EQ(header.message_length_extra, 3);
  EXPECT_EQ(header.guard_count, 2);
  EXPECT_EQ(header.guards[0].value, 0xFFFFFFFF);
  EXPECT_EQ(header.guards[1].field.offset, 32);
  EXPECT_EQ(header.guards[1].value, 7u);
  EXPECT_EQ(header.end_count, 0xFFFEu);
  EXPECT_EQ(header.sequence_limit, 10000u);
  EXPECT_EQ(header.wrap_to, 5u);
}

std::string with_keys(const std::string& tables) {
  return replaced(kComplete, "[key]\noffset = 22\nwidth = 1\n", tables);
}

TEST(FramingFile, AKeyCanHaveSeveralFields) {
  const lb_framing header = parse_framing(with_keys("[[key]]\noffset = 22\nwidth = 1\n"
                                                    "[[key]]\noffset = 30\nwidth = 2\n"
                                                    "endian = \"big\"\n"
                                                    "[[key]]\noffset = 0\nwidth = 5\n"),
                                          "feed.toml")
                                .descriptor;
  std::array<lb_u8, 40> bytes{};
  bytes[22] = 7;
  bytes[30] = 1;
  bytes[31] = 2;
  bytes[0] = 3;
  EXPECT_EQ(lb_framing_key(&header, bytes.data(), bytes.data() + bytes.size()),
            0x07'0102'0000000003u);
}

TEST(FramingFile, DefaultsAreThoseOfTheSimplestFeed) {
  lb_framing header = parse_framing(
                          "name = \"a\"\ntitle = \"a\"\nsource = \"a\"\nheader_length = 8\n"
                          "sequence = { offset = 0, width = 8, endian = \"big\" }\n",
                          "feed.toml")
                          .descriptor;
  EXPECT_EQ(header.smallest_message, 1);
  EXPECT_EQ(header.flags, 0);
  EXPECT_EQ(header.heartbeat_number, LB_NUMBER_NEXT);
  EXPECT_EQ(header.guard_count, 0);
  EXPECT_EQ(header.count.width + header.keys[0].width + header.session.width, 0);
  EXPECT_EQ(header.payload_length.width + header.message_length.width, 0);
  EXPECT_EQ(header.sequence_limit, 1ull << 56);
  EXPECT_EQ(header.wrap_to, 0u);
}

TEST(FramingFile, AfterTheLargestComesOneWhereZeroIsNoNumber) {
  std::string toml = replaced(replaced(kComplete, "wraps_to = 5\n", ""), "largest = 9999\n", "");
  lb_framing header = parse_framing(toml, "feed.toml").descriptor;
  EXPECT_EQ(header.sequence_limit, 1ull << 32);
  EXPECT_EQ(header.wrap_to, 1u);
}

class FramingFileRefuses : public testing::TestWithParam<Refused> {};

TEST_P(FramingFileRefuses, WithFileLineColumnAndReason) {
  const Refused& row = GetParam();
  std::string message = refusal(replaced(kComplete, row.from, row.to));
  EXPECT_THAT(message, HasSubstr(row.message));
}

const Refused kRefused[] = {
    {"Malformed", "width = 16", "width = = 16", "feed.toml:8:9: "},
    {"UnknownKey", "header_length = 40", "header_lenght = 40",
     "feed.toml:5:1: the file has no key \"header_lenght\"; did you mean \"header_length\"?"},
    {"UnknownKeyHasHelp", "title", "titel = 1\ntitle",
     "feed.toml:2:1: the file has no key \"titel\"; did you mean \"title\"?"},
    {"UnknownKeyInTable", "width = 16", "width = 16\nwitdh = 3",
     "feed.toml:9:1: [session] has no key \"witdh\"; did you mean \"width\"?"},
    {"UnknownKeyFarFromAll", "width = 16", "width = 16\ncompression = 3",
     "feed.toml:9:1: [session] has no key \"compression\"; it can be offset, width"},
    {"UnknownKeyInLength", "extra = 3", "extras = 3",
     "[message.length] has no key \"extras\"; did you mean \"extra\"?"},
    {"UnknownKeyInGuard", "value = 7", "value = 7\nmask = 3", "[[guard]] has no key \"mask\""},
    {"UnknownKeyInCount", "end_of_session", "end_of_sesion", "did you mean \"end_of_session\"?"},
    {"UnknownKeyInKey", "width = 1\n[payload", "width = 1\nvalue = 1\n[payload",
     "[key] has no key \"value\""},
    {"KeyOfTooManyFields", "[key]\noffset = 22\nwidth = 1\n",
     "[[key]]\noffset=0\nwidth=1\n[[key]]\noffset=1\nwidth=1\n[[key]]\noffset=2\nwidth=1\n"
     "[[key]]\noffset=3\nwidth=1\n",
     "feed.toml:30:1: [[key]] is one too many: a key has at most 3 fields"},
    {"KeyTooLong", "[key]\noffset = 22\nwidth = 1\n",
     "[[key]]\noffset=0\nwidth=4\n[[key]]\noffset=4\nwidth=5\n",
     "feed.toml:26:7: [[key]] width makes the key longer than 8 bytes"},
    {"KeyIsNoTable", "[key]\noffset = 22\nwidth = 1\n", "[x]\n", "the file has no key \"x\""},
    {"UnknownKeyInPayloadLength", "offset = 24", "offset = 24\nadd = 1",
     "[payload_length] has no key \"add\""},
    {"UnknownKeyInMessage", "smallest = 6", "smallest = 6\nheader = 2",
     "[message] has no key \"header\""},
    {"UnknownKeyInSequence", "wraps_to", "wrap_to", "did you mean \"wraps_to\"?"},
    {"NoName", "name = \"every-key_1\"\n", "", "feed.toml:1:1: the file has no \"name\""},
    {"NoTitle", "title = \"Every key\"\n", "", "the file has no \"title\""},
    {"NoSource", "source = \"This test\"\n", "", "the file has no \"source\""},
    {"NoHeaderLength", "header_length = 40\n", "", "the file has no \"header_length\""},
    {"NoSequence", "[sequence]", "[session.x]", "the file has no \"sequence\""},
    {"NoOffset", "offset = 22\n", "", "feed.toml:21:1: [key] has no \"offset\""},
    {"NoWidth", "width = 16\n", "", "[session] has no \"width\""},
    {"NoGuardValue", "value = 7\n", "", "feed.toml:34:1: [[guard]] has no \"value\""},
    {"NameIsTypedInOptions", "every-key_1", "Every@Key", "feed.toml:1:8: name has to be of"},
    {"NameIsEmpty", "every-key_1", "", "name has to be of lower-case letters"},
    {"TextIsNumber", "\"Every key\"", "12", "feed.toml:2:9: title has to be a text"},
    {"NumberIsText", "header_length = 40", "header_length = \"40\"",
     "feed.toml:5:17: header_length has to be a whole number"},
    {"TableIsNumber", "[key]\noffset = 22\nwidth = 1", "[x]", "the file has no key \"x\""},
    {"LengthIsNoTable", "{ offset = 2, width = 2, extra = 3 }", "2",
     "[message] length has to be a table"},
    {"GuardIsNoArray", "[[guard]]\noffset = 28\nwidth = 4\nvalue = 0xFFFFFFFF\n[[guard]]",
     "[guard]", "guard has to be one or more tables: [[guard]]"},
    {"Endian", "\"little\"", "\"middle\"",
     "feed.toml:4:10: endian is \"middle\"; it can be \"big\", \"little\""},
    {"EndianUnsaid", "endian = \"little\"\n", "",
     "[count] needs endian = \"big\" or \"little\", here or for the whole file"},
    {"Heartbeat", "\"last\"", "\"previous\"", "it can be \"next\", \"last\""},
    {"Unsequenced", "\"zero\"", "\"one\"", "it can be \"never\", \"zero\""},
    {"HeaderTooLong", "header_length = 40", "header_length = 1025", "it has to be 0 to 1024"},
    {"HeaderEmpty", "header_length = 40", "header_length = 0",
     "do not end within the header of 0 bytes"},
    {"NegativeNumber", "offset = 22", "offset = -1", "offset is -1; it has to be 0 to 1023"},
    {"OffsetBeyondSpan", "offset = 22", "offset = 1024", "it has to be 0 to 1023"},
    {"WidthOfSequence", "width = 4\nendian", "width = 9\nendian",
     "[sequence] width is 9; it has to be 1 to 8"},
    {"WidthOfKey", "width = 1\n[payload", "width = 9\n[payload",
     "[key] width is 9; it has to be 1 to 8"},
    {"WidthOfGuard", "width = 1\nvalue", "width = 8\nvalue",
     "[[guard]] width is 8; it has to be 1 to 4"},
    {"WidthOfSession", "width = 16", "width = 17", "width is 17; it has to be 1 to 16"},
    {"WidthOfNothing", "width = 16", "width = 0", "width is 0; it has to be 1 to 16"},
    {"SequenceOutside", "offset = 16", "offset = 37",
     "[sequence] offset is 37: the 4 bytes read there do not end within the header of 40 bytes"},
    {"CountOutside", "offset = 20", "offset = 39", "[count] offset is 39: the 2 bytes"},
    {"KeyOutside", "offset = 22", "offset = 40", "[key] offset is 40: the 1 bytes"},
    {"PayloadLengthOutside", "offset = 24", "offset = 37", "[payload_length] offset is 37"},
    {"GuardOutside", "offset = 32", "offset = 40", "[[guard]] offset is 40"},
    {"SessionOutside", "offset = 0\nwidth = 16", "offset = 25\nwidth = 16",
     "[session] offset is 25: the 16 bytes"},
    {"LengthOutsideOfSmallest", "smallest = 6", "smallest = 3",
     "[message.length] offset is 2: the 2 bytes read there do not end within the smallest message "
     "of 3 bytes"},
    {"SmallestIsNothing", "smallest = 6", "smallest = 0", "it has to be 1 to 65535"},
    {"ExtraLongerThanSmallest", "extra = 3", "extra = 7", "extra is 7; it has to be 0 to 6"},
    {"EndCountDoesNotFit", "0xFFFE", "0x10000", "it has to be 1 to 65535"},
    {"EndCountIsHeartbeat", "0xFFFE", "0", "end_of_session is 0; it has to be 1 to 65535"},
    {"LargestDoesNotFit", "9999", "4294967296", "it has to be 1 to 4294967295"},
    {"LargestBeyondMark",
     "width = 4\nendian = \"big\"\nheartbeat = \"last\"\n"
     "unsequenced = \"zero\"\nlargest = 9999",
     "width = 8\nlargest = 72057594037927936", "it has to be 1 to 72057594037927935"},
    {"WrapsToBeyondLargest", "wraps_to = 5", "wraps_to = 10000", "it has to be 1 to 9999"},
    {"WrapsToUnsequenced", "wraps_to = 5", "wraps_to = 0", "it has to be 1 to 9999"},
    {"GuardValueDoesNotFit", "value = 7", "value = 256", "value is 256; it has to be 0 to 255"},
    {"GuardsTooMany", "[[guard]]\noffset = 32",
     "[[guard]]\noffset=0\nwidth=1\nvalue=1\n[[guard]]\noffset=0\nwidth=1\nvalue=1\n"
     "[[guard]]\noffset=0\nwidth=1\nvalue=1\n[[guard]]\noffset = 32",
     "feed.toml:46:1: [[guard]] is one too many: a framing has at most 4"},
    {"HeartbeatWithoutCount", "[count]\noffset = 20\nwidth = 2\nend_of_session = 0xFFFE\n", "",
     "feed.toml:13:13: [sequence] heartbeat is of no use without [count]"},
};

INSTANTIATE_TEST_SUITE_P(Table, FramingFileRefuses, testing::ValuesIn(kRefused),
                         [](const auto& row) { return row.param.what; });

TEST(FramingFile, LengthOfMessagesNeedsACount) {
  std::string toml = replaced(
      replaced(kComplete, "[count]\noffset = 20\nwidth = 2\nend_of_session = 0xFFFE\n", ""),
      "heartbeat = \"last\"\n", "");
  EXPECT_THAT(refusal(toml), HasSubstr("[message.length] is of no use without [count]"));
}

TEST(FramingFile, TableThatIsANumberIsRefused) {
  std::string toml = replaced(kComplete, "[key]\noffset = 22\nwidth = 1\n", "");
  EXPECT_THAT(refusal("key = 3\n" + toml), HasSubstr("feed.toml:1:7: key has to be a table"));
}

TEST(FramingFile, SessionsEndWhereTheHeaderEnds) {
  for (const char* place : {"offset = 35\nwidth = 5", "offset = 32\nwidth = 8",
                            "offset = 24\nwidth = 16", "offset = 36\nwidth = 4"}) {
    EXPECT_EQ(refusal(replaced(kComplete, "offset = 0\nwidth = 16", place)), "no error") << place;
  }
}

/// A folder that is gone when the test is over.
class FramingOnDisk : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "linearb-framing-XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  static std::string refusal_of(const std::string& name_or_path) {
    return linearb::test::error_text([&] { load_framing(name_or_path); });
  }

  std::string folder_;
};

TEST_F(FramingOnDisk, IsLoadedByItsPath) {
  std::string path = write("mine", kComplete);
  EXPECT_EQ(load_framing(path).name, "every-key_1");
}

TEST_F(FramingOnDisk, NamesTheFileThatIsNotThere) {
  EXPECT_THAT(refusal_of("missing.toml"), HasSubstr("read missing.toml: No such file"));
}

TEST_F(FramingOnDisk, NamesTheFileThatIsAFolder) {
  EXPECT_THAT(refusal_of(folder_), HasSubstr("read " + folder_ + ": Is a directory"));
}

TEST_F(FramingOnDisk, NamesTheFileThatIsWrong) {
  std::string path = write("bad.toml", "name = \"a\"\ntitle = 3\n");
  EXPECT_THAT(refusal_of(path), HasSubstr(path + ":2:9: title has to be a text"));
}

TEST_F(FramingOnDisk, RefusesAFileThatIsFarTooLarge) {
  std::string path = write("capture.toml", std::string(5 * 1024 * 1024, '#'));
  EXPECT_THAT(refusal_of(path), HasSubstr("larger than 4194304 bytes"));
}

TEST(BuiltinFramings, AreNamedAsTheirFiles) {
  EXPECT_THAT(builtin_framing_names(),
              ElementsAre("aquis", "asx-ntp", "b3-umdf", "cboe-pitch", "cix-aspen", "cme-mdp3",
                          "coinbase-derivatives", "cta-v2", "deribit", "eurex-eobi",
                          "euronext-optiq-mdg", "hkex-omd", "ice-impact", "iex-tp", "lse-mitch",
                          "memx", "miax-mach", "moex-simba", "moldudp64", "nyse-pillar", "opra-v5",
                          "opra-v6", "optiq", "ose-itch"));
  for (const std::string& name : builtin_framing_names())
    EXPECT_EQ(builtin_framing(name).name, name);
}

TEST(BuiltinFramings, NameTheirSourceAndWhatIsNotConfirmed) {
  for (const std::string& name : builtin_framing_names()) {
    EXPECT_NE(builtin_framing(name).source, "") << name;
    EXPECT_THAT(leading_comment(framing_text(name)), HasSubstr("\nNot confirmed: ")) << name;
  }
}

TEST(BuiltinFramings, AreLoadedByName) {
  EXPECT_EQ(load_framing("moldudp64").descriptor.session.width, 10);
}

TEST_F(FramingOnDisk, AnUnknownNameIsAnsweredWithTheNearestOrWithAll) {
  EXPECT_THAT(refusal_of("moldudp"),
              HasSubstr("no framing \"moldudp\" is built in; did you mean \"moldudp64\"?; a file "
                        "of your own is named by its path: ./moldudp.toml"));
  EXPECT_THAT(refusal_of("itch"), HasSubstr("is built in; it can be aquis, asx-ntp, b3-umdf, "));
}

}  // namespace
}  // namespace linearb::config
