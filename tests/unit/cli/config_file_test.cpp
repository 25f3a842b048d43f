// SPDX-License-Identifier: Apache-2.0
#include "cli/config_file.h"

#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/options.h"
#include "linearb/error.h"

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
    apply_config_file(command_, config_path_);
  }

  /// What is refused, without the path in front.
  std::string refusal(const std::string& toml) {
    try {
      read(toml);
    } catch (const UsageError& error) {
      return std::string(error.what()).substr(path_.size());
    }
    return "nothing was refused";
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
  EXPECT_EQ(options_.cpu, 3u);
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
  apply_config_file(command_, config_path_);
  EXPECT_EQ(options_.frames, 4096u);
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
