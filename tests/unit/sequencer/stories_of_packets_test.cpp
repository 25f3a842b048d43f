// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/story_table.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;
using Runs = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

class PacketStory : public testing::TestWithParam<Told> {};

TEST_P(PacketStory, IsArbitrated) {
  play(GetParam());
}

TEST_P(PacketStory, IsArbitratedBehindTheHook) {
  play_behind_hook(GetParam());
}

TEST_P(PacketStory, IsArbitratedInTheOrderOfNumbers) {
  play_in_order(GetParam());
}

const Told kHeartbeats[] = {
    {"a heartbeat announces what was lost at the start",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).announces(1).waits(1s).announces(1).loses(1, 2).sends(3, 42);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 1, 2}}));
       EXPECT_EQ(story.count_of(A, Outcome::control), 2u);
       EXPECT_EQ(story.sequencer().lost_messages(A), 2u);
     },
     "cboe-pitch"},
    {"a heartbeat announces a lost tail",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 100).loses(101, 110).announces(111);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 101, 110}}));
       EXPECT_EQ(story.sequencer().lost_messages(B), 10u);
     }},
    {"a heartbeat announces a tail that comes after it",
     [](Story& story) {
       story.line(A).sends(1, 100).announces(111);
       story.line(B).waits(50ms).sends(1, 110).announces(111);
     },
     [](const Story& story) { EXPECT_EQ(story.gaps(), std::vector<Missing>{}); }},
    {"heartbeats between data change nothing",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         for (std::uint64_t number = 1; number < 500; number += 5)
           story.line(line).sends(number, number + 4).announces(number + 5).waits(20ms);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }},
    {"heartbeats of sequence 0 do nothing",
     [](Story& story) {
       for (const std::size_t line : {A, B}) {
         story.line(line).announces(0).sends(1, 300).waits(1s).announces(0).announces(0);
         story.line(line).waits(1s).announces(0).sends(301, 600);
       }
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 1u); }, "cboe-pitch"},
    {"end of session, repeated, announces a lost tail",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 300).loses(301, 305).ends_session(306).waits(1s).ends_session(
             306);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 301, 305}}));
       EXPECT_EQ(story.count_of(A, Outcome::control), 2u);
     }},
    {"a heartbeat with a damaged number changes nothing",
     [](Story& story) {
       story.line(A).sends(1, 300);
       story.line(B).sends(1, 600);
       story.line(A).sends(301, 600);
     }},
    {"heartbeats of the next life announce it",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line)
             .sends(1, 300)
             .waits(1s)
             .restarts()
             .announces(1)
             .waits(1s)
             .announces(1)
             .sends(1, 200);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 2u); }},
    {"a late heartbeat of B in the old epoch",
     [](Story& story) {
       story.line(A).sends(1, 300).announces(301).waits(50ms).restarts().sends(1, 200);
       story.line(B).waits(60ms).sends(1, 300).announces(301).waits(50ms).restarts().sends(1, 200);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 2u); }},
    {"unsequenced data is always delivered",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends_unsequenced().sends(1, 100).sends_unsequenced().sends_unsequenced();
     },
     [](const Story& story) {
       EXPECT_EQ(story.unsequenced_delivered(), 6u);
       EXPECT_EQ(story.count_of(B, Outcome::unsequenced), 3u);
     },
     "cboe-pitch"},
};

const Told kOverlaps[] = {
    {"A packs 3, B packs 4",
     [](Story& story) {
       story.line(A).packs(3).sends(1, 1200);
       story.line(B).waits(1ms).packs(4).every(150us).sends(1, 1200);
     },
     [](const Story& story) { EXPECT_EQ(story.count_of(A, Outcome::won), 400u); }},
    {"A packs 3, B packs 4, in turn",
     [](Story& story) {
       story.line(A).packs(3).every(3ms).sends(1, 12);
       story.line(B).packs(4).waits(1ms).every(4ms).sends(1, 12);
     },
     [](const Story& story) {
       EXPECT_EQ(story.trimmed(), (std::vector<Runs>{{{4, 1}}, {{5, 2}}, {{7, 2}}, {{9, 1}}}));
     }},
    {"what is new is in two places",
     [](Story& story) {
       story.line(A).packs(2).sends(1, 2).waits(1ms).loses(3, 4).sends(5, 6);
       story.line(B).waits(10ms).packs(8).sends(1, 8);
     },
     [](const Story& story) {
       EXPECT_EQ(story.trimmed(), (std::vector<Runs>{{{3, 2}, {7, 2}}}));
       EXPECT_EQ(story.count_of(B, Outcome::overlap), 1u);
     }},
    {"every second message is new",
     [](Story& story) {
       for (std::uint64_t number = 1; number < 10; number += 2)
         story.line(A).sends(number, number).loses(number + 1, number + 1);
       story.line(B).waits(10ms).packs(10).sends(1, 10);
     },
     [](const Story& story) {
       EXPECT_EQ(story.trimmed(), (std::vector<Runs>{{{2, 1}, {4, 1}, {6, 1}, {8, 1}, {10, 1}}}));
     }},
    {"equal first number, larger count",
     [](Story& story) {
       story.line(A).packs(3).sends(10, 12).loses(13, 15).sends(16, 30);
       story.line(B).packs(5).waits(1ms).sends(10, 30);
     },
     [](const Story& story) { EXPECT_EQ(story.gaps(), std::vector<Missing>{}); }},
    {"packets of 400 messages, more than the hook claims",
     [](Story& story) {
       story.line(A).packs(300).sends(1, 3000);
       story.line(B).waits(1ms).packs(400).sends(1, 3000);
     }},
};

const Told kMalformed[] = {
    {"messages that are not there",
     [](Story& story) {
       story.line(A).packs(3).sends(1, 30).sends_cut(31, 33).sends(34, 60);
       story.line(B).waits(10ms).packs(3).sends(1, 60);
     },
     [](const Story& story) {
       EXPECT_EQ(story.count_of(A, Outcome::malformed), 1u);
       EXPECT_EQ(story.count_of(B, Outcome::won), 1u);
     }},
    {"messages that are not there, on both lines",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).packs(3).sends(1, 30).sends_cut(31, 33).sends(34, 60);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 31, 33}}));
       EXPECT_EQ(story.count_of(B, Outcome::malformed), 1u);
     }},
};

INSTANTIATE_TEST_SUITE_P(Heartbeats, PacketStory, testing::ValuesIn(kHeartbeats), name_of_test);
INSTANTIATE_TEST_SUITE_P(Overlaps, PacketStory, testing::ValuesIn(kOverlaps), name_of_test);
INSTANTIATE_TEST_SUITE_P(Malformed, PacketStory, testing::ValuesIn(kMalformed), name_of_test);

}  // namespace
}  // namespace linearb::sequencer::test
