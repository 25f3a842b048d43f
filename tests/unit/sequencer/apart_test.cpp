// SPDX-License-Identifier: Apache-2.0
//
// What was delivered while it was doubted stays known, whatever straggles in before it is
// confirmed.
#include "sequencer/apart.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "sequencer/sequencer.h"

namespace linearb::sequencer {
namespace {

struct Collected final : Decisions {
  void decided(const Packet&, const Decision& decision) noexcept override {
    for (const lb_run& run : decision.news)
      for (std::uint32_t i = 0; i < run.count; ++i) ++times[run.first + i];
  }
  std::map<std::uint64_t, int> times;
};

TEST(DeliveredApart, IsNotForgottenForAStraggler) {
  const config::Framing framing = config::builtin_framing("optiq");
  const std::vector<const lb_framing*> framings{&framing.descriptor};
  Collected delivered;
  Sequencer sequencer{framings, Settings{}, Sequencer::Dedup::window, delivered};
  const auto push = [&](std::uint8_t line, std::uint64_t number) {
    Packet packet;
    packet.line = line;
    packet.kind = LB_KIND_DATA;
    packet.datagram = {number, 0, 1, 1};
    packet.arrival_ns = 1'000'000'000;
    sequencer.push(packet);
  };
  for (std::uint64_t number = 1; number <= 10; ++number) push(0, number);
  push(0, 10'000);  // both lines were away for a while
  push(0, 7);       // a straggler from before
  push(0, 10'001);
  push(0, 10'002);
  for (std::uint64_t number = 9'999; number <= 10'002; ++number) push(1, number);
  sequencer.finish();
  for (const auto& [number, times] : delivered.times) EXPECT_EQ(times, 1) << number;
  EXPECT_EQ(delivered.times.size(), 14u);
  ASSERT_EQ(sequencer.gaps().gaps().size(), 1u);
  EXPECT_EQ(sequencer.gaps().gaps()[0].range.first, 11u);
  EXPECT_EQ(sequencer.gaps().gaps()[0].range.end, 9'999u);
}

Packet packet_of(std::uint64_t first, std::uint32_t count, std::uint64_t arrival_ns = 1) {
  Packet packet;
  packet.datagram = {first, 5, count, 1};
  packet.arrival_ns = arrival_ns;
  return packet;
}

TEST(ApartMessages, KnowsChannelSessionNumberAndBytes) {
  ApartMessages apart;
  apart.add(2, packet_of(100, 1), 100, 77, 0);
  EXPECT_TRUE(apart.has(2, 5, 100, 77));
  EXPECT_FALSE(apart.has(1, 5, 100, 77));
  EXPECT_FALSE(apart.has(2, 6, 100, 77));
  EXPECT_FALSE(apart.has(2, 5, 101, 77));
  EXPECT_FALSE(apart.has(2, 5, 100, 78));
  EXPECT_TRUE(apart.may_have(2, packet_of(91, 10)));
  EXPECT_FALSE(apart.may_have(2, packet_of(90, 10)));
  EXPECT_FALSE(apart.may_have(2, packet_of(101, 10)));
  EXPECT_FALSE(apart.may_have(1, packet_of(91, 10)));
}

TEST(ApartMessages, ForgetsWhatFoundItsPlaceAndWhatIsOld) {
  ApartMessages apart;
  for (std::uint64_t number = 1; number <= 4; ++number)
    apart.add(0, packet_of(number, 1, 10 * number), number, 77, 0);
  apart.forget(0, 6, 2);
  apart.forget(0, 5, 1);
  EXPECT_FALSE(apart.has(0, 5, 1, 77));
  EXPECT_TRUE(apart.has(0, 5, 2, 77)) << "the other session's went";
  std::vector<std::uint64_t> told;
  const auto tell = [&](std::uint32_t, std::uint64_t, std::uint64_t number, std::uint64_t) {
    told.push_back(number);
  };
  apart.forget_older_than(40, tell);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_FALSE(apart.has(0, 5, 3, 77));
  EXPECT_TRUE(apart.has(0, 5, 4, 77));
  apart.forget_older_than(41, tell);
  EXPECT_FALSE(apart.may_have(0, packet_of(1, 10)));
}

TEST(ApartMessages, ForgetsTheOldestOfASetForAnother) {
  ApartMessages apart;
  const auto number = [](std::uint64_t i) { return 1 + i * ApartMessages::kSets; };
  for (std::uint64_t i = 0; i <= ApartMessages::kWays; ++i)
    apart.add(0, packet_of(number(i), 1, 100 + i), number(i), 77, 0);
  EXPECT_FALSE(apart.has(0, 5, number(0), 77));
  for (std::uint64_t i = 1; i <= ApartMessages::kWays; ++i)
    EXPECT_TRUE(apart.has(0, 5, number(i), 77)) << i;
  for (std::uint64_t i = 1; i <= ApartMessages::kWays; ++i) apart.forget(0, 5, number(i));
  EXPECT_FALSE(apart.may_have(0, packet_of(1, 20'000)));
}

TEST(ApartMessages, TheSameNumberTakesThePlaceThatItHas) {
  ApartMessages apart;
  for (const std::uint64_t hash : {77, 78}) apart.add(0, packet_of(1, 1), 1, hash, 0);
  EXPECT_FALSE(apart.has(0, 5, 1, 77));
  EXPECT_TRUE(apart.has(0, 5, 1, 78));
  apart.forget(0, 5, 1);
  EXPECT_FALSE(apart.may_have(0, packet_of(1, 1)));
}

TEST(ApartMessages, TellsWhatNoEpochCounts) {
  ApartMessages apart;
  apart.add(0, packet_of(1, 1, 10), 1, 77, 0);
  apart.add(0, packet_of(2, 1, 20), 2, 77, 0);
  apart.add(0, packet_of(3, 1, 20), 3, 77, 9);
  apart.add(1, packet_of(4, 1, 20), 4, 77, 0);
  apart.add(0, packet_of(5, 1, 30), 5, 77, 0);
  std::vector<std::uint64_t> told;
  apart.for_each_uncounted(0, 5, 20, 30, [&](std::uint64_t number) { told.push_back(number); });
  EXPECT_EQ(told, std::vector<std::uint64_t>{2});
}

}  // namespace
}  // namespace linearb::sequencer
