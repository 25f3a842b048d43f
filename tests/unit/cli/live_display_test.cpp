// SPDX-License-Identifier: Apache-2.0
#include "cli/live_display.h"

#include <gtest/gtest.h>

namespace linearb::cli {
namespace {

TEST(LiveDisplay, DrawsOverWhatItDrewBefore) {
  EXPECT_EQ(redraw_text(0, {"one", "two"}), "one\ntwo\n");
  EXPECT_EQ(redraw_text(2, {"three"}), "\x1b[2A\r\x1b[Jthree\n");
  EXPECT_EQ(redraw_text(1, {}), "\x1b[1A\r\x1b[J");
}

}  // namespace
}  // namespace linearb::cli
