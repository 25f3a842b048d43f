// SPDX-License-Identifier: Apache-2.0
#include "sequencer/line_watch.h"

#include <gtest/gtest.h>

namespace linearb::sequencer {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSecond = 1'000 * kMs;

/// Looked at every 10 ms.
class LineWatchTest : public testing::Test {
 protected:
  /// The conditions that were said meanwhile.
  std::vector<Condition> pass(std::uint64_t ns, bool own_goes_on, bool others_go_on) {
    std::vector<Condition> said;
    for (const std::uint64_t end = now_ns_ + ns; now_ns_ < end; now_ns_ += 10 * kMs) {
      if (own_goes_on) sight_.seen_ns = now_ns_;
      if (others_go_on) sight_.others_seen_ns = now_ns_;
      if (watch_.look(sight_, alarms_, now_ns_)) said.push_back(watch_.condition());
    }
    return said;
  }
  using Said = std::vector<Condition>;

  Alarms alarms_;
  LineSight sight_;
  LineWatch watch_;
  std::uint64_t now_ns_ = 1000 * kSecond;
};

TEST_F(LineWatchTest, AFeedThatGoesOnIsUp) {
  EXPECT_EQ(pass(20 * kSecond, true, true), Said());
  EXPECT_EQ(watch_.condition(), Condition::up);
}

TEST_F(LineWatchTest, ALineThatBringsNothingWhileOthersDoIsSilentAndIsBack) {
  pass(5 * kSecond, true, true);
  EXPECT_EQ(pass(900 * kMs, false, true), Said());
  EXPECT_EQ(pass(300 * kMs, false, true), Said{Condition::silent});
  EXPECT_EQ(pass(3600 * kSecond, false, true), Said());
  EXPECT_EQ(pass(9 * kSecond, true, true), Said{Condition::back});
  EXPECT_EQ(pass(3 * kSecond, true, true), Said{Condition::up});
}

TEST_F(LineWatchTest, ALineThatIsSilentFromTheStartIsSilent) {
  EXPECT_EQ(pass(2 * kSecond, false, true), Said{Condition::silent});
}

TEST_F(LineWatchTest, TheSilenceIsAsLongAsItIsSaid) {
  alarms_.silence_ns = 8 * kSecond;
  pass(kSecond, true, true);
  EXPECT_EQ(pass(7900 * kMs, false, true), Said());
  EXPECT_EQ(pass(200 * kMs, false, true), Said{Condition::silent});
}

TEST_F(LineWatchTest, AFeedThatPausesIsNotSilentWhenTheOtherLineGoesOnFirst) {
  pass(kSecond, true, true);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(pass(4 * kSecond, false, false), Said());
    EXPECT_EQ(pass(10 * kMs, false, true), Said());
    EXPECT_EQ(pass(400 * kMs, false, false), Said());
    EXPECT_EQ(pass(10 * kMs, true, false), Said());
  }
}

TEST_F(LineWatchTest, WhereNobodyBringsAnythingIsNoAlarm) {
  pass(kSecond, true, true);
  EXPECT_EQ(pass(3600 * kSecond, false, false), Said());
}

TEST_F(LineWatchTest, UnlessTheFeedIsExpected) {
  alarms_.expects_feed = true;
  pass(kSecond, true, true);
  EXPECT_EQ(pass(900 * kMs, false, false), Said());
  EXPECT_EQ(pass(kSecond, false, false), Said{Condition::silent});
  EXPECT_EQ(pass(kSecond, true, true), Said{Condition::back});
}

TEST_F(LineWatchTest, AFeedThatIsExpectedAndHasNeverComeIsSilent) {
  alarms_.expects_feed = true;
  EXPECT_EQ(pass(2 * kSecond, false, false), Said{Condition::silent});
}

TEST_F(LineWatchTest, OutsideOfItsHoursNothingIsAnAlarm) {
  alarms_.expects_feed = true;
  pass(kSecond, true, true);
  sight_.in_hours = false;
  EXPECT_EQ(pass(3600 * kSecond, false, false), Said());
  EXPECT_EQ(pass(3600 * kSecond, false, true), Said());
  sight_.is_down = true;
  EXPECT_EQ(pass(kSecond, false, true), Said());
  sight_.is_down = false;
  sight_.lost += 5;
  EXPECT_EQ(pass(kSecond, true, true), Said());
}

TEST_F(LineWatchTest, InTheMorningTheSilenceBegins) {
  alarms_.expects_feed = true;
  sight_.in_hours = false;
  pass(3600 * kSecond, false, false);
  sight_.in_hours = true;
  EXPECT_EQ(pass(900 * kMs, false, false), Said());
  EXPECT_EQ(pass(kSecond, false, false), Said{Condition::silent});
}

TEST_F(LineWatchTest, AtNightItMayComeBack) {
  pass(2 * kSecond, false, true);
  ASSERT_EQ(watch_.condition(), Condition::silent);
  sight_.in_hours = false;
  EXPECT_EQ(pass(kSecond, false, true), Said());
  EXPECT_EQ(pass(kSecond, true, true), Said{Condition::back});
}

TEST_F(LineWatchTest, APassiveLineIsNotSilent) {
  alarms_.active_passive = true;
  EXPECT_EQ(pass(3600 * kSecond, false, true), Said());
  EXPECT_EQ(pass(3600 * kSecond, true, false), Said());
}

TEST_F(LineWatchTest, OfAnActiveAndAPassiveLineBothCanBeSilent) {
  alarms_.active_passive = true;
  alarms_.expects_feed = true;
  EXPECT_EQ(pass(10 * kSecond, false, true), Said());
  EXPECT_EQ(pass(2 * kSecond, false, false), Said{Condition::silent});
}

TEST_F(LineWatchTest, ALineThatLosesMessagesIsDegradedForAWhile) {
  sight_.lost = 1000;  // before anybody looked
  EXPECT_EQ(pass(kSecond, true, true), Said());
  ++sight_.lost;
  EXPECT_EQ(pass(9 * kSecond, true, true), Said{Condition::degraded});
  ++sight_.lost;
  EXPECT_EQ(pass(9 * kSecond, true, true), Said());
  EXPECT_EQ(pass(2 * kSecond, true, true), Said{Condition::up});
}

TEST_F(LineWatchTest, WhatALineBringsLaterDegradesNothing) {
  pass(kSecond, true, true);
  sight_.lost = 5;
  pass(kSecond, true, true);
  sight_.lost = 0;
  EXPECT_EQ(pass(10 * kSecond, true, true), Said{Condition::up});
}

TEST_F(LineWatchTest, AnInterfaceThatIsDownIsDownUntilTheLineBringsSomething) {
  pass(kSecond, true, true);
  sight_.is_down = true;
  EXPECT_EQ(pass(kSecond, false, true), Said{Condition::down});
  sight_.is_down = false;
  EXPECT_EQ(pass(100 * kMs, false, true), Said{Condition::silent});
  EXPECT_EQ(pass(kSecond, true, true), Said{Condition::back});
}

TEST_F(LineWatchTest, ALineThatIsBackAndLosesIsDegraded) {
  pass(2 * kSecond, false, true);
  pass(kSecond, true, true);
  ASSERT_EQ(watch_.condition(), Condition::back);
  ++sight_.lost;
  EXPECT_EQ(pass(kSecond, true, true), Said{Condition::degraded});
}

}  // namespace
}  // namespace linearb::sequencer
