// SPDX-License-Identifier: Apache-2.0
#include "config/trading_hours.h"

#include <gtest/gtest.h>

#include "linearb/error.h"

namespace linearb::config {
namespace {

constexpr int kSunday = 0, kMonday = 1, kFriday = 5, kSaturday = 6;

constexpr int at(int hours, int minutes) {
  return hours * 60 + minutes;
}

TEST(TradingHours, AreEveryDayWithoutDays) {
  const TradingHours hours = TradingHours::parse("08:00-17:30");
  EXPECT_TRUE(hours.are_limited());
  for (int day = 0; day < TradingHours::kDays; ++day) {
    EXPECT_FALSE(hours.contain(day, at(7, 59)));
    EXPECT_TRUE(hours.contain(day, at(8, 0)));
    EXPECT_TRUE(hours.contain(day, at(17, 29)));
    EXPECT_FALSE(hours.contain(day, at(17, 30)));
  }
}

TEST(TradingHours, OfDays) {
  const TradingHours hours = TradingHours::parse("Mon-Fri 00:00-24:00");
  EXPECT_TRUE(hours.contain(kMonday, at(0, 0)));
  EXPECT_TRUE(hours.contain(kFriday, at(23, 59)));
  EXPECT_FALSE(hours.contain(kSaturday, at(12, 0)));
  EXPECT_FALSE(hours.contain(kSunday, at(12, 0)));
}

TEST(TradingHours, OverMidnightBelongToTheDayOnWhichTheyBegin) {
  const TradingHours hours = TradingHours::parse("Fri-Sun 18:00-17:00");
  EXPECT_FALSE(hours.contain(kFriday, at(12, 0)));
  EXPECT_TRUE(hours.contain(kFriday, at(18, 0)));
  EXPECT_TRUE(hours.contain(kSaturday, at(16, 59)));
  EXPECT_FALSE(hours.contain(kSaturday, at(17, 0)));
  EXPECT_TRUE(hours.contain(kMonday, at(16, 59)));
  EXPECT_FALSE(hours.contain(kMonday, at(18, 0)));
}

TEST(TradingHours, OfSeveralSpans) {
  const TradingHours hours = TradingHours::parse("Mon 09:00-12:00,  Mon 13:00-15:00");
  EXPECT_TRUE(hours.contain(kMonday, at(11, 0)));
  EXPECT_FALSE(hours.contain(kMonday, at(12, 30)));
  EXPECT_TRUE(hours.contain(kMonday, at(14, 0)));
}

TEST(TradingHours, AnEmptyTextLimitsNothing) {
  EXPECT_FALSE(TradingHours::parse("").are_limited());
}

class BadHours : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BadHours, AreRefusedWithWhatIsWrong) {
  const auto& [text, reason] = GetParam();
  try {
    TradingHours::parse(text);
    FAIL() << text << " was accepted";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("Mon-Fri 08:00-17:30"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, BadHours,
                         testing::Values(std::pair("08:00", "it has no end"),
                                         std::pair("08:00-8:30", "\"8:30\" is no time of a day"),
                                         std::pair("08:00-25:00", "\"25:00\" is no time of a day"),
                                         std::pair("08:60-09:00", "\"08:60\" is no time of a day"),
                                         std::pair("24:01-09:00", "\"24:01\" is no time of a day"),
                                         std::pair("+8:00-09:00", "\"+8:00\" is no time of a day"),
                                         std::pair("-1:00-09:00", "is no time of a day"),
                                         std::pair("08:00-08:00", "it ends when it begins"),
                                         std::pair("mon 08:00-09:00", "\"mon\" is no day"),
                                         std::pair("Mon-Fry 08:00-09:00", "\"Fry\" is no day"),
                                         std::pair("Mon", "it has no end"),
                                         std::pair("08:00-09:00,", "it has no end"),
                                         std::pair("always", "it has no end")));

}  // namespace
}  // namespace linearb::config
