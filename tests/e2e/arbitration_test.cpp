// SPDX-License-Identifier: Apache-2.0
//
// The whole path: feeder, veth lines, hook, AF_XDP, sequencer, application. Verdicts are counts.
#include "e2e/arbitration.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "hook/hook.h"
#include "sys/cpu.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

class Arbitration : public BothModes {
 protected:
  static void expect_sound(const Summary& summary, const Running& running) {
    BothModes::expect_sound(summary, running);
    for (const LineSummary& line : summary.lines) {
      EXPECT_EQ(line.packets, line.accounted()) << line.name;
      EXPECT_EQ(line.bind, "copy");
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, Arbitration, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

/// The second line begins when the first is done: it is behind by as long as the feed takes at
/// least, however slow the machine is. So many numbers have a stamp of their own.
constexpr std::uint64_t kStamped = LB_SKEW_STAMPS << LB_SKEW_SAMPLE_SHIFT;

TEST_P(Arbitration, ALeadingDeliversEachMessageOnce) {
  Running running(options());
  feed(feed_on("A", 1, kStamped));
  running.wait_until_quiet();
  feed(feed_on("B", 1, kStamped));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, kStamped);
  EXPECT_EQ(summary.packets, kStamped);
  EXPECT_EQ(summary.messages, kStamped);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.lines[0].won, kStamped);
  EXPECT_EQ(summary.lines[1].duplicate, kStamped);
  // Each sampled number that the hook judged on both lines, however late it began to.
  const std::uint64_t passed_up =
      std::min(kStamped, summary.lines[0].passed_up + summary.lines[1].passed_up);
  EXPECT_GE(summary.lines[1].skew_ns.count + 1, (kStamped - passed_up) >> LB_SKEW_SAMPLE_SHIFT);
  EXPECT_GE(summary.lines[1].skew_ns.p50, 100'000'000u);
  EXPECT_GE(summary.lines[1].skew_ns.max, summary.lines[1].skew_ns.p99);
}

TEST_P(Arbitration, BLeadingLosesNothing) {
  Running running(options());
  feed(feed_on("B", 1, 20'000));
  running.wait_until_quiet();
  feed(feed_on("A", 1, 20'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 20'000);
  EXPECT_EQ(summary.packets, 20'000u);
  EXPECT_EQ(summary.lines[1].won, 20'000u);
  EXPECT_EQ(summary.gap_messages, 0u);
}

/// A bit of the payload is flipped behind the sender's checksum: in a number, a count, a message.
TEST_P(Arbitration, WhatWasCorruptedOnTheWayIsNotBelievedWhereChecksumsAreVerified) {
  ReceiverOptions verifying = options();
  verifying.checksum = Checksum::verify;
  verifying.channels[0].framing = "moldudp64";
  Running running(verifying);
  auto lines = feed_on("AB", 1, 20'000, "moldudp64");
  for (auto& line : lines.lines) line.messages_per_packet = 3;
  lines.lines[0].impairment.corrupt = 0.3;
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, fed.units);
  EXPECT_EQ(summary.messages, fed.units);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_GT(fed.lines[0].ledger.corrupted, 1'000u);
  EXPECT_EQ(summary.lines[0].malformed, fed.lines[0].ledger.corrupted);
  EXPECT_EQ(summary.lines[1].malformed, 0u);
}

TEST_P(Arbitration, WhatWasCorruptedOnBothLinesIsAGapWhereChecksumsAreVerified) {
  ReceiverOptions verifying = options();
  verifying.channels[0].checksum = Checksum::verify;
  Running running(verifying);
  auto lines = feed_on("AB", 1, 20'000);
  for (auto& line : lines.lines) line.impairment.corrupt = 0.1;
  feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_GT(*summary.gap_messages, 50u) << "about one in a hundred";
  EXPECT_LT(*summary.gap_messages, 600u);
  EXPECT_EQ(sum(summary, &LineSummary::unconfirmed), 0u) << "no number was a wrong one";
}

TEST_P(Arbitration, LossOnBothLinesIsRepairedWhereOneLineHadIt) {
  Running running(options());
  auto lines = feed_on("AB", 1, 30'000);
  lines.lines[0].impairment = {.loss = 0.05, .burst = {.rate = 0.001, .mean_length = 20}};
  lines.lines[1].impairment = {.loss = 0.05, .burst = {.rate = 0.001, .mean_length = 20}};
  lines.lines[1].impairment.skew_ns = 50'000;
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);

  std::uint64_t on_no_line = 0;
  std::vector<Gap> gaps;
  for (const lb_run& run : feeder::lost_on_every_line(fed.lines)) {
    on_no_line += run.count;
    gaps.push_back({"optiq", 1, run.first + 1, run.count});
  }
  ASSERT_GT(on_no_line, 20u) << "the seed no longer loses anything on both lines";
  ASSERT_EQ(summary.gap_messages, on_no_line);
  ASSERT_EQ(summary.gaps->size(), gaps.size());
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    EXPECT_EQ(summary.gaps->at(i).first, gaps[i].first);
    EXPECT_EQ(summary.gaps->at(i).count, gaps[i].count);
  }
  EXPECT_EQ(summary.packets + on_no_line, 30'000u);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(summary.lines[i].lost_messages, fed.lines[i].ledger.dropped)
        << "what the line lost between its first and its last";
}

TEST_P(Arbitration, EveryImpairmentAtOnceStillDeliversOnce) {
  Running running(options());
  auto lines = feed_on("AB", 1, 30'000);
  for (auto& line : lines.lines)
    line.impairment = {.loss = 0.02,
                       .burst = {},
                       .skew_ns = 0,
                       .jitter_ns = 300'000,
                       .reorder = 0.02,
                       .reorder_depth = 8,
                       .duplicate = 0.05,
                       .corrupt = 0};
  lines.lines[1].impairment.skew_ns = 30'000'000;  // longer than a reordering is believed to take
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  std::uint64_t on_no_line = 0;
  for (const lb_run& run : feeder::lost_on_every_line(fed.lines)) on_no_line += run.count;
  EXPECT_EQ(summary.packets + on_no_line, 30'000u);
  EXPECT_EQ(summary.gap_messages, on_no_line);
  EXPECT_EQ(summary.channels[0].epoch, 1u) << "a reordering was taken for a restart";
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(summary.lines[i].lost_messages, fed.lines[i].ledger.dropped);
}

TEST_P(Arbitration, ALineThatGoesDownAndComesBackIsTakenBack) {
  Running running(options());
  feed(feed_on("AB", 1, 5'000));
  feed(feed_on("A", 5'001, 20'000));
  feed(feed_on("AB", 25'001, 5'000));
  feed(feed_on("B", 30'001, 20'000));
  feed(feed_on("AB", 50'001, 5'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 55'000);
  EXPECT_EQ(summary.packets, 55'000u);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.channels[0].epoch, 1u);
  EXPECT_EQ(summary.lines[0].lost_messages, 20'000u);
  EXPECT_EQ(summary.lines[1].lost_messages, 20'000u);
}

TEST_P(Arbitration, NumbersThatRestartAtOneBeginAnEpochWithBBehind) {
  Running running(options());
  // Each line is fed by itself: B is still in the old numbers when A begins again.
  const auto feed_line = [](const std::string& line, int delay_ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    for (int life = 0; life < 2; ++life) {
      auto options = feed_on(line, 1, 10'000);
      options.rate = 50'000;
      feed(options);
    }
  };
  std::thread a(feed_line, "A", 0);
  std::thread b(feed_line, "B", 40);
  a.join();
  b.join();
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.channels[0].epoch, 2u);
  EXPECT_EQ(summary.packets, 20'000u);
  EXPECT_EQ(summary.gap_messages, 0u);
  running.expect_once(1, 1, 10'000);
  running.expect_once(2, 1, 10'000);
}

TEST_P(Arbitration, AStoppedReceiverTakesFromBWhatItHadNoRoomForOnA) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  running.wait_until_quiet();
  running.blocked = true;
  auto lines = feed_on("A", 1'001, 40'000);
  lines.rate = 0;
  feed(lines);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  running.blocked = false;
  running.wait_until_quiet();
  lines = feed_on("B", 1'001, 40'000);
  feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 41'000);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_GT(summary.lines[0].no_credit, 30'000u);
  EXPECT_EQ(summary.lines[0].no_credit + summary.lines[0].won + summary.lines[0].duplicate,
            summary.lines[0].packets);
  EXPECT_EQ(summary.lines[0].lost_messages, 0u) << "what the machine had no room for, the line "
                                                   "did not lose";
}

TEST_P(Arbitration, LinesThatPackDifferentlyAreTrimmedToTheMessage) {
  ReceiverOptions receive = options();
  receive.channels = {{"itch", "moldudp64", {0, 30001}, {}}};
  Running running(receive);
  auto lines = feed_on("AB", 1, 10'000, "moldudp64");
  lines.lines[0].messages_per_packet = 3;
  lines.lines[1].messages_per_packet = 4;
  for (auto& line : lines.lines) line.impairment.loss = 0.03;
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  std::uint64_t on_no_line = 0;
  for (const lb_run& run : feeder::lost_on_every_line(fed.lines)) on_no_line += run.count;
  EXPECT_EQ(summary.messages + *summary.gap_messages, fed.units);
  EXPECT_EQ(summary.gap_messages, on_no_line);
  EXPECT_GT(sum(summary, &LineSummary::overlap), 100u);
  for (const auto& [number, times] : running.delivered().at(1)) ASSERT_EQ(times, 1) << number;
}

TEST_P(Arbitration, TwoCpusInTheHookClaimEachMessageOnce) {
  if (sys::allowed_cpus().size() < 2) GTEST_SKIP() << "needs two CPUs";
  Running running(options());
  constexpr std::uint64_t kPackets = 150'000;
  const auto feed_line = [](const std::string& line, unsigned cpu) {
    auto options = feed_on(line, 1, kPackets);
    options.cpu = cpu;
    feed(options);
  };
  std::thread a(feed_line, "A", 0);
  std::thread b(feed_line, "B", 1);
  a.join();
  b.join();
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.hook_cpus, 2u);
  EXPECT_EQ(summary.packets, kPackets);
  EXPECT_EQ(summary.gap_messages, 0u);
  running.expect_once(1, 1, kPackets);
}

TEST_P(Arbitration, IdentifiersWithoutOrderUnderLru) {
  ReceiverOptions receive = options();
  receive.dedup = Dedup::lru;
  Running running(receive);
  feed(feed_on("AB", 50'001, 10'000));
  feed(feed_on("AB", 1, 10'000));  // lower than before: for the window this would be a restart
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.packets, 20'000u);
  EXPECT_EQ(sum(summary, &LineSummary::duplicate), 20'000u);
  EXPECT_EQ(sum(summary, &LineSummary::passed_up), 0u) << "the hook judges them itself";
  EXPECT_FALSE(summary.gaps.has_value());
  EXPECT_FALSE(summary.gap_messages.has_value());
}

TEST_P(Arbitration, SpinningAndBusyPollingReceiveTheSame) {
  for (const Wait wait : {Wait::spin, Wait::busy_poll}) {
    ReceiverOptions receive = options();
    receive.wait = wait;
    receive.cpus = {sys::allowed_cpus().back()};
    Running running(receive);
    feed(feed_on("AB", 1, 5'000));
    const Summary summary = running.end();
    expect_sound(summary, running);
    EXPECT_EQ(summary.packets, 5'000u);
  }
}

TEST_P(Arbitration, EndsAfterSoManyPacketsOrWhenTheLinesAreIdle) {
  ReceiverOptions receive = options();
  receive.packets = 1'000;
  {
    Receiver receiver(receive, {});
    auto result = std::async(std::launch::async, [&] { return receiver.run(); });
    feed(feed_on("AB", 1, 2'000));
    const Summary summary = result.get();
    EXPECT_GE(summary.packets, 1'000u);
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  }
  receive.packets.reset();
  receive.idle_exit_seconds = 0.3;
  Receiver receiver(receive, {});
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  feed(feed_on("AB", 1, 2'000));
  EXPECT_EQ(result.get().packets, 2'000u);
}

TEST_P(Arbitration, OneSeedGivesOneResult) {
  std::vector<Summary> summaries;
  for (int run = 0; run < 2; ++run) {
    Running running(options());
    auto lines = feed_on("AB", 1, 10'000);
    lines.seed = 42;
    for (auto& line : lines.lines) line.impairment.loss = 0.1;
    feed(lines);
    summaries.push_back(running.end());
  }
  EXPECT_EQ(summaries[0].packets, summaries[1].packets);
  ASSERT_EQ(summaries[0].gaps->size(), summaries[1].gaps->size());
  for (std::size_t i = 0; i < summaries[0].gaps->size(); ++i)
    EXPECT_EQ(summaries[0].gaps->at(i).first, summaries[1].gaps->at(i).first);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_EQ(summaries[0].lines[i].lost_messages, summaries[1].lines[i].lost_messages);
}

/// How many interfaces have joined the group, by what the kernel says.
int interfaces_in_group(const std::string& reversed_hex) {
  std::ifstream memberships("/proc/self/net/igmp");
  int interfaces = 0;
  for (std::string line; std::getline(memberships, line);)
    if (line.find(reversed_hex) != std::string::npos) ++interfaces;
  return interfaces;
}

TEST_P(Arbitration, GroupsAreJoinedOnEachLineForAsLongAsItRuns) {
  ReceiverOptions receive = options();
  receive.channels = {{"both", "optiq", {0xef010101, 30001}, {}},
                      {"differ", "optiq", {0xef010102, 30001}, {{"B", {0xef010103, 30001}}}}};
  {
    Running running(receive);
    EXPECT_EQ(interfaces_in_group("010101EF"), 2);
    EXPECT_EQ(interfaces_in_group("020101EF"), 1);
    EXPECT_EQ(interfaces_in_group("030101EF"), 1);
    auto lines = feed_on("AB", 1, 1'000);
    lines.lines[0].destination = {0xef010102, 30001};
    lines.lines[1].destination = {0xef010103, 30001};
    feed(lines);
    const Summary summary = running.end();
    expect_sound(summary, running);
    EXPECT_EQ(summary.packets, 1'000u);
    EXPECT_EQ(summary.channels[1].messages, 1'000u);
  }
  EXPECT_EQ(interfaces_in_group("010101EF"), 0);
}

TEST_P(Arbitration, ASecondReceiverOnTheSameLinesIsRefused) {
  Running running(options());
  try {
    Receiver second(options(), {});
    FAIL() << "two receivers own one hook";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(") owns the hook"), std::string::npos) << error.what();
  }
  feed(feed_on("AB", 1, 500));
  EXPECT_EQ(running.end().packets, 500u) << "the first one goes on";
}

TEST_P(Arbitration, AKeptHookIsTakenOverByTheNextReceiver) {
  ReceiverOptions receive = options();
  receive.keep_hook = true;
  for (int life = 0; life < 2; ++life) {
    Running running(receive);
    feed(feed_on("AB", 1 + 1'000 * life, 1'000));
    const Summary summary = running.end();
    expect_sound(summary, running);
    EXPECT_EQ(summary.packets, 1'000u);
  }
  const hook::Interface a{lab::destination_name('A'),
                          sys::interface_index(lab::destination_name('A'))};
  EXPECT_NE(hook::attachment_of(a).program_id, 0u);
  receive.mode = GetParam() == Mode::native ? Mode::generic : Mode::native;
  EXPECT_THROW(Receiver(receive, {}), Error) << "a hook that is attached keeps its mode";
}

TEST_P(Arbitration, WhatWasAttachedIsDetached) {
  { Running(options()).end(); }
  for (const char line : {'A', 'B'}) {
    const std::string name = lab::destination_name(line);
    EXPECT_EQ(hook::attachment_of({name, sys::interface_index(name)}).program_id, 0u);
  }
  EXPECT_FALSE(std::filesystem::exists(hook::kPinDirectory));
}

/// The maps of the hook that a receiver of this process has attached.
hook::Hook adopt_hook() {
  std::vector<hook::Interface> interfaces;
  for (const char line : {'A', 'B'})
    interfaces.push_back(
        {lab::destination_name(line), sys::interface_index(lab::destination_name(line))});
  return hook::Hook(interfaces, {1, 2});
}

TEST_P(Arbitration, ADriverWithoutRoomForMetadataLosesNothing) {
  Running running(options());
  const hook::Hook adopted = adopt_hook();
  lb_store_release(&adopted.maps().config().flags, 0);
  auto lines = feed_on("AB", 1, 10'000);
  for (auto& line : lines.lines) line.impairment.loss = 0.05;
  const feeder::FeederResult fed = feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  std::uint64_t on_no_line = 0;
  for (const lb_run& run : feeder::lost_on_every_line(fed.lines)) on_no_line += run.count;
  EXPECT_EQ(summary.packets + on_no_line, 10'000u);
  EXPECT_EQ(summary.gap_messages, on_no_line);
}

TEST_P(Arbitration, APacketThatIsSwallowedAnywhereShowsInTheBalance) {
  using Swallow = std::function<void(const hook::Maps&, std::uint32_t bank)>;
  const std::vector<std::pair<const char*, Swallow>> stages = {
      {"before a way out of the hook",
       [](const hook::Maps& maps, std::uint32_t bank) { ++maps.counters(bank, 0, 0).packets; }},
      {"at the redirect",
       [](const hook::Maps& maps, std::uint32_t bank) { ++maps.counters(bank, 0, 0).claimed; }},
      {"counted out but never in",
       [](const hook::Maps& maps, std::uint32_t bank) { ++maps.counters(bank, 1, 0).duplicate; }},
      {"between credit and ring",
       [](const hook::Maps& maps, std::uint32_t) { lb_fetch_add(&maps.credit(0).redirected, 1); }},
  };
  for (const auto& [stage, swallow] : stages) {
    Running running(options());
    {
      const hook::Hook adopted = adopt_hook();
      feed(feed_on("AB", 1, 1'000));
      running.wait_until_quiet();
      swallow(adopted.maps(), static_cast<std::uint32_t>(adopted.maps().config().bank));
    }
    const Summary summary = running.end();
    EXPECT_FALSE(summary.balanced) << stage;
    EXPECT_FALSE(summary.imbalances.empty()) << stage;
    EXPECT_EQ(summary.packets, 1'000u) << stage;
  }
}

TEST_P(Arbitration, WhatTheKernelLosesIsCountedAndItsCreditIsGivenBack) {
  ReceiverOptions receive = options();
  receive.frames = 64;
  Running running(receive);
  const hook::Hook adopted = adopt_hook();
  feed(feed_on("AB", 1, 1'000));
  running.wait_until_quiet();
  // As if the kernel had lost a packet of line A: redirected, and never in the RX ring.
  const hook::Maps& maps = adopted.maps();
  lb_counters& hook_a = maps.counters(static_cast<std::uint32_t>(maps.config().bank), 0, 0);
  lb_fetch_add(&hook_a.packets, 1);
  lb_fetch_add(&hook_a.claimed, 1);
  lb_fetch_add(&maps.credit(0).redirected, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_EQ(maps.credit(0).returned, maps.credit(0).redirected) << "the credit is back";
  feed(feed_on("AB", 1'001, 5'000));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].kernel_lost, 1u);
  EXPECT_EQ(summary.lines[0].packets, summary.lines[0].accounted());
}

TEST_P(Arbitration, WhatWasGivenUpAndComesLateDoesNotMakeTheLineDeaf) {
  Running running(options());
  const hook::Hook adopted = adopt_hook();
  feed(feed_on("AB", 1, 1'000));
  running.wait_until_quiet();
  lb_credit& credit = adopted.maps().credit(0);
  lb_fetch_add(&credit.redirected, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_TRUE(running.wait_for(Event::Kind::losses)) << running.event_texts();
  EXPECT_TRUE(contains(running.event_texts(), "vethA_dst lost 1 packets between hook and socket"));
  lb_fetch_add(&credit.redirected, ~0ull);  // what was given up is not outstanding any more
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  feed(feed_on("AB", 1'001, 5'000));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].kernel_lost, 0u);
  EXPECT_EQ(summary.packets, 6'000u);
  EXPECT_GT(summary.lines[0].won + summary.lines[0].duplicate, 5'900u) << "line A was deaf";
}

TEST_P(Arbitration, ARunThatEndsInFullFlowIsBalanced) {
  for (int round = 0; round < 5; ++round) {
    Receiver receiver(options(), {});
    auto result = std::async(std::launch::async, [&] { return receiver.run(); });
    auto lines = feed_on("AB", 1, 60'000);
    lines.rate = 0;
    std::thread feeding([&] { feed(lines); });
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    receiver.stop();
    const Summary summary = result.get();
    feeding.join();
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
    EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
    lab::down();
    lab::up({});
  }
}

class FourQueues : public Arbitration {
  lab::LabOptions lab_options() const override { return {.lines = 3, .queues = 4, .mtu = 1500}; }
};
class EightLines : public Arbitration {
  lab::LabOptions lab_options() const override { return {.lines = 8, .queues = 1, .mtu = 1500}; }
};
INSTANTIATE_TEST_SUITE_P(Modes, EightLines, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

TEST_P(EightLines, OneOfEightCopiesIsDelivered) {
  ReceiverOptions receive = options();
  receive.lines = lines_of(8, false);
  Running running(receive);
  auto lines = feed_on("ABCDEFGH", 1, 4'000);
  lines.rate = 5'000;
  for (auto& line : lines.lines) line.impairment.loss = 0.3;
  feed(lines);
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.packets + *summary.gap_messages, 4'000u);
  EXPECT_LT(*summary.gap_messages, 40u);                      // 0.3 to the 8th of them
  EXPECT_GT(sum(summary, &LineSummary::duplicate), 15'000u);  // of eight times 0.7 times 4,000
}

INSTANTIATE_TEST_SUITE_P(Modes, FourQueues, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

TEST_P(FourQueues, EveryQueueOfThreeLinesHasASocket) {
  ReceiverOptions receive = options();
  receive.lines = lines_of(3, false);
  Running running(receive);
  std::vector<std::thread> feeders;
  for (std::uint32_t queue = 0; queue < 4; ++queue) {
    feeders.emplace_back([queue] {
      auto lines = feed_on("ABC", 1 + 3'000 * queue, 3'000);
      for (auto& line : lines.lines) line.queue = queue;
      feed(lines);
    });
    feeders.back().join();  // one after the other: the queues of a line keep no common order
  }
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 12'000);
  EXPECT_EQ(summary.packets, 12'000u);
  EXPECT_EQ(sum(summary, &LineSummary::duplicate), 24'000u);
}

}  // namespace
}  // namespace linearb::test
