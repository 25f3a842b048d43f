// SPDX-License-Identifier: Apache-2.0
//
// A line that only repairs: retransmissions come on it, on a group of their own.
#include "e2e/arbitration.h"
#include "support/error_text.h"

namespace linearb::test {
namespace {

class RepairLine : public BothModes {
 protected:
  lab::LabOptions lab_options() const override { return {.lines = 3, .queues = 1, .mtu = 1500}; }

  static ReceiverOptions options() {
    ReceiverOptions options = BothModes::options();
    options.lines = lines_of(3, false);
    options.repair_lines = {"C"};
    return options;
  }
  static const LineSummary& repair(const Summary& summary) { return summary.lines[2]; }
};
INSTANTIATE_TEST_SUITE_P(Modes, RepairLine, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

/// What it sends after the gap are numbers from the beginning: on any other line a restart.
TEST_P(RepairLine, FillsHolesAndSaysNothingOfWhereTheFeedIs) {
  Running running(options());
  feed(feed_on("AB", 1, 1000));
  feed(feed_on("AB", 1201, 1000));
  ASSERT_TRUE(running.wait_for(Event::Kind::gap)) << running.event_texts();
  feed(feed_on("C", 1001, 200));
  running.wait_until_quiet();
  feed(feed_on("C", 1, 500));
  running.wait_until_quiet();
  feed(feed_on("AB", 2201, 1000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 3200);
  EXPECT_EQ(summary.messages, 3200u);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.channels[0].epoch, 1u);
  EXPECT_TRUE(repair(summary).repair);
  EXPECT_FALSE(summary.lines[0].repair);
  EXPECT_EQ(repair(summary).won, 200u);
  EXPECT_EQ(repair(summary).duplicate + repair(summary).late, 500u);
  EXPECT_EQ(repair(summary).passed_up, 700u) << "the hook claims nothing of it";
  EXPECT_EQ(repair(summary).lost_messages, 0u);
  for (const Event& event : running.events())
    EXPECT_FALSE(event.kind == Event::Kind::line_state && event.lines == "C") << event.text;
}

TEST_P(RepairLine, InTheOrderOfNumbersNobodyWaitsForIt) {
  ReceiverOptions sequence = options();
  sequence.order = Order::sequence;
  Running running(sequence);
  feed(feed_on("C", 1, 1));
  running.wait_until_quiet();
  feed(feed_on("AB", 1, 1000));
  feed(feed_on("AB", 1011, 1000));
  ASSERT_TRUE(running.wait_for(Event::Kind::gap)) << running.event_texts();
  feed(feed_on("C", 1001, 10));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(0, 1, 1);  // of which epoch it was nobody knew
  running.expect_once(1, 2, 2009);
  EXPECT_EQ(summary.messages, 2010u);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.late_repairs, 10u);
}

TEST_P(RepairLine, AChannelNeedsNoDestinationThere) {
  ReceiverOptions without = options();
  const Destination destination{0, 30001};
  without.channels[0].destination = {};
  without.channels[0].line_destinations = {{"A", destination}, {"B", destination}};
  Running running(without);
  feed(feed_on("ABC", 1, 1000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 1000);
  EXPECT_EQ(repair(summary).not_feed, repair(summary).packets);
  EXPECT_GE(repair(summary).packets, 1000u);
}

TEST_P(RepairLine, ARunningReceiverCannotMakeAnotherOneOfIt) {
  ReceiverOptions changed = options();
  changed.repair_lines = {"B"};
  Running running(options());
  EXPECT_EQ(error_text([&] { running.receiver().reload(changed); }),
            "repair cannot change while the receiver runs, channels alone can: start it again");
}

}  // namespace
}  // namespace linearb::test
