// SPDX-License-Identifier: Apache-2.0
#include "sys/kernel.h"

#include <gtest/gtest.h>

namespace linearb::sys {
namespace {

TEST(Kernel, ReleasesAreComparedByTheirNumbers) {
  EXPECT_TRUE(is_at_least("6.15.0", 6, 15));
  EXPECT_TRUE(is_at_least("6.15", 6, 15));
  EXPECT_TRUE(is_at_least("6.18.2-generic", 6, 15));
  EXPECT_TRUE(is_at_least("7.0.0-rc1", 6, 15));
  EXPECT_FALSE(is_at_least("6.1.0-28-amd64", 6, 15));
  EXPECT_FALSE(is_at_least("6.9.12", 6, 15)) << "9 is less than 15";
  EXPECT_FALSE(is_at_least("5.19", 6, 1));
  EXPECT_FALSE(is_at_least("", 6, 15));
  EXPECT_FALSE(is_at_least("six.fifteen", 6, 15));
  EXPECT_FALSE(is_at_least("6", 6, 0));
  EXPECT_TRUE(is_at_least(kernel_release(), 3, 0)) << kernel_release();
}

}  // namespace
}  // namespace linearb::sys
