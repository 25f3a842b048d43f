// SPDX-License-Identifier: Apache-2.0
//
// In the order of numbers, over real lines.
#include <chrono>
#include <filesystem>

#include "capture/reader.h"
#include "core/walk.h"
#include "e2e/arbitration.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;

class InSequence : public BothModes {
 protected:
  static ReceiverOptions in_sequence(const std::string& framing = "moldudp64") {
    ReceiverOptions receive = options();
    receive.order = Order::sequence;
    receive.channels = {{"itch", framing, {0, 30001}, {}}};
    return receive;
  }

  /// But for what a busy machine kept for longer than a line is given to put things right.
  static void expect_in_order(const Summary& summary, const Running& running) {
    EXPECT_LE(running.out_of_order(), summary.late_repairs);
    EXPECT_LT(summary.late_repairs, 200u);
  }
  static constexpr std::uint64_t kBegin = 100;
  /// What comes first of all has nothing before it that could be waited for.
  static void begin(const std::string& framing) { feed(feed_on("AB", 1, kBegin, framing)); }
};
INSTANTIATE_TEST_SUITE_P(Modes, InSequence, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

TEST_P(InSequence, LossyLinesThatPackDifferentlyAreTrimmedAndInOrder) {
  Running running(in_sequence());
  begin("moldudp64");
  auto lines = feed_on("AB", kBegin + 1, 20'000, "moldudp64");
  lines.lines[0].messages_per_packet = 3;
  lines.lines[1].messages_per_packet = 4;
  lines.lines[1].impairment.skew_ns = 2'000'000;
  for (auto& line : lines.lines) line.impairment.loss = 0.03;
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  std::uint64_t on_no_line = 0;
  for (const lb_run& run : feeder::lost_on_every_line(fed.lines)) on_no_line += run.count;
  EXPECT_EQ(summary.messages + *summary.gap_messages, kBegin + fed.units);
  EXPECT_EQ(summary.gap_messages, on_no_line);
  EXPECT_EQ(summary.packets, sum(summary, &LineSummary::won) + sum(summary, &LineSummary::overlap));
  expect_in_order(summary, running);
  for (const auto& [number, times] : running.delivered().at(1)) ASSERT_EQ(times, 1) << number;
}

/// A packet in two parts is two records in the file.
TEST_P(InSequence, TheFileIsInOrderToo) {
  const std::string path = "in_sequence.pcap";
  ReceiverOptions receive = in_sequence();
  receive.write_path = path;
  Running running(receive);
  begin("moldudp64");
  auto lines = feed_on("AB", kBegin + 1, 20'000, "moldudp64");
  lines.lines[0].messages_per_packet = 1;
  lines.lines[1].messages_per_packet = 7;
  lines.lines[0].impairment.loss = 0.2;
  feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  capture::Reader reader(path);
  std::uint64_t messages = 0, behind = 0, highest = 0;
  const lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  while (const auto record = reader.next()) {
    lb_walk walk{};
    lb_datagram datagram{};
    ASSERT_EQ(
        lb_walk_frame(record->bytes.data(), record->bytes.data() + record->bytes.size(), &walk),
        LB_WALK_DATAGRAM);
    const std::uint8_t* payload = record->bytes.data() + walk.payload_offset;
    ASSERT_EQ(lb_framing_decode(&framing, payload, payload + walk.payload_length,
                                walk.payload_length, &datagram),
              LB_KIND_DATA);
    messages += datagram.count;
    behind += datagram.first < highest;
    highest = std::max(highest, datagram.first + datagram.count);
  }
  std::filesystem::remove(path);
  EXPECT_EQ(messages, summary.messages);
  EXPECT_LE(behind, summary.late_repairs);
}

TEST_P(InSequence, PacketsThatChangedTheirPlacesArePutBack) {
  Running running(in_sequence("optiq"));
  begin("optiq");
  auto lines = feed_on("AB", kBegin + 1, 20'000);
  for (auto& line : lines.lines) {
    line.impairment.loss = 0.01;
    line.impairment.reorder = 0.05;
    line.impairment.reorder_depth = 4;
  }
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_GT(fed.lines[0].ledger.reordered, 500u);
  EXPECT_EQ(summary.messages + *summary.gap_messages, kBegin + fed.units);
  expect_in_order(summary, running);
}

/// Nobody waits for a line that is silent.
TEST_P(InSequence, OneLineAlone) {
  Running running(in_sequence("optiq"));
  auto lines = feed_on("A", 1, 10'000);
  lines.lines[0].impairment.loss = 0.05;
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  expect_in_order(summary, running);
  EXPECT_GT(*summary.gap_messages, 100u);
  EXPECT_LE(summary.messages + *summary.gap_messages, fed.units) << "the last can be lost";
}

/// Line B could bring it as far as anybody knows, but the frames are needed.
TEST_P(InSequence, AHoldEndsWhereItTakesHalfOfTheFrames) {
  ReceiverOptions receive = in_sequence("optiq");
  receive.frames = 64;
  Running running(receive);
  feed(feed_on("AB", 1, 500));
  running.wait_until_quiet();
  feed(feed_on("AB", 501, 500));
  running.wait_until_quiet();
  feed(feed_on("A", 1'002, 400));
  const Summary summary = running.end();
  expect_sound(summary, running);
  expect_in_order(summary, running);
  EXPECT_EQ(summary.messages + *summary.gap_messages, 1'401u);
}

/// Line B is still in the first numbering when A is in the second.
TEST_P(InSequence, AnEpochWaitsForTheLinesToLeaveTheOneBefore) {
  Running running(in_sequence("optiq"));
  feed(feed_on("AB", 1, 2'000));
  running.wait_until_quiet();
  auto late = feed_on("B", 2'001, 1'500);
  late.rate = 10'000;
  auto behind = std::async(std::launch::async, [&] {
    feed(late);
    std::this_thread::sleep_for(60ms);
    feed(feed_on("B", 1, 2'000));
  });
  feed(feed_on("A", 2'001, 1'000));
  std::this_thread::sleep_for(60ms);
  feed(feed_on("A", 1, 2'000));
  behind.get();
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 3'500);
  running.expect_once(2, 1, 2'000);
  expect_in_order(summary, running);
}

/// What waits when it ends is delivered.
TEST_P(InSequence, ARunThatEndsLeavesNothingWaiting) {
  Running running(in_sequence("optiq"));
  feed(feed_on("AB", 1, 500));
  feed(feed_on("AB", 502, 500));
  running.receiver().stop();
  const Summary summary = running.end();
  expect_sound(summary, running);
  expect_in_order(summary, running);
}

}  // namespace
}  // namespace linearb::test
