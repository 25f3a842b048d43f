// SPDX-License-Identifier: Apache-2.0
#include "core/histogram.h"

#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <thread>

#include <gtest/gtest.h>

namespace linearb {
namespace {

constexpr std::uint32_t kLastBucket = LB_HISTOGRAM_BUCKETS - 1;
constexpr std::uint64_t kTop = std::uint64_t{1} << (LB_HISTOGRAM_TOP_BIT + 1);

TEST(HighestBit, IsFoundInEveryPosition) {
  for (std::uint32_t bit = 0; bit < 64; bit++) {
    std::uint64_t lowest = std::uint64_t{1} << bit;
    EXPECT_EQ(lb_highest_bit(lowest), bit);
    EXPECT_EQ(lb_highest_bit(lowest | (lowest - 1)), bit);
  }
}

struct Boundary {
  std::uint64_t ns;
  std::uint32_t bucket;
};

TEST(Histogram, PutsAValueIntoItsBucket) {
  const Boundary table[] = {
      {0, 0},
      {1, 1},
      {7, 7},
      {8, 8},
      {9, 9},
      {15, 15},
      {16, 16},
      {17, 16},
      {18, 17},
      {31, 23},
      {32, 24},
      {1023, 63},
      {1024, 64},
      {1151, 64},
      {1152, 65},
      {kTop - 1, kLastBucket},
      {kTop, kLastBucket},
      {~0ull, kLastBucket},
  };
  for (const Boundary& row : table) EXPECT_EQ(lb_histogram_bucket(row.ns), row.bucket) << row.ns;
}

/// Every bucket begins where the one before it ends, so that no value is between two, and the
/// order of the buckets is the order of the values.
TEST(Histogram, HasBucketsWithoutHolesOrOverlaps) {
  for (std::uint32_t bucket = 0; bucket < kLastBucket; bucket++) {
    std::uint64_t top = lb_histogram_bucket_top(bucket);
    ASSERT_EQ(lb_histogram_bucket(top), bucket);
    ASSERT_EQ(lb_histogram_bucket(top + 1), bucket + 1);
  }
  EXPECT_EQ(lb_histogram_bucket_top(kLastBucket), kTop - 1);
}

TEST(Histogram, IsOffByAnEighthAtMost) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 100'000; round++) {
    std::uint64_t ns = (random() | 1) >> (24 + random() % 40);
    std::uint64_t top = lb_histogram_bucket_top(lb_histogram_bucket(ns));
    ASSERT_GE(top, ns);
    ASSERT_LE((top - ns) * LB_HISTOGRAM_SUB, ns) << ns;
  }
}

TEST(Histogram, CountsEachValueOnce) {
  auto histogram = std::make_unique<lb_histogram>();
  for (std::uint64_t ns : {5ull, 5ull, 1000ull, 0ull, 900ull, 1ull << 50})
    lb_histogram_add(histogram.get(), ns);
  EXPECT_EQ(histogram->buckets[5], 2u);
  EXPECT_EQ(histogram->buckets[0], 1u);
  EXPECT_EQ(histogram->buckets[lb_histogram_bucket(1000)], 1u);
  EXPECT_EQ(histogram->buckets[lb_histogram_bucket(900)], 1u);
  EXPECT_EQ(histogram->buckets[kLastBucket], 1u);
  EXPECT_EQ(histogram->max_ns, 1ull << 50) << "the maximum is exact, also beyond the last bucket";
}

TEST(HistogramThreads, LoseNoValue) {
  constexpr std::uint64_t kValues = 100'000;
  auto histogram = std::make_unique<lb_histogram>();
  auto add_values = [&](std::uint64_t from) {
    for (std::uint64_t ns = from; ns < from + kValues; ns++) lb_histogram_add(histogram.get(), ns);
  };
  std::thread other_cpu(add_values, 1000);
  add_values(0);
  other_cpu.join();
  EXPECT_EQ(std::accumulate(histogram->buckets, histogram->buckets + LB_HISTOGRAM_BUCKETS,
                            std::uint64_t{0}),
            2 * kValues);
}

}  // namespace
}  // namespace linearb
