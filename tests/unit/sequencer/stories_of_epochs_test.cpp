// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/story_table.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;

class EpochStory : public testing::TestWithParam<Told> {};

TEST_P(EpochStory, IsArbitrated) {
  play(GetParam());
}

TEST_P(EpochStory, IsArbitratedBehindTheHook) {
  play_behind_hook(GetParam());
}

TEST_P(EpochStory, IsArbitratedInTheOrderOfNumbers) {
  play_in_order(GetParam());
}

/// A life after a pause, as short as `last` messages.
void tell_lives(LineScript& line, std::uint32_t lives, std::uint64_t last) {
  line.sends(1, last);
  for (std::uint32_t life = 2; life <= lives; ++life) line.waits(50ms).restarts().sends(1, last);
}

template <std::uint64_t kEpoch>
void expect_epoch(const Story& story) {
  EXPECT_EQ(story.newest_epoch(), kEpoch);
}

const Told kRestarts[] = {
    {"restart at 1 on both lines, in step",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
       story.line(B).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart at 1 on both lines, B behind",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
       story.line(B).waits(80ms).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart at 1, B alone carries the tail of the old epoch",
     [](Story& story) {
       story.line(A).sends(1, 900).loses(901, 1000).waits(50ms).restarts().sends(1, 500);
       story.line(B).waits(80ms).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart at 1, each line loses some of each epoch",
     [](Story& story) {
       story.line(A).sends(1, 899).loses(900, 949).sends(950, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 99).loses(100, 199).sends(200, 500);
       story.line(B).waits(80ms).sends(1, 919).loses(920, 989).sends(990, 1000).waits(50ms);
       story.line(B).restarts().sends(1, 149).loses(150, 209).sends(210, 500);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{1, 920, 949}, {2, 150, 199}}));
     }},
    {"restart at 1 of a life that was seen from 30 to 60",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(30, 60).waits(50ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart at 1 of a life that was seen from 30 to 60, B behind",
     [](Story& story) {
       story.line(A).sends(30, 60).waits(50ms).restarts().sends(1, 500);
       story.line(B).waits(10ms).sends(30, 60).waits(50ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart in a hole of a short life",
     [](Story& story) {
       story.line(A).sends(1, 10).loses(11, 20).sends(21, 60).waits(50ms).restarts();
       story.line(A).loses(1, 10).sends(11, 500);
       story.line(B).waits(15ms).sends(1, 10).loses(11, 20).sends(21, 60).waits(50ms).restarts();
       story.line(B).loses(1, 10).sends(11, 500);
     },
     expect_epoch<2>},
    {"A alone brings some of a restart from just before the first, and dies",
     [](Story& story) {
       story.line(A).sends(100, 130).waits(50ms).restarts().loses(1, 79).sends(80, 95);
       story.line(B).waits(2ms).sends(100, 130).waits(60ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"three lives of few numbers, the second before the first",
     [](Story& story) {
       story.line(A).sends(20, 30).waits(50ms).restarts().sends(1, 19).waits(50ms);
       story.line(A).restarts().sends(1, 300);
       story.line(B).waits(15ms).sends(20, 30).waits(50ms).restarts().sends(1, 19).waits(50ms);
       story.line(B).restarts().sends(1, 300);
     }},
    {"restart at 1 with large packets, of which line A loses the second and third",
     [](Story& story) {
       story.line(A).packs(57).loses(1, 7).sends(8, 400).waits(100ms).restarts();
       story.line(A).sends(1, 57).loses(58, 171).sends(172, 1000);
       story.line(B).waits(13ms).loses(1, 2).sends(3, 400).waits(100ms).restarts().sends(1, 1000);
     },
     expect_epoch<2>},
    {"restart at 1 after 200,000 messages",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 200'000).waits(50ms).restarts().sends(1, 5000);
       story.line(B).waits(20ms).every(10us).sends(1, 200'000).waits(50ms).restarts();
       story.line(B).sends(1, 5000);
     },
     expect_epoch<2>},
    {"restart of which line A lost the first packets",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().loses(1, 9).sends(10, 500);
       story.line(B).waits(10ms).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart of which line B lost the first packets",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
       story.line(B).waits(10ms).sends(1, 1000).waits(50ms).restarts().loses(1, 19).sends(20, 500);
     },
     expect_epoch<2>},
    {"restart of which line A lost more than a reordering, in step",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().loses(1, 100).sends(101, 500);
       story.line(B).waits(5us).sends(1, 1000).waits(59'950us).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart on one line alone, every second packet lost",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts();
       for (std::uint64_t number = 1; number < 500; number += 2)
         story.line(A).sends(number, number).loses(number + 1, number + 1);
     },
     expect_epoch<2>},
    {"restart of which line A lost every second packet",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts();
       for (std::uint64_t number = 1; number < 500; number += 2)
         story.line(A).sends(number, number).loses(number + 1, number + 1);
       story.line(B).waits(10ms).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
     }},
    {"restart of which A lost the first number, and the second lay in an old hole",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).every(200us).sends(1, 1).loses(2, 2).sends(3, 700).waits(80ms).restarts();
       story.line(A).loses(1, 1).sends(2, 500);
       story.line(B).waits(220us).sends(1, 500);
     },
     expect_epoch<2>},
    {"restart of which B lost most and comes up where the life before ends, and A lost some there",
     [](Story& story) {
       for (const std::size_t line : {A, B}) story.line(line).sends(1, 306).loses(307, 309);
       story.line(A).sends(310, 400).waits(110ms).restarts().packs(40).sends(1, 400);
       story.line(B).sends(310, 400).waits(100ms).restarts().packs(33).sends(1, 66).loses(67, 297);
       story.line(B).packs(2).sends(298, 303).packs(8).sends(304, 311).packs(2).sends(312, 321);
       story.line(B).packs(57).sends(322, 400);
     }},
    {"restart that is overtaken by what was before it, its first packet in a hole of that",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).every(1ms).packs(4).sends(1, 40).loses(41, 44).sends(45, 2000);
       story.line(A).waits(30ms).restarts().packs(44).sends(1, 44);
       story.line(A).goes_on_in_life(1).packs(4).sends(2001, 2004);
       story.line(A).goes_on_in_life(2).sends(45, 500);
       story.line(B).waits(5ms).sends(2001, 2004).waits(30ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"restart of which B lost most, and repeats what fills a hole of the life before",
     [](Story& story) {
       for (const std::size_t line : {A, B}) story.line(line).sends(1, 300).loses(301, 303);
       story.line(A).sends(304, 400).waits(110ms).restarts().packs(40).sends(1, 400);
       story.line(B).sends(304, 400).waits(100ms).restarts().packs(33).sends(1, 66).loses(67, 297);
       story.line(B).packs(2).sends(298, 303).sends(302, 303).packs(8).sends(304, 311);
       story.line(B).packs(2).sends(312, 321).packs(57).sends(322, 400);
     }},
    {"restart of which A lost most behind two packets, and comes up where the life before ends",
     [](Story& story) {
       for (const std::size_t line : {A, B}) story.line(line).sends(1, 400).waits(100ms).restarts();
       story.line(A).packs(33).sends(1, 66).loses(67, 297).packs(2).sends(298, 399);
       story.line(B).waits(10ms).packs(33).sends(1, 297).loses(298, 317).sends(318, 400);
     },
     expect_epoch<2>},
    {"restart on one line alone, its third packet where the life before ends",
     [](Story& story) {
       story.line(A).sends(1, 100).waits(50ms).restarts().packs(33).sends(1, 66).packs(1);
       story.line(A).sends(67, 99);
     },
     expect_epoch<2>},
    {"restart on one line alone",
     [](Story& story) { story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 500); },
     expect_epoch<2>},
    {"restart, every packet twice",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).repeats_each_after(0ms).sends(1, 1000).waits(50ms).restarts().sends(1,
                                                                                              500);
     },
     expect_epoch<2>},
    {"restart with the first two packets swapped",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends_pairs_swapped(1, 500);
       story.line(B).waits(10ms).sends(1, 1000).waits(50ms).restarts().sends_pairs_swapped(1, 500);
     },
     expect_epoch<2>},
    {"slow feed restarts",
     [](Story& story) {
       story.line(A).every(50ms).sends(1, 200).restarts().sends(1, 100);
       story.line(B).waits(10ms).every(50ms).sends(1, 200).restarts().sends(1, 100);
     },
     expect_epoch<2>},
    {"slow feed restarts, B a packet and more behind",
     [](Story& story) {
       story.line(A).every(50ms).sends(1, 200).restarts().sends(1, 100);
       story.line(B).waits(120ms).every(50ms).sends(1, 200).restarts().sends(1, 100);
     },
     expect_epoch<2>},
    {"very slow feed restarts",
     [](Story& story) {
       story.line(A).every(3s).sends(1, 100).restarts().sends(1, 50);
       story.line(B).waits(1ms).every(3s).sends(1, 100).restarts().sends(1, 50);
     },
     expect_epoch<2>},
    {"very slow feed restarts on one line alone",
     [](Story& story) { story.line(A).every(3s).sends(1, 100).restarts().sends(1, 50); },
     expect_epoch<2>},
    {"restart seen when both lines were away",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 5000).waits(10s).restarts().sends(701, 2000);
     },
     expect_epoch<2>},
    {"short epochs of 5 messages",
     [](Story& story) {
       tell_lives(story.line(A), 6, 5);
       tell_lives(story.line(B).waits(5ms), 6, 5);
     },
     expect_epoch<6>},
    {"short epochs of 20 messages, B behind",
     [](Story& story) {
       tell_lives(story.line(A), 6, 20);
       tell_lives(story.line(B).waits(30ms), 6, 20);
     },
     expect_epoch<6>},
    {"short epochs of 20 messages, every packet twice",
     [](Story& story) {
       tell_lives(story.line(A).repeats_each_after(0ms), 4, 20);
       tell_lives(story.line(B).repeats_each_after(0ms), 4, 20);
     },
     expect_epoch<4>},
    {"short epoch that the next outgrows",
     [](Story& story) {
       story.line(A).sends(1, 20).waits(50ms).restarts().sends(1, 1000);
       story.line(B).waits(20ms).sends(1, 20).waits(50ms).restarts().sends(1, 1000);
     },
     expect_epoch<2>},
    {"epochs of 10 messages in each packet",
     [](Story& story) {
       tell_lives(story.line(A).packs(10), 4, 1000);
       tell_lives(story.line(B).waits(20ms).packs(7), 4, 1000);
     },
     expect_epoch<4>},
    {"eleven restarts in a day, under one session",
     [](Story& story) {
       tell_lives(story.line(A), 12, 300);
       tell_lives(story.line(B).waits(2ms), 12, 300);
     },
     expect_epoch<12>},
    {"two restarts in a row, B behind both",
     [](Story& story) {
       tell_lives(story.line(A), 3, 200);
       tell_lives(story.line(B).waits(60ms), 3, 200);
     },
     expect_epoch<3>},
    {"B away across a restart",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 500);
       story.line(B).sends(1, 800).waits(100ms).restarts().sends(301, 500);
     },
     expect_epoch<2>},
    {"B away across a restart for more than a second, back where it was, with what A lost",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().every(1ms);
       story.line(A).sends(1, 849).loses(850, 860).sends(861, 3000);
       story.line(B).sends(1, 800).waits(1800ms).restarts().every(1ms).sends(801, 3000);
     },
     [](const Story& story) {
       expect_epoch<2>(story);
       EXPECT_EQ(story.gaps(), std::vector<Missing>{});
     }},
    {"B away across two restarts for more than a second, back where it was, with what A lost",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 1000).waits(50ms).restarts();
       story.line(A).every(1ms).sends(1, 849).loses(850, 860).sends(861, 3000);
       story.line(B).sends(1, 800).waits(2s).restarts().restarts().every(1ms).sends(801, 3000);
     },
     [](const Story& story) {
       expect_epoch<3>(story);
       EXPECT_EQ(story.gaps(), std::vector<Missing>{});
     }},
    {"B away across two restarts",
     [](Story& story) {
       tell_lives(story.line(A), 3, 1000);
       story.line(B).sends(1, 800).waits(270ms).restarts().restarts().sends(501, 1000);
     },
     expect_epoch<3>},
    {"B goes on in an epoch that is forgotten",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 800).loses(801, 900).sends(901, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 3000);
       story.line(B).sends(1, 800).waits(300ms).sends(801, 900);
       story.line(B).waits(10ms).restarts().restarts().sends(1500, 3000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{2, 801, 900}}));
       EXPECT_EQ(story.count_of(B, Outcome::old_epoch), 100u);
     }},
    {"B goes on in an epoch that is forgotten, pairs swapped",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 800).loses(801, 900).sends(901, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 3000);
       story.line(B).sends(1, 800).waits(300ms).sends_pairs_swapped(801, 900);
       story.line(B).waits(10ms).restarts().restarts().sends(1500, 3000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{2, 801, 900}}));
       expect_epoch<3>(story);
     }},
    {"B goes on in an epoch that is forgotten, every packet twice",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 800).loses(801, 900).sends(901, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 3000);
       story.line(B).sends(1, 800).waits(300ms).repeats_each_after(0ms).sends(801, 900);
       story.line(B).waits(10ms).restarts().restarts().sends(1500, 3000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{2, 801, 900}}));
       expect_epoch<3>(story);
     }},
    {"B goes on in an epoch that is forgotten, copies 30 ms behind",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 800).loses(801, 900).sends(901, 1000).waits(50ms).restarts();
       story.line(A).sends(1, 9000);
       story.line(B).sends(1, 800).waits(300ms).every(1ms).repeats_each_after(30ms).sends(801, 900);
       story.line(B).waits(100ms).restarts().restarts().every(100us).sends(4000, 9000);
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{2, 801, 900}}));
       expect_epoch<3>(story);
     }},
    {"three lines, C carries the tail",
     [](Story& story) {
       tell_lives(story.line(A), 3, 400);
       tell_lives(story.line(B).waits(1ms), 3, 400);
       tell_lives(story.line(C).waits(20ms), 3, 400);
     },
     expect_epoch<3>, "moldudp64", 3},
    {"B loses a burst of the old epoch while A is in the new one",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 20'000).waits(50ms).restarts().sends(1, 3000);
       story.line(B).waits(150ms).every(10us).sends(1, 9000).loses(9001, 16'000);
       story.line(B).sends(16'001, 20'000).waits(50ms).restarts().sends(1, 3000);
     },
     expect_epoch<2>},
    {"B alone carries a tail of the old epoch with a hole of 7,000",
     [](Story& story) {
       story.line(A).sends(1, 9000).waits(50ms).restarts().sends(1, 20'000);
       story.line(B).waits(100ms).sends(1, 9050).waits(200ms).sends(16'001, 17'000);
       story.line(B).waits(50ms).restarts().sends(1, 20'000);
     },
     expect_epoch<2>},
    {"a line comes up soon after a restart and outgrows the old epoch",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 9000);
       story.line(B).waits(230ms).restarts().sends(700, 9000);
     },
     expect_epoch<2>},
    {"a line comes up at once after a restart in mid-stream",
     [](Story& story) {
       story.line(A).sends(100'000, 101'000).waits(50ms).restarts().sends(1, 500);
       story.line(B).waits(160ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"a line comes up in the tail of the old epoch",
     [](Story& story) {
       story.line(A).sends(100'000, 101'000).waits(50ms).restarts().sends(1, 500);
       story.line(B).waits(160ms).sends(100'500, 101'000).waits(50ms).restarts().sends(1, 500);
     },
     expect_epoch<2>},
    {"a new line comes up after the restart",
     [](Story& story) {
       story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 30'000);
       story.line(B).waits(1500ms).restarts().sends(13'400, 30'000);
     },
     expect_epoch<2>},
    {"a new line comes up long after the restart, where the old epoch was too",
     [](Story& story) {
       story.line(A).every(10us).sends(1, 20'000).waits(50ms).restarts();
       story.line(A).every(100us).sends(1, 14'999).loses(15'000, 15'009).sends(15'010, 30'000);
       story.line(B).waits(1600ms).restarts().sends(13'400, 30'000);
     },
     expect_epoch<2>},
    {"A dies, B comes up in the next life",
     [](Story& story) {
       story.line(A).every(10us).sends(1'000'000, 1'001'000);
       story.line(B).waits(2s).restarts().sends(1, 5000);
     },
     expect_epoch<2>},
};

const Told kSessions[] = {
    {"a packet of the session before, again when that was long over",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).opens_session("first").sends(1, 1000).opens_session("second").sends(1, 9);
       story.line(A).waits(90s).opens_session("first").goes_on_in_life(2).sends(500, 500);
       story.line(A).opens_session("second").goes_on_in_life(3).sends(10, 800);
       story.line(B).waits(90s).waits(5ms).sends(10, 800);
     },
     expect_epoch<2>},
    {"new session on both lines, in step",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(1, 1000).opens_session("second").sends(1, 500);
     },
     expect_epoch<2>},
    {"new session, B behind and alone with the tail",
     [](Story& story) {
       story.line(A).sends(1, 900).loses(901, 1000).opens_session("second").sends(1, 500);
       story.line(B).waits(80ms).sends(1, 1000).opens_session("second").sends(1, 500);
     },
     [](const Story& story) {
       expect_epoch<2>(story);
       EXPECT_GT(story.count_of(B, Outcome::old_epoch), 0u);
     }},
    {"new session that does not begin at 1",
     [](Story& story) {
       story.line(A).sends(1, 1000).opens_session("second").sends(700, 1500);
       story.line(B).waits(20ms).sends(1, 1000).opens_session("second").sends(700, 1500);
     },
     expect_epoch<2>},
    {"new session announced by a heartbeat",
     [](Story& story) {
       for (const std::size_t line : {A, B}) {
         story.line(line).sends(1, 1000).opens_session("second");
         story.line(line).announces(1).waits(1s).announces(1).sends(1, 500);
       }
     },
     expect_epoch<2>},
    {"new session announced by a heartbeat, its first message lost",
     [](Story& story) {
       for (const std::size_t line : {A, B}) {
         story.line(line).sends(1, 1000).opens_session("second");
         story.line(line).announces(1).waits(1s).announces(1).loses(1, 2).sends(3, 500);
       }
     },
     [](const Story& story) {
       EXPECT_EQ(story.gaps(), (std::vector<Missing>{{2, 1, 2}}));
     }},
    {"three sessions, B behind",
     [](Story& story) {
       story.line(B).waits(30ms);
       for (const std::size_t line : {A, B}) {
         story.line(line).sends(1, 300).opens_session("second").sends(1, 1000);
         story.line(line).opens_session("third").sends(1, 500);
       }
     },
     expect_epoch<3>},
    {"three sessions, B still in the first when A is in the third",
     [](Story& story) {
       story.line(B).waits(80ms);
       for (const std::size_t line : {A, B}) {
         story.line(line).sends(1, 300).announces(301).announces(301);
         story.line(line).opens_session("second").sends(1, 300).opens_session("third").sends(1,
                                                                                             2000);
       }
     },
     [](const Story& story) {
       expect_epoch<3>(story);
       EXPECT_GE(story.count_of(B, Outcome::old_epoch), 600u);
     }},
    {"B silent for a whole session, and back in the next where it was in the one before",
     [](Story& story) {
       story.line(A).sends(1, 300).opens_session("second").sends(1, 300).opens_session("third");
       story.line(A).sends(1, 200).loses(201, 250).sends(251, 300);
       story.line(B).sends(1, 180).opens_session("second").waits(60ms).opens_session("third");
       story.line(B).sends(181, 300);
     },
     [](const Story& story) {
       expect_epoch<3>(story);
       EXPECT_EQ(story.count_of(B, Outcome::won), 50u);
     }},
    {"new session, a burst lost behind its first packet",
     [](Story& story) {
       story.line(A).sends(1, 300).opens_session("second");
       story.line(A).sends(1, 1).loses(2, 299).sends(300, 600);
       story.line(B).waits(20ms).sends(1, 300).opens_session("second").sends(1, 600);
     },
     expect_epoch<2>},
    {"new session, every packet twice",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).repeats_each_after(0ms).sends(1, 300).opens_session("second").sends(1,
                                                                                              300);
     },
     expect_epoch<2>},
    {"end of session, then the next",
     [](Story& story) {
       for (const std::size_t line : {A, B}) {
         story.line(line).sends(1, 300).ends_session(301).waits(1s).ends_session(301);
         story.line(line).opens_session("second").announces(1).sends(1, 300);
       }
     },
     expect_epoch<2>},
};

const Told kWraps[] = {
    {"numbers of 32 bits wrap to 1 on both lines, B behind",
     [](Story& story) {
       story.line(A).sends(4'294'966'000, 4'294'967'295).restarts().sends(1, 1000);
       story.line(B).waits(20ms).sends(4'294'966'000, 4'294'967'295).restarts().sends(1, 1000);
     },
     expect_epoch<2>, "cboe-pitch"},
    {"numbers wrap, in step",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(4'294'966'000, 4'294'967'295).restarts().sends(1, 1000);
     },
     expect_epoch<2>, "cboe-pitch"},
    {"numbers wrap within what a line loses",
     [](Story& story) {
       story.line(A).sends(4'294'966'000, 4'294'967'200).loses(1, 200).restarts().sends(106, 1000);
       story.line(B).waits(20ms).sends(4'294'966'000, 4'294'967'295).restarts().sends(1, 1000);
     },
     expect_epoch<2>, "cboe-pitch"},
    {"numbers wrap, one packet behind it, on one line",
     [](Story& story) { story.line(A).sends(4'294'967'000, 4'294'967'295).restarts().sends(1, 1); },
     expect_epoch<2>, "cboe-pitch"},
    {"numbers wrap, every packet twice",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line)
             .repeats_each_after(0ms)
             .sends(4'294'967'000, 4'294'967'295)
             .restarts()
             .sends(1, 1000);
     },
     expect_epoch<2>, "cboe-pitch"},
    {"numbers wrap, the last overtaken by the first",
     [](Story& story) {
       story.line(B).waits(10ms);
       for (const std::size_t line : {A, B}) {
         story.line(line).sends(4'294'966'000, 4'294'967'292).restarts().sends(1, 1);
         story.line(line).goes_on_in_life(1).sends(4'294'967'294, 4'294'967'295);
         story.line(line).sends(4'294'967'293, 4'294'967'293).goes_on_in_life(2).sends(2, 1000);
       }
     },
     expect_epoch<2>, "cboe-pitch"},
    {"numbers wrap, the last overtaken by the first, on one line",
     [](Story& story) {
       story.line(A).sends(4'294'966'000, 4'294'967'294).restarts().sends(1, 1);
       story.line(A).goes_on_in_life(1).sends(4'294'967'295, 4'294'967'295);
       story.line(A).goes_on_in_life(2).sends(2, 1000);
     },
     expect_epoch<2>, "cboe-pitch"},
    {"numbers wrap, pairs swapped",
     [](Story& story) {
       for (const std::size_t line : {A, B})
         story.line(line).sends(4'294'967'000, 4'294'967'294).restarts().sends(1, 1);
       for (const std::size_t line : {A, B}) story.line(line).sends(2, 1000);
     },
     expect_epoch<2>, "cboe-pitch"},
};

INSTANTIATE_TEST_SUITE_P(Restarts, EpochStory, testing::ValuesIn(kRestarts), name_of_test);
INSTANTIATE_TEST_SUITE_P(Sessions, EpochStory, testing::ValuesIn(kSessions), name_of_test);
INSTANTIATE_TEST_SUITE_P(Wraps, EpochStory, testing::ValuesIn(kWraps), name_of_test);

}  // namespace
}  // namespace linearb::sequencer::test
