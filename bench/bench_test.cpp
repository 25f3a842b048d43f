// SPDX-License-Identifier: Apache-2.0
//
// What the suite makes of what it measures, and what it expects of a contender.
#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "bench/figures.h"
#include "bench/loss.bpf.h"
#include "bench/peers/peer.h"
#include "bench/traffic.h"
#include "config/framing_file.h"
#include "core/walk.h"

namespace linearb::bench {
namespace {

TEST(Figures, HaveTheMedianAndTheEnds) {
  const Spread spread = spread_of({5, 1, 3, 2, 4});
  EXPECT_EQ(spread.median, 3);
  EXPECT_EQ(spread.least, 1);
  EXPECT_EQ(spread.most, 5);
  EXPECT_EQ(spread.rounds, 5u);
}

TEST(Figures, ARatioIsOfValuesOfOneRound) {
  Figures figures;
  for (const double slow : {1.0, 10.0, 2.0}) {  // a machine that is slow for a while
    figures.begin_round();
    figures.add("a", 8 / slow);
    figures.add("b", 4 / slow);
  }
  figures.begin_round();
  figures.add("a", 100);  // b was no result
  const auto ratio = figures.of(Ratio{"a against b", "a", "b"});
  ASSERT_TRUE(ratio);
  EXPECT_EQ(ratio->least, 2);
  EXPECT_EQ(ratio->most, 2);
  EXPECT_EQ(ratio->rounds, 3u);
  EXPECT_FALSE(figures.of(Ratio{"none", "a", "c"}));
}

TEST(Figures, ATargetIsMetFromItsSide) {
  EXPECT_TRUE((Target{0.9}.is_met_by(0.9)));
  EXPECT_FALSE((Target{0.9}.is_met_by(0.89)));
  EXPECT_TRUE((Target{0.5, true}.is_met_by(0.5)));
  EXPECT_FALSE((Target{0.5, true}.is_met_by(0.51)));
}

TEST(Latency, HasTheMiddleAndTheTail) {
  std::vector<std::uint64_t> latencies_ns;
  for (int i = 0; i < 4'000; ++i) latencies_ns.push_back(i % 100 < 98 ? 1'000 : 3'000);
  const Latency latency = latency_of(latencies_ns);
  EXPECT_EQ(latency.count, 4'000u);
  EXPECT_EQ(latency.p50_ns, 1'000u);
  EXPECT_EQ(latency.p99_ns, 3'000u);
  EXPECT_EQ(latency.p99_of_the_run_ns, 3'000u);
}

TEST(Latency, ItsTailIsNotWhatAFewPartsOfTheRunHad) {
  std::vector<std::uint64_t> latencies_ns(4'000, 1'000);
  std::fill_n(latencies_ns.begin() + 500, 400, 50'000);  // the machine was away
  const Latency latency = latency_of(latencies_ns);
  EXPECT_EQ(latency.p99_ns, 1'000u);
  EXPECT_EQ(latency.p99_of_the_run_ns, 50'000u) << "and it is told all the same";
}

TEST(Latency, IsOfAnyNumberOfMessages) {
  EXPECT_EQ(latency_of({}).count, 0u);
  std::vector<std::uint64_t> one{7};
  EXPECT_EQ(latency_of(one).p50_ns, 7u);
  EXPECT_EQ(latency_of(one).p99_ns, 7u);
}

TEST(Traffic, LosesAsManyAsItIsToldAndOnEachLineOthers) {
  constexpr std::uint32_t kPackets = 100'000;
  const Traffic traffic{.loss = 0.1};
  std::uint32_t lost = 0, lost_on_both = 0;
  for (std::uint32_t packet = 0; packet < kPackets; ++packet) {
    const bool a = loss_takes(packet, 0, traffic.loss_of_2_32());
    const bool b = loss_takes(packet, 1, traffic.loss_of_2_32());
    lost += a;
    lost_on_both += a && b;
  }
  EXPECT_NEAR(lost, kPackets / 10, kPackets / 200);
  EXPECT_NEAR(lost_on_both, kPackets / 100, kPackets / 500);
  Expected expected(traffic, 2);
  EXPECT_EQ(expected.messages_of(kPackets), kPackets - lost_on_both);
  EXPECT_EQ(expected.digest_of(kPackets).count, kPackets - lost_on_both);
}

TEST(Traffic, WhatIsExpectedIsEachMessageOfEachChannel) {
  Expected expected({.channels = 3}, 2);
  Digest digest;
  for (std::uint64_t channel = 1; channel <= 3; ++channel)
    for (std::uint64_t number = 1; number <= 4; ++number) digest.add(channel << 32 | number);
  EXPECT_EQ(expected.messages_of(12), 12u);
  EXPECT_EQ(expected.digest_of(12), digest);
}

TEST(Traffic, PacketsAreOfTheirFramingAndSize) {
  for (const std::uint32_t messages : {0u, 1u, 2u, 255u}) {
    const Traffic traffic{.frame_bytes = messages == 2 ? 1514u : 0u, .messages = messages};
    const std::vector<std::uint8_t> packet = traffic.packet();
    lb_walk walk{};
    ASSERT_EQ(lb_walk_frame(packet.data(), packet.data() + packet.size(), &walk), LB_WALK_DATAGRAM);
    if (messages == 2) {
      EXPECT_EQ(packet.size(), 1514u);
    }
    const lb_framing framing =
        config::builtin_framing(messages != 0 ? "moldudp64" : "optiq").descriptor;
    lb_datagram datagram{};
    ASSERT_EQ(lb_framing_decode(&framing, packet.data() + kHeadersLength,
                                packet.data() + packet.size(), walk.payload_length, &datagram),
              LB_KIND_DATA);
    EXPECT_EQ(datagram.count, traffic.messages_in_packet());
  }
}

}  // namespace
}  // namespace linearb::bench
