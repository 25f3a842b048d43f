// SPDX-License-Identifier: Apache-2.0
#include "cli/config_file.h"

#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/receive.h"
#include "linearb/error.h"
#include "support/error_text.h"

namespace linearb::cli {
namespace {

/// A receiver's options from a command line and a file.
class ConfigFile : public testing::Test {
 protected:
  ConfigFile() : path_(testing::TempDir() + "linearb_config_" + std::to_string(::getpid())) {
    add_receiver_options(command_, options_);
    add_config_option(command_, config_path_);
    add_json_option(command_, json_);
  }
  ~ConfigFile() override { std::remove(path_.c_str()); }

  void read(const std::string& toml, const std::string& command_line = "") {
    std::ofstream(path_) << toml;
    command_.parse(command_line + " --config " + path_);
    finish_receiver_options(command_, config_path_, options_);
  }

  /// What is refused of a file alone, without the path in front.
  std::string refusal(const std::string& toml) {
    std::ofstream(path_) << toml;
    std::string said = test::error_text([&] { parse_receive({"receive", "--config", path_}); });
    return said.starts_with(path_) ? said.substr(path_.size()) : said;
  }

  std::string path_;
  CLI::App command_;
  ReceiverOptions options_;
  std::string config_path_;
  bool json_ = false;
};

TEST_F(ConfigFile, SetsEveryKindOfOption) {
  read(R"(line = ["A=eno1", "C=eno2", "D=eno3"]
          channel = "itch=moldudp64@239.1.1.1:5000"
          wait = "spin"
          cpu = 3
          frames = 8192
          idle-exit = 2.5
          keep-hook = true
          hugepages = false
          json = true)");
  ASSERT_EQ(options_.lines.size(), 3u);
  EXPECT_EQ(options_.lines[2].interface, "eno3");
  ASSERT_EQ(options_.channels.size(), 1u);
  EXPECT_EQ(options_.channels[0].framing, "moldudp64");
  EXPECT_EQ(options_.wait, Wait::spin);
  EXPECT_EQ(options_.cpus, std::vector<unsigned>{3});
  EXPECT_EQ(options_.frames, 8192u);
  EXPECT_EQ(options_.idle_exit_seconds, 2.5);
  EXPECT_TRUE(options_.keep_hook);
  EXPECT_FALSE(options_.hugepages);
  EXPECT_TRUE(json_);
}

TEST_F(ConfigFile, TheCommandLineWins) {
  read("line = \"A=eno1\"\nframes = 8192\npackets = 7\n", "--line B=eno2 --frames 64");
  ASSERT_EQ(options_.lines.size(), 1u);
  EXPECT_EQ(options_.lines[0].name, "B");
  EXPECT_EQ(options_.frames, 64u);
  EXPECT_EQ(options_.packets, 7u);
}

TEST_F(ConfigFile, WithoutAFileNothingChanges) {
  command_.parse("");
  finish_receiver_options(command_, config_path_, options_);
  EXPECT_EQ(options_.frames, 4096u);
}

const std::string kTables = R"([lines]
B = "eno2"
A = "eno1"
[channels.itch]
framing = "moldudp64"
destination = "239.1.1.1:5000"
)";

TEST_F(ConfigFile, LinesAndChannelsCanBeTables) {
  read("frames = 64\n" + kTables);
  ASSERT_EQ(options_.lines.size(), 2u);
  EXPECT_EQ(options_.lines[0].interface, "eno2");
  ASSERT_EQ(options_.channels.size(), 1u);
  EXPECT_EQ(options_.channels[0].name, "itch");
  EXPECT_EQ(options_.frames, 64u);
}

TEST_F(ConfigFile, ALineOnTheCommandLineReplacesTheTableOfLines) {
  read(kTables, "--line X=eno3 --line Y=eno4");
  ASSERT_EQ(options_.lines.size(), 2u);
  EXPECT_EQ(options_.lines[0].name, "X");
  EXPECT_EQ(options_.channels[0].name, "itch");
}

TEST_F(ConfigFile, ALineThatIsLeftOutForOnceKeepsItsDestination) {
  const std::string channel = "[channels.x]\nframing = \"optiq\"\nA = \"any:1\"\nB = \"any:2\"\n";
  read("[lines]\nA = \"eno1\"\nB = \"eno2\"\n" + channel, "--line A=eno3");
  ASSERT_EQ(options_.lines.size(), 1u);
  EXPECT_EQ(options_.channels[0].line_destinations.size(), 1u);
}

TEST_F(ConfigFile, AndADestinationOfItThatIsWrongIsRefused) {
  std::ofstream(path_) << "[lines]\nA = \"a\"\nB = \"b\"\n"
                          "[channels.x]\nframing = \"optiq\"\nA = \"any:1\"\nB = \"any:0\"\n";
  std::string said = test::error_text([&] {
    parse_receive({"receive", "--line", "A=c", "--config", path_});
  });
  EXPECT_EQ(said.substr(0, said.find(';')),
            path_ + ":7:5: destination \"any:0\": the port has to be 1 to 65535");
}

TEST_F(ConfigFile, AChannelOnTheCommandLineReplacesTheTableOfChannels) {
  read(kTables, "--channel x=optiq@any:1");
  ASSERT_EQ(options_.channels.size(), 1u);
  EXPECT_EQ(options_.channels[0].name, "x");
  EXPECT_EQ(options_.lines[0].name, "B");
}

/// `linearb attach` needs not all that `linearb receive` does, and takes its file all the same.
TEST_F(ConfigFile, ServesACommandWithFewerOptions) {
  CLI::App attach;
  ReceiverOptions options;
  std::string path;
  add_line_option(attach, options.lines);
  add_config_option(attach, path);
  std::ofstream(path_) << "wait = \"spin\"\njson = true\n" + kTables;
  attach.parse("--line A=eno7 --config " + path_);
  finish_receiver_options(attach, path, options);
  ASSERT_EQ(options.lines.size(), 1u);
  EXPECT_EQ(options.lines[0].interface, "eno7");
  EXPECT_EQ(options.channels[0].name, "itch");
  EXPECT_EQ(options.wait, Wait::spin);
}

/// A merge has lines of its own, and writes where its command line says.
class MergeFile : public ConfigFile {
 protected:
  MergeFile() {
    add_arbitration_options(merge_, merged_.options);
    add_write_option(merge_, merged_.options.write_path);
    add_config_option(merge_, merged_.config_path);
    merged_.options.lines = {{"A", "A"}, {"B", "B"}};
  }

  const ReceiverOptions& read_for_merge(const std::string& toml,
                                        const std::string& command_line = "") {
    std::ofstream(path_) << toml;
    merge_.parse(command_line + " --config " + path_);
    finish_merge_options(merge_, merged_.config_path, merged_.options);
    return merged_.options;
  }

  CLI::App merge_;
  ReceiveArguments merged_;
};

TEST_F(MergeFile, TakesWhatSaysHowToArbitrate) {
  const ReceiverOptions& options =
      read_for_merge("checksum = \"verify\"\nframes = 64\nwrite = \"a.pcap\"\n" + kTables);
  EXPECT_EQ(options.checksum, Checksum::verify);
  EXPECT_EQ(options.channels[0].name, "itch");
  EXPECT_EQ(options.write_path, "");
  EXPECT_EQ(options.frames, 4096u);
  EXPECT_EQ(options.lines, (std::vector<Line>{{"A", "A"}, {"B", "B"}}));
}

TEST_F(MergeFile, TheCommandLineWinsHereToo) {
  const ReceiverOptions& options =
      read_for_merge("checksum = \"verify\"\n" + kTables,
                     "--checksum ignore --channel x=optiq@any:1 --write b.pcap");
  EXPECT_EQ(options.checksum, Checksum::ignore);
  EXPECT_EQ(options.channels[0].name, "x");
  EXPECT_EQ(options.write_path, "b.pcap");
}

TEST_F(MergeFile, ALineOfTheFileThatIsNotMergedIsNoneOfItsChannels) {
  const std::string file =
      "[lines]\nA = \"a\"\nB = \"b\"\nC = \"c\"\n[channels.x]\nframing = \"optiq\"\n"
      "A = \"any:1\"\nB = \"any:2\"\nC = \"any:3\"\n";
  EXPECT_EQ(read_for_merge(file).channels[0].line_destinations.size(), 2u);
}

TEST_F(MergeFile, OfLinesThatOnlyRepairThoseThatAreMerged) {
  const std::string file =
      "repair = [\"B\", \"R\"]\n[lines]\nA = \"a\"\nB = \"b\"\nR = \"r\"\n[channels.x]\n"
      "framing = \"optiq\"\nA = \"any:1\"\nR = \"any:3\"\n";
  EXPECT_EQ(read_for_merge(file).repair_lines, std::vector<std::string>{"B"});
  EXPECT_EQ(test::error_text([&] { read_for_merge(file, "--repair R"); }),
            "--repair: there is no line \"R\"; it can be A, B");
}

TEST_F(MergeFile, ALineThatTheFileDoesNotKnowIsRefused) {
  const std::string file = "[channels.x]\nframing = \"optiq\"\nA = \"any:1\"\n";
  EXPECT_EQ(test::error_text([&] { read_for_merge(file); }),
            path_ + ":1:1: --channel x: line \"B\" has no destination; name it as B=GROUP:PORT");
}

TEST_F(MergeFile, AKeyThatNoReceiverHasIsRefused) {
  EXPECT_EQ(test::error_text([&] { read_for_merge("chanel = \"x\"\n"); }),
            path_ + ":1:1: there is no key \"chanel\"; did you mean \"channel\"?");
}

TEST_F(ConfigFile, WhatIsOnlyWrongTogetherNamesThePlaceToo) {
  EXPECT_EQ(refusal("mode = \"auto\"\nframes = 100\n"),
            ":2:10: --frames 100: it has to be a power of two from 64 to 65536");
}

TEST_F(ConfigFile, WhatIsOnTheCommandLineHasNoPlaceInTheFile) {
  std::ofstream(path_) << "frames = 64\n";
  command_.parse("--frames 100 --config " + path_);
  EXPECT_EQ(test::error_text([&] { finish_receiver_options(command_, config_path_, options_); }),
            "--frames 100: it has to be a power of two from 64 to 65536");
}

TEST_F(ConfigFile, OneElementOfAnArrayHasAPlaceOfItsOwn) {
  EXPECT_EQ(refusal("line = [\n  \"A=eno1\",\n  \"B\"]\n").substr(0, 17), ":3:3: --line \"B\":");
  EXPECT_EQ(refusal("channel = [\"x=optiq@any:1\",\n  \"y=optiq@any:1\"]\n").substr(0, 17),
            ":2:3: --channel: ");
}

TEST_F(ConfigFile, RefusalsNameThePlace) {
  EXPECT_EQ(refusal("\nlien = 1"), ":2:1: there is no key \"lien\"; did you mean \"line\"?");
  EXPECT_EQ(refusal("hugepages = 1"), ":1:13: --hugepages is true or false");
  EXPECT_EQ(refusal("mode = \"natve\""), ":1:8: --mode \"natve\": did you mean \"native\"?");
  EXPECT_EQ(refusal("cpu = [[1]]"), ":1:8: has to be a text, a number, true or false");
  EXPECT_EQ(refusal("frames = \"many\"").substr(0, 7), ":1:10: ");
  EXPECT_EQ(refusal("packets = [1, 2]").substr(0, 7), ":1:11: ");
  EXPECT_EQ(refusal("config = \"x\"").substr(0, 30), ":1:1: there is no key \"config\"");
}

}  // namespace
}  // namespace linearb::cli
