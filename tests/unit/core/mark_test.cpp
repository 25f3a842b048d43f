// SPDX-License-Identifier: Apache-2.0
#include "core/mark.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace linearb {
namespace {

constexpr std::uint32_t kGeneration = 200;
constexpr std::uint64_t kEnd = LB_MARK_MASK;  // the largest value that a mark can have

lb_u64 at(std::uint64_t value) {
  return lb_mark_word(kGeneration, value);
}

TEST(Mark, KeepsGenerationAndValueApart) {
  for (std::uint32_t generation : {1u, 127u, 128u, 255u}) {
    for (std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, kEnd - 1, kEnd}) {
      lb_u64 word = lb_mark_word(generation, value);
      EXPECT_EQ(lb_mark_generation(word), generation) << value;
      EXPECT_EQ(lb_mark_value(word), value) << generation;
    }
  }
}

TEST(Mark, NeverLetsAValueReachTheGeneration) {
  EXPECT_EQ(lb_mark_generation(lb_mark_word(5, kEnd + 1)), 5u);
  EXPECT_EQ(lb_mark_generation(lb_mark_word(5, ~0ull)), 5u);
}

struct Place {
  const char* what;
  std::uint64_t shown;
  std::uint64_t first;
  std::int32_t place;
};

TEST(Mark, SaysWhereARangeStands) {
  const Place table[] = {
      {"continues", 100, 100, 0},
      {"continues at zero", 0, 0, 0},
      {"skips one", 100, 101, 1},
      {"one behind", 100, 99, -1},
      {"back to the start", 100, 0, -100},
      {"largest skip that is exact", 100, 100ull + LB_PLACE_MAX, LB_PLACE_MAX},
      {"one more saturates", 100, 101ull + LB_PLACE_MAX, LB_PLACE_MAX},
      {"largest step back that is exact", 100ull + LB_PLACE_MAX, 100, -LB_PLACE_MAX},
      {"one more saturates", 101ull + LB_PLACE_MAX, 100, -LB_PLACE_MAX},
      {"from end to end", 0, kEnd, LB_PLACE_MAX},
      {"and back", kEnd, 0, -LB_PLACE_MAX},
      {"at the end", kEnd, kEnd, 0},
      {"before the end", kEnd - 1, kEnd, 1},
  };
  for (const Place& row : table)
    EXPECT_EQ(lb_mark_place(at(row.shown), row.first), row.place) << row.what;
}

TEST(Mark, HasNoPlaceThatMeansUnknown) {
  EXPECT_LT(LB_PLACE_UNKNOWN, lb_mark_place(at(kEnd), 0));
}

struct Advance {
  const char* what;
  std::uint64_t shown;
  std::uint64_t first;
  std::uint64_t end;
};

TEST(Mark, MovesToTheEndOfTheRange) {
  const Advance table[] = {
      {"continues", 100, 100, 101},
      {"continues with many", 100, 100, 356},
      {"skips", 100, 4'000, 4'001},
      {"from the start", 0, 1, 2},
      {"up to the end", kEnd - 1, kEnd - 1, kEnd},
  };
  for (const Advance& row : table) {
    lb_u64 shown = at(row.shown);
    EXPECT_EQ(lb_mark_advance(&shown, shown, row.first, row.end), 1) << row.what;
    EXPECT_EQ(shown, at(row.end)) << row.what;
    lb_u64 at_once = at(row.shown);
    EXPECT_EQ(lb_mark_advance_at_once(&at_once, at_once, row.end), 1) << row.what;
    EXPECT_EQ(at_once, shown) << row.what;
  }
}

TEST(Mark, GivesWayToWhatHappenedSinceItWasRead) {
  lb_u64 shown = at(120);
  EXPECT_EQ(lb_mark_advance(&shown, at(100), 110, 112), 0) << "another CPU is past it";
  EXPECT_EQ(lb_mark_advance(&shown, lb_mark_word(kGeneration - 1, 100), 130, 131), 0)
      << "another generation";
  EXPECT_EQ(shown, at(120));
  EXPECT_EQ(lb_mark_advance(&shown, at(100), 120, 121), 1) << "it still continues";
  EXPECT_EQ(shown, at(121));
}

/// Several CPUs can be in the hook for one line. The packets that moved its mark stand in one
/// order, each beyond the one before: none of them was judged by a mark that was gone already.
TEST(MarkThreads, MoveInOneOrder) {
  struct Move {
    std::uint64_t first;
    std::uint64_t end;
  };
  constexpr int kPackets = 200'000;
  lb_u64 shown = at(0);
  std::array<std::vector<Move>, 2> moves;
  std::array<std::uint64_t, 2> steps_back{};

  auto run_cpu = [&](std::size_t cpu) {
    std::mt19937_64 random(cpu + 1);
    std::uint64_t newest = 0;
    for (int packet = 0; packet < kPackets; packet++) {
      lb_u64 seen = lb_load_acquire(&shown);
      if (lb_mark_value(seen) < newest) steps_back[cpu]++;
      newest = lb_mark_value(seen);
      std::uint64_t first = newest + random() % 3;
      std::uint64_t end = first + 1 + random() % 4;
      if (lb_mark_advance(&shown, seen, first, end)) moves[cpu].push_back({first, end});
    }
  };
  std::thread other_cpu(run_cpu, 1);
  run_cpu(0);
  other_cpu.join();

  std::vector<Move> all = moves[0];
  all.insert(all.end(), moves[1].begin(), moves[1].end());
  std::ranges::sort(all, {}, &Move::end);
  std::uint64_t mark = 0;
  for (const Move& move : all) {
    ASSERT_GE(move.first, mark) << "moved by a packet that began behind the mark";
    mark = move.end;
  }
  EXPECT_EQ(shown, at(mark));
  EXPECT_EQ(steps_back, (std::array<std::uint64_t, 2>{}));
}

}  // namespace
}  // namespace linearb
