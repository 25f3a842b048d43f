// SPDX-License-Identifier: Apache-2.0
//
// `linearb framing` and `linearb explain` as they are typed: what they print, and their status.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "config/framing_file.h"
#include "linearb/error.h"
#include "support/error_text.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

struct Ran {
  int status = -1;
  std::string output;
};

Ran run(const std::vector<std::string>& words) {
  CLI::App app;
  std::vector<Command> commands{add_framing(app), add_explain(app)};
  app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  testing::internal::CaptureStdout();
  Ran ran;
  try {
    for (const Command& command : commands)
      if (command.arguments->parsed()) ran.status = command.run();
  } catch (...) {
    testing::internal::GetCapturedStdout();
    throw;
  }
  std::fflush(stdout);
  ran.output = testing::internal::GetCapturedStdout();
  return ran;
}

std::string refusal(const std::vector<std::string>& words) {
  return test::error_text([&] { run(words); });
}

TEST(CliFraming, ListHasEveryOne) {
  const Ran ran = run({"framing", "list"});
  EXPECT_EQ(ran.status, kDone);
  EXPECT_THAT(ran.output, HasSubstr("moldudp64              MoldUDP64\n"));
  const Json list = Json::parse(run({"framing", "list", "--json"}).output);
  EXPECT_EQ(list.size(), config::builtin_framing_names().size());
  EXPECT_EQ(list.at(0).at("name"), "aquis");
  EXPECT_THAT(list.at(0).at("source").get<std::string>(), HasSubstr("Aquis"));
}

TEST(CliFraming, EveryOneIsInTheTableOfTheDocumentation) {
  std::ifstream file(LINEARB_SOURCE_DIR "/docs/feeds.md");
  std::stringstream page;
  page << file.rdbuf();
  for (const std::string& name : config::builtin_framing_names())
    EXPECT_THAT(page.str(), HasSubstr("\n| `" + name + "` |"));
}

TEST(CliFraming, ShowSaysWhatTheFileSays) {
  for (const std::string& name : config::builtin_framing_names()) {
    const Ran ran = run({"framing", "show", name});
    EXPECT_EQ(ran.status, kDone);
    EXPECT_THAT(ran.output, StartsWith(name + ": "));
    EXPECT_THAT(ran.output, HasSubstr("\n   0 |")) << "the map";
    EXPECT_THAT(ran.output, HasSubstr("The header has "));
  }
  EXPECT_THAT(run({"framing", "show", "ice-impact"}).output,
              HasSubstr("Not confirmed: the venue's document was not at hand"));
}

TEST(CliFraming, ShowGivesTheFileToBeginOnesOwnWith) {
  std::ifstream file(LINEARB_SOURCE_DIR "/framings/memx.toml");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(run({"framing", "show", "memx", "--toml"}).output, text.str());
}

TEST(CliFraming, ShowAsJsonHasThePlaces) {
  const Json shown = Json::parse(run({"framing", "show", "moldudp64", "--json"}).output);
  EXPECT_EQ(shown.at("header_length"), 20);
  EXPECT_EQ(shown.at("fields").at(0).at("name"), "session");
  EXPECT_EQ(shown.at("fields").at(1).at("offset"), 10);
  EXPECT_EQ(shown.at("fields").at(1).at("endian"), "big");
}

TEST(CliFraming, CheckOfWhatIsRightOrWrong) {
  const std::string example = LINEARB_SOURCE_DIR "/examples/my-feed.toml";
  const Ran ran = run({"framing", "check", example});
  EXPECT_EQ(ran.status, kDone);
  EXPECT_EQ(ran.output, example + ": fine\n");
  const std::string wrong = testing::TempDir() + "wrong-" + std::to_string(::getpid()) + ".toml";
  std::ofstream(wrong) << "name = \"a\"\ntitle = 3\n";
  EXPECT_EQ(refusal({"framing", "check", wrong}),
            wrong + ":2:9: title has to be a text in quotation marks");
  std::remove(wrong.c_str());
  EXPECT_THAT(refusal({"framing", "check", "moldudp46"}), HasSubstr("did you mean \"moldudp64\"?"));
}

/// Three MoldUDP64 payloads back to back; between the second and the third one message is missing.
class CliFramingCapture : public testing::Test {
 protected:
  CliFramingCapture() {
    std::ofstream stream(path_, std::ios::binary);
    for (char number : {'\1', '\2', '\4'}) {
      stream << std::string("DAY1\0\0\0\0\0\0\0\0\0\0\0\0\0", 17) << number
             << std::string("\0\1\0\2ms", 6);
    }
  }
  ~CliFramingCapture() override { std::remove(path_.c_str()); }

  std::string path_ = testing::TempDir() + "payloads-" + std::to_string(::getpid());
};

TEST_F(CliFramingCapture, IsCheckedByAFraming) {
  const Ran ran = run({"framing", "check", "moldudp64", path_, "--json"});
  EXPECT_EQ(ran.status, kDone);
  const Json found = Json::parse(ran.output);
  EXPECT_EQ(found.at("packets"), 3);
  EXPECT_EQ(found.at("decoded"), 3);
  EXPECT_EQ(found.at("kinds").at("data"), 3);
  EXPECT_EQ(found.at("streams").at(0).at("sessions").at(0), "DAY1");
  EXPECT_EQ(found.at("streams").at(0).at("missing"), 1);
  const Ran text = run({"framing", "check", "moldudp64", path_});
  EXPECT_THAT(text.output, HasSubstr("decode                        3  100.00 %\n"));
  EXPECT_THAT(text.output, HasSubstr("  gaps                        1  1 messages in them\n"));
}

TEST_F(CliFramingCapture, ThatIsEmptyDecodesToNothing) {
  std::ofstream(path_, std::ios::trunc);
  EXPECT_EQ(run({"framing", "check", "moldudp64", path_}).status, kFailed);
}

TEST_F(CliFramingCapture, IsExplainedPacketByPacket) {
  const Ran ran = run({"explain", path_, "--channel", "itch=moldudp64@any:1", "--json"});
  EXPECT_EQ(ran.status, kDone);
  std::istringstream lines(ran.output);
  std::vector<Json> packets;
  for (std::string line; std::getline(lines, line);) packets.push_back(Json::parse(line));
  ASSERT_EQ(packets.size(), 3u);
  EXPECT_EQ(packets[2], Json::parse(R"({"time_ns": null, "channel": "itch", "kind": "data",
      "session": "DAY1", "key": null, "first": 4, "count": 1, "verdict": "won"})"));
  EXPECT_THAT(
      run({"explain", path_, "--channel", "itch=moldudp64@any:1"}).output,
      HasSubstr("itch         data           DAY1                            4      1  won"));
}

TEST(CliExplain, OnePayload) {
  const Ran ran = run({"explain", "--framing", "memx", "--hex",
                       "00 12 55:53:45:31:64:E4:86:C8 0000000000000007", "--json"});
  EXPECT_EQ(ran.status, kDone);
  EXPECT_EQ(Json::parse(ran.output), Json::parse(R"({"channel": null, "kind": "heartbeat",
      "session": "0x5553453164e486c8", "key": null, "first": 8, "count": 0, "next": 8,
      "verdict": "control"})"));
  EXPECT_EQ(run({"explain", "--framing", "cboe-pitch", "--hex",
                 "0x14000203feffffff062098850000069701000000"})
                .output,
            "kind     data\nkey      3\ncount    2\nfirst    4294967294\nnext     1\n"
            "verdict  won\n");
}

/// A feed of its own, whose sequences are told apart by two fields.
TEST_F(CliFramingCapture, AKeyOfSeveralFieldsIsAText) {
  const std::string framing = path_ + ".toml";
  std::ofstream(framing) << "name = \"two\"\ntitle = \"two\"\nsource = \"this test\"\n"
                            "endian = \"big\"\nheader_length = 8\n"
                            "[sequence]\noffset = 4\nwidth = 4\n"
                            "[[key]]\noffset = 0\nwidth = 1\n[[key]]\noffset = 2\nwidth = 2\n";
  const std::vector<std::string> words = {"explain", "--framing", framing, "--hex",
                                          "05ff0102 00000007 aa"};
  EXPECT_EQ(run(words).output,
            "kind     data\nkey      5.258\ncount    1\nfirst    7\nnext     8\nverdict  won\n");
  EXPECT_THAT(run({"framing", "show", framing}).output,
              HasSubstr("key       bytes 2 to 3, big-endian: part 2 of the key"));
  std::vector<std::string> json = words;
  json.push_back("--json");
  EXPECT_EQ(Json::parse(run(json).output).at("key"), "5.258");
  std::remove(framing.c_str());
}

TEST(CliExplain, APayloadThatSaysNothingOfNumbers) {
  EXPECT_EQ(run({"explain", "--framing", "cboe-pitch", "--hex", "0800000300000000"}).output,
            "kind     heartbeat\nkey      3\ncount    0\nverdict  control\n");
  const Ran ran = run({"explain", "--framing", "cboe-pitch", "--hex", "09", "--json"});
  EXPECT_EQ(ran.status, kDone);
  EXPECT_EQ(Json::parse(ran.output), Json::parse(R"({"channel": null, "kind": "malformed",
      "session": null, "key": null, "first": null, "count": null, "next": null,
      "verdict": "malformed",
      "reason": "it has 1 bytes, and the shortest packet 8"})"));
}

TEST(CliExplain, RefusesWhatItCannotExplain) {
  const struct {
    std::vector<std::string> words;
    const char* said;
  } kRows[] = {
      {{}, "explain: what? A capture and --channel, or --framing NAME and --hex BYTES"},
      {{"--hex", "00"}, "--hex: --framing NAME has to say what the bytes are"},
      {{"--framing", "memx"}, "--framing: --hex BYTES has to say of which payload"},
      {{"file", "--framing", "memx", "--hex", "00"}, "explain: a capture, or --framing with --hex"},
      {{"--framing", "memx", "--hex", "0g"}, "--hex: 'g' is no hexadecimal digit"},
      {{"--framing", "memx", "--hex", "000"}, "--hex: an odd number of digits"},
      {{"--framing", "mmx", "--hex", "00"}, "did you mean \"memx\"?"},
      {{"--framing", "memx", "--hex", std::string(2 * 65'508, '0')}, "--hex: 65508 bytes"},
      {{"nowhere.pcap"}, "nowhere.pcap"},
      {{"nowhere.pcap", "--channel", "x=memx@A=any:1", "--repair", "R"},
       "--repair: no --channel has a destination on line \"R\""},
  };
  for (const auto& row : kRows) {
    std::vector<std::string> words = {"explain"};
    words.insert(words.end(), row.words.begin(), row.words.end());
    EXPECT_THAT(refusal(words), HasSubstr(row.said));
  }
}

/// The vectors, as they are explained: no other way than the decoder's own.
TEST(CliExplain, TheVectors) {
  const struct {
    const char* framing;
    const char* hex;
    const char* kind;
    const char* next;
  } kRows[] = {
      {"opra-v6", "0600224f200017ff8a79016553f1000000000105604f484e20000000000000000000",
       "heartbeat", "402623098"},
      {"hkex-omd", "180001000100000000002a36fe9c97170800640001000000", "reset", "1"},
      {"b3-umdf", "320035050000000000002a36fe9c9717100050eb040002000200100002120000", "heartbeat",
       "4610"},
      {"miax-mach",
       "600300000000000016000301787878787878787878786103000000000000110003017979797979", "data",
       "866"},
      {"nyse-pillar", "24000f010900000000f15365050000001400020001000000000000000000000000000000",
       "retransmission", "10"},
  };
  for (const auto& row : kRows) {
    const Json explained =
        Json::parse(run({"explain", "--framing", row.framing, "--hex", row.hex, "--json"}).output);
    EXPECT_EQ(explained.at("kind"), row.kind);
    EXPECT_EQ(explained.at("next").dump(), row.next);
  }
}

}  // namespace
}  // namespace linearb::cli
