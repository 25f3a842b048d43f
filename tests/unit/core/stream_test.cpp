// SPDX-License-Identifier: Apache-2.0
#include "core/stream.h"

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace linearb::test {
namespace {

TEST(Stream, IsFoundByDestinationAndKey) {
  lb_stream_bucket bucket{};
  EXPECT_EQ(lb_stream_find(&bucket, 5, 77), 5u) << "not there: what comes is of its destination";
  ASSERT_TRUE(lb_stream_add(&bucket, 5, 77, 9));
  ASSERT_TRUE(lb_stream_add(&bucket, 0, 0, 65'535));
  EXPECT_EQ(lb_stream_find(&bucket, 5, 77), 9u);
  EXPECT_EQ(lb_stream_find(&bucket, 5, 78), 5u);
  EXPECT_EQ(lb_stream_find(&bucket, 6, 77), 6u);
  EXPECT_EQ(lb_stream_find(&bucket, 0, 0), 65'535u)
      << "no number of these means that none is there";
}

TEST(Stream, AFullBucketTakesNoMoreUntilOneGoes) {
  lb_stream_bucket bucket{};
  for (lb_u32 key = 0; key < LB_BUCKET_STREAMS; ++key)
    ASSERT_TRUE(lb_stream_add(&bucket, 1, key, 100 + key));
  EXPECT_FALSE(lb_stream_add(&bucket, 1, 50, 150));
  EXPECT_EQ(lb_stream_find(&bucket, 1, 50), 1u);
  lb_stream_remove(&bucket, 1, 2);
  lb_stream_remove(&bucket, 1, 60);
  EXPECT_EQ(lb_stream_find(&bucket, 1, 2), 1u);
  EXPECT_EQ(lb_stream_find(&bucket, 1, 3), 103u);
  EXPECT_TRUE(lb_stream_add(&bucket, 1, 50, 150));
  EXPECT_EQ(lb_stream_find(&bucket, 1, 50), 150u);
}

/// Two data threads see streams of theirs at the same time.
TEST(Stream, OfTwoThreadsEachHasAPlaceOfItsOwn) {
  constexpr int kRounds = 20'000;
  std::vector<lb_stream_bucket> buckets(kRounds);
  std::atomic<int> ready = 0;
  const auto add = [&](lb_u32 destination) {
    ++ready;
    while (ready < 2) {
    }
    for (lb_stream_bucket& bucket : buckets)
      for (lb_u32 key = 0; key < 2; ++key)
        EXPECT_TRUE(lb_stream_add(&bucket, destination, key, 100 * destination + key));
  };
  std::thread one(add, 1u);
  std::thread two(add, 2u);
  one.join();
  two.join();
  for (const lb_stream_bucket& bucket : buckets)
    for (lb_u32 destination = 1; destination <= 2; ++destination)
      for (lb_u32 key = 0; key < 2; ++key)
        EXPECT_EQ(lb_stream_find(&bucket, destination, key), 100 * destination + key);
}

TEST(Stream, BucketsAreThoseThatThereAreAndNeighboursAreApart) {
  constexpr lb_u32 kBits = 7;
  EXPECT_EQ(lb_stream_bucket_of(0, 3, 1'000'000), 0u);
  std::set<lb_u32> buckets;
  for (lb_u32 key = 0; key < 64; ++key) {
    buckets.insert(lb_stream_bucket_of(kBits, 1, key));
    EXPECT_LT(lb_stream_bucket_of(kBits, 1, key), 1u << kBits);
  }
  EXPECT_GT(buckets.size(), 32u);
}

}  // namespace
}  // namespace linearb::test
