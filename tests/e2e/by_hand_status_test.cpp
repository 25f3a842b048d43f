// SPDX-License-Identifier: Apache-2.0
//
// `linearb status`: what there is.
//
// clang-format off
// | situation | does   | is told       | is left   |
// |-----------|--------|---------------|-----------|
// | anything  | status | what there is | all of it |
// clang-format on
#include "e2e/by_hand.h"

namespace linearb::test::by_hand {
namespace {

// ---- status -------------------------------------------------------------------------------------

TEST_F(ByHand, StatusShowsWhatThereIs) {
  EXPECT_EQ(run("build/linearb status").output,
            "there is no hook; linearb attach, or linearb receive, attaches one\n");
  NamedProgram foreign("somebody", "vethC_dst");
  EXPECT_TRUE(contains(run("build/linearb status").output, "there is no hook"))
      << "without --line it is about hooks";
  must_run(kLoadA);
  must_run(kLoadB);
  const Ended all = run("build/linearb status");
  EXPECT_TRUE(contains(all.output, kVersion + ": nobody receives\n")) << all.all();
  EXPECT_TRUE(contains(all.output, "on vethA_dst in generic mode, " + kHook + " (id "));
  EXPECT_TRUE(contains(all.output, "), /sys/fs/bpf/tc/globals/config\n"));
  EXPECT_FALSE(contains(all.output, "somebody"));
  const Ended some = run("build/linearb status --line C=vethC_dst --line D=vethD_dst");
  EXPECT_TRUE(contains(some.output, "vethC_dst has a foreign XDP program (somebody, id "));
  EXPECT_TRUE(contains(some.output, "vethD_dst has no XDP program\n")) << some.all();
  EXPECT_FALSE(contains(some.output, "vethA_dst"));
}

TEST_F(ByHand, StatusInJsonHasTheSameNames) {
  must_run(kAttach);
  NamedProgram foreign("somebody", "vethC_dst");
  const Json json =
      run("build/linearb status --json --line A=vethA_dst --line C=vethC_dst --line D=vethD_dst")
          .json();
  const Json& hook = json.at("hooks").at(0);
  EXPECT_EQ(hook.at("layout_version"), LB_LAYOUT_VERSION);
  EXPECT_TRUE(hook.at("receiver").is_null());
  EXPECT_EQ(hook.at("interfaces").size(), 2u) << "all of the hook, line B too";
  EXPECT_EQ(hook.at("interfaces").at(0).at("mode"), "native");
  EXPECT_EQ(hook.at("programs").at(0).at("name"), kHook);
  EXPECT_EQ(hook.at("programs").at(0).at("pins").size(), 1u);
  EXPECT_EQ(hook.at("maps").size(), 13u);
  for (const Json& map : hook.at("maps")) EXPECT_EQ(map.at("pins").size(), 1u) << map;
  EXPECT_EQ(hook.at("lines").size(), 0u) << "no receiver has named any yet";
  EXPECT_EQ(json.at("foreign").at(0).at("name"), "somebody");
  EXPECT_EQ(json.at("empty"), Json::array({"vethD_dst"}));
  EXPECT_EQ(json.at("stale_pins").size(), 0u);
}

TEST_F(ByHand, StatusCountsByLineWhileAReceiverRuns) {
  Program receiver(LINEARB_PROGRAM, "receive --line left=vethA_dst --line right=vethB_dst");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  must_run("build/linearb feed --packets 4000 --rate 10000");
  const Json lines = run("build/linearb status --json").json().at("hooks").at(0).at("lines");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines.at(0).at("name"), "left");
  EXPECT_EQ(lines.at(1).at("name"), "right");
  for (const Json& line : lines) {
    EXPECT_EQ(line.at("packets"), 4'000);
    int ways_out = 0;
    for (const char* way :
         {"duplicate", "claimed", "passed_up", "no_credit", "not_feed", "malformed", "no_receiver"})
      ways_out += line.at(way).get<int>();
    EXPECT_EQ(ways_out, 4'000);
  }
  const Ended text = run("build/linearb status");
  EXPECT_TRUE(contains(text.output, fmt::format("linearb (pid {}) receives", receiver.pid())))
      << text.all();
  EXPECT_TRUE(std::regex_search(text.output, std::regex("packets +4,000 +4,000"))) << text.all();
}

TEST_F(ByHand, StatusOfAnotherLayoutHasNoCounters) {
  NamedProgram other("linearb_v1", "vethA_dst");
  const Ended text = run("build/linearb status");
  EXPECT_TRUE(contains(text.output, "layout version 1: nobody receives\n")) << text.all();
  EXPECT_TRUE(contains(text.output, "no counters: this linearb reads " + kVersion + "\n"));
  EXPECT_TRUE(run("build/linearb status --json").json().at("hooks").at(0).at("lines").is_null());
}

TEST_F(ByHand, StatusShowsStalePins) {
  must_run(kAttach);
  must_run("ip link set dev vethA_dst xdpdrv off");
  must_run("ip link set dev vethB_dst xdpdrv off");
  const Ended text = run("build/linearb status");
  EXPECT_TRUE(contains(text.output, "which is attached to nothing; linearb detach removes them\n"))
      << text.all();
  EXPECT_TRUE(contains(text.output, "/xsks_map\n"));
  const Json stale = run("build/linearb status --json").json().at("stale_pins");
  ASSERT_EQ(stale.size(), 1u);
  EXPECT_EQ(stale.at(0).at("pins").size(), kPinsWithMemory);
}

}  // namespace
}  // namespace linearb::test::by_hand
