// SPDX-License-Identifier: Apache-2.0
//
// A feed that is sent as live frames: the same packets as by a socket, on the same lines.
#include "e2e/arbitration.h"
#include "live/sender.h"
#include "support/error_text.h"
#include "sys/interface.h"
#include "sys/link_counters.h"

namespace linearb::test {
namespace {

feeder::FeederOptions live_feed(const std::string& lines, std::uint64_t first,
                                std::uint64_t packets, const std::string& framing = "optiq") {
  feeder::FeederOptions options = feed_on(lines, first, packets, framing);
  options.engine = feeder::Engine::live;
  return options;
}

class LiveFeed : public BothModes {
 protected:
  void SetUp() override {
    BothModes::SetUp();
    if (GetParam() == Mode::generic)
      for (const char line : {'A', 'B'}) live::take_live_frames(lab::destination_name(line));
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, LiveFeed, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

TEST_P(LiveFeed, IsReceivedAsItWasSent) {
  Running running(options());
  const feeder::FeederResult sent = feed(live_feed("AB", 1, 20'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 20'000);
  EXPECT_EQ(summary.packets, 20'000u);
  for (std::size_t line = 0; line < 2; ++line) {
    EXPECT_EQ(sent.lines[line].sent, 20'000u);
    EXPECT_EQ(sent.lines[line].completed, 20'000u);
    EXPECT_EQ(sent.lines[line].interface_dropped, 0u);
    EXPECT_EQ(summary.lines[line].packets, 20'000u);
  }
}

/// In blocks, as fast as it goes: what a receiver has no room for is its own affair, and what is
/// lost on the way is counted there.
TEST_P(LiveFeed, ArrivesWholeHoweverFastItIs) {
  Running running(options());
  feeder::FeederOptions fast = live_feed("AB", 1, 200'000);
  fast.rate = 0;
  fast.batch = LB_LIVE_SLOTS;
  const feeder::FeederResult sent = feed(fast);
  const Summary summary = running.end();
  expect_sound(summary, running);
  for (std::size_t line = 0; line < 2; ++line)
    EXPECT_EQ(summary.lines[line].packets + sent.lines[line].interface_dropped, 200'000u);
}

TEST_P(LiveFeed, HasTheFaultsOfItsSeed) {
  auto faulty = live_feed("AB", 1, 5'000, "moldudp64");
  faulty.seed = 7;
  faulty.lines[0].messages_per_packet = 3;
  faulty.lines[0].impairment.loss = 0.05;
  faulty.lines[1].impairment.loss = 0.05;
  faulty.lines[1].impairment.duplicate = 0.1;
  ReceiverOptions receive = options();
  receive.channels[0].framing = "moldudp64";
  Running running(receive);
  const feeder::FeederResult live = feed(faulty);
  const Summary summary = running.end();
  expect_sound(summary, running);
  std::uint64_t missing = 0;
  for (const lb_run& run : feeder::lost_on_every_line(live.lines)) missing += run.count;
  EXPECT_EQ(summary.gap_messages, missing);
  EXPECT_EQ(summary.messages, live.units - missing);
  faulty.engine = feeder::Engine::af_xdp;
  const feeder::FeederResult by_socket = feed(faulty);
  for (std::size_t line = 0; line < 2; ++line) {
    EXPECT_EQ(live.lines[line].sent, by_socket.lines[line].sent);
    EXPECT_EQ(live.lines[line].ledger.dropped, by_socket.lines[line].ledger.dropped);
    EXPECT_EQ(live.lines[line].ledger.duplicated, by_socket.lines[line].ledger.duplicated);
  }
}

using LiveFeedAlone = LabTest;

TEST_F(LiveFeedAlone, WhereNobodyTakesItThatIsSaid) {
  const std::string error = error_text([] { feed(live_feed("A", 1, 100)); });
  EXPECT_NE(error.find("on line A (vethA_src)"), error.npos) << error;
  EXPECT_NE(error.find("ethtool -K INTERFACE gro on"), error.npos) << error;
}

TEST_F(LiveFeedAlone, AnInterfaceWithAnotherProgramIsRefused) {
  live::Sender other;
  const live::InDispatcher there(other.program_fd(), lab::source_name('A'));
  const std::string error = error_text([] { feed(live_feed("A", 1, 100)); });
  EXPECT_NE(error.find("attach the source of live frames to vethA_src"), error.npos) << error;
}

TEST_F(LiveFeedAlone, WhatAnInterfaceDropsIsCounted) {
  sys::set_interface_up(lab::destination_name('A'), false);
  const feeder::FeederResult result = feed(feed_on("A", 1, 100));
  EXPECT_EQ(result.lines[0].completed, 100u);
  EXPECT_EQ(result.lines[0].interface_dropped, 100u);
}

TEST_F(LiveFeedAlone, CountersOfAnInterfaceThatGoesAreRefused) {
  const sys::LinkCounters counters(lab::source_name('A'));
  EXPECT_EQ(counters.read().dropped, 0u);
  lab::down();
  EXPECT_THROW(counters.read(), Error);
  EXPECT_THROW(sys::LinkCounters(lab::source_name('A')), Error);
}

}  // namespace
}  // namespace linearb::test
