// SPDX-License-Identifier: Apache-2.0
//
// The hook loaded by `ip link`, and taken off.
//
// clang-format off
// | situation                         | does       | is told                 | is left          |
// |-----------------------------------|------------|-------------------------|------------------|
// | loaded by ip link on both lines   | receive    | the feed, each once     | the hook         |
// | any hook, wherever its pins are   | detach     | each thing that went    | nothing          |
// | the same, on the lab's lines      | lab down   | the same, and the lines | nothing          |
// | pins of a hook that is on nothing | detach     | each pin                | nothing          |
// | nothing                           | detach     | there was nothing       | nothing          |
// | the hook is on another line too   | detach one | that its pins stay      | the other line's |
// | somebody else's program           | anything   | its name and its id     | that program     |
// clang-format on
#include "e2e/by_hand.h"

namespace linearb::test::by_hand {
namespace {

// ---- the classic way ----------------------------------------------------------------------------

TEST_F(ByHand, WhatTheReadmeSaysDeliversEachMessageOnceAndLeavesTheHook) {
  for (const char* command : {kLoadA, kLoadB}) {
    EXPECT_TRUE(contains(readme(), std::string("sudo ") + command)) << command;
    must_run(command);
  }
  EXPECT_TRUE(contains(readme(), "sudo build/linearb receive\n"));
  const Json before = run("build/linearb status --json").json();
  ASSERT_EQ(before.at("hooks").size(), 1u) << "the two loads share their maps: " << before;
  ASSERT_EQ(before.at("hooks").at(0).at("interfaces").size(), 2u) << before;

  Program receiver(here("build/linearb receive --json"), "");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  must_run("build/linearb feed --packets 5000 --rate 20000 --loss A=5%");
  receiver.interrupt();
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  for (const char* said :
       {"line A: interface vethA_dst has the hook already; it stays there at the end",
        "line B: interface vethB_dst has the hook already; it stays there at the end"})
    EXPECT_TRUE(contains(receiver.errors(), said)) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_EQ(summary.at("packets"), 5'000);
  EXPECT_EQ(summary.at("messages"), 5'000);
  EXPECT_EQ(summary.at("gap_messages"), 0);
  EXPECT_EQ(summary.at("balanced"), true);
  for (const Json& line : summary.at("lines")) EXPECT_EQ(line.at("mode"), "generic");

  Json after = run("build/linearb status --json").json();
  EXPECT_EQ(after.at("hooks").at(0).at("interfaces"), before.at("hooks").at(0).at("interfaces"))
      << "who did not attach the hook does not detach it";
  Running running(ReceiverOptions{});
  feed(feed_on("AB", 1, 5'000));
  EXPECT_TRUE(running.end().balanced);
  running.expect_once(1, 1, 5'000);
  EXPECT_EQ(running.wrong_bytes(), 0u);
}

/// By one command of the compiler, as the README has it.
TEST_F(ByHand, TheObjectThatTheReadmeBuildsLoads) {
  if (run("clang --version").status != 0) GTEST_SKIP() << "needs clang";
  const std::string text = readme();
  std::smatch command;
  ASSERT_TRUE(
      std::regex_search(text, command, std::regex("\nclang (.*) -o build/linearb.bpf.o\n")));
  const std::string object = ::testing::TempDir() + fmt::format("by_hand_{}.o", ::getpid());
  must_run("clang " + command[1].str() + " -o " + object);
  must_run(replaced(kLoadA, "build/linearb.bpf.o", object));
  fs::remove(object);
  must_run(kLoadB);
  const Json status = run("build/linearb status --json").json();
  ASSERT_EQ(status.at("hooks").size(), 1u) << "what was built by hand shares maps with the build's";
  EXPECT_EQ(status.at("hooks").at(0).at("layout_version"), LB_LAYOUT_VERSION);
}

/// The whole hook, as another version of linearb would have left it.
TEST_F(ByHand, AnObjectOfAnotherLayoutIsRefusedAndGoesWithAllItsPins) {
  if (run("clang --version").status != 0) GTEST_SKIP() << "needs clang";
  const fs::path other = ::testing::TempDir() + fmt::format("by_hand_{}", ::getpid());
  fs::create_directories(other / "src");
  for (const char* folder : {"core", "framing", "bpf"})
    fs::copy(kSource / "src" / folder, other / "src" / folder, fs::copy_options::recursive);
  must_run("sed -i 's/define LB_LAYOUT_VERSION .*/define LB_LAYOUT_VERSION 1/' " +
           (other / "src/core/layout.h").string());
  must_run("clang -O2 -g -target bpf -mcpu=v3 -I " + (other / "src").string() +
           " -idirafter /usr/include/x86_64-linux-gnu -c " +
           (other / "src/bpf/linearb.bpf.c").string() + " -o " + (other / "other.o").string());
  must_run(replaced(kLoadA, "build/linearb.bpf.o", (other / "other.o").string()));
  fs::remove_all(other);
  expect_refused("build/linearb receive --line A=vethA_dst",
                 {"layout version 1 (linearb_v1, id ", "linearb detach --line NAME=vethA_dst"});
  must_run("ip link set dev vethA_dst xdpgeneric off");
  EXPECT_EQ(pinned().size(), 12u);
  must_run("build/linearb detach");
  expect_nothing_left();
}

// ---- what is left behind ------------------------------------------------------------------------

struct TakenAway {
  const char* situation;
  std::vector<std::string> before;
  std::string does;
  std::vector<std::string> told;
};

void PrintTo(const TakenAway& row, std::ostream* stream) {
  *stream << row.situation;
}

const TakenAway kTakenAway[] = {
    {"nothing there", {}, kDetach, {"there was nothing to remove\n"}},
    {"attached in native mode",
     {kAttach},
     kDetach,
     {"removed " + kHook + " (id ", ", native) from vethA_dst\n", ", native) from vethB_dst\n",
      "removed pin /sys/fs/bpf/linearb/", "/config\n", "/" + kHook + "\n",
      "removed directory /sys/fs/bpf/linearb\n"}},
    {"attached in generic mode",
     {kAttach + " --mode generic"},
     kDetach,
     {", generic) from vethA_dst\n", ", generic) from vethB_dst\n"}},
    {"attached with options from a file",
     {kAttach + " --config tests/e2e/by_hand.toml"},
     kDetach + " --config tests/e2e/by_hand.toml",
     {", generic) from vethC_dst\n", ", generic) from vethD_dst\n"}},
    {"loaded by hand in generic mode",
     {kLoadA, kLoadB},
     kDetach,
     {", generic) from vethA_dst\n", ", generic) from vethB_dst\n",
      "removed pin /sys/fs/bpf/tc/globals/config\n"}},
    {"loaded by hand in native mode",
     {replaced(kLoadA, "xdpgeneric", "xdpdrv"), replaced(kLoadB, "xdpgeneric", "xdpdrv")},
     kDetach,
     {", native) from vethA_dst\n", "removed pin /sys/fs/bpf/tc/globals/config\n"}},
    {"pins moved elsewhere by somebody",
     {kAttach, "mkdir -p /sys/fs/bpf/a/b",
      "sh -c 'mv /sys/fs/bpf/linearb/*/config /sys/fs/bpf/a/b'"},
     kDetach,
     {"removed pin /sys/fs/bpf/a/b/config\n"}},
    {"taken off by hand, pins and all that was forgotten",
     {kLoadA, kLoadB, "ip link set dev vethA_dst xdpgeneric off",
      "ip link set dev vethB_dst xdpgeneric off"},
     kDetach,
     {"removed pin /sys/fs/bpf/tc/globals/config\n",
      "removed pin /sys/fs/bpf/tc/globals/xsks_map\n"}},
    {"the lines are gone, the pins are not",
     {kAttach, "ip link del vethA_src", "ip link del vethB_src"},
     kDetach,
     {"removed pin /sys/fs/bpf/linearb/"}},
    {"lines of the lab, attached",
     {kAttach},
     kLabDown,
     {"removed " + kHook + " (id ", "removed pin /sys/fs/bpf/linearb/", "removed vethA_src\n",
      "removed vethD_dst\n"}},
    {"lines of the lab, loaded by hand",
     {kLoadA, kLoadB},
     kLabDown,
     {"removed " + kHook + " (id ", "removed pin /sys/fs/bpf/tc/globals/config\n",
      "removed vethA_src\n"}},
};

class Takes : public ByHand, public ::testing::WithParamInterface<TakenAway> {};

TEST_P(Takes, ProgramAndPinsAwayAndSaysSo) {
  const TakenAway& row = GetParam();
  for (const std::string& command : row.before) must_run(command);
  const Ended ended = run(row.does);
  EXPECT_EQ(ended.status, 0) << ended.all();
  for (const std::string& word : row.told)
    EXPECT_TRUE(contains(ended.output, word)) << word << "\n" << ended.all();
  expect_nothing_left();
  EXPECT_EQ(run(row.does).output, "there was nothing to remove\n");
}

INSTANTIATE_TEST_SUITE_P(Situations, Takes, ::testing::ValuesIn(kTakenAway), [](const auto& test) {
  std::string name = test.param.situation;
  std::erase_if(name, [](unsigned char c) { return !std::isalnum(c); });
  return name;
});

TEST_F(ByHand, WhatAReceiverLeftIsTakenAway) {
  const struct {
    const char* options;
    int signal;
    std::size_t pins;
  } rows[] = {{"--keep-hook", SIGINT, kPinsWithMemory}, {"", SIGKILL, kPins}};
  for (const auto& row : rows) {
    Program receiver(LINEARB_PROGRAM, std::string("receive ") + row.options);
    ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
    receiver.signal(row.signal);
    receiver.wait();
    EXPECT_EQ(pinned().size(), row.pins) << row.options;
    const Ended ended = run(kDetach);
    EXPECT_TRUE(contains(ended.output, "from vethA_dst\n")) << ended.all();
    EXPECT_TRUE(contains(ended.output, "removed pin /sys/fs/bpf/linearb/")) << ended.all();
    expect_nothing_left();
  }
}

TEST_F(ByHand, DetachInJsonNamesWhatWentAndWhatStays) {
  must_run(kAttach);
  NamedProgram foreign("somebody", "vethC_dst");
  const Json json = run(kDetach + " --json --line A=vethA_dst --line C=vethC_dst").json();
  ASSERT_EQ(json.at("programs").size(), 1u);
  EXPECT_EQ(json.at("programs").at(0).at("interface"), "vethA_dst");
  EXPECT_EQ(json.at("programs").at(0).at("mode"), "native");
  EXPECT_EQ(json.at("remaining").at(0).at("interface"), "vethB_dst");
  EXPECT_EQ(json.at("foreign").at(0).at("name"), "somebody");
  EXPECT_EQ(json.at("pins").size(), 0u);
  const Json rest = run(kDetach + " --json").json();
  EXPECT_EQ(rest.at("pins").size(), kPinsWithMemory);
  EXPECT_EQ(rest.at("directories").size(), 2u);
  must_run(kAttach);
  const Json down = run(kLabDown + " --json").json();
  EXPECT_EQ(down.at("removed").size(), 8u);
  EXPECT_EQ(down.at("programs").size(), 2u);
  EXPECT_EQ(down.at("pins").size(), kPinsWithMemory);
}

TEST_F(ByHand, PinsStayWhileTheHookIsOnAnotherLine) {
  must_run(kLoadA);
  must_run(kLoadB);
  const std::vector<std::string> before = pinned();
  const Ended one = run(kDetach + " --line A=vethA_dst");
  EXPECT_TRUE(contains(one.output, "the hook stays on vethB_dst, and so do its pins")) << one.all();
  EXPECT_EQ(pinned(), before);
  must_run(kLoadA);
  EXPECT_EQ(run("build/linearb status --json").json().at("hooks").size(), 1u)
      << "line A found the maps again";
  must_run(kDetach);
  expect_nothing_left();
}

TEST_F(ByHand, WhatIsNotLinearbsStays) {
  NamedProgram foreign("somebody", "vethA_dst");
  fs::create_directories("/sys/fs/bpf/tc/globals");
  const sys::Fd map(::bpf_map_create(BPF_MAP_TYPE_ARRAY, "counters", 4, 4, 1, nullptr));
  ASSERT_EQ(::bpf_obj_pin(map.get(), "/sys/fs/bpf/tc/globals/not_ours"), 0);
  must_run(kLoadB);
  must_run("ip link set dev vethB_dst xdpgeneric off");
  const Ended ended = run(kDetach);
  EXPECT_EQ(ended.status, 0) << ended.all();
  EXPECT_TRUE(contains(ended.output, "vethA_dst has a foreign XDP program (somebody, id "))
      << ended.all();
  EXPECT_TRUE(contains(ended.output, ", which stays\n")) << ended.all();
  EXPECT_EQ(pinned(), std::vector<std::string>{"/sys/fs/bpf/tc/globals/not_ours"});
  EXPECT_EQ(hook::all_attached().size(), 1u);
  fs::remove("/sys/fs/bpf/tc/globals/not_ours");
}

TEST_F(ByHand, AHookOfAnotherLayoutIsTakenOffToo) {
  NamedProgram other("linearb_v1", "vethA_dst");
  const Ended ended = run(kDetach);
  EXPECT_TRUE(contains(ended.output, "removed linearb_v1 (id ")) << ended.all();
  expect_nothing_left();
}

TEST_F(ByHand, DetachNamesHooksThatAreElsewhere) {
  must_run(kAttach + " --line A=vethC_dst");
  EXPECT_EQ(run(kDetach).output,
            "there was nothing to remove\n"
            "vethC_dst has a hook; linearb detach --line NAME=vethC_dst removes it\n");
}

}  // namespace
}  // namespace linearb::test::by_hand
