// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_story.h"

#include <vector>

#include <gtest/gtest.h>

namespace linearb::cli {
namespace {

bool operator==(const lb_run& left, const lb_run& right) {
  return left.first == right.first && left.count == right.count;
}

bool equal(const std::vector<lb_run>& left, const std::vector<lb_run>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const lb_run& one, const lb_run& other) { return one == other; });
}

TEST(DeliveredNumbers, MissingAreRuns) {
  DeliveredNumbers numbers(200);
  for (std::uint64_t number = 1; number <= 200; number++) {
    if (number != 1 && (number < 64 || number > 66) && number != 200) numbers.add(number);
  }
  EXPECT_TRUE(equal(numbers.missing(200), {{1, 1}, {64, 3}, {200, 1}}));
  EXPECT_TRUE(equal(numbers.missing(64), {{1, 1}, {64, 1}}));
  EXPECT_EQ(numbers.delivered(), 195u);
}

TEST(DeliveredNumbers, NoticesWhatComesTwiceAndWhatWasNeverSent) {
  DeliveredNumbers numbers(10);
  for (std::uint64_t number : {0, 1, 10, 10, 11}) numbers.add(number);
  EXPECT_EQ(numbers.delivered(), 2u);
  EXPECT_EQ(numbers.twice(), 1u);
  EXPECT_EQ(numbers.wrong(), 2u);
}

/// Ten messages on two lines. Line A loses 1 and 5 to 6, line B loses 1 and 6 to 7: 1 and 6 are on
/// no line. What the hook saw is what was sent, and everything that was sent is delivered.
class StoryTest : public testing::Test {
 protected:
  StoryTest() {
    fed_.units = 10;
    fed_.lines.resize(2);
    fed_.lines[0].name = "A";
    fed_.lines[0].lost = {{0, 1}, {4, 2}};
    fed_.lines[1].name = "B";
    fed_.lines[1].lost = {{0, 1}, {5, 2}};
    summary_.lines.resize(2);
    summary_.channels.resize(1);
    summary_.channels[0].name = "optiq";
    summary_.channels[0].epoch = 3;
    for (std::size_t i = 0; i < 2; i++) {
      fed_.lines[i].ledger.dropped = 3;
      fed_.lines[i].sent = 7;
      summary_.lines[i].packets = 8;
      summary_.lines[i].not_feed = 1;
    }
  }

  void deliver(std::initializer_list<std::uint64_t> numbers) {
    for (std::uint64_t number : numbers) delivered_.add(number);
  }

  Story tell() { return tell_story(fed_, delivered_, summary_); }

  feeder::FeederResult fed_;
  DeliveredNumbers delivered_{10};
  Summary summary_;
};

TEST_F(StoryTest, EverythingThatALineCarriedIsDelivered) {
  deliver({2, 3, 4, 5, 7, 8, 9, 10});
  Story story = tell();
  EXPECT_EQ(story.generated, 10u);
  EXPECT_EQ(story.delivered, 8u);
  EXPECT_EQ(story.on_no_line, 2u);
  EXPECT_EQ(story.lost, 0u);
  EXPECT_EQ(story.lost_before_hook, 0u);
  EXPECT_EQ(story.lines[0].lost, 3u);
  EXPECT_EQ(story.lines[1].repaired, 1u);
  EXPECT_TRUE(story.is_good());
}

TEST_F(StoryTest, TheSummaryGetsTheGapsAlsoBeforeTheFirstPacket) {
  deliver({2, 3, 4, 5, 7, 8, 9, 10});
  tell();
  EXPECT_EQ(summary_.gap_messages, 2u);
  EXPECT_EQ(summary_.channels[0].gap_messages, 2u);
  ASSERT_EQ(summary_.gaps->size(), 2u);
  EXPECT_EQ((*summary_.gaps)[0].first, 1u);
  EXPECT_EQ((*summary_.gaps)[1].first, 6u);
  EXPECT_EQ((*summary_.gaps)[1].channel, "optiq");
  EXPECT_EQ((*summary_.gaps)[1].epoch, 3u);
  EXPECT_FALSE(summary_.gaps_truncated);
}

TEST_F(StoryTest, WhatReachedTheHookAndWasNotDeliveredIsLost) {
  deliver({2, 3, 4, 5, 7, 8, 9});
  Story story = tell();
  EXPECT_EQ(story.lost, 1u);
  EXPECT_FALSE(story.is_good());
}

TEST_F(StoryTest, WhatDidNotReachTheHookIsNotLostByLinearb) {
  deliver({2, 3, 4, 5, 7, 8, 9});
  summary_.lines[1].packets = 7;
  Story story = tell();
  EXPECT_EQ(story.lost, 0u);
  EXPECT_EQ(story.lost_before_hook, 1u);
  EXPECT_FALSE(story.is_good());
}

TEST_F(StoryTest, WhatNoLineCarriedCannotBeDelivered) {
  deliver({2, 3, 4, 5, 6, 7, 8, 9, 10});
  Story story = tell();
  EXPECT_EQ(story.wrong, 1u);
  EXPECT_EQ(story.lost, 0u);
  EXPECT_FALSE(story.is_good());
}

TEST_F(StoryTest, TwiceAndWrongAreNotGood) {
  deliver({2, 3, 4, 5, 7, 8, 9, 10, 10});
  EXPECT_EQ(tell().twice, 1u);
  EXPECT_FALSE(tell().is_good());
}

}  // namespace
}  // namespace linearb::cli
