// SPDX-License-Identifier: Apache-2.0
#include "receiver/wiring.h"

#include <gtest/gtest.h>

namespace linearb::receiver {
namespace {

TEST(Wiring, KnowsWhereThreadsShareARingThatNobodyGuards) {
  EXPECT_TRUE(is_unguarded("6.1.0-28-amd64", false, 2));
  EXPECT_FALSE(is_unguarded("6.1.0-28-amd64", false, 1)) << "nobody shares";
  EXPECT_FALSE(is_unguarded("6.1.0-28-amd64", true, 2)) << "a driver's queue has one CPU at a time";
  EXPECT_FALSE(is_unguarded("6.15.1", false, 2));
}

}  // namespace
}  // namespace linearb::receiver
