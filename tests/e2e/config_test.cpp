// SPDX-License-Identifier: Apache-2.0
// Configuration files as a user meets them: what is refused and how, `config check`, and SIGHUP.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/namespace.h"
#include "support/program.h"
#include "sys/fd.h"

namespace linearb {
namespace {

using Json = nlohmann::json;
using test::contains;
using test::Program;

using test::Ended;

Ended linearb_with(const std::string& arguments) {
  return test::run_to_its_end(LINEARB_PROGRAM, arguments);
}

/// A folder of the test's own, and a file in it.
class Folder {
 public:
  Folder() { std::filesystem::create_directory(path_); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }

 private:
  std::string path_ = ::testing::TempDir() + "linearb-config-" + std::to_string(::getpid());
};

/// A file that no command takes, and what is said about it behind its path.
struct WrongFile {
  const char* name;
  std::string text;
  const char* said;
};

void PrintTo(const WrongFile& wrong, std::ostream* stream) {
  *stream << wrong.name;
}

class ConfigRefuses : public testing::TestWithParam<WrongFile> {};

TEST_P(ConfigRefuses, WithThePlaceAndStatusTwo) {
  Folder folder;
  std::string path = folder.write("site.toml", GetParam().text);
  for (const char* command : {"receive --config ", "config check "}) {
    Ended ended = linearb_with(command + path);
    EXPECT_EQ(ended.status, 2) << command;
    EXPECT_EQ(ended.output, "") << command;
    EXPECT_EQ(ended.errors, "linearb: " + path + GetParam().said + "\n") << command;
  }
}

const std::string kChannel = "[channels.x]\nframing = \"optiq\"\ndestination = \"any:1\"\n";

INSTANTIATE_TEST_SUITE_P(
    Files, ConfigRefuses,
    testing::Values(
        // No TOML.
        WrongFile{"open_bracket", "[lines\n",
                  ":1:7: Error while parsing table header: expected ']', saw '\\n'"},
        WrongFile{"no_value", "frames =\n",
                  ":1:9: Error while parsing key-value pair: expected value, saw '\\n'"},
        WrongFile{"key_twice", "frames = 64\nframes = 128\n",
                  ":2:10: Error while parsing key-value pair: cannot redefine existing integer "
                  "'frames'"},
        WrongFile{
            "table_twice", kChannel + kChannel,
            ":4:1: Error while parsing table header: cannot redefine existing table 'channels.x'"},
        WrongFile{"program",
                  std::string("\x7f"
                              "ELF\x02\x00",
                              6),
                  ":1:1: Error while parsing root table: expected keys, tables, whitespace or "
                  "comments, saw '\\u007F'"},
        WrongFile{"zero_byte", std::string("a = \0", 5),
                  ":1:5: Error while parsing value: unexpected control character"},
        WrongFile{"not_utf_8", "a = \"\xff\"\n", ":1:5: Encountered invalid utf-8 sequence"},
        WrongFile{"too_large", std::string(4 * 1024 * 1024 + 1, '#'),
                  ": larger than 4194304 bytes, which no TOML file of linearb is"},
        // Keys that are not known.
        WrongFile{"unknown_key", "waite = \"spin\"\n",
                  ":1:1: there is no key \"waite\"; did you mean \"wait\"?"},
        WrongFile{"unknown_table", "frames = 64\n[chanels.x]\n",
                  ":2:2: there is no key \"chanels\"; did you mean \"channels\"?"},
        WrongFile{"key_of_a_channel", kChannel + "destinatoin = \"any:2\"\n",
                  ":4:1: [channels.x] has no key \"destinatoin\"; did you mean \"destination\"?"},
        WrongFile{"line_of_a_channel", kChannel + "C = \"any:2\"\n",
                  ":4:1: [channels.x] has no key \"C\"; it can be framing, destination, sources, "
                  "checksum, keys, active_passive, hours, silence, thread, A, B"},
        WrongFile{
            "the_first_of_two", "zz = 1\naa = 1\n",
            ":1:1: there is no key \"zz\"; it can be line, repair, channel, keys, checksum, dedup, "
            "order, "
            "mode, zero-copy, wait, threads, cpu, frames, hugepages, keep-hook, packets, silence, "
            "idle-exit, "
            "write, events, json, lines, "
            "channels"},
        // Types.
        WrongFile{"flag_as_number", "hugepages = 1\n", ":1:13: --hugepages is true or false"},
        WrongFile{"flag_as_text", "keep-hook = \"true\"\n", ":1:13: --keep-hook is true or false"},
        WrongFile{"number_as_flag", "cpu = true\n", ":1:7: --cpu is a text or a number"},
        WrongFile{"path_as_number", "write = 5\n", ":1:9: --write is a text in quotation marks"},
        WrongFile{"date", "frames = 2026-11-23\n",
                  ":1:10: has to be a text, a number, true or false"},
        WrongFile{"table_as_number", "[frames]\nx = 1\n",
                  ":1:1: has to be a text, a number, true or false"},
        WrongFile{"array_in_array", "line = [[\"A=x\"]]\n",
                  ":1:9: has to be a text, a number, true or false"},
        WrongFile{"empty_array", "channel = []\n",
                  ":1:11: --channel: At least 1 required but received 0"},
        WrongFile{"array_as_number", "packets = [1, 2]\n",
                  ":1:11: --packets: At Most 1 required but received 2"},
        WrongFile{"lines_as_array", "lines = [\"A=x\"]\n", ":1:9: lines has to be a table"},
        WrongFile{"number_as_framing", "[channels.x]\nframing = 1\ndestination = \"any:1\"\n",
                  ":2:11: [channels.x] framing has to be a text in quotation marks"},
        // Values.
        WrongFile{"word", "mode = \"natve\"\n", ":1:8: --mode \"natve\": did you mean \"native\"?"},
        WrongFile{"fraction", "frames = 64.5\n",
                  ":1:10: --frames: \"64.5\" is no whole number below 2^64"},
        WrongFile{"negative", "cpu = -1\n", ":1:7: --cpu: \"-1\" is no whole number below 2^64"},
        WrongFile{"beyond_32_bits", "frames = 4294967296\n",
                  ":1:10: Could not convert: --frames = 4294967296"},
        WrongFile{"no_power_of_two", "mode = \"auto\"\nframes = 100\n",
                  ":2:10: --frames 100: it has to be a power of two from 64 to 65536"},
        WrongFile{"no_packets", "packets = 0\n", ":1:11: --packets 0: it has to be at least 1"},
        WrongFile{"no_time", "idle-exit = 0.0\n",
                  ":1:13: --idle-exit 0: it has to be a number of seconds above 0"},
        WrongFile{"infinite", "idle-exit = inf\n",
                  ":1:13: --idle-exit inf: it has to be a number of seconds above 0"},
        WrongFile{"no_path", "write = \"\"\n", ":1:9: --write: the name of a file is missing"},
        WrongFile{"second_line", "line = [\"A=x\",\n  \"B\"]\n",
                  ":2:3: --line \"B\": it names no interface; what is accepted is NAME=INTERFACE, "
                  "as A=vethA_dst"},
        // What does not go together.
        WrongFile{"same_name", "channel = [\"x=optiq@any:1\", \"x=optiq@any:2\"]\n",
                  ":1:29: --channel: the name \"x\" is given twice"},
        WrongFile{
            "same_packets",
            kChannel + "[channels.y]\nframing = \"optiq\"\nA = \"any:2\"\nB = "
                       "\"any:1\"\n",
            ":7:5: --channel: channel \"x\" on line \"B\" and channel \"y\" on line \"B\" take "
            "the same packets of interface vethB_dst"},
        WrongFile{"bad_source",
                  "[channels.x]\nframing = \"optiq\"\ndestination = \"232.1.1.1:1\"\n"
                  "sources = [\"10.1.1.1\", \"10.1.1.300\"]\n",
                  ":4:24: source \"10.1.1.300\": it is no IPv4 address; what is accepted is the "
                  "IPv4 address of a sender, as 10.1.1.1"},
        WrongFile{"source_twice",
                  "[channels.x]\nframing = \"optiq\"\ndestination = \"232.1.1.1:1\"\n"
                  "sources = [\"10.1.1.1\", \"10.1.1.1\"]\n",
                  ":4:24: the source \"10.1.1.1\" is given twice"},
        WrongFile{"no_source",
                  "[channels.x]\nframing = \"optiq\"\ndestination = \"232.1.1.1:1\"\n"
                  "sources = []\n",
                  ":4:11: [channels.x] sources is empty; leave it out, or name what it is to be"},
        WrongFile{"number_as_source", kChannel + "sources = 10\n",
                  ":4:11: [channels.x] sources has to be a text in quotation marks, or an array of "
                  "them"},
        WrongFile{"sources_of_any", kChannel + "sources = \"10.1.1.1\"\n",
                  ":3:15: --channel x: line \"A\": sources are chosen for a multicast group, and "
                  "\"any\" is none: name the group, or leave the sources out"},
        WrongFile{"source_of_a_unicast_address",
                  "channel = [\"x=optiq@232.1.1.1:1\",\n \"y=optiq@10.1.1.1@10.0.0.5:1\"]\n",
                  ":2:2: --channel y: line \"A\": sources are chosen for a multicast group, and "
                  "10.0.0.5 is none: leave the sources out"},
        WrongFile{"no_such_line", "channel = \"x=optiq@C=any:1\"\n",
                  ":1:11: --channel x: there is no line \"C\"; it can be A, B"},
        WrongFile{"no_destination", "[channels.x]\nframing = \"optiq\"\nA = \"any:1\"\n",
                  ":1:1: --channel x: line \"B\" has no destination; name it as B=GROUP:PORT"},
        WrongFile{
            "no_such_framing", "\n[channels.x]\nframing = \"itch\"\ndestination = \"any:1\"\n",
            ":3:11: no framing \"itch\" is built in; it can be aquis, asx-ntp, b3-umdf, "
            "cboe-pitch, cix-aspen, cme-mdp3, coinbase-derivatives, cta-v2, deribit, eurex-eobi, "
            "euronext-optiq-mdg, hkex-omd, ice-impact, iex-tp, lse-mitch, memx, miax-mach, "
            "moex-simba, moldudp64, nyse-pillar, opra-v5, opra-v6, optiq, ose-itch; a file of your "
            "own is named by its path: ./itch.toml"},
        WrongFile{"lru_with_counts", "dedup = \"lru\"\nchannel = \"x=moldudp64@any:1\"\n",
                  ":2:11: channel x: --dedup lru is for framings with one identifier in a packet; "
                  "moldudp64 counts messages"}),
    [](const auto& tested) { return tested.param.name; });

/// A path that is no file to read, or a command line that cannot be, and what is said.
struct WrongWords {
  const char* arguments;
  const char* said;
};

void PrintTo(const WrongWords& wrong, std::ostream* stream) {
  *stream << wrong.arguments;
}

class ConfigCommandRefuses : public testing::TestWithParam<WrongWords> {};

TEST_P(ConfigCommandRefuses, WithStatusTwoAndOnStderrAlone) {
  Ended ended = linearb_with(GetParam().arguments);
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.output, "");
  const std::string said = std::string("linearb: ") + GetParam().said;
  EXPECT_TRUE(ended.errors.starts_with(said + "\n") ||
              ended.errors.starts_with(said + "; linearb --help, and --help behind a command, "))
      << ended.errors;
}

INSTANTIATE_TEST_SUITE_P(
    Words, ConfigCommandRefuses,
    testing::Values(
        WrongWords{"receive --config nowhere.toml", "read nowhere.toml: No such file or directory"},
        WrongWords{"receive --config /usr", "read /usr: Is a directory"},
        WrongWords{"receive --config /proc/self/mem", "read /proc/self/mem: Input/output error"},
        WrongWords{"receive --config /dev/zero",
                   "/dev/zero: larger than 4194304 bytes, which no TOML file of linearb is"},
        WrongWords{"receive --config ''", "--config: the name of a file is missing"},
        WrongWords{"receive --config", "--config: 1 required FILE missing"},
        WrongWords{"config", "A subcommand is required"},
        WrongWords{"config chek x", "there is no command \"chek\"; did you mean \"check\"?"},
        WrongWords{"config check", "FILE is required"},
        WrongWords{"config check ''", "FILE: the name of a file is missing"},
        WrongWords{"config check nowhere.toml", "read nowhere.toml: No such file or directory"},
        WrongWords{"config check --for recieve x", "--for \"recieve\": did you mean \"receive\"?"},
        WrongWords{"receive --frames 0100", "--frames: \"0100\" is no whole number below 2^64"},
        WrongWords{"receive --frames 4294967296", "Could not convert: --frames = 4294967296"},
        WrongWords{"receive --frames many", "--frames: \"many\" is no whole number below 2^64"},
        WrongWords{"receive --frames", "--frames: 1 required N missing"},
        WrongWords{"receive --packets 18446744073709551616",
                   "--packets: \"18446744073709551616\" is no whole number below 2^64"},
        WrongWords{"receive --packets 0", "--packets 0: it has to be at least 1"},
        WrongWords{"receive --cpu -1", "--cpu: \"-1\" is no whole number below 2^64"},
        WrongWords{"receive --idle-exit -1",
                   "--idle-exit -1: it has to be a number of seconds above 0"},
        WrongWords{"receive --idle-exit soon", "Could not convert: --idle-exit = soon"},
        WrongWords{"receive --channel x=optiq@10.1.1@232.1.1.1:1",
                   "source \"10.1.1\": it is no IPv4 address; what is accepted is the IPv4 address "
                   "of a sender, as 10.1.1.1"},
        WrongWords{
            "receive --channel x=optiq@10.1.1.1@any:1",
            "--channel x: line \"A\": sources are chosen for a multicast group, and \"any\" is "
            "none: name the group, or leave the sources out"},
        WrongWords{"receive --write ''", "--write: the name of a file is missing"},
        WrongWords{
            "receive --channel x=optiq@any:1 --channel y=optiq@any:1",
            "--channel: channel \"x\" on line \"A\" and channel \"y\" on line \"A\" take the "
            "same packets of interface vethA_dst"}));

/// Root may read every file, unless it gives that right away.
TEST(Config, AFileThatMayNotBeRead) {
  Folder folder;
  std::string path = folder.write("site.toml", "");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  Program program("setpriv",
                  "--bounding-set=-dac_override,-dac_read_search --inh-caps=-all " LINEARB_PROGRAM
                  " config check " +
                      path);
  EXPECT_EQ(program.wait(), 2);
  EXPECT_EQ(program.errors(), "linearb: read " + path + ": Permission denied\n");
}

TEST(ConfigCheck, SaysWhatTheExampleMeans) {
  const std::string path = LINEARB_SOURCE_DIR "/examples/site.toml";
  Ended ended = linearb_with("config check " + path);
  EXPECT_EQ(ended.status, 0) << ended.errors;
  EXPECT_TRUE(contains(ended.output, path + " is right for linearb receive\n")) << ended.output;
  EXPECT_TRUE(contains(ended.output, "line     A               enp1s0f0\n")) << ended.output;
  EXPECT_TRUE(contains(ended.output,
                       "channel  itch            moldudp64       "
                       "A=233.252.0.1:26477 B=233.252.0.2:26477\n"))
      << ended.output;
  EXPECT_TRUE(contains(ended.output, "option   frames          8192\n")) << ended.output;
}

TEST(ConfigCheck, JsonHasLinesChannelsAndWhatIsNotTheDefault) {
  Folder folder;
  std::filesystem::copy(LINEARB_SOURCE_DIR "/examples/my-feed.toml", folder.file("my-feed.toml"));
  std::string path = folder.write(
      "site.toml",
      "frames = 64\nwait = \"poll\"\nhugepages = false\nkeep-hook = true\nidle-exit = 2.5\n"
      "[lines]\nB = \"b\"\nA = \"a\"\n"
      "[channels.x]\nframing = \"my-feed.toml\"\nA = \"any:1\"\nB = \"239.1.1.1:2\"\n");
  Ended ended = linearb_with("config check --json " + path);
  EXPECT_EQ(ended.status, 0) << ended.errors;
  Json expected = {
      {"file", path},
      {"command", "receive"},
      {"lines", {{{"name", "B"}, {"interface", "b"}}, {{"name", "A"}, {"interface", "a"}}}},
      {"channels",
       {{{"name", "x"},
         {"framing", folder.file("my-feed.toml")},
         {"destinations", {{"A", "any:1"}, {"B", "239.1.1.1:2"}}}}}},
      {"options", {{"frames", 64}, {"keep-hook", true}, {"idle-exit", 2.5}}}};
  EXPECT_EQ(Json::parse(ended.output), expected) << ended.output;
}

TEST(ConfigCheck, JsonHasANumberForEachCpu) {
  Folder folder;
  const auto options = [&](const std::string& toml) {
    return Json::parse(linearb_with("config check --json " + folder.write("a.toml", toml)).output)
        .at("options");
  };
  EXPECT_EQ(options("cpu = 1\n"), Json({{"cpu", 1}}));
  EXPECT_EQ(options("threads = 2\ncpu = [1, 0]\n"), Json({{"threads", 2}, {"cpu", {1, 0}}}));
  EXPECT_EQ(options("threads = 2\ncpu = \"1,0\"\n"), Json({{"threads", 2}, {"cpu", {1, 0}}}));
}

/// A file of another command: what is said, or the options that differ from the default.
struct Other {
  const char* command;
  const char* toml;
  int status;
  const char* said;
};

void PrintTo(const Other& other, std::ostream* stream) {
  *stream << other.command << ": " << other.toml;
}

class ConfigCheckFor : public testing::TestWithParam<Other> {};

TEST_P(ConfigCheckFor, AnotherCommand) {
  Folder folder;
  std::string path = folder.write("other.toml", GetParam().toml);
  Ended ended =
      linearb_with(std::string("config check --json --for ") + GetParam().command + " " + path);
  ASSERT_EQ(ended.status, GetParam().status) << ended.errors;
  if (ended.status == 0)
    EXPECT_EQ(Json::parse(ended.output).at("options"), Json::parse(GetParam().said));
  else
    EXPECT_EQ(ended.errors, "linearb: " + path + GetParam().said + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Files, ConfigCheckFor,
    testing::Values(
        Other{"feed", "rate = 1000\nloss = [\"A=1%\", 0.5]\nsession = \"007\"\nframes = 1024\n", 0,
              R"({"rate": 1000, "loss": ["A=1%", "0.5"], "session": "007"})"},
        Other{"feed", "wait = \"spin\"\n", 2,
              ":1:1: there is no key \"wait\"; it can be line, channel, packets, rate, first, "
              "message-length, session, key, messages-per-packet, replay, speed, loss, burst-loss, "
              "skew, jitter, reorder, duplicate, corrupt, seed, engine, batch, frames, zero-copy, "
              "cpu, json"},
        Other{"feed", "loss = \"C=1%\"\n", 2,
              ": --loss C=1%: there is no line 'C'; the lines are A, B"},
        Other{"feed", "rate = -1\n", 2,
              ": --rate -1: accepted is 0 to 1000000000 packets a second"},
        Other{"feed", "message-length = 100\n", 2,
              ": --message-length: messages of the framing optiq have one length"},
        Other{"feed", "channel = [\"a=optiq@any:1\", \"b=optiq@any:2\"]\n", 2,
              ": --channel: 2 channels; feed sends one, so start it once for each"},
        Other{"demo", "packets = 1000\nlines = 3\nrate = 100000\n", 0,
              R"({"packets": 1000, "lines": 3})"},
        Other{"demo", "lines = 9\n", 2, ":1:9: --lines: Value 9 not in range 1 to 8"},
        Other{"demo", "loss = 1\n", 2,
              ":1:1: there is no key \"loss\"; it can be packets, rate, seed, lines, mode, json"}));

TEST(Config, ADemoTakesAFile) {
  Folder folder;
  std::string path = folder.write("demo.toml", "packets = 2000\nrate = 20000\njson = true\n");
  Ended ended = linearb_with("demo --config " + path);
  ASSERT_EQ(ended.status, 0) << ended.errors;
  EXPECT_EQ(Json::parse(ended.output).at("story").at("generated"), 2000);
}

/// A receiver that gets SIGHUP. Each test ends it, and sees that it went on until then.
class ConfigReload : public test::LabTest {
 protected:
  static void expect_to_go_on(Program& receiver) {
    ASSERT_EQ(linearb_with("feed --packets 500 --rate 20000").status, 0);
    receiver.interrupt();
    ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
    EXPECT_TRUE(contains(receiver.output(), "delivered  500 packets")) << receiver.output();
  }

  Folder folder_;
};

TEST_F(ConfigReload, AWrongFileIsRefusedAndTheRunGoesOn) {
  std::string path = folder_.write("site.toml", "wait = \"poll\"\n");
  Program receiver(LINEARB_PROGRAM, "receive --config " + path);
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  folder_.write("site.toml", "wait = \"poll\"\n[lines]\nA = 1\n");
  receiver.signal(SIGHUP);
  std::string said = "\nreload: " + path +
                     ":3:5: [lines] A has to be a text in quotation marks; the configuration that "
                     "runs goes on\n";
  EXPECT_TRUE(test::wait_until([&] { return contains(receiver.errors(), said); }))
      << receiver.errors();
  expect_to_go_on(receiver);
}

TEST_F(ConfigReload, ChannelsComeAndGoAndTheOthersGoOn) {
  const std::string first = "[channels.first]\nframing = \"optiq\"\ndestination = \"any:30001\"\n";
  const std::string second =
      "[channels.second]\nframing = \"moldudp64\"\ndestination = \"any:30002\"\n";
  std::string path = folder_.write("site.toml", first);
  Program receiver(LINEARB_PROGRAM, "receive --json --config " + path);
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  const auto reload_with = [&](const std::string& text, const std::string& said) {
    folder_.write("site.toml", text);
    receiver.signal(SIGHUP);
    EXPECT_TRUE(test::wait_until([&] {
      return contains(receiver.errors(), "reloaded " + path + ": " + said + "\n");
    })) << receiver.errors();
  };
  const std::string feed_second =
      "feed --packets 300 --rate 20000 --channel f=moldudp64@239.192.30.1:30002";
  reload_with(first + second, "1 channel added (second), 0 removed, 1 unchanged");
  ASSERT_EQ(linearb_with("feed --packets 500 --rate 20000").status, 0);
  ASSERT_EQ(linearb_with(feed_second).status, 0);
  reload_with(first, "0 channels added, 1 removed (second), 1 unchanged");
  ASSERT_EQ(linearb_with(feed_second).status, 0);
  receiver.interrupt();
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_EQ(summary["messages"], 800);
  EXPECT_EQ(summary["lines"][0]["not_feed"], 300) << "the kernel's, once its channel was gone";
  EXPECT_EQ(summary["channels"][0]["messages"], 500);
  EXPECT_EQ(summary["channels"][0]["removed"], false);
  EXPECT_EQ(summary["channels"][1]["messages"], 300);
  EXPECT_EQ(summary["channels"][1]["removed"], true);
}

TEST_F(ConfigReload, TheSourcesOfAChannelChangeAndItGoesOn) {
  const std::string channel =
      "[channels.x]\nframing = \"optiq\"\ndestination = \"232.1.1.1:30001\"\n";
  std::string path = folder_.write("site.toml", channel + "sources = \"10.1.1.1\"\n");
  Program receiver(LINEARB_PROGRAM, "receive --json --config " + path);
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  const auto feed_from = [](const std::string& source, int first) {
    ASSERT_EQ(linearb_with("feed --packets 300 --rate 20000 --first " + std::to_string(first) +
                           " --channel x=optiq@" + source + "@232.1.1.1:30001")
                  .status,
              0);
  };
  feed_from("10.1.1.1", 1);
  feed_from("10.1.1.2", 301);
  folder_.write("site.toml", channel + "sources = [\"10.1.1.2\", \"10.1.1.3\"]\n");
  receiver.signal(SIGHUP);
  EXPECT_TRUE(test::wait_until([&] {
    return contains(receiver.errors(), "reloaded " + path +
                                           ": 0 channels added, 0 removed, 1 changed (x), "
                                           "0 unchanged\n");
  })) << receiver.errors();
  feed_from("10.1.1.2", 301);
  feed_from("10.1.1.1", 601);
  receiver.interrupt();
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_EQ(summary["messages"], 600);
  EXPECT_EQ(summary["gap_messages"], 0);
  EXPECT_EQ(summary["lines"][0]["not_feed"], 600) << "from the source of then and of now";
}

TEST_F(ConfigReload, WithoutAFileItSaysSoAndGoesOn) {
  Program receiver(LINEARB_PROGRAM, "receive");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  receiver.signal(SIGHUP);
  EXPECT_TRUE(test::wait_until([&] {
    return contains(receiver.errors(), "\nreload: there is no file to read again");
  })) << receiver.errors();
  expect_to_go_on(receiver);
}

/// A pipe that somebody reads, from when he does.
sys::Fd writer_of(const std::string& pipe) {
  sys::Fd writer;
  EXPECT_TRUE(test::wait_until([&] {
    writer = sys::Fd(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    return static_cast<bool>(writer);
  }));
  return writer;
}

/// The file is a pipe: the receiver is at its beginning, with nothing set up, until it is written.
TEST_F(ConfigReload, ASignalBeforeTheReceiverRunsWaitsForIt) {
  std::string pipe = folder_.file("site.toml");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  Program receiver(LINEARB_PROGRAM, "receive --config " + pipe);
  {
    sys::Fd writer = writer_of(pipe);
    receiver.signal(SIGHUP);
    ASSERT_EQ(::write(writer.get(), "\n", 1), 1);
  }
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  std::string said = "reload: " + pipe + " is no file that can be read a second time; the ";
  EXPECT_TRUE(test::wait_until([&] { return contains(receiver.errors(), said); }))
      << receiver.errors();
  expect_to_go_on(receiver);
}

}  // namespace
}  // namespace linearb
