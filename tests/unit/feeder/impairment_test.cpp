// SPDX-License-Identifier: Apache-2.0
#include "feeder/impairment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "feeder/random.h"
#include "linearb/error.h"

namespace linearb::feeder {
namespace {

constexpr std::uint64_t kSeed = 42;
constexpr std::uint64_t kIntervalNs = 1'000;
constexpr std::uint32_t kPayload = 36;
constexpr std::uint64_t kPackets = 1'000'000;

struct Outcome {
  std::vector<Departure> departures;
  Ledger ledger;
  std::vector<lb_run> lost;
};

Outcome outcome_of(const LineImpairment& settings, std::uint64_t packets = kPackets,
                   std::uint64_t seed = kSeed, std::uint64_t line = 0) {
  Impairment impairment(settings, seed, line);
  Outcome result;
  auto append = [&](std::span<const Departure> departures) {
    result.departures.insert(result.departures.end(), departures.begin(), departures.end());
  };
  for (std::uint64_t i = 0; i < packets; ++i) append(impairment.offer(i * kIntervalNs, kPayload));
  append(impairment.finish());
  result.ledger = impairment.ledger();
  auto lost = impairment.lost().runs();
  result.lost.assign(lost.begin(), lost.end());
  return result;
}

bool same(const Departure& a, const Departure& b) {
  return a.departure_ns == b.departure_ns && a.base_ns == b.base_ns && a.index == b.index &&
         a.corrupt_bit == b.corrupt_bit && a.last == b.last;
}

std::vector<std::uint64_t> indexes(const Outcome& outcome) {
  std::vector<std::uint64_t> all;
  for (const Departure& departure : outcome.departures) all.push_back(departure.index);
  return all;
}

LineImpairment everything() {
  return {.loss = 0.01,
          .burst = {0.001, 20},
          .skew_ns = 50'000,
          .jitter_ns = 700,
          .reorder = 0.02,
          .reorder_depth = 5,
          .duplicate = 0.03,
          .corrupt = 0.005};
}

TEST(Random, IsSplitMix64) {
  // The first two numbers of the reference implementation (prng.di.unimi.it, splitmix64.c) for
  // the seed 1234567.
  EXPECT_EQ(mix64(1234567 + kGoldenGamma), 6457827717110365317u);
  EXPECT_EQ(mix64(1234567 + 2 * kGoldenGamma), 3203168211198807973u);
}

TEST(Random, ChanceHasItsEnds) {
  EXPECT_FALSE(Chance(0).hits(0));
  EXPECT_TRUE(Chance(1).hits(~0ull));
  EXPECT_TRUE(Chance(0.5).hits((1ull << 63) - 1));
  EXPECT_FALSE(Chance(0.5).hits(1ull << 63));
}

TEST(Random, ScaleStaysBelowItsBound) {
  EXPECT_EQ(scale_to(0, 10), 0u);
  EXPECT_EQ(scale_to(~0ull, 10), 9u);
  EXPECT_EQ(scale_to(~0ull, 1), 0u);
}

TEST(Impairment, LeavesAWholeLineAlone) {
  Outcome whole = outcome_of({}, 1000);
  ASSERT_EQ(whole.departures.size(), 1000u);
  for (std::uint64_t i = 0; i < 1000; ++i)
    EXPECT_TRUE(
        same(whole.departures[i], {i * kIntervalNs, i * kIntervalNs, i, kNoCorruptBit, true}));
  EXPECT_EQ(whole.ledger.offered, 1000u);
  EXPECT_EQ(whole.ledger.dropped + whole.ledger.duplicated + whole.ledger.reordered +
                whole.ledger.corrupted + whole.ledger.delayed,
            0u);
  EXPECT_TRUE(whole.lost.empty());
}

struct Golden {
  const char* name;
  LineImpairment settings;
  std::uint64_t Ledger::*count;
  std::uint64_t expected;  // of kPackets with kSeed: what the seed means, on every machine
  double rate;
  double tolerance;  // more than four standard deviations
};

void PrintTo(const Golden& golden, std::ostream* out) {
  *out << golden.name;
}

class ImpairmentRate : public testing::TestWithParam<Golden> {};

TEST_P(ImpairmentRate, IsWhatWasAskedFor) {
  const Golden& golden = GetParam();
  std::uint64_t count = outcome_of(golden.settings).ledger.*golden.count;
  EXPECT_EQ(count, golden.expected);
  EXPECT_NEAR(static_cast<double>(count) / kPackets, golden.rate, golden.tolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Rates, ImpairmentRate,
    testing::Values(Golden{"loss", {.loss = 0.01}, &Ledger::dropped, 9959, 0.01, 0.0004},
                    // 0.1% of the packets outside of a burst begin one of 20: 0.02 / 1.02.
                    Golden{"burst", {.burst = {0.001, 20}}, &Ledger::dropped, 18696, 0.0196, 0.004},
                    Golden{"reorder", {.reorder = 0.1}, &Ledger::reordered, 91175, 0.0909, 0.0013},
                    Golden{
                        "duplicate", {.duplicate = 0.2}, &Ledger::duplicated, 200202, 0.2, 0.0016},
                    Golden{"corrupt", {.corrupt = 0.001}, &Ledger::corrupted, 965, 0.001, 0.00013},
                    Golden{"jitter", {.jitter_ns = 1}, &Ledger::delayed, 500538, 0.5, 0.002},
                    Golden{"all", {.loss = 1}, &Ledger::dropped, kPackets, 1, 0}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(Impairment, RepeatsExactly) {
  Outcome first = outcome_of(everything(), 50'000);
  Outcome second = outcome_of(everything(), 50'000);
  ASSERT_EQ(first.departures.size(), second.departures.size());
  EXPECT_TRUE(std::equal(first.departures.begin(), first.departures.end(),
                         second.departures.begin(), same));
}

TEST(Impairment, DiffersBetweenLinesAndSeeds) {
  std::vector<std::uint64_t> base = indexes(outcome_of({.loss = 0.5}, 1000, kSeed, 0));
  EXPECT_NE(base, indexes(outcome_of({.loss = 0.5}, 1000, kSeed, 1)));
  EXPECT_NE(base, indexes(outcome_of({.loss = 0.5}, 1000, kSeed + 1, 0)));
}

TEST(Impairment, LosesTheSamePacketsWhateverElseHappens) {
  LineImpairment more = everything();
  more.burst = {};
  Outcome one = outcome_of({.loss = 0.01}, 50'000);
  Outcome other = outcome_of(more, 50'000);
  ASSERT_EQ(one.lost.size(), other.lost.size());
  for (std::size_t i = 0; i < one.lost.size(); ++i)
    EXPECT_EQ(one.lost[i].first, other.lost[i].first);
}

TEST(Impairment, TheLedgerAddsUp) {
  Outcome all = outcome_of(everything());
  const Ledger& ledger = all.ledger;
  EXPECT_EQ(ledger.offered, kPackets);
  EXPECT_EQ(all.departures.size(), ledger.offered - ledger.dropped + ledger.duplicated);

  std::map<std::uint64_t, int> copies;
  std::uint64_t corrupted = 0;
  for (const Departure& departure : all.departures) {
    ++copies[departure.index];
    corrupted += departure.corrupt_bit != kNoCorruptBit;
    EXPECT_TRUE(departure.corrupt_bit == kNoCorruptBit || departure.corrupt_bit < 8 * kPayload);
  }
  EXPECT_EQ(corrupted, ledger.corrupted);
  EXPECT_EQ(copies.size(), ledger.offered - ledger.dropped);
  EXPECT_EQ(std::count_if(copies.begin(), copies.end(), [](auto& c) { return c.second == 2; }),
            static_cast<std::ptrdiff_t>(ledger.duplicated));

  std::uint64_t lost = 0;
  for (const lb_run& run : all.lost) {
    lost += run.count;
    for (std::uint64_t i = run.first; i < run.first + run.count; ++i)
      EXPECT_FALSE(copies.contains(i));
  }
  EXPECT_EQ(lost, ledger.dropped);
}

TEST(Impairment, DeparturesComeInTheOrderOfTheirTime) {
  Outcome all = outcome_of(everything());
  EXPECT_TRUE(std::is_sorted(
      all.departures.begin(), all.departures.end(),
      [](const Departure& a, const Departure& b) { return a.departure_ns < b.departure_ns; }));
}

TEST(Impairment, SkewDelaysEveryPacketByTheSame) {
  Outcome skewed = outcome_of({.skew_ns = 1'000'000}, 1000);
  for (const Departure& departure : skewed.departures)
    EXPECT_EQ(departure.departure_ns, departure.base_ns + 1'000'000);
  EXPECT_EQ(skewed.ledger.delayed, 1000u);
}

TEST(Impairment, JitterIsUniformAndNeverOvertakes) {
  // Shorter than the interval, so that no packet waits for the one before it.
  Outcome jittered = outcome_of({.skew_ns = 5'000, .jitter_ns = 999});
  std::array<int, 4> quarters{};
  for (const Departure& departure : jittered.departures) {
    std::uint64_t extra = departure.departure_ns - departure.base_ns - 5'000;
    ASSERT_LE(extra, 999u);
    ++quarters[extra / 250];
  }
  for (int quarter : quarters) EXPECT_NEAR(quarter, kPackets / 4, 2'000);

  std::vector<std::uint64_t> order = indexes(outcome_of({.jitter_ns = 1'000'000}, 10'000));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Impairment, BurstsHaveTheirMeanLength) {
  Outcome bursts = outcome_of({.burst = {0.001, 20}});
  double mean =
      static_cast<double>(bursts.ledger.dropped) / static_cast<double>(bursts.lost.size());
  // Two bursts that touch are one run: 0.1% of them.
  EXPECT_NEAR(mean, 20, 2);
  Outcome single = outcome_of({.burst = {0.001, 1}});
  EXPECT_NEAR(static_cast<double>(single.ledger.dropped) / kPackets, 0.001, 0.00013);
}

TEST(Impairment, AReorderedPacketIsSentAfterTheNextOnes) {
  std::vector<std::uint64_t> swapped = indexes(outcome_of({.reorder = 1}, 6));
  EXPECT_EQ(swapped, (std::vector<std::uint64_t>{1, 0, 3, 2, 5, 4}));

  constexpr std::uint32_t kDepth = 4;
  Outcome reordered = outcome_of({.reorder = 0.05, .reorder_depth = kDepth}, 100'000);
  std::uint64_t highest = 0, behind = 0, deepest = 0;
  for (const Departure& departure : reordered.departures) {
    if (departure.index < highest) {
      ++behind;
      deepest = std::max(deepest, highest - departure.index);
    }
    highest = std::max(highest, departure.index);
  }
  EXPECT_EQ(behind, reordered.ledger.reordered);
  // Overtaken by four that were not held back; up to three that were may stand between them.
  EXPECT_GE(deepest, kDepth);
  EXPECT_LE(deepest, 2 * kDepth);
}

TEST(Impairment, WhatIsHeldAtTheEndLeavesAndIsNotCountedAsReordered) {
  Impairment impairment({.reorder = 1}, kSeed, 0);
  EXPECT_TRUE(impairment.offer(100, kPayload).empty());
  EXPECT_EQ(impairment.most_departures(1), 4u);
  auto rest = impairment.finish();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].index, 0u);
  EXPECT_EQ(impairment.ledger().reordered, 0u);
  EXPECT_EQ(impairment.finish().size(), 0u);
}

TEST(Impairment, ALostPacketSetsAHeldOneFreeButDoesNotReorderIt) {
  LineImpairment settings{.reorder = 0.5, .reorder_depth = 1};
  settings.burst = {0.5, 1000};
  Impairment impairment(settings, kSeed, 0);
  std::uint64_t held_since = 0, longest = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    auto departures = impairment.offer(i, kPayload);
    if (impairment.most_departures(0) == 0) held_since = i;
    longest = std::max(longest, i - held_since);
    for (std::size_t at = 1; at < departures.size(); ++at)
      EXPECT_LT(departures[at].index, departures[0].index);
  }
  EXPECT_EQ(longest, 1u);
}

TEST(Impairment, WithoutAPayloadNoBitIsFlipped) {
  Impairment impairment({.corrupt = 1}, kSeed, 0);
  EXPECT_EQ(impairment.offer(0, 0)[0].corrupt_bit, kNoCorruptBit);
  EXPECT_EQ(impairment.ledger().corrupted, 0u);
}

TEST(Impairment, ACorruptPacketIsDuplicatedWhole) {
  Outcome twice = outcome_of({.duplicate = 1, .corrupt = 1}, 100);
  ASSERT_EQ(twice.departures.size(), 200u);
  for (std::size_t i = 0; i < 200; i += 2) {
    EXPECT_NE(twice.departures[i].corrupt_bit, kNoCorruptBit);
    EXPECT_FALSE(twice.departures[i].last);
    EXPECT_EQ(twice.departures[i + 1].index, twice.departures[i].index);
    EXPECT_EQ(twice.departures[i + 1].corrupt_bit, kNoCorruptBit);
    EXPECT_TRUE(twice.departures[i + 1].last);
  }
}

TEST(LostRuns, AreBoundedAndCountWhatTheyDoNotList) {
  LostRuns runs;
  for (std::uint64_t i = 0; i < kLostRunsMax + 3; ++i) runs.add(2 * i);
  EXPECT_EQ(runs.runs().size(), kLostRunsMax);
  EXPECT_EQ(runs.unlisted(), 3u);
}

TEST(LostRuns, AreJoinedUpToTheirLongest) {
  LostRuns runs;
  for (std::uint64_t i = 7; i < 7 + kLostRunLength + 1; ++i) runs.add(i);
  ASSERT_EQ(runs.runs().size(), 2u);
  EXPECT_EQ(runs.runs()[0].first, 7u);
  EXPECT_EQ(runs.runs()[0].count, kLostRunLength);
  EXPECT_EQ(runs.runs()[1].first, 7 + kLostRunLength);
  EXPECT_EQ(runs.runs()[1].count, 1u);
}

TEST(Impairment, RefusesWhatCannotBe) {
  const std::pair<LineImpairment, const char*> refused[] = {
      {{.loss = 1.5}, "loss is 1.5; accepted is a probability from 0 to 1"},
      {{.loss = -0.1}, "loss is -0.1; accepted is a probability from 0 to 1"},
      {{.loss = std::nan("")}, "loss is nan; accepted is a probability from 0 to 1"},
      {{.burst = {2, 1}}, "rate of burst loss is 2; accepted is a probability from 0 to 1"},
      {{.burst = {0.1, 0.5}}, "mean length of burst loss is 0.5; accepted is 1 to 1000000 packets"},
      {{.skew_ns = kDelayMaxNs + 1}, "skew in ns is 60000000001; accepted is at most 60000000000"},
      {{.jitter_ns = kDelayMaxNs + 1},
       "jitter in ns is 60000000001; accepted is at most 60000000000"},
      {{.reorder = 3}, "reorder is 3; accepted is a probability from 0 to 1"},
      {{.reorder_depth = 0}, "depth of reordering is 0; accepted is 1 to 64 packets"},
      {{.reorder_depth = 65}, "depth of reordering is 65; accepted is 1 to 64 packets"},
      {{.duplicate = 2}, "duplicate is 2; accepted is a probability from 0 to 1"},
      {{.corrupt = 2}, "corrupt is 2; accepted is a probability from 0 to 1"},
  };
  for (const auto& [settings, message] : refused) {
    try {
      Impairment impairment(settings, kSeed, 0);
      ADD_FAILURE() << "accepted: " << message;
    } catch (const UsageError& error) {
      EXPECT_STREQ(error.what(), message);
    }
  }
}

}  // namespace
}  // namespace linearb::feeder
