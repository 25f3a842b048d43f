// SPDX-License-Identifier: Apache-2.0
#include "config/line_value.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "support/error_text.h"

namespace linearb::config {
namespace {

const std::array<std::string, 2> kLines{"A", "B"};

TEST(LineValue, IsOfOneLineOrOfAll) {
  const LineValue one = split_line_value("offset", "B=-1ms", kLines);
  EXPECT_EQ(one.begin, 1u);
  EXPECT_EQ(one.end, 2u);
  EXPECT_EQ(one.value, "-1ms");
  const LineValue all = split_line_value("offset", "1ms", kLines);
  EXPECT_EQ(all.begin, 0u);
  EXPECT_EQ(all.end, 2u);
  EXPECT_EQ(all.value, "1ms");
}

TEST(LineValue, OfALineThatIsNotThereIsRefused) {
  EXPECT_EQ(test::error_text([] { split_line_value("offset", "C=1ms", kLines); }),
            "--offset C=1ms: there is no line 'C'; the lines are A, B");
}

TEST(LineValue, ReadsDurationsInEveryUnit) {
  EXPECT_EQ(parse_duration_ns("7ns"), 7);
  EXPECT_EQ(parse_duration_ns("50us"), 50'000);
  EXPECT_EQ(parse_duration_ns("1.5ms"), 1'500'000);
  EXPECT_EQ(parse_duration_ns("-2s"), -2e9);
  EXPECT_EQ(parse_duration_ns("0s"), 0);
}

TEST(LineValue, ReadsNothingElseAsADuration) {
  for (const char* text : {"", "5", "ms", "1 ms", "1h", "+1ms", "1.5.5ms", "x1ms", "1msx"})
    EXPECT_EQ(parse_duration_ns(text), std::nullopt) << text;
}

}  // namespace
}  // namespace linearb::config
