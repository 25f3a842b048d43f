// SPDX-License-Identifier: Apache-2.0
//
// Feeds that say it when their numbers begin anew, in packets that have numbers and messages of
// their own, as Eurex does: several, of which each may be lost.
#include "unit/sequencer/story_table.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kEurex = "eurex-eobi";

class ResetStory : public testing::TestWithParam<Told> {};

TEST_P(ResetStory, IsArbitrated) {
  play(GetParam());
}

TEST_P(ResetStory, IsArbitratedBehindTheHook) {
  play_behind_hook(GetParam());
}

TEST_P(ResetStory, IsArbitratedInTheOrderOfNumbers) {
  play_in_order(GetParam());
}

const Told kResets[] = {
    {"both lines say so",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 500).waits(100ms).resets(1, 3).sends(4, 300);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 2u);
       EXPECT_EQ(story.count_of(A, Outcome::won), 800u);
       EXPECT_EQ(story.count_of(B, Outcome::duplicate), 800u);
     },
     kEurex},
    {"at once",
     [](Story& story) {
       for (const std::size_t line : {A, B}) story.line(line).sends(1, 500).resets(1, 3);
       for (const std::size_t line : {A, B}) story.line(line).sends(4, 900);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 2u); }, kEurex},
    {"the slower line alone has the end of the life before",
     [](Story& story) {
       story.line(A).sends(1, 400).loses(401, 500).waits(5ms).resets(1, 3).sends(4, 300);
       story.line(B).waits(40ms).sends(1, 500).waits(5ms).resets(1, 3).sends(4, 300);
     },
     [](const Story& story) {
       EXPECT_EQ(story.count_of(B, Outcome::won), 100u);
       EXPECT_EQ(story.gaps(), std::vector<Missing>{});
     },
     kEurex},
    {"one of them is lost on all lines",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 500).waits(100ms).resets(1, 1);
       for (const std::size_t line : {A, B})
         story.line(line).loses(2, 2).goes_on_in_life(1).resets(3, 3).sends(4, 300);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 2u);
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{2, 2, 2}}));
       EXPECT_EQ(story.sequencer().lost_messages(A), 1u);
     },
     kEurex},
    {"each line loses another one",
     [](Story& story) {
       story.line(A).sends(1, 500).waits(100ms).resets(1, 1).loses(2, 2);
       story.line(A).goes_on_in_life(1).resets(3, 3).sends(4, 300);
       story.line(B).sends(1, 500).waits(110ms).loses(1, 1).resets(2, 3).sends(4, 300);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 2u);
       EXPECT_EQ(story.gaps(), std::vector<Missing>{});
     },
     kEurex},
    {"of the slower line when the next life has begun",
     [](Story& story) {
       story.line(A).sends(1, 500).waits(50ms).resets(1, 1).loses(2, 3).sends(4, 300);
       story.line(A).waits(50ms).resets(1, 3).sends(4, 900);
       story.line(B).sends(1, 500).waits(140ms).resets(1, 3).sends(4, 300);
       story.line(B).waits(50ms).resets(1, 3).sends(4, 900);
     },
     [](const Story& story) {
       EXPECT_EQ(story.newest_epoch(), 3u);
       EXPECT_EQ(story.count_of(B, Outcome::won), 2u);
     },
     kEurex},
    {"of a life of one message",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 1).waits(100ms).resets(1, 1).sends(2, 300);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 2u); }, kEurex},
    {"on one line of three, and the others go back by themselves",
     [](Story& story) {
       story.line(A).sends(1, 500).waits(100ms).resets(1, 3).sends(4, 300);
       for (const std::size_t line : {B, C})
         story.line(line).sends(1, 500).waits(100ms).restarts().loses(1, 3).sends(4, 300);
     },
     [](const Story& story) { EXPECT_EQ(story.newest_epoch(), 2u); }, kEurex, 3},
};
INSTANTIATE_TEST_SUITE_P(Resets, ResetStory, testing::ValuesIn(kResets), name_of_test);

}  // namespace
}  // namespace linearb::sequencer::test
