// SPDX-License-Identifier: Apache-2.0
// The program as a user starts it: exit status, what stands on stdout, and what is left behind.
#include <csignal>
#include <cstdio>
#include <memory>
#include <ostream>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "lab/lab.h"
#include "support/namespace.h"
#include "support/program.h"

namespace linearb {
namespace {

using Json = nlohmann::json;

using test::contains;
using test::Program;

struct Ended : test::Ended {
  Json json() const { return Json::parse(output); }
};

Ended linearb_with(const std::string& arguments) {
  return {test::run_to_its_end(LINEARB_PROGRAM, arguments)};
}

TEST(Cli, HelpAndVersionAreNoFailure) {
  EXPECT_TRUE(contains(linearb_with("--help").output, "receive"));
  EXPECT_EQ(linearb_with("--help").status, 0);
  EXPECT_EQ(linearb_with("--version").output, LINEARB_VERSION "\n");
  Ended help = linearb_with("receive --help");
  EXPECT_EQ(help.status, 0);
  EXPECT_TRUE(contains(help.output, "--line NAME=INTERFACE"));
  EXPECT_TRUE(contains(help.output, "[A=vethA_dst B=vethB_dst]"));
}

/// Arguments that are wrong usage, and what has to be said about them.
struct Wrong {
  const char* arguments;
  const char* word;
};

void PrintTo(const Wrong& wrong, std::ostream* stream) {
  *stream << wrong.arguments;
}

class CliRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(CliRefuses, WithStatusTwoAndOnStderrAlone) {
  Ended ended = linearb_with(GetParam().arguments);
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(ended.output, "");
  EXPECT_TRUE(contains(ended.errors, GetParam().word)) << ended.errors;
}

INSTANTIATE_TEST_SUITE_P(
    Arguments, CliRefuses,
    testing::Values(Wrong{"", "subcommand"}, Wrong{"recieve", "did you mean \"receive\"?"},
                    Wrong{"receive --lien A=x", "did you mean \"--line\"?"},
                    Wrong{"receive --mode natve", "did you mean \"native\"?"},
                    Wrong{"receive --dedup windw", "did you mean \"window\"?"},
                    Wrong{"receive --wait spinn", "did you mean \"spin\"?"},
                    Wrong{"receive --zero-copy of", "did you mean \"off\"?"},
                    Wrong{"receive --frames 100", "power of two"},
                    Wrong{"receive --channel x=nope@any:1", "no framing \"nope\""},
                    Wrong{"receive --config nowhere.toml", "nowhere.toml"},
                    Wrong{"feed --loss C=1%", "no line 'C'"}, Wrong{"feed --speed 2", "--replay"},
                    Wrong{"feed --replay x --speed fast", "--speed \"fast\""},
                    Wrong{"feed --messages-per-packet 0", "--messages-per-packet 0"},
                    Wrong{"feed --engine liv", "did you mean \"live\"?"},
                    Wrong{"feed --engine live --frames 64", "--frames: live frames"},
                    Wrong{"feed --engine live --zero-copy off", "--zero-copy: live frames"},
                    Wrong{"feed --channel a=optiq@any:1 --channel b=optiq@any:2", "2 channels"},
                    Wrong{"lab", "subcommand"}, Wrong{"lab up --lines 9", "9 lines"},
                    Wrong{"demo --packets 0", "--packets"}, Wrong{"demo --lines 9", "--lines"}));

TEST(Cli, AnInterfaceThatIsMissingIsAFailure) {
  Ended ended = linearb_with("feed --line A=nothere --packets 1");
  EXPECT_EQ(ended.status, 1);
  EXPECT_TRUE(contains(ended.errors, "nothere")) << ended.errors;
}

TEST(CliLab, UpStatusDown) {
  EXPECT_TRUE(contains(linearb_with("lab status").output, "linearb lab up makes them"));
  Json up = linearb_with("lab up --lines 3 --queues 2 --mtu 1400 --json").json();
  ASSERT_EQ(up.at("lines").size(), 3u);
  EXPECT_EQ(up.at("lines")[2].at("name"), "C");
  EXPECT_EQ(up.at("lines")[2].at("ready"), true);
  EXPECT_EQ(up.at("lines")[2].at("queues"), 2);
  EXPECT_EQ(up.at("lines")[2].at("destination").at("interface"), "vethC_dst");
  EXPECT_EQ(up.at("lines")[2].at("destination").at("mtu"), 1400);
  EXPECT_TRUE(contains(linearb_with("lab status").output, "vethC_src up"));
  EXPECT_TRUE(contains(linearb_with("lab down").output, "removed vethA_src\n"));
  EXPECT_EQ(linearb_with("lab down --json").json().at("removed").size(), 0u);
}

class CliLines : public test::LabTest {};

TEST_F(CliLines, FeedSendsLiveFramesToo) {
  Program receiver(LINEARB_PROGRAM, "receive --packets 3000 --json");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  Ended ended = linearb_with("feed --engine live --packets 3000 --rate 20000 --json");
  ASSERT_EQ(ended.status, 0) << ended.errors;
  for (const Json& line : ended.json().at("lines")) {
    EXPECT_EQ(line.at("completed"), 3000);
    EXPECT_EQ(line.at("interface_dropped"), 0);
  }
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  EXPECT_EQ(Json::parse(receiver.output()).at("packets"), 3000);
}

TEST_F(CliLines, FeedCountsEachLine) {
  Ended ended = linearb_with("feed --packets 2000 --loss B=10% --duplicate A=5% --json");
  ASSERT_EQ(ended.status, 0) << ended.errors;
  Json json = ended.json();
  EXPECT_EQ(json.at("units"), 2000);
  for (const Json& line : json.at("lines")) {
    int offered = line.at("offered"), sent = line.at("sent");
    EXPECT_EQ(sent, offered - int{line.at("dropped")} + int{line.at("duplicated")});
    EXPECT_EQ(line.at("completed"), sent);
  }
  EXPECT_GT(json.at("lines")[0].at("duplicated"), 0);
  EXPECT_GT(json.at("lines")[1].at("dropped"), 0);
  EXPECT_TRUE(contains(linearb_with("feed --packets 20").output, "completed"));
}

TEST_F(CliLines, ReceiveEndsAfterSoManyPackets) {
  Program receiver(LINEARB_PROGRAM, "receive --packets 1000 --json");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  ASSERT_EQ(linearb_with("feed --packets 1000 --rate 20000 --loss A=5%").status, 0);
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  Json json = Json::parse(receiver.output());
  EXPECT_EQ(json.at("packets"), 1000);
  EXPECT_EQ(json.at("gap_messages"), 0);
  EXPECT_EQ(json.at("balanced"), true);
}

TEST_F(CliLines, AnInterruptEndsARunCleanly) {
  Program receiver(LINEARB_PROGRAM, "receive");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  ASSERT_EQ(linearb_with("feed --packets 500 --rate 20000").status, 0);
  receiver.interrupt();
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  EXPECT_TRUE(contains(receiver.output(), "delivered  500 packets")) << receiver.output();
  EXPECT_TRUE(contains(receiver.output(), "balanced   every packet is accounted for"));
  Program link("ip", "-o link show vethB_dst");
  link.wait();
  EXPECT_FALSE(contains(link.output(), "xdp")) << "what was attached is detached";
}

TEST_F(CliLines, AnInterruptEndsAFeedThatHasNoEnd) {
  Program feeder(LINEARB_PROGRAM, "feed --rate 1000 --json");
  ::usleep(300'000);
  feeder.interrupt();
  ASSERT_EQ(feeder.wait(), 0) << feeder.errors();
  Json json = Json::parse(feeder.output());
  EXPECT_EQ(json.at("lines")[0].at("sent"), json.at("units"));
}

TEST_F(CliLines, TheExampleDeliversEachMessageOnce) {
  Program example(LINEARB_EXAMPLE, "3");
  ASSERT_TRUE(example.wait_until_receiving()) << example.errors();
  ASSERT_EQ(linearb_with("feed --packets 3 --rate 100").status, 0);
  ASSERT_EQ(example.wait(), 0) << example.errors();
  EXPECT_TRUE(contains(example.output(), "optiq from 3, 1 messages, by line")) << example.output();
  EXPECT_TRUE(contains(example.output(), "3 messages\n")) << example.output();
}

class CliDemo : public testing::TestWithParam<const char*> {};

TEST_P(CliDemo, LosesNothingThatALineCarried) {
  Ended ended = linearb_with(std::string("demo --packets 30000 --rate 30000 --json ") + GetParam());
  ASSERT_EQ(ended.status, 0) << ended.errors << ended.output;
  Json json = ended.json();
  EXPECT_EQ(json.at("balanced"), true);
  EXPECT_EQ(json.at("packets").get<int>() + json.at("gap_messages").get<int>(), 30'000);
  EXPECT_EQ(json.at("gap_messages"), json.at("story").at("on_no_line"));
  EXPECT_EQ(json.at("story").at("lost"), 0);
  for (const Json& line : json.at("feeder").at("lines")) EXPECT_GT(line.at("dropped"), 0);
}

INSTANTIATE_TEST_SUITE_P(Options, CliDemo,
                         testing::Values("--mode native", "--mode generic", "--lines 3",
                                         "--seed 7"));

TEST(Cli, OneSeedGivesOneDemo) {
  const char* arguments = "demo --packets 20000 --rate 30000 --lines 1 --seed 3 --json";
  Json first = linearb_with(arguments).json(), second = linearb_with(arguments).json();
  EXPECT_GT(first.at("gap_messages"), 0);
  EXPECT_EQ(first.at("gaps"), second.at("gaps"));
  EXPECT_EQ(first.at("feeder").at("lines")[0].at("dropped"),
            second.at("feeder").at("lines")[0].at("dropped"));
}

TEST(Cli, ADemoForPeopleTellsWhatWasLostAndRepaired) {
  Ended ended = linearb_with("demo --packets 20000 --rate 20000");
  EXPECT_EQ(ended.status, 0) << ended.errors;
  EXPECT_TRUE(contains(ended.output, "another line brought them"));
  EXPECT_TRUE(contains(ended.output, "lost by linearb       0"));
  EXPECT_TRUE(contains(ended.output, "balanced   every packet is accounted for"));
}

TEST(Cli, AnInterruptEndsADemoWithWhatWasGenerated) {
  Program demo(LINEARB_PROGRAM, "demo --rate 10000 --json");
  ::usleep(2'000'000);
  demo.interrupt();
  ASSERT_EQ(demo.wait(), 0) << demo.errors();
  Json json = Json::parse(demo.output());
  EXPECT_LT(json.at("story").at("generated"), 1'000'000);
  EXPECT_EQ(json.at("packets").get<int>() + json.at("gap_messages").get<int>(),
            json.at("story").at("generated"));
}

}  // namespace
}  // namespace linearb
