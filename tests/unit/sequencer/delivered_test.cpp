// SPDX-License-Identifier: Apache-2.0
#include "sequencer/delivered.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "unit/sequencer/allocations.h"

namespace linearb::sequencer::test {
namespace {

using Runs = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
using Holes = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // [first, end)
using Knowledge = Delivered::Knowledge;

constexpr GapOrigin kOrigin{3, 7};
constexpr std::uint64_t kMessages = Delivered::kMessages;

/// A Delivered with the room that it needs, and its answers as values.
class Memory {
 public:
  explicit Memory(std::uint64_t first) : delivered_(gaps_, *memory_) {
    delivered_.begin(first, kOrigin);
  }

  Runs take(std::uint64_t first, std::uint32_t count, std::uint32_t now_ms = 1) {
    news_.resize(count);
    const std::size_t runs = delivered_.take(first, count, now_ms, news_.data());
    EXPECT_LE(runs, (count + 1) / 2);
    Runs result;
    for (std::size_t i = 0; i < runs; ++i) result.emplace_back(news_[i].first, news_[i].count);
    return result;
  }
  /// Takes [first, end) in packets of 200.
  void take_all(std::uint64_t first, std::uint64_t end) {
    for (; first < end; first += 200)
      take(first, static_cast<std::uint32_t>(std::min<std::uint64_t>(200, end - first)));
  }
  /// What was reported so far, with what report_gaps adds now.
  Holes report() {
    delivered_.report_gaps();
    Holes holes;
    for (const GapList::Gap& gap : gaps_.gaps()) {
      EXPECT_EQ(gap.origin.channel, kOrigin.channel);
      EXPECT_EQ(gap.origin.epoch, kOrigin.epoch);
      holes.emplace_back(gap.range.first, gap.range.end);
    }
    return holes;
  }

  Delivered& operator*() { return delivered_; }
  Delivered* operator->() { return &delivered_; }
  const GapList& gaps() const { return gaps_; }

 private:
  GapList gaps_;
  std::unique_ptr<lb_delivered> memory_ = std::make_unique<lb_delivered>();
  Delivered delivered_;
  std::vector<lb_run> news_;
};

/// The same with a set: exact as long as nothing is forgotten.
class Reference {
 public:
  explicit Reference(std::uint64_t first) : first_(first), end_(first) {}

  Runs take(std::uint64_t first, std::uint32_t count) {
    Runs runs;
    for (std::uint64_t number = first; number < first + count; ++number) {
      if (!numbers_.insert(number).second) continue;
      first_ = std::min(first_, number);
      if (!runs.empty() && runs.back().first + runs.back().second == number)
        ++runs.back().second;
      else
        runs.emplace_back(number, 1);
    }
    announce(first + count);
    return runs;
  }
  void announce(std::uint64_t end) { end_ = std::max(end_, end); }
  Knowledge knowledge(std::uint64_t first, std::uint32_t count) const {
    const auto hit = numbers_.lower_bound(first);
    return hit != numbers_.end() && *hit < first + count ? Knowledge::delivered
                                                         : Knowledge::missing;
  }
  Holes holes() const {
    Holes holes;
    std::uint64_t next = first_;
    for (const std::uint64_t number : numbers_) {
      if (number > next) holes.emplace_back(next, number);
      next = number + 1;
    }
    if (next < end_) holes.emplace_back(next, end_);
    return holes;
  }
  std::uint64_t messages() const { return numbers_.size(); }
  std::uint64_t gap_messages() const { return end_ - first_ - numbers_.size(); }

 private:
  std::set<std::uint64_t> numbers_;
  std::uint64_t first_;
  std::uint64_t end_;
};

void expect_same(Memory& memory, const Reference& reference, std::uint64_t seed) {
  EXPECT_EQ(memory->messages(), reference.messages()) << "seed " << seed;
  EXPECT_EQ(memory->gap_messages(), reference.gap_messages()) << "seed " << seed;
  EXPECT_EQ(memory.report(), reference.holes()) << "seed " << seed;
}

/// take_next() is take() where that is simple: packets in turn, and now and then another one.
TEST(Delivered, TakesWhatComesNextAsItTakesAnythingElse) {
  GapList gaps, twin_gaps;
  const auto memory = std::make_unique<lb_delivered>(),
             twin_memory = std::make_unique<lb_delivered>();
  Delivered delivered(gaps, *memory), twin(twin_gaps, *twin_memory);
  delivered.begin(1'000, kOrigin);
  twin.begin(1'000, kOrigin);
  memory->answered = twin_memory->answered = {1'000, 1'100};
  std::mt19937 random(1);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  std::vector<lb_run> news(512);
  std::uint32_t taken_next = 0;
  for (std::uint32_t now_ms = 1; now_ms < 20'000; ++now_ms) {
    std::uint64_t first = delivered.end();
    const std::uint32_t kind = below(100);
    if (kind == 0) first += below(200'000);
    if (kind > 90) first += below(3);
    if (kind == 1) first -= std::min<std::uint64_t>(first, below(5'000));
    const std::uint32_t count = kind < 50 ? 1 : 1 + below(100);
    const std::size_t runs = delivered.take(first, count, now_ms, news.data());
    if (twin.take_next(first, count, now_ms)) {
      ++taken_next;
      ASSERT_EQ(runs, 1u);
      ASSERT_EQ(news[0].first, first);
      ASSERT_EQ(news[0].count, count);
    } else {
      ASSERT_EQ(twin.take(first, count, now_ms, news.data()), runs);
    }
    ASSERT_EQ(std::memcmp(memory.get(), twin_memory.get(), sizeof(lb_delivered)), 0) << now_ms;
    ASSERT_EQ(twin.messages(), delivered.messages());
    ASSERT_EQ(twin.gap_messages(), delivered.gap_messages());
    ASSERT_EQ(twin.adopted(), delivered.adopted());
  }
  EXPECT_GT(taken_next, 5'000u);
}

TEST(Delivered, TakesNothingInTheShortWayWhereSomebodyWantsToKnowWhatIsInHand) {
  GapList gaps;
  const auto memory = std::make_unique<lb_delivered>();
  const auto in_hand = std::make_unique<lb_in_hand>();
  Delivered delivered(gaps, *memory, in_hand.get());
  delivered.begin(1, kOrigin);
  EXPECT_FALSE(delivered.take_next(1, 1, 1));
  EXPECT_EQ(delivered.end(), 1u);
}

/// Goes on in ranges of many sizes, leaves holes, turns back into them, and now and then jumps.
TEST(Delivered, AgreesWithASetForRandomRanges) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    const std::uint64_t first = seed % 3 == 0 ? 0 : random() % 1'000'000;
    Memory memory(first);
    Reference reference(first);
    std::uint64_t head = first;
    int jumps = 0;
    for (int step = 0; step < 800; ++step) {
      const auto count = static_cast<std::uint32_t>(1 + random() % 250);
      std::uint64_t begin = head;
      if (random() % 8 == 0) begin = head + random() % 300;
      if (random() % 3 == 0) begin = head - std::min(head, random() % 2000);
      if (random() % 20 == 0) begin = head - std::min(head, random() % 200'000);
      if (random() % 200 == 0 && ++jumps < 5) begin = head + random() % 300'000;
      if (begin + 30'000 < first) begin = first;
      EXPECT_EQ(memory->knowledge(begin, count), reference.knowledge(begin, count))
          << "seed " << seed << ", step " << step;
      ASSERT_EQ(memory.take(begin, count), reference.take(begin, count))
          << "seed " << seed << ", step " << step << ", " << begin << " and " << count << " more";
      head = std::max(head, begin + count);
    }
    expect_same(memory, reference, seed);
  }
}

TEST(Delivered, FillsHolesBehindTheBitmapNumberByNumber) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    std::mt19937_64 random(seed);
    Memory memory(1);
    Reference reference(1);
    std::vector<std::uint64_t> missing;
    for (std::uint64_t number = 1; number <= 5000; ++number) {
      if (number % 50 < 7)
        missing.push_back(number);
      else
        EXPECT_EQ(memory.take(number, 1), reference.take(number, 1));
    }
    for (std::uint64_t number = 5001; number < 5001 + 2 * kMessages; number += 250)
      EXPECT_EQ(memory.take(number, 250), reference.take(number, 250));
    std::ranges::shuffle(missing, random);
    missing.resize(missing.size() * 3 / 4);
    for (const std::uint64_t number : missing)
      EXPECT_EQ(memory.take(number, 1), reference.take(number, 1)) << number;
    for (const std::uint64_t number : missing) EXPECT_EQ(memory.take(number, 1), Runs{}) << number;
    expect_same(memory, reference, seed);
  }
}

TEST(Delivered, SplitsAHoleThatIsFilledInItsMiddle) {
  Memory memory(1);
  memory.take(1, 100);
  memory.take_all(1001, 1001 + 2 * kMessages);
  EXPECT_EQ(memory.take(500, 10), (Runs{{500, 10}}));
  EXPECT_EQ(memory.take(490, 30), (Runs{{490, 10}, {510, 10}}));
  EXPECT_EQ(memory->knowledge(490, 30), Knowledge::delivered);
  EXPECT_EQ(memory->knowledge(480, 10), Knowledge::missing);
  EXPECT_EQ(memory.report(), (Holes{{101, 490}, {520, 1001}}));
}

TEST(Delivered, JumpsFurtherThanItRemembers) {
  Memory memory(1);
  memory.take(1, 100);
  memory.take(10 * kMessages, 100);
  EXPECT_EQ(memory.take(50'000, 2), (Runs{{50'000, 2}}));
  memory.take_all(10 * kMessages + 100, 12 * kMessages);
  EXPECT_EQ(memory.report(), (Holes{{101, 50'000}, {50'002, 10 * kMessages}}));
}

/// A hole that the bitmap's beginning cuts in two is one hole.
TEST(Delivered, ReportsAHoleAcrossTheBitmapsBeginningWhole) {
  Memory memory(1);
  memory.take(1, 100);
  memory.take(50'000, 100);
  memory.take_all(150'000, 151'000);
  EXPECT_EQ(memory.report(), (Holes{{101, 50'000}, {50'100, 150'000}}));
}

TEST(Delivered, TakesNumbersBelowTheFirst) {
  Memory memory(1'000'000);
  memory.take(1'000'000, 10);
  EXPECT_EQ(memory->knowledge(999'000, 100), Knowledge::missing);
  EXPECT_EQ(memory.take(999'990, 20), (Runs{{999'990, 10}}));
  EXPECT_EQ(memory->first(), 999'990u);
  EXPECT_EQ(memory.take(1000, 10), (Runs{{1000, 10}})) << "below the bitmap";
  EXPECT_EQ(memory->first(), 1000u);
  EXPECT_EQ(memory.take(500'000, 1), (Runs{{500'000, 1}}));
  EXPECT_EQ(memory->messages(), 31u);
  EXPECT_EQ(memory.report(), (Holes{{1010, 500'000}, {500'001, 999'990}}));
}

TEST(Delivered, TakesNumbersBelowTheFirstWhenTheBitmapHasMovedOn) {
  Memory memory(1'000'000);
  memory.take_all(1'000'000, 1'000'000 + 3 * kMessages);
  memory.take(990'000, 10);
  EXPECT_EQ(memory.take(999'999, 2), (Runs{{999'999, 1}}));
  EXPECT_EQ(memory.report(), (Holes{{990'010, 999'999}}));
}

TEST(Delivered, AnnouncedNumbersAreMissing) {
  Memory memory(1);
  memory->announce(3);
  EXPECT_EQ(memory->gap_messages(), 2u);
  memory.take(3, 8);
  memory->announce(5);
  EXPECT_EQ(memory->end(), 11u) << "a heartbeat that comes late takes nothing back";
  memory->announce(kMessages * 3);
  EXPECT_EQ(memory.take(20, 2), (Runs{{20, 2}})) << "announced far ahead, brought later";
  EXPECT_EQ(memory.report(), (Holes{{1, 3}, {11, 20}, {22, kMessages * 3}}));
}

/// Every second number is missing: as many holes as can be.
TEST(Delivered, ForgetsTheOldestHolesAndSaysSoOnce) {
  Memory memory(2);
  constexpr std::uint64_t kHoles = 2 * Delivered::kMissing + 100;
  for (std::uint64_t hole = 0; hole < kHoles; ++hole) memory.take(2 + 2 * hole, 1);
  const std::uint64_t end = 2 + 2 * kHoles;
  memory.take_all(end, end + 2 * kMessages);

  EXPECT_EQ(memory.gaps().gaps().size(), Delivered::kMissing) << "reported when forgotten";
  EXPECT_EQ(memory->gap_messages(), kHoles);
  EXPECT_EQ(memory->knowledge(3, 1), Knowledge::forgotten);
  EXPECT_EQ(memory.take(3, 1), Runs{}) << "a gap for good";
  const std::uint64_t remembered = 2 + 2 * (kHoles - 1) + 1;
  EXPECT_EQ(memory->knowledge(remembered, 1), Knowledge::missing);
  EXPECT_EQ(memory.take(remembered, 1), (Runs{{remembered, 1}}));
  EXPECT_EQ(memory->gap_messages(), kHoles - 1);

  const Holes holes = memory.report();
  EXPECT_EQ(holes.size(), kHoles - 1);
  for (std::size_t i = 0; i < holes.size(); ++i)
    EXPECT_EQ(holes[i], std::pair(3 + 2 * i, 4 + 2 * i)) << "each once";
}

TEST(Delivered, CountsMoreGapsThanItLists) {
  Memory memory(1);
  constexpr std::uint64_t kHoles = 3000;
  for (std::uint64_t hole = 0; hole < kHoles; ++hole) memory.take(1 + 2 * hole, 1);
  memory.take_all(1 + 2 * kHoles, 2 * kHoles + 2 * kMessages);
  EXPECT_EQ(memory->gap_messages(), kHoles);
  EXPECT_EQ(memory.report().size(), GapList::kReported);
  EXPECT_TRUE(memory.gaps().truncated());
}

TEST(Delivered, KnowsWhenANeighbourhoodWasDelivered) {
  Memory memory(1);
  EXPECT_EQ(memory->time_ms(1), 0u);
  memory.take(1, 10, 1000);
  memory.take(11, 10, 1005);
  EXPECT_EQ(memory->time_ms(1), 1005u) << "then or earlier";
  memory.take(1, 20, 2000);
  EXPECT_EQ(memory->time_ms(1), 1005u) << "copies change nothing";
  memory.take(100, 10, 0);
  EXPECT_EQ(memory->time_ms(1), 1005u) << "0 keeps the time";
  memory.take(10'000, 1, 3000);
  EXPECT_EQ(memory->time_ms(10'000), 3000u);
  EXPECT_EQ(memory->time_ms(5000), 0u) << "nothing was delivered there";
  memory.take_all(10'001, 10'001 + 2 * kMessages);
  EXPECT_EQ(memory->time_ms(1), 0u) << "behind the bitmap";
}

TEST(Delivered, BeginsAnewWithoutMemoryOfTheEpochBefore) {
  Memory memory(1);
  memory.take(1, 100);
  memory.take_all(1000, 3 * kMessages);
  memory->begin(50, kOrigin);
  EXPECT_EQ(memory->messages(), 0u);
  EXPECT_EQ(memory->gap_messages(), 0u);
  EXPECT_EQ(memory->time_ms(50), 0u);
  EXPECT_EQ(memory.take(50, 60), (Runs{{50, 60}}));
  EXPECT_EQ(memory.take(1, 49), (Runs{{1, 49}}));
  EXPECT_TRUE(memory.report().empty());
}

TEST(Delivered, AllocatesNothingAfterItsConstruction) {
  GapList gaps;
  const auto memory = std::make_unique<lb_delivered>();
  Delivered delivered(gaps, *memory);
  std::vector<lb_run> news(256);
  std::mt19937_64 random(1);
  const Allocations allocations;
  delivered.begin(1'000'000, kOrigin);
  std::uint64_t head = 1'000'000;
  for (int step = 0; step < 20'000; ++step) {
    const auto count = static_cast<std::uint32_t>(1 + random() % 8);
    head += random() % 3 == 0 ? count + random() % 200 : count;
    delivered.take(head, count, 1, news.data());
    delivered.take(head - random() % 400'000, count, 1, news.data());
  }
  delivered.announce(head + 1'000'000);
  delivered.report_gaps();
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace linearb::sequencer::test
