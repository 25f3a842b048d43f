// SPDX-License-Identifier: Apache-2.0
//
// What the hook reads of what a receiver tells it: flows in two tables, and banks of counters.
#include "hook/takeover.h"

#include "bpf/rig.h"

namespace linearb::test {
namespace {

using Takeover = HookTest;

std::uint32_t table_of(const Rig& rig) {
  return static_cast<std::uint32_t>(rig.maps().config().flow_index >> 7 & 1);
}

/// Only flows with a group, only flows with any, none at all: the hook looks only for what there
/// is.
TEST_F(Takeover, FlowsOfEveryShapeAreFound) {
  const std::vector<lb_framing> framings = framings_by_channel();
  const lb_flow exact = flow_on(On::A, kMold, "239.1.1.1", 26400);
  const lb_flow any = flow_on(On::A, kOptiq, "", 30001);
  const lb_flow exact_on_any_port = flow_on(On::A, kPitch, "239.1.1.1", 30001);
  const struct {
    const char* description;
    std::vector<lb_flow> flows;
    PacketBuilder packet;
    std::string changes;  ///< empty: not the feed
  } rows[] = {
      {"a group among groups", {exact}, mold(1000), "mold: bits 1000, mark A 1001"},
      {"any among groups", {exact}, optiq(1000), ""},
      {"any among any", {any}, optiq(1000), "optiq: bits 1000, mark A 1001"},
      {"a group among any", {any}, mold(1000), ""},
      {"a group among both", {exact, any}, mold(1000), "mold: bits 1000, mark A 1001"},
      {"any among both", {exact, any}, optiq(1000), "optiq: bits 1000, mark A 1001"},
      {"a group goes before any",
       {exact_on_any_port, any},
       pitch(1000).to("239.1.1.1", 30001),
       "pitch: bits 1000, mark A 1001"},
      {"no flows", {}, optiq(1000), ""},
  };
  Rig rig;
  for (const auto& row : rows) {
    rig.take_over(row.flows, framings);
    rig.prepare({});
    const Outcome outcome = rig.run(row.packet, {});
    EXPECT_EQ(outcome.in_words.changes, row.changes) << row.description;
    EXPECT_EQ(outcome.in_words.counters,
              row.changes.empty() ? "packets not_feed" : "packets claimed")
        << row.description;
  }
}

/// Each receiver writes the table that is not read: after two of them both have been used.
TEST_F(Takeover, TheNextReceiversFlowsTakeThePlaceOfTheLasts) {
  constexpr std::uint16_t kPorts[] = {31001, 31002, 31003};
  Rig rig;
  std::uint32_t table = table_of(rig);
  for (const std::uint16_t port : kPorts) {
    const lb_flow flow = flow_on(On::A, kOptiq, "", port);
    rig.take_over({&flow, 1}, framings_by_channel());
    EXPECT_NE(table_of(rig), table);
    table = table_of(rig);
    rig.prepare({});
    for (const std::uint16_t sent_to : kPorts) {
      const Outcome outcome = rig.run(optiq(1000).to("239.192.30.1", sent_to), {});
      EXPECT_EQ(outcome.in_words.counters, sent_to == port ? "packets claimed" : "packets not_feed")
          << sent_to << " while the flow is " << port;
    }
  }
}

TEST_F(Takeover, ClearsWhatWasAndClosesEverySlot) {
  Rig rig;
  rig.prepare({.mark = 1008});
  rig.run(optiq(1008), {.on = On::A});
  rig.run(optiq(1008), {.on = On::B});
  rig.take_over();
  EXPECT_FALSE(rig.holds(kOptiq, {1008, 1}));
  const Snapshot now(rig.maps());
  const auto bank = rig.maps().config().bank;
  for (std::uint32_t line = 0; line < kLines; ++line) {
    EXPECT_EQ(rig.maps().mark(kOptiq, line).published, 0u);
    EXPECT_EQ(rig.maps().credit(line * LB_QUEUES_MAX).capacity, 0u);
    EXPECT_EQ(now.lines[line].counters[bank].packets, 0u);
    EXPECT_EQ(now.lines[line].skew_samples[bank], 0u);
  }
  EXPECT_EQ(rig.run(optiq(1000), {}).in_words.counters, "packets no_receiver");
}

/// For those who look at the hook while a receiver runs; the next one's names take their place.
TEST_F(Takeover, TheHookIsToldTheNamesOfTheLines) {
  Rig rig;
  const auto names = [&] {
    std::vector<std::string> all;
    for (const char* name : rig.maps().config().line_names) all.emplace_back(name);
    return all;
  };
  EXPECT_EQ(names(), (std::vector<std::string>{"A", "B", "", "", "", "", "", ""}));
  const std::string longest = "fifteen-letters";
  hook::take_over(
      rig.maps(),
      {.flows = {}, .framings = {}, .interfaces = {}, .lines = {&longest, 1}, .frame_room = 0});
  EXPECT_EQ(names(), (std::vector<std::string>{longest, "", "", "", "", "", "", ""}));
}

TEST_F(Takeover, ABankThatWasLeftStandsStill) {
  Rig rig;
  rig.prepare({.mark = 1008});
  const auto count = [&](std::uint32_t bank) {
    return hook::sum_counters(rig.maps(), bank, 1).packets;
  };
  const auto first = static_cast<std::uint32_t>(rig.maps().config().bank);
  rig.run(optiq(1008), {.on = On::B});
  EXPECT_EQ(count(first), 1u);
  EXPECT_EQ(hook::cpus_in_hook(rig.maps(), first, kLines), 1u);

  EXPECT_EQ(hook::change_bank(rig.maps(), kLines), first);
  rig.run(optiq(1), {.on = On::B});
  rig.run(optiq(1008).protocol(6), {.on = On::B});
  EXPECT_EQ(count(first), 1u) << "exact, although traffic goes on";
  EXPECT_EQ(count(first ^ 1), 2u);

  rig.run(optiq(1008), {.on = On::A});
  const Snapshot now(rig.maps());
  EXPECT_EQ(now.lines[0].skew_samples[first], 0u);
  EXPECT_EQ(now.lines[0].skew_samples[first ^ 1], 1u) << "skews have banks too";
  EXPECT_EQ(hook::change_bank(rig.maps(), kLines), first ^ 1);
  EXPECT_EQ(count(first), 0u) << "cleared before it is counted in again";
}

/// How far ahead is the receiver's to say.
TEST_F(Takeover, AheadIsASetting) {
  Rig rig;
  rig.prepare({});
  rig.maps().config().ahead = 2;
  EXPECT_EQ(rig.run(optiq(1003), {}).in_words.metadata, "JUMP +3");
  EXPECT_EQ(rig.run(optiq(1002), {}).in_words.metadata, "CLAIMED +2");
}

}  // namespace
}  // namespace linearb::test
