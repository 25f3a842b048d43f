// SPDX-License-Identifier: Apache-2.0
#include "core/skew.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace linearb {
namespace {

constexpr std::uint64_t kStep = 1 << LB_SKEW_SAMPLE_SHIFT;  // every 16th number is sampled
constexpr std::uint64_t kAround = kStep * LB_SKEW_STAMPS;   // numbers until a place returns
constexpr std::uint64_t kTagWrap = kAround << 16;           // numbers until a tag returns
constexpr std::int64_t kUnknown = -1;

struct Sample {
  std::uint64_t first;
  std::uint32_t count;
  std::uint64_t number;
};

TEST(Skew, SamplesOneNumberOfARange) {
  const Sample table[] = {
      {16, 1, 16},
      {15, 1, 0},
      {17, 1, 0},
      {17, 15, 0},
      {17, 16, 32},
      {1, 15, 0},
      {1, 16, 16},
      {16, 16, 16},
      {16, 17, 32},
      {1, 256, 256},
      {0, 1, 0},
      {0, 17, 16},
      {kAround, 1, kAround},
      {(1ull << 56) - 16, 16, (1ull << 56) - 16},
  };
  for (const Sample& row : table)
    EXPECT_EQ(lb_skew_sampled(row.first, row.count), row.number) << row.first << ", " << row.count;
}

TEST(Skew, SamplesTheSameNumberWhateverThePacketsAre) {
  for (std::uint32_t count = 1; count <= kStep; count++) {
    std::vector<std::uint64_t> sampled;
    for (std::uint64_t first = 1; first < 1000; first += count)
      if (std::uint64_t number = lb_skew_sampled(first, count)) sampled.push_back(number);
    ASSERT_GE(sampled.size(), 62u) << count;
    for (std::size_t i = 0; i < sampled.size(); i++) ASSERT_EQ(sampled[i], (i + 1) * kStep);
  }
}

class SkewStamps : public testing::Test {
 protected:
  std::int64_t behind(std::uint64_t number, std::uint64_t now_ns) {
    return lb_skew_behind(stamps_.data(), number, now_ns);
  }
  void won(std::uint64_t number, std::uint64_t now_ns) {
    lb_skew_won(stamps_.data(), number, now_ns);
  }

  std::vector<lb_u64> stamps_ = std::vector<lb_u64>(LB_SKEW_STAMPS);
};

TEST_F(SkewStamps, SayHowFarBehindTheSecondCopyIs) {
  won(160, 1'000'000);
  EXPECT_EQ(behind(160, 1'000'000), 0);
  EXPECT_EQ(behind(160, 1'002'500), 2'500);
}

TEST_F(SkewStamps, SayNothingOfANumberThatWasNeverWon) {
  for (std::uint64_t number = kStep; number <= kAround; number += kStep)
    ASSERT_EQ(behind(number, 5), kUnknown) << number;
}

TEST_F(SkewStamps, AreKeptForAsManyNumbersAsThereArePlaces) {
  for (std::uint64_t number = kStep; number <= kAround; number += kStep) won(number, number);
  for (std::uint64_t number = kStep; number <= kAround; number += kStep)
    ASSERT_EQ(behind(number, number + 9), 9) << number;
}

TEST_F(SkewStamps, AreNotTakenForAnotherNumbers) {
  won(160, 1'000);
  EXPECT_EQ(behind(160 + kAround, 2'000), kUnknown) << "not won yet";
  won(160 + kAround, 3'000);
  EXPECT_EQ(behind(160, 4'000), kUnknown) << "gone";
  EXPECT_EQ(behind(160 + kAround, 4'000), 1'000);
  EXPECT_EQ(behind(160 + 2 * kAround, 4'000), kUnknown);
}

TEST_F(SkewStamps, TellNumbersApartUntilTheTagReturns) {
  won(kTagWrap - kAround + 160, 1'000);
  EXPECT_EQ(behind(kTagWrap - kAround + 160, 1'001), 1);
  EXPECT_EQ(behind(kTagWrap + 160, 1'001), kUnknown);
}

TEST_F(SkewStamps, AreRightAcrossTheWrapOfTheirTime) {
  constexpr std::uint64_t kWrap = LB_STAMP_TIME_MASK + 1;
  won(160, kWrap - 10);
  EXPECT_EQ(behind(160, kWrap + 20), 30);
  won(176, 5 * kWrap + 3);
  EXPECT_EQ(behind(176, 5 * kWrap + 8), 5);
}

/// The clocks of two CPUs may differ by some nanoseconds, and the winner's stamp be ahead.
TEST_F(SkewStamps, AreNeverNegative) {
  won(160, 1'000);
  EXPECT_EQ(behind(160, 990), 0);
}

}  // namespace
}  // namespace linearb
