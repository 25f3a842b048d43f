// SPDX-License-Identifier: Apache-2.0
#include "sequencer/line_state.h"

#include <random>
#include <set>

#include <gtest/gtest.h>

#include "unit/sequencer/allocations.h"

namespace linearb::sequencer::test {
namespace {

TEST(Trail, KnowsWhatTheLineHadPassedByThen) {
  Trail trail;
  EXPECT_FALSE(trail.had_come_to(1, 1'000));
  for (std::uint64_t ns = 1'000; ns <= 2'000; ns += 10) trail.note(ns, ns, 100);
  EXPECT_TRUE(trail.had_come_to(2'000, 2'000));
  EXPECT_FALSE(trail.had_come_to(2'000, 1'999));
  EXPECT_TRUE(trail.had_come_to(1'800, 1'900)) << "no older than a step";
  EXPECT_FALSE(trail.had_come_to(1'901, 1'900));
  EXPECT_FALSE(trail.had_come_to(2'001, 9'000));
}

TEST(Trail, KeepsTheLastBeforeAPauseWhatComesAfterIt) {
  Trail trail;
  trail.note(1'000, 10, 100);
  trail.note(1'010, 20, 100);
  trail.note(5'000, 21, 100);
  EXPECT_TRUE(trail.had_come_to(20, 1'010));
  trail.note(5'001, 21, 100);
  EXPECT_TRUE(trail.had_come_to(21, 5'000)) << "what changes nothing is not noted";
}

TEST(Trail, ForgetsWhatItIsToldTo) {
  Trail trail;
  trail.note(1'000, 10, 100);
  trail.clear();
  EXPECT_FALSE(trail.had_come_to(10, 9'000));
}

TEST(LineHoles, FillsWhatItSkipped) {
  LineHoles holes;
  holes.add({10, 20});
  holes.add({30, 40});
  EXPECT_EQ(holes.fill({0, 10}), 0u);
  EXPECT_EQ(holes.fill({20, 30}), 0u);
  EXPECT_EQ(holes.fill({15, 35}), 10u) << "the end of one, the beginning of the other";
  EXPECT_EQ(holes.fill({15, 35}), 0u) << "once";
  EXPECT_EQ(holes.fill({12, 13}), 1u) << "its middle";
  EXPECT_EQ(holes.fill({0, 100}), 4u + 5u) << "10, 11, 13, 14, and 35 to 39";
  EXPECT_EQ(holes.fill({0, 100}), 0u);
}

TEST(LineHoles, ForgetsWhatItIsToldTo) {
  LineHoles holes;
  holes.add({10, 20});
  holes.clear();
  EXPECT_EQ(holes.fill({0, 100}), 0u);
}

TEST(LineHoles, ForgetsTheOldestWhenThereAreTooMany) {
  LineHoles holes;
  for (std::uint64_t i = 0; i <= LineHoles::kHoles; ++i) holes.add({10 * i, 10 * i + 5});
  EXPECT_EQ(holes.fill({0, 5}), 0u) << "the first one is forgotten";
  EXPECT_EQ(holes.fill({10, 15}), 5u);
}

TEST(LineHoles, SplitsWithoutLosingOneThatThereIsRoomFor) {
  LineHoles holes;
  for (std::uint64_t i = 0; i + 1 < LineHoles::kHoles; ++i) holes.add({10 * i, 10 * i + 5});
  EXPECT_EQ(holes.fill({12, 13}), 1u);
  EXPECT_EQ(holes.fill({0, 10 * LineHoles::kHoles}), 5 * (LineHoles::kHoles - 1) - 1);
}

TEST(LineHoles, AgreesWithASet) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    LineHoles holes;
    std::set<std::uint64_t> skipped;
    std::uint64_t end = 0;
    for (int hole = 0; hole < 10; ++hole) {
      const std::uint64_t first = end + 1 + random() % 10;
      end = first + 1 + random() % 30;
      holes.add({first, end});
      for (std::uint64_t number = first; number < end; ++number) skipped.insert(number);
    }
    for (int fill = 0; fill < 20; ++fill) {  // each splits one hole at most: 30 of 32 places
      const std::uint64_t first = random() % end;
      const std::uint64_t after = first + 1 + random() % 10;
      std::uint64_t filled = 0;
      for (std::uint64_t number = first; number < after; ++number) filled += skipped.erase(number);
      EXPECT_EQ(holes.fill({first, after}), filled) << "seed " << seed;
    }
  }
}

Packet packet_of(std::uint64_t first, std::uint32_t count, std::uint64_t session = 5) {
  Packet packet;
  packet.datagram = {first, session, count, 1};
  return packet;
}

Candidate candidate_of(const Packet& packet, std::uint64_t own_end, bool delivered) {
  Candidate candidate;
  candidate.active = true;
  candidate.session = packet.datagram.session;
  candidate.range = {packet.first(), packet.end()};
  candidate.own_end = own_end;
  candidate.delivered = delivered;
  candidate.kept[candidate.kept_count++] = packet;
  return candidate;
}

TEST(Candidate, IsNearWhatIsWithinReachOnBothSides) {
  const Candidate candidate = candidate_of(packet_of(100, 10), 1000, true);
  EXPECT_TRUE(candidate.is_near(packet_of(100, 10), 0));
  EXPECT_TRUE(candidate.is_near(packet_of(110, 5), 0)) << "what follows";
  EXPECT_FALSE(candidate.is_near(packet_of(111, 5), 0));
  EXPECT_TRUE(candidate.is_near(packet_of(98, 2), 0)) << "what goes before";
  EXPECT_FALSE(candidate.is_near(packet_of(97, 2), 0));
  EXPECT_TRUE(candidate.is_near(packet_of(174, 1), 64));
  EXPECT_FALSE(candidate.is_near(packet_of(175, 1), 64));
  EXPECT_FALSE(candidate.is_near(packet_of(110, 5, 6), 64)) << "another session";
  EXPECT_FALSE(Candidate{}.is_near(packet_of(0, 1, 0), 64)) << "there is none";
}

TEST(Candidate, IsContinuedOnlyWhileItsLineStands) {
  const Candidate held = candidate_of(packet_of(100, 10), 1000, false);
  EXPECT_TRUE(held.is_continued_by(packet_of(110, 5), 64, 1000));
  EXPECT_FALSE(held.is_continued_by(packet_of(110, 5), 64, 1001)) << "copies behind the line";
  EXPECT_FALSE(held.is_continued_by(packet_of(300, 5), 64, 1000)) << "another place";
  const Candidate delivered = candidate_of(packet_of(5000, 10), 1000, true);
  EXPECT_TRUE(delivered.is_continued_by(packet_of(5010, 5), 64, 1001));
}

TEST(Candidate, HasTheCopiesOfItsPackets) {
  Candidate candidate = candidate_of(packet_of(100, 10), 1000, false);
  candidate.kept[candidate.kept_count++] = packet_of(120, 5);
  candidate.range.end = 125;
  EXPECT_TRUE(candidate.has(packet_of(100, 10), 1000));
  EXPECT_TRUE(candidate.has(packet_of(121, 2), 1000));
  EXPECT_FALSE(candidate.has(packet_of(112, 2), 1000)) << "the hole between them";
  EXPECT_FALSE(candidate.has(packet_of(108, 4), 1000)) << "more than it has";
  EXPECT_FALSE(candidate.has(packet_of(100, 10), 1010)) << "the line has moved";
  EXPECT_FALSE(candidate.has(packet_of(100, 10, 6), 1000)) << "another session";
  EXPECT_FALSE(candidate.has(packet_of(100, 0), 1000)) << "a heartbeat";
  candidate.delivered = true;
  EXPECT_TRUE(candidate.has(packet_of(100, 10), 1010));
}

TEST(Candidate, HoldsPacketsUntilTheyAreDelivered) {
  Candidate candidate = candidate_of(packet_of(100, 10), 1000, false);
  EXPECT_EQ(candidate.held_count(), 1u);
  candidate.delivered = true;
  EXPECT_EQ(candidate.held_count(), 0u);
  candidate.delivered = false;
  candidate.active = false;
  EXPECT_EQ(candidate.held_count(), 0u);
}

TEST(GapList, KeepsTheFirstAndSaysThatThereAreMore) {
  GapList gaps;
  const Allocations allocations;
  for (std::uint64_t i = 0; i < GapList::kReported; ++i) gaps.add({1, i}, {10 * i, 10 * i + 3});
  EXPECT_FALSE(gaps.truncated());
  gaps.add({2, 0}, {5, 6});
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_TRUE(gaps.truncated());
  ASSERT_EQ(gaps.gaps().size(), GapList::kReported);
  EXPECT_EQ(gaps.gaps().back().origin.channel, 1);
  EXPECT_EQ(gaps.gaps().back().origin.epoch, GapList::kReported - 1);
  EXPECT_EQ(gaps.gaps()[7].range.first, 70u);
  EXPECT_EQ(gaps.gaps()[7].range.end, 73u);
}

}  // namespace
}  // namespace linearb::sequencer::test
