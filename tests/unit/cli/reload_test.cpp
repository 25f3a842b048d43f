// SPDX-License-Identifier: Apache-2.0
#include "cli/reload.h"

#include <fstream>
#include <new>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/receive.h"
#include "linearb/error.h"

namespace linearb::cli {
namespace {

struct Change {
  Reloaded reloaded;
  const char* said;
};

void PrintTo(const Change& change, std::ostream* stream) {
  *stream << change.said;
}

class DescribeChange : public testing::TestWithParam<Change> {};

TEST_P(DescribeChange, InOneLine) {
  EXPECT_EQ(describe_change(GetParam().reloaded), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    Channels, DescribeChange,
    testing::Values(
        Change{{{}, {}, {}, 1}, "0 channels added, 0 removed, 1 unchanged"},
        Change{{{"y"}, {}, {}, 1}, "1 channel added (y), 0 removed, 1 unchanged"},
        Change{{{"x", "y"}, {"z"}, {}, 12}, "2 channels added (x, y), 1 removed (z), 12 unchanged"},
        Change{{{}, {}, {"x"}, 1}, "0 channels added, 0 removed, 1 changed (x), 1 unchanged"}));

TEST(DescribeChangeOfMany, NamesTheFirstOfThem) {
  Reloaded many;
  for (int i = 1; i <= 500; i++) many.added.push_back(fmt::format("c{}", i));
  EXPECT_EQ(describe_change(many),
            "500 channels added (c1, c2, c3, c4, c5, c6, c7, c8, and 492 more), 0 removed, "
            "0 unchanged");
}

/// A reloader of a command line with a file, and what the receiver was given.
class Reload : public testing::Test {
 protected:
  Reload() { write("channel = \"x=optiq@any:1\"\n"); }
  ~Reload() override { std::remove(path_.c_str()); }

  void write(const std::string& toml) { std::ofstream(path_) << toml; }

  Reloader reloader() {
    return Reloader({.path = path_,
                     .read = [this] { return parse_receive(words_); },
                     .apply =
                         [this](const ReceiverOptions& options) {
                           if (!refusal_.empty()) throw UsageError(refusal_);
                           applied_.push_back(options);
                           return Reloaded{{"y"}, {}, {}, 1};
                         }});
  }

  std::string path_ = testing::TempDir() + "linearb_reload_" + std::to_string(::getpid());
  std::vector<std::string> words_{"receive", "--frames", "64", "--config", path_};
  std::string refusal_;
  std::vector<ReceiverOptions> applied_;
};

TEST_F(Reload, ReadsTheFileAgainAndTheCommandLineStillWins) {
  Reloader reloader = this->reloader();
  write("frames = 128\nwait = \"spin\"\nchannel = [\"x=optiq@any:1\", \"y=optiq@any:2\"]\n");
  EXPECT_EQ(reloader.reload(),
            "reloaded " + path_ + ": 1 channel added (y), 0 removed, 1 unchanged");
  ASSERT_EQ(applied_.size(), 1u);
  EXPECT_EQ(applied_[0].frames, 64u);
  EXPECT_EQ(applied_[0].wait, Wait::spin);
  EXPECT_EQ(applied_[0].channels.size(), 2u);
}

TEST_F(Reload, NothingIsLeftOfTheReadingBefore) {
  write("wait = \"spin\"\nchannel = [\"x=optiq@any:1\", \"y=optiq@any:2\"]\n");
  Reloader reloader = this->reloader();
  write("channel = \"x=optiq@any:1\"\n");
  reloader.reload();
  EXPECT_EQ(applied_.at(0).wait, Wait::poll);
  EXPECT_EQ(applied_.at(0).channels.size(), 1u);
}

TEST_F(Reload, AWrongFileIsRefusedWhole) {
  Reloader reloader = this->reloader();
  write("channel = [\"y=optiq@any:2\"]\nframe = 64\n");
  EXPECT_EQ(reloader.reload(), "reload: " + path_ +
                                   ":2:1: there is no key \"frame\"; did you mean \"frames\"?; the "
                                   "configuration that runs goes on");
  EXPECT_EQ(applied_.size(), 0u);
  write("channel = [\"y=optiq@any:2\"]\n");
  EXPECT_EQ(reloader.reload(),
            "reloaded " + path_ + ": 1 channel added (y), 0 removed, 1 unchanged");
}

TEST_F(Reload, SaysWhatTheReceiverRefuses) {
  Reloader reloader = this->reloader();
  write("channel = [\"y=optiq@any:2\"]\n");
  refusal_ = "--frames: it can change at a start alone";
  EXPECT_EQ(
      reloader.reload(),
      "reload: --frames: it can change at a start alone; the configuration that runs goes on");
  refusal_.clear();
  EXPECT_EQ(reloader.reload(),
            "reloaded " + path_ + ": 1 channel added (y), 0 removed, 1 unchanged");
}

TEST(ReloadWithoutMemory, SaysSo) {
  Reloader reloader({.path = __FILE__,
                     .read = []() -> ReceiverOptions { throw std::bad_alloc(); },
                     .apply = [](const ReceiverOptions&) -> Reloaded { throw Error("called"); }});
  EXPECT_EQ(reloader.reload(),
            "reload: there is no memory for it; the configuration that runs goes on");
}

TEST(ReloadWithoutAFile, SaysSo) {
  Reloader reloader({.path = "",
                     .read = [] { return ReceiverOptions{}; },
                     .apply = [](const ReceiverOptions&) -> Reloaded { throw Error("called"); }});
  EXPECT_EQ(reloader.reload(),
            "reload: there is no file to read again, since --config was not given; the "
            "configuration that runs goes on");
}

TEST(ParseReceive, PassesOverWhatStandsBeforeTheCommand) {
  EXPECT_EQ(parse_receive({"--verbose", "receive", "--frames", "64"}).frames, 64u);
}

}  // namespace
}  // namespace linearb::cli
