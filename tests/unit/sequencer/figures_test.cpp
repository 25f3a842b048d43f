// SPDX-License-Identifier: Apache-2.0
#include "sequencer/figures.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace linearb::sequencer {
namespace {

lb_histogram histogram_of(const std::vector<std::uint64_t>& samples_ns) {
  lb_histogram histogram{};
  for (const std::uint64_t sample_ns : samples_ns) lb_histogram_add(&histogram, sample_ns);
  return histogram;
}

SkewSummary summary_of(const std::vector<std::uint64_t>& samples_ns) {
  return summarize(histogram_of(samples_ns));
}

TEST(Summarize, HasNothingToSayWithoutSamples) {
  const SkewSummary summary = summary_of({});
  EXPECT_EQ(summary.count, 0u);
  EXPECT_EQ(summary.p50, 0u);
  EXPECT_EQ(summary.p99, 0u);
  EXPECT_EQ(summary.max, 0u);
}

TEST(Summarize, SaysWhatTheOnlySampleWas) {
  const SkewSummary summary = summary_of({1'234'567});
  EXPECT_EQ(summary.count, 1u);
  EXPECT_EQ(summary.p50, 1'234'567u) << "never more than the largest sample";
  EXPECT_EQ(summary.p99, 1'234'567u);
  EXPECT_EQ(summary.max, 1'234'567u);
}

/// Below eight nanoseconds a bucket is one value, so the percentiles are exact.
TEST(Summarize, IsExactForSmallValues) {
  std::vector<std::uint64_t> samples_ns(50, 2);
  samples_ns.insert(samples_ns.end(), 49, 3);
  samples_ns.push_back(7);
  EXPECT_EQ(summary_of(samples_ns).p50, 2u) << "half of them are no more";
  EXPECT_EQ(summary_of(samples_ns).p99, 3u) << "99 of 100 are no more";
  samples_ns.push_back(7);
  EXPECT_EQ(summary_of(samples_ns).p50, 3u);
  EXPECT_EQ(summary_of(samples_ns).p99, 7u);
  EXPECT_EQ(summary_of(samples_ns).max, 7u);
}

TEST(Summarize, HasOneAnswerWhereAllSamplesAreAlike) {
  const SkewSummary summary = summary_of(std::vector<std::uint64_t>(1000, 0));
  EXPECT_EQ(summary.count, 1000u);
  EXPECT_EQ(summary.p50, 0u);
  EXPECT_EQ(summary.p99, 0u);
}

/// A bucket is never wider than an eighth of what it holds, and a percentile is its top.
TEST(Summarize, IsTooLargeByAnEighthAtMost) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<std::uint64_t> samples_ns;
    for (int i = 0; i < 1000; ++i) samples_ns.push_back(random() >> (24 + random() % 30));
    const SkewSummary summary = summary_of(samples_ns);
    std::ranges::sort(samples_ns);
    EXPECT_EQ(summary.count, 1000u);
    EXPECT_EQ(summary.max, samples_ns.back());
    EXPECT_GE(summary.p50, samples_ns[499]) << "seed " << seed;
    EXPECT_LE(summary.p50, samples_ns[499] + samples_ns[499] / 8) << "seed " << seed;
    EXPECT_GE(summary.p99, samples_ns[989]) << "seed " << seed;
    EXPECT_LE(summary.p99, samples_ns[989] + samples_ns[989] / 8) << "seed " << seed;
  }
}

TEST(Summarize, KnowsTheLargestBeyondTheLastBucket) {
  const std::uint64_t hour_ns = 3'600'000'000'000;
  EXPECT_EQ(summary_of({hour_ns}).max, hour_ns);
}

}  // namespace
}  // namespace linearb::sequencer
