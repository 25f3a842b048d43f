// SPDX-License-Identifier: Apache-2.0
//
// More than the receiver can take: it stands still, it is slow, its rings are small. What line A
// could not hand over is taken from B; what no line could is lost, and every number of it is said.
#include <chrono>
#include <functional>

#include <nlohmann/json.hpp>

#include "e2e/arbitration.h"
#include "support/packet.h"
#include "support/raw_line.h"
#include "support/tap.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;

std::string name_of(Mode mode) {
  return mode == Mode::native ? "Native" : "Generic";
}

/// A message of optiq is a packet: what is refused of one is refused of the other.
struct Row {
  const char* name;
  Mode mode;
  std::uint32_t frames;
  std::chrono::milliseconds still;  ///< how long the application does not come back
  std::uint32_t slow_us;            ///< and how long it needs for each packet
  std::uint64_t skew_ns;            ///< of line B
  double loss;                      ///< on line A
  bool is_repaired;                 ///< B brings all that A could not hand over
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name << name_of(row.mode);
}

class Overload : public LabTest, public ::testing::WithParamInterface<Row> {
 protected:
  /// What was not delivered of [1, end) is what is reported, number by number.
  static void expect_gaps_are_what_is_missing(const Summary& summary, const Running& running,
                                              std::uint64_t end) {
    ASSERT_EQ(running.delivered().size(), 1u) << "one epoch";
    const auto& delivered = running.delivered().begin()->second;
    std::uint64_t missing = 0;
    std::vector<Gap> gaps;
    const std::uint64_t last = delivered.rbegin()->first;
    for (std::uint64_t number = delivered.begin()->first; number < last; ++number) {
      if (delivered.contains(number)) continue;
      ++missing;
      if (!gaps.empty() && gaps.back().first + gaps.back().count == number)
        ++gaps.back().count;
      else
        gaps.push_back({"optiq", 1, number, 1});
    }
    for (const auto& [number, times] : delivered) ASSERT_EQ(times, 1) << number;
    EXPECT_EQ(summary.gap_messages, missing);
    ASSERT_EQ(summary.gaps->size(), std::min<std::size_t>(gaps.size(), 1'000));
    for (std::size_t i = 0; i < summary.gaps->size(); ++i) {
      EXPECT_EQ(summary.gaps->at(i).first, gaps[i].first);
      EXPECT_EQ(summary.gaps->at(i).count, gaps[i].count);
    }
    EXPECT_EQ(summary.messages, delivered.size());
    EXPECT_LE(last, end);
  }
  /// A number is lost only if each line that brought it was refused.
  static void expect_refusals_explain(const Summary& summary, std::uint64_t lost_on_a) {
    EXPECT_LE(*summary.gap_messages, summary.lines[0].no_credit + lost_on_a);
    EXPECT_LE(*summary.gap_messages, summary.lines[1].no_credit);
  }
};

constexpr Row kRows[] = {
    {"BothRefuse", Mode::native, 4096, 1'500ms, 0, 0, 0, false},
    {"BothRefuse", Mode::generic, 4096, 1'500ms, 0, 0, 0, false},
    {"BothRefuseWithRingsOf64", Mode::native, 64, 1'500ms, 0, 0, 0.01, false},
    {"BothRefuseWithRingsOf64", Mode::generic, 64, 1'500ms, 0, 0, 0.01, false},
    {"BComesWhenItGoesOn", Mode::native, 16'384, 1'200ms, 0, 2'000'000'000, 0, true},
    {"BComesWhenItGoesOn", Mode::generic, 16'384, 1'200ms, 0, 2'000'000'000, 0, true},
    {"SlowerThanTheFeed", Mode::native, 64, 0ms, 300, 1'000'000, 0, false},
    {"SlowerThanTheFeed", Mode::generic, 256, 0ms, 300, 1'000'000, 0.01, false},
};
INSTANTIATE_TEST_SUITE_P(Rows, Overload, ::testing::ValuesIn(kRows), [](const auto& test) {
  return test.param.name + name_of(test.param.mode);
});

TEST_P(Overload, OnlyWhatNoLineCouldHandOverIsLost) {
  const Row& row = GetParam();
  constexpr std::uint64_t kBefore = 1'000;
  const auto meanwhile = static_cast<std::uint64_t>(feed_rate() * 1.5);
  ReceiverOptions options;
  options.mode = row.mode;
  options.frames = row.frames;
  Running running(options);
  feed(feed_on("AB", 1, kBefore / 2));
  running.wait_until_quiet();
  feed(feed_on("AB", kBefore / 2 + 1, kBefore / 2));  // the channel is published now
  running.wait_until_quiet();

  running.slow_us = row.slow_us;
  running.blocked = row.still != 0ms;
  auto lines = feed_on("AB", kBefore + 1, meanwhile);
  lines.lines[0].impairment.loss = row.loss;
  lines.lines[1].impairment.skew_ns = row.skew_ns;
  auto feeding = std::async(std::launch::async, [&] { return feed(lines); });
  std::this_thread::sleep_for(row.still);
  running.blocked = false;
  const feeder::FeederResult fed = feeding.get();
  running.wait_until_quiet();
  running.slow_us = 0;
  feed(feed_on("AB", kBefore + meanwhile + 1, kBefore));
  const Summary summary = running.end();

  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(running.wrong_bytes(), 0u);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  EXPECT_GT(summary.lines[0].no_credit, 100u) << "it was no overload";
  const std::uint64_t end = 2 * kBefore + meanwhile;
  expect_gaps_are_what_is_missing(summary, running, end);
  expect_refusals_explain(summary, fed.lines[0].ledger.dropped);
  EXPECT_EQ(summary.messages + *summary.gap_messages, end);
  if (row.is_repaired)
    EXPECT_EQ(summary.gap_messages, 0u) << "line B had all of it";
  else
    EXPECT_GT(*summary.gap_messages, 0u);
}

class OverloadInMode : public LabTest, public ::testing::WithParamInterface<Mode> {};
INSTANTIATE_TEST_SUITE_P(Modes, OverloadInMode, ::testing::Values(Mode::native, Mode::generic),
                         [](const auto& test) { return name_of(test.param); });

/// Line B has few packets, from further on; line A many, from before. Read in turns the rings would
/// show B far beyond the memory of what A brings, with more holes than are remembered from there.
TEST_P(OverloadInMode, TheRingWhosePacketsAreOldestIsReadFirst) {
  constexpr std::uint32_t kCut = 16;
  constexpr std::uint64_t kBefore = 500;
  constexpr std::uint64_t kPackets = 10'000;
  constexpr std::uint64_t kFurtherOn = 20'000;
  ReceiverOptions options;
  options.mode = GetParam();
  options.frames = 16'384;
  options.channels[0].framing = "moldudp64";
  Running running(options);
  const auto feed_packets = [&](const char* lines, std::uint64_t first, std::uint64_t packets,
                                double loss) {
    auto feeding = feed_on(lines, 1 + first * kCut, packets, "moldudp64");
    for (auto& line : feeding.lines) {
      line.messages_per_packet = kCut;
      line.impairment.loss = loss;
    }
    return feed(feeding);
  };
  for (const std::uint64_t first : {0ul, kBefore}) {
    feed_packets("AB", first, kBefore, 0);
    running.wait_until_quiet();
  }
  running.blocked = true;
  feed_packets("A", 2 * kBefore, kPackets, 0);
  const feeder::FeederResult sparse = feed_packets("B", 2 * kBefore + kPackets, kFurtherOn, 0.9);
  running.blocked = false;
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::no_credit), 0u);
  running.expect_once(1, 1, (2 * kBefore + kPackets) * kCut);
  const std::uint64_t brought = kFurtherOn - sparse.lines[0].ledger.dropped;
  EXPECT_EQ(summary.messages, (2 * kBefore + kPackets + brought) * kCut);
}

/// Nothing comes behind it that would show the hole: the hook's marks do.
TEST_P(OverloadInMode, WhatIsRefusedAtTheEndIsAGap) {
  constexpr std::uint64_t kPart = 500;
  ReceiverOptions options;
  options.mode = GetParam();
  options.frames = 64;
  Running running(options);
  for (const std::uint64_t first : {1ul, kPart + 1}) {
    feed(feed_on("AB", first, kPart));
    running.wait_until_quiet();
  }
  running.blocked = true;
  feed(feed_on("AB", 2 * kPart + 1, 2 * kPart));
  running.blocked = false;
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.messages + *summary.gap_messages, 4 * kPart);
  EXPECT_GT(*summary.gap_messages, kPart);
}

constexpr std::uint16_t kFirstPort = 30'001;

Bytes packet_of(std::uint32_t channel, std::uint32_t number) {
  const auto message = feeder::optiq_message(number, 0);
  return udp_packet()
      .to("239.192.30.1", static_cast<std::uint16_t>(kFirstPort + channel))
      .payload(Bytes(message.begin(), message.end()))
      .build();
}

/// A channel that waits for what never comes takes nothing from the others: with rings of 64, and
/// more than a hundred of them.
TEST_P(OverloadInMode, AHoleInOneChannelMakesNobodyDeaf) {
  constexpr std::uint32_t kChannels = 101;
  constexpr std::uint32_t kNumbers = 60;
  constexpr std::uint32_t kHole = 20;
  constexpr std::uint32_t kHoleEnd = 45;
  ReceiverOptions options;
  options.mode = GetParam();
  options.frames = 64;
  options.channels.clear();
  for (std::uint32_t i = 0; i < kChannels; ++i)
    options.channels.push_back(
        {std::to_string(i), "optiq", {0, static_cast<std::uint16_t>(kFirstPort + i)}, {}});
  std::vector<std::vector<int>> came(kChannels, std::vector<int>(kNumbers + 1));
  std::atomic<std::uint64_t> packets = 0;
  Receiver receiver(options, [&](const Delivery& delivery) {
    ++came[delivery.channel][delivery.range.first];
    ++packets;
  });
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  const RawLine a("vethA_src");
  const RawLine b("vethB_src");
  std::uint64_t sent = 0;
  for (std::uint32_t number = 1; number <= kNumbers; ++number) {
    for (std::uint32_t channel = 0; channel < kChannels; ++channel) {
      if (channel == 0 && number >= kHole && number < kHoleEnd) continue;
      a.send(packet_of(channel, number));
      b.send(packet_of(channel, number));
      ++sent;
      // As many as are certainly handed over: this is about holes, not about credit.
      if (sent % 16 != 0) continue;
      EXPECT_TRUE(wait_until([&] { return packets == sent; }));
    }
  }
  EXPECT_TRUE(wait_until([&] { return packets == sent; })) << packets << " of " << sent;
  receiver.stop();
  const Summary summary = result.get();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::no_credit), 0u);
  ASSERT_EQ(summary.gaps->size(), 1u);
  EXPECT_EQ(summary.gaps->front().channel, "0");
  EXPECT_EQ(summary.gaps->front().first, kHole);
  EXPECT_EQ(summary.gaps->front().count, kHoleEnd - kHole);
  for (std::uint32_t channel = 1; channel < kChannels; ++channel)
    for (std::uint32_t number = 1; number <= kNumbers; ++number)
      ASSERT_EQ(came[channel][number], 1) << "channel " << channel << ", number " << number;
}

std::size_t packets_of_the_feed(Tap& tap) {
  std::size_t packets = 0;
  for (const Seen& frame : tap.take()) {
    lb_walk walk{};
    const auto* const bytes = frame.bytes.data();
    if (lb_walk_frame(bytes, bytes + frame.bytes.size(), &walk) == LB_WALK_DATAGRAM &&
        walk.port == kFirstPort)
      ++packets;
  }
  return packets;
}

/// Whoever reads the feed from the kernel when linearb is gone would read half of it if it came
/// while linearb is only busy.
TEST_P(OverloadInMode, AStoppedReceiverDropsWhatItHasNoRoomForAndADeadOneLetsItThrough) {
  const std::string mode = GetParam() == Mode::native ? "native" : "generic";
  Program receiver(LINEARB_PROGRAM, "receive --json --frames 64 --mode " + mode);
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  feed(feed_on("AB", 1, 1'000));
  Tap kernel(2);
  receiver.signal(SIGSTOP);
  feed(feed_on("AB", 1'001, 5'000));
  EXPECT_EQ(packets_of_the_feed(kernel), 0u) << "while it is stopped";
  receiver.signal(SIGCONT);
  std::this_thread::sleep_for(300ms);
  receiver.interrupt();
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  const auto summary = nlohmann::json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  for (const auto& line : summary["lines"]) {
    EXPECT_GT(line["no_credit"], 4'500) << "there is room for 64";
    EXPECT_EQ(line["no_receiver"], 0);
  }

  Program next(LINEARB_PROGRAM, "receive --frames 64 --mode " + mode);
  ASSERT_TRUE(next.wait_until_receiving()) << next.errors();
  next.signal(SIGSTOP);
  feed(feed_on("AB", 1, 1'000));
  EXPECT_EQ(packets_of_the_feed(kernel), 0u) << "while it is stopped";
  next.signal(SIGKILL);
  next.wait();
  feed(feed_on("AB", 1'001, 5'000));
  EXPECT_EQ(packets_of_the_feed(kernel), 10'000u) << "when it is dead";
}

}  // namespace
}  // namespace linearb::test
