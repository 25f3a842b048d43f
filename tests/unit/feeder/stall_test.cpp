// SPDX-License-Identifier: Apache-2.0
#include "feeder/stall.h"

#include <array>

#include <gtest/gtest.h>

#include "linearb/error.h"

namespace linearb::feeder {
namespace {

TEST(StallWatch, WaitsAsLongAsAnythingMoves) {
  StallWatch watch(1'000);
  EXPECT_FALSE(watch.stalled(1'000 + kStallNs - 1, 0, 5));
  EXPECT_TRUE(watch.stalled(1'000 + kStallNs, 0, 5));
  EXPECT_FALSE(watch.stalled(1'000 + kStallNs, 1, 5));
  EXPECT_FALSE(watch.stalled(1'000 + 2 * kStallNs - 1, 0, 5));
  EXPECT_TRUE(watch.stalled(1'000 + 2 * kStallNs, 0, 5));
}

TEST(StallWatch, IsQuietWhenNothingIsOutstanding) {
  StallWatch watch(0);
  EXPECT_FALSE(watch.stalled(10 * kStallNs, 0, 0));
  EXPECT_FALSE(watch.stalled(11 * kStallNs - 1, 0, 1));
}

TEST(StallWatch, SaysHowManyAndWhere) {
  const std::array<Outstanding, 3> lines{
      {{"A", "vethA_src", 7}, {"B", "vethB_src", 0}, {"C", "vethC_src", 64}}};
  try {
    throw_stalled(lines);
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "the kernel has taken packets to send and not given them back for 5 s: 7 on line A "
        "(vethA_src), 64 on line C (vethC_src); look at the interfaces with `ip -s link`");
  }
}

TEST(StallWatch, SaysWhereLiveFramesArrive) {
  const std::array<Outstanding, 1> lines{{{"A", "vethA_src", 7, true}}};
  try {
    throw_stalled(lines);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("generic receive offload"), std::string::npos);
  }
}

}  // namespace
}  // namespace linearb::feeder
