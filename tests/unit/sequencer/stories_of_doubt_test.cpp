// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/story_table.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;

class DoubtStory : public testing::TestWithParam<Told> {};

TEST_P(DoubtStory, IsArbitrated) {
  play(GetParam());
}

TEST_P(DoubtStory, IsArbitratedBehindTheHook) {
  play_behind_hook(GetParam());
}

TEST_P(DoubtStory, IsArbitratedInTheOrderOfNumbers) {
  play_in_order(GetParam());
}

constexpr std::uint64_t kFar = 3'000'000'000;

void expect_no_gaps(const Story& story) {
  EXPECT_EQ(story.sequencer().gaps().gaps().size(), 0u);
}

const Told kPoison[] = {
    {"one number far ahead",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison(kFar).sends(501, 1000);
       story.line(B).waits(5ms).sends(1, 1000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.poison_delivered(), 1u);
       EXPECT_EQ(story.newest_epoch(), 1u);
       EXPECT_EQ(story.sequencer().lost_messages(A), 0u);
     }},
    {"one number far ahead, twice",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison(kFar).sends_poison(kFar).sends(501, 1000);
       story.line(B).waits(5ms).sends(1, 1000);
     },
     [](const Story& story) { EXPECT_EQ(story.poison_delivered(), 1u); }},
    {"one number far ahead, as the last packet of a line",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison(kFar);
       story.line(B).sends(1, 1000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"one number far ahead, before anything else",
     [](Story& story) {
       story.line(A).sends_poison(kFar).sends(1, 1000);
       story.line(B).waits(5ms).sends(1, 1000);
     },
     expect_no_gaps},
    {"a heartbeat from far ahead, before anything else",
     [](Story& story) {
       story.line(A).announces_poison(kFar).sends(1'000'000, 1'001'000);
       story.line(B).waits(5ms).sends(1'000'000, 1'001'000);
     },
     expect_no_gaps},
    {"heartbeats with no number of the feed",
     [](Story& story) {
       story.line(A).announces_poison(~0ull).sends(1, 500);
       story.line(A).announces_poison(~0ull).announces_poison(~0ull - 4000);
       story.line(A).announces_poison(~0ull - 4000).sends(501, 1000);
       story.line(B).waits(5ms).sends(1, 1000).announces_poison(1ull << 60);
       story.line(B).announces_poison(1ull << 60);
     },
     [](const Story& story) {
       expect_no_gaps(story);
       EXPECT_EQ(story.newest_epoch(), 1u);
       EXPECT_EQ(story.sequencer().lost_messages(B), 0u);
     }},
    {"one number ahead, before anything else in mid-stream",
     [](Story& story) {
       story.line(A).sends_poison(1'020'000).sends(1'000'000, 1'001'000);
       story.line(B).waits(5ms).sends(1'000'000, 1'001'000);
     },
     expect_no_gaps},
    {"one number ahead, which comes again with other messages in its turn",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison(6000).sends(501, 10'000);
       story.line(B).waits(5ms).sends(1, 10'000);
     },
     [](const Story& story) { EXPECT_EQ(story.poison_delivered(), 1u); }},
    {"two numbers far ahead that do not continue each other",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison(kFar).sends_poison(kFar + 1'000'000);
       story.line(A).sends(501, 1000);
       story.line(B).waits(5ms).sends(1, 1000);
     },
     [](const Story& story) {
       EXPECT_LE(story.poison_delivered(), 2u);
       EXPECT_EQ(story.newest_epoch(), 1u);
     }},
    {"two numbers far ahead, one on each line",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison(kFar).sends(501, 1000);
       story.line(B).sends(1, 500).sends_poison(kFar + 1'000'000).sends(501, 1000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"one number far ahead, then packets that others overtook, B behind",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 3000);
       story.line(B).waits(25ms).every(10us).sends(1, 10).sends(16, 20).sends_poison(kFar);
       story.line(B).sends(11, 15).sends(21, 3000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"a number far behind",
     [](Story& story) {
       story.line(A).every(1ms).sends(1, 2000).sends_poison(7).sends(2001, 3000);
       story.line(B).waits(5ms).every(1ms).sends(1, 3000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.poison_delivered(), 0u);
       EXPECT_EQ(story.count_of(A, Outcome::unconfirmed), 1u);
       EXPECT_EQ(story.newest_epoch(), 1u);
     }},
    {"a number far behind, then a pause",
     [](Story& story) {
       story.line(A).every(1ms).sends(1, 2000).sends_poison(7).waits(5s).sends(2001, 3000);
       story.line(B).waits(5ms).every(1ms).sends(1, 2000).waits(5s).sends(2001, 3000);
     }},
    {"a packet from far behind that has new messages in it",
     [](Story& story) {
       story.line(A).every(1ms).packs(4).sends(1, 40).loses(41, 44).sends(45, 2000);
       story.line(A).packs(8).sends(37, 44).packs(4).sends(2001, 3000);
       story.line(B).waits(5ms).every(1ms).packs(4).sends(1, 40).loses(41, 44).sends(45, 3000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 1u);
       EXPECT_EQ(story.sequencer().lost_messages(A), 0u);
     }},
    {"a number before the first",
     [](Story& story) {
       story.line(A).sends(500'000, 500'100).sends_poison(8).sends(500'101, 501'000);
       story.line(B).waits(5ms).sends(500'000, 501'000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"a session that nobody knows",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison_session(501, "damaged").sends(502, 1000);
       story.line(B).waits(5ms).sends(1, 1000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.poison_delivered(), 1u);
       EXPECT_EQ(story.newest_epoch(), 1u);
     }},
    {"two sessions that nobody knows",
     [](Story& story) {
       story.line(A).sends(1, 500).sends_poison_session(501, "damaged");
       story.line(A).sends_poison_session(502, "battered").sends(503, 1000);
       story.line(B).waits(5ms).sends(1, 1000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
};

void jump_that_the_other_line_explains(Story& story) {
  story.line(A).every(10us).sends(1, 500).loses(501, 10'500).sends(10'501, 10'501);
  story.line(A).waits(80ms).sends(10'502, 11'000);
  story.line(B).waits(60ms).every(10us).sends(1, 10'501).waits(30ms).sends(10'502, 11'000);
}

void expect_its_line_lost_the_jump(const Story& story) {
  EXPECT_EQ(story.sequencer().lost_messages(A), 10'000u);
  EXPECT_EQ(story.sequencer().lost_messages(B), 0u);
  EXPECT_EQ(story.newest_epoch(), 1u);
}

const Told kJumps[] = {
    {"both lines jump ahead",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 500).loses(501, 9000).sends(9001, 10'000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 501, 9000}}));
       EXPECT_EQ(story.newest_epoch(), 1u);
       EXPECT_EQ(story.sequencer().lost_messages(A), 8500u);
       EXPECT_EQ(story.sequencer().lost_messages(B), 8500u);
     }},
    {"both lines jump ahead, every packet twice",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).repeats_each_after(0ms).sends(1, 500).waits(1s).sends(9001, 10'000);
     }},
    {"both lines jump ahead, pairs swapped",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 500).waits(1s).sends_pairs_swapped(9001, 10'000);
     }},
    {"both lines jump ahead, each with another packet first",
     [](Story& story) {
       story.line(A).sends(1, 500).waits(1s).packs(3).sends(9001, 9900);
       story.line(B).sends(1, 500).waits(1001ms).packs(4).sends(9005, 9900);
     }},
    {"one line jumps ahead, the other follows in full",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 500).loses(501, 9000).sends(9001, 10'000);
       story.line(B).waits(200ms).every(10us).sends(1, 10'000);
     }},
    {"a jump of one packet, then the line is dead and the other follows in full",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 500).loses(501, 9000).sends(9001, 9001);
       story.line(B).waits(200ms).every(10us).sends(1, 10'000);
     }},
    {"a jump of one packet, which the other line brings before its own goes on",
     jump_that_the_other_line_explains, expect_its_line_lost_the_jump},
    {"a jump of one packet, which the other line brings when its own has gone on",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 500).loses(501, 10'500).sends(10'501, 10'501);
       story.line(A).waits(50ms).sends(10'600, 11'000);
       story.line(B).waits(60ms).every(10us).sends(1, 9000).waits(50ms).sends(9001, 11'000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.sequencer().lost_messages(A), 10'098u);
       EXPECT_EQ(story.sequencer().lost_messages(B), 0u);
     }},
    {"a jump of one large packet, and the other line follows in other packets",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 500).packs(100).sends(9001, 9100);
       story.line(B).waits(200ms).every(10us).packs(7).sends(1, 10'000);
     }},
    {"jumps of one packet each on both lines, one behind the other, then all comes",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 500).packs(4).sends(9001, 9004).sends(20'001, 20'004);
       story.line(B).every(10us).sends(1, 500).waits(1ms).packs(4).sends(9003, 9006);
       story.line(B).waits(200ms).packs(1).sends(501, 30'000);
     }},
    {"one packet alone between two jumps is in no gap",
     [](Story& story) {
       story.line(A).sends(1, 500).loses(501, 9000).sends(9001, 9001).loses(9002, 18'000);
       story.line(A).sends(18'001, 19'000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 501, 9000}, {1, 9002, 18'000}}));
       EXPECT_EQ(story.sequencer().messages(0), 1501u);
       EXPECT_EQ(story.sequencer().channel(0).gap_messages(), 17'499u);
       EXPECT_EQ(story.sequencer().lost_messages(A), 17'499u);
     }},
    {"one packet alone between two jumps, which the other line brings later",
     [](Story& story) {
       story.line(A).sends(1, 500).sends(9001, 9001).sends(18'001, 19'000);
       story.line(B).sends(1, 500).waits(100ms).every(10us).sends(501, 19'000);
     },
     expect_no_gaps},
    {"one packet alone between two jumps, long before the end",
     [](Story& story) {
       story.line(A).sends(1, 500).sends(9001, 9001).sends(18'001, 19'000);
       story.line(A).every(100ms).sends(19'001, 20'000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 501, 9000}, {1, 9002, 18'000}}));
     }},
    {"one packet alone between two jumps, then a new session",
     [](Story& story) {
       story.line(A).sends(1, 500).sends(9001, 9001).sends(18'001, 19'000);
       story.line(A).opens_session("second").sends(1, 500);
       story.line(A).opens_session("third").sends(1, 500);
     },
     [](const Story& story) { EXPECT_EQ(story.sequencer().messages(0), 2501u); }},
    {"a jump of 200,000, more than is remembered",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 500).waits(1s).sends(200'001, 201'000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 501, 200'000}}));
     }},
    {"a jump of 200,000 on one line, the other follows in full",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 500).waits(1s).sends(200'001, 201'000);
       story.line(B).every(10us).sends(1, 201'000);
     }},
};

/// The hook says the place of what goes on from a jump to the end of that jump.
TEST(JumpBehindTheHook, IsLostByItsLineWhereTheOtherBringsItFirst) {
  Story story;
  jump_that_the_other_line_explains(story);
  story.put_hook_in_front(1);
  story.play();
  EXPECT_EQ(story.complaint(), "");
  expect_its_line_lost_the_jump(story);
}

INSTANTIATE_TEST_SUITE_P(Poison, DoubtStory, testing::ValuesIn(kPoison), name_of_test);
INSTANTIATE_TEST_SUITE_P(Jumps, DoubtStory, testing::ValuesIn(kJumps), name_of_test);

}  // namespace
}  // namespace linearb::sequencer::test
