// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/story_table.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;

class LineStory : public testing::TestWithParam<Told> {};

TEST_P(LineStory, IsArbitrated) {
  play(GetParam());
}

TEST_P(LineStory, IsArbitratedBehindTheHook) {
  play_behind_hook(GetParam());
}

TEST_P(LineStory, IsArbitratedInTheOrderOfNumbers) {
  play_in_order(GetParam());
}

void expect_no_loss(const Story& story) {
  EXPECT_EQ(story.sequencer().lost_messages(A), 0u);
  EXPECT_EQ(story.sequencer().lost_messages(B), 0u);
}

const Told kInStep[] = {
    {"both lines in step",
     [](Story& story) {
       story.line(A).sends(1, 1000);
       story.line(B).sends(1, 1000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.count_of(A, Outcome::won), 1000u);
       EXPECT_EQ(story.count_of(B, Outcome::duplicate), 1000u);
       EXPECT_EQ(story.newest_epoch(), 1u);
       expect_no_loss(story);
     }},
    {"A leads",
     [](Story& story) {
       story.line(A).sends(1, 3000);
       story.line(B).waits(50ms).sends(1, 3000);
     },
     [](const Story& story) { EXPECT_EQ(story.count_of(B, Outcome::duplicate), 3000u); }},
    {"B leads",
     [](Story& story) {
       story.line(A).waits(50ms).sends(1, 3000);
       story.line(B).sends(1, 3000);
     },
     [](const Story& story) { EXPECT_EQ(story.count_of(A, Outcome::duplicate), 3000u); }},
    {"numbers begin at 0",
     [](Story& story) {
       story.line(A).sends(0, 100);
       story.line(B).waits(1ms).sends(0, 100);
     }},
    {"one line alone", [](Story& story) { story.line(B).sends(1, 100); }},
    {"numbers of 56 bits",
     [](Story& story) {
       story.line(A).sends((1ull << 56) - 1001, (1ull << 56) - 2);
       story.line(B).waits(2ms).sends((1ull << 56) - 1001, (1ull << 56) - 2);
     }},
    {"three lines, each with losses of its own",
     [](Story& story) {
       story.line(A).sends(1, 99).loses(100, 149).sends(150, 1000);
       story.line(B).waits(1ms).sends(1, 119).loses(120, 199).sends(200, 1000);
       story.line(C).waits(2ms).sends(1, 129).loses(130, 139).sends(140, 1000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 130, 139}}));
       EXPECT_EQ(story.sequencer().lost_messages(A), 50u);
       EXPECT_EQ(story.sequencer().lost_messages(B), 80u);
       EXPECT_EQ(story.sequencer().lost_messages(C), 10u);
     },
     "moldudp64", 3},
};

const Told kLosses[] = {
    {"interleaved loss on both lines",
     [](Story& story) {
       for (std::uint64_t number = 1; number < 1000; number += 10) {
         story.line(A).sends(number, number + 4).loses(number + 5, number + 9);
         story.line(B).loses(number, number + 4).sends(number + 5, number + 9);
       }
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), std::vector<Missing>{});
       EXPECT_EQ(story.sequencer().lost_messages(A), 495u);
     }},
    {"lost on both lines is a gap",
     [](Story& story) {
       story.line(A).sends(1, 299).loses(300, 320).sends(321, 1000);
       story.line(B).waits(3ms).sends(1, 309).loses(310, 399).sends(400, 1000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 310, 320}}));
       EXPECT_EQ(story.sequencer().lost_messages(A), 21u);
       EXPECT_EQ(story.sequencer().lost_messages(B), 90u);
     }},
    {"a line that was away for longer than the hook's window",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 100'000);
       story.line(B).every(10us).sends(1, 1000).loses(1001, 90'000).sends(90'001, 100'000);
     },
     [](const Story& story) { EXPECT_EQ(story.sequencer().lost_messages(B), 89'000u); }},
    {"a hole that the other line fills when the hook has forgotten it",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 999).loses(1000, 1099).sends(1100, 100'000);
       story.line(B).waits(900ms).every(10us).sends(1, 100'000);
     },
     [](const Story& story) { EXPECT_EQ(story.count_of(B, Outcome::won), 100u); }},
    {"a line that brings its losses later has not lost them",
     [](Story& story) {
       story.line(A).sends(1, 99).sends(110, 200).sends(100, 109).sends(201, 300);
       story.line(B).sends(1, 300);
     },
     expect_no_loss},
};

const Told kRepeats[] = {
    {"every packet twice, one behind the other",
     [](Story& story) {
       story.line(A).repeats_each_after(0ms).sends(1, 1000);
       story.line(B).repeats_each_after(0ms).sends(1, 1000);
     }},
    {"every packet twice, B 50 ms behind A",
     [](Story& story) {
       story.line(A).repeats_each_after(0ms).sends(1, 3000);
       story.line(B).waits(50ms).repeats_each_after(0ms).sends(1, 3000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"every packet twice, slowly, in step",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).every(20ms).repeats_each_after(0ms).sends(1, 300);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"every packet twice, slowly, one line behind by half a packet",
     [](Story& story) {
       story.line(A).every(20ms).repeats_each_after(1ms).sends(1, 300);
       story.line(B).waits(500us).every(20ms).repeats_each_after(1ms).sends(1, 300);
     }},
    {"copies 10 ms behind, on one line",
     [](Story& story) {
       story.line(A).repeats_each_after(10ms).sends(1, 1000);
       story.line(B).sends(1, 1000);
     }},
    {"copies 10 ms behind, on both lines",
     [](Story& story) {
       story.line(A).repeats_each_after(10ms).sends(1, 1000);
       story.line(B).repeats_each_after(10ms).sends(1, 1000);
     }},
    {"copies behind a slow feed, on both lines",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).every(50ms).repeats_each_after(30ms).sends(1000, 1200);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"copies 500 ms behind, far from where the numbers began",
     [](Story& story) {
       story.line(A).sends(1, 8000).repeats_each_after(500ms).sends(8001, 9000);
       story.line(B).sends(1, 8000).repeats_each_after(500ms).sends(8001, 9000);
     }},
    {"pairs of packets swapped",
     [](Story& story) {
       story.line(A).sends_pairs_swapped(1, 1000);
       story.line(B).sends_pairs_swapped(1, 1000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 1u);
       expect_no_loss(story);
     }},
    {"pairs of packets swapped, B 50 ms behind",
     [](Story& story) {
       story.line(A).sends_pairs_swapped(1, 3000);
       story.line(B).waits(50ms).sends_pairs_swapped(1, 3000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 1u);
       expect_no_loss(story);
     }},
    {"pairs of packets swapped, slowly",
     [](Story& story) {
       story.line(A).every(50ms).sends_pairs_swapped(1, 200);
       story.line(B).waits(10ms).every(50ms).sends_pairs_swapped(1, 200);
     }},
    {"blocks of ten packets sent backwards, B 50 ms behind",
     [](Story& story) {
       story.line(B).waits(50ms);
       for (const std::size_t line : {A, B})
         for (std::uint64_t block = 1; block < 2000; block += 10)
           for (std::uint64_t number = block + 9; number >= block; --number)
             story.line(line).sends(number, number);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"small packets overtaken by large ones, B behind",
     [](Story& story) {
       story.line(A).packs(60).sends(1, 3000);
       story.line(B).waits(25ms).packs(1).sends(1, 10).packs(60);
       for (std::uint64_t number = 11; number < 2900; number += 300) {
         story.line(B).packs(60).sends(number + 3, number + 299);
         story.line(B).packs(1).sends(number, number + 2);
       }
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"heartbeats overtaken by large packets, B behind",
     [](Story& story) {
       story.line(A).packs(60).sends(1, 3000);
       story.line(B).waits(25ms).packs(60);
       for (std::uint64_t number = 1; number < 3000; number += 300)
         story.line(B).sends(number, number + 299).announces(number).announces(number + 1);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"two heartbeats come again 100 ms later, far from where the numbers began",
     [](Story& story) {
       story.line(A).sends(1, 7000).announces(7001).sends(7001, 8000);
       story.line(A).announces(7001).announces(7001).sends(8001, 9000);
       story.line(B).waits(1ms).sends(1, 9000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"one packet overtaken by 60 others",
     [](Story& story) {
       story.line(A).sends(1, 499).sends(501, 560).sends(500, 500).sends(561, 1000);
       story.line(B).waits(20ms).sends(1, 1000);
     },
     expect_no_loss},
};

const Told kStarts[] = {
    {"B joins in mid-stream, from where A is",
     [](Story& story) {
       story.line(A).sends(5001, 7000);
       story.line(B).waits(100ms).sends(6001, 7000);
     }},
    {"B joins 2 s behind, 100,000 numbers",
     [](Story& story) {
       story.line(A).every(20us).sends(1, 150'000);
       story.line(B).waits(2s).every(20us).sends(1, 150'000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 1u);
       EXPECT_EQ(story.count_of(B, Outcome::duplicate) + story.count_of(B, Outcome::late),
                 150'000u);
       EXPECT_GT(story.count_of(B, Outcome::late), 30'000u);
     }},
    {"B joins 2 s behind and fills what A lost",
     [](Story& story) {
       story.line(A).every(20us).sends(1, 999).loses(1000, 1009).sends(1010, 150'000);
       story.line(B).waits(2s).every(20us).sends(1, 150'000);
     }},
    {"start in mid-stream, B brings the numbers before the first of A",
     [](Story& story) {
       story.line(A).sends(5001, 7000);
       story.line(B).sends(4001, 7000);
     }},
    {"start in mid-stream, B is 50 ms and 5,000 numbers behind",
     [](Story& story) {
       story.line(A).every(10us).sends(1'000'000, 1'020'000);
       story.line(B).every(10us).sends(995'000, 1'020'000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"start in mid-stream, B is 30,000 numbers behind",
     [](Story& story) {
       story.line(A).every(10us).sends(1'000'000, 1'090'000);
       story.line(B).every(10us).sends(970'000, 1'090'000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"start in mid-stream, B is 60,000 numbers behind",
     [](Story& story) {
       story.line(A).every(10us).sends(1'000'000, 1'090'000);
       story.line(B).every(10us).sends(940'000, 1'090'000);
     }},
    {"start in mid-stream, A begins between B and C, and C is beyond A before its second packet",
     [](Story& story) {
       story.line(B).every(100us).sends(300'000, 306'000);
       story.line(A).waits(1ms).every(2ms).sends(305'200, 305'300);
       story.line(C).waits(2ms).every(100us).sends(340'000, 341'000);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }, "moldudp64", 3},
};

INSTANTIATE_TEST_SUITE_P(InStep, LineStory, testing::ValuesIn(kInStep), name_of_test);
INSTANTIATE_TEST_SUITE_P(Losses, LineStory, testing::ValuesIn(kLosses), name_of_test);
INSTANTIATE_TEST_SUITE_P(Repeats, LineStory, testing::ValuesIn(kRepeats), name_of_test);
INSTANTIATE_TEST_SUITE_P(Starts, LineStory, testing::ValuesIn(kStarts), name_of_test);

}  // namespace
}  // namespace linearb::sequencer::test
