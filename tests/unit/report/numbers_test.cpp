// SPDX-License-Identifier: Apache-2.0
#include "report/numbers.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace linearb::report {
namespace {

TEST(Numbers, AreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(123'456'789), "123,456,789");
  EXPECT_EQ(grouped(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Numbers, TimeHasThreeDigitsAndAUnit) {
  EXPECT_EQ(time_text(0), "0 ns");
  EXPECT_EQ(time_text(999), "999 ns");
  EXPECT_EQ(time_text(1'000), "1.00 us");
  EXPECT_EQ(time_text(50'123), "50.1 us");
  EXPECT_EQ(time_text(834'000), "834 us");
  EXPECT_EQ(time_text(999'900), "1.00 ms");
  EXPECT_EQ(time_text(12'345'678), "12.3 ms");
  EXPECT_EQ(time_text(2'500'000'000), "2.50 s");
  EXPECT_EQ(time_text(90'000'000'000), "90.00 s");
}

TEST(Numbers, ShareOfNothingIsNothing) {
  EXPECT_EQ(share_text(1, 100), "1.00 %");
  EXPECT_EQ(share_text(2, 3), "66.67 %");
  EXPECT_EQ(share_text(0, 0), "0.00 %");
}

TEST(Numbers, RateIsRounded) {
  EXPECT_EQ(rate_per_second(1'000, 3), 333u);
  EXPECT_EQ(rate_per_second(2, 3), 1u);
  EXPECT_EQ(rate_per_second(1'000, 0), 0u);
}

}  // namespace
}  // namespace linearb::report
