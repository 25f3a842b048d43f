// SPDX-License-Identifier: Apache-2.0
//
// The parts of a merge, each alone.
#include <gmock/gmock.h>

#include "merge/capture_clock.h"
#include "merge/options.h"
#include "merge/packet_pool.h"
#include "merge/winner_times.h"
#include "support/error_text.h"

namespace linearb::merge {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(Offset, MovesATimeEitherWayWithinItsLimits) {
  EXPECT_EQ(shifted(100, 5), 105u);
  EXPECT_EQ(shifted(100, -5), 95u);
  EXPECT_EQ(shifted(3, -5), 0u);
  EXPECT_EQ(shifted(~0ull, 0), kTimeMaxNs) << "a damaged time stamp";
  EXPECT_EQ(shifted(~0ull, kOffsetMaxNs), kTimeMaxNs);
}

MergeOptions two_lines() {
  MergeOptions options;
  options.captures.resize(2);
  options.receiver.lines = lines_of(2);
  return options;
}

TEST(Offset, IsReadAsTheOptionSaysIt) {
  MergeOptions options = two_lines();
  set_offset("B=1.5ms", options);
  EXPECT_EQ(options.captures[0].offset_ns, 0);
  EXPECT_EQ(options.captures[1].offset_ns, 1'500'000);
  set_offset("A=-20us", options);
  EXPECT_EQ(options.captures[0].offset_ns, -20'000);
  set_offset("3s", options);
  for (const Capture& capture : options.captures) EXPECT_EQ(capture.offset_ns, 3'000'000'000);
  set_offset("B=-8640000s", options);
  EXPECT_EQ(options.captures[1].offset_ns, -kOffsetMaxNs);
}

TEST(Offset, OfAnotherFormIsRefused) {
  MergeOptions options = two_lines();
  for (const char* text : {"B=", "B=5", "B=x", "B=8640001s", "B=-8640001s", "B=nans", "B=infs"})
    EXPECT_THAT(test::error_text([&] { set_offset(text, options); }),
                HasSubstr("accepted is a time of at most 100 days"))
        << text;
  EXPECT_EQ(test::error_text([&] { set_offset("C=1ms", options); }),
            "--offset C=1ms: there is no line 'C'; the lines are A, B");
}

TEST(Lines, AreNamedInTheOrderOfTheCaptures) {
  const std::vector<Line> lines = lines_of(8);
  EXPECT_EQ(lines.front().name, "A");
  EXPECT_EQ(lines.back().name, "H");
  EXPECT_EQ(test::error_text([] { lines_of(9); }),
            "9 captures; there can be 1 to 8: each is a line");
  EXPECT_EQ(test::error_text([] { lines_of(0); }),
            "0 captures; there can be 1 to 8: each is a line");
}

TEST(CaptureClock, NeverGoesBack) {
  CaptureClock clock;
  EXPECT_EQ(clock.at(0), 1u) << "0 says that a time is not known";
  EXPECT_EQ(clock.at(100 * kSecond), 100 * kSecond);
  EXPECT_EQ(clock.at(100 * kSecond - 7), 100 * kSecond) << "a reordering";
  EXPECT_EQ(clock.at(100 * kSecond + 1), 100 * kSecond + 1);
}

TEST(CaptureClock, GoesOnWhereTimeIsSetBack) {
  CaptureClock clock;
  clock.at(100 * kSecond);
  EXPECT_EQ(clock.at(40 * kSecond), 100 * kSecond);
  EXPECT_EQ(clock.at(41 * kSecond), 101 * kSecond);
  EXPECT_EQ(clock.at(30 * kSecond), 101 * kSecond);
  EXPECT_EQ(clock.at(31 * kSecond), 102 * kSecond);
}

TEST(CaptureClock, StandsStillAtTheEndOfTime) {
  CaptureClock clock;
  for (int i = 0; i < 10; i++) {
    clock.at(kTimeMaxNs);
    clock.at(0);
  }
  EXPECT_EQ(clock.at(kTimeMaxNs), kTimeMaxNs);
  EXPECT_EQ(clock.at(5), kTimeMaxNs);
}

TEST(WinnerTimes, TellHowFarACopyIsBehind) {
  WinnerTimes winners;
  winners.won({10, 30}, {.epoch = 1, .line = 0, .time_ns = 1'000});
  EXPECT_EQ(winners.behind_ns(16, {1, 1, 1'005}), 5u);
  EXPECT_EQ(winners.behind_ns(32, {1, 1, 1'007}), 7u);
  EXPECT_EQ(winners.behind_ns(16, {1, 1, 900}), 0u) << "time stamps went back";
  EXPECT_EQ(winners.behind_ns(16, {1, 0, 1'005}), std::nullopt) << "the line itself";
  EXPECT_EQ(winners.behind_ns(48, {1, 1, 1'005}), std::nullopt) << "never won";
  EXPECT_EQ(winners.behind_ns(16, {2, 1, 1'005}), std::nullopt) << "of another epoch";
}

TEST(WinnerTimes, RememberWhatTheWindowRemembers) {
  WinnerTimes winners;
  winners.won({1, LB_WINDOW_MESSAGES}, {1, 0, 5});
  EXPECT_EQ(winners.behind_ns(16, {1, 1, 6}), 1u);
  winners.won({LB_WINDOW_MESSAGES + 1, 16}, {1, 0, 5});
  EXPECT_EQ(winners.behind_ns(16, {1, 1, 6}), std::nullopt);
}

TEST(PacketPool, HasPlacesOfTheirOwnForPackets) {
  PacketPool pool(33);
  std::vector<std::uint64_t> places;
  for (std::uint8_t i = 0; i < 33; i++) {
    const std::vector<std::uint8_t> bytes(10, i);
    places.push_back(pool.take(bytes, 4, i));
  }
  EXPECT_EQ(pool.bytes(), 330u);
  for (std::size_t i = 0; i < places.size(); i++) {
    EXPECT_EQ(pool[places[i]].time_ns, i);
    EXPECT_EQ(pool[places[i]].payload().size(), 6u);
    EXPECT_EQ(pool[places[i]].payload()[0], i);
  }
  EXPECT_FALSE(pool.all_are_back());
  for (const std::uint64_t place : places) pool.give(place);
  EXPECT_TRUE(pool.all_are_back());
  EXPECT_EQ(pool.bytes(), 0u);
}

/// Else each place would in the end have the memory of the largest packet.
TEST(PacketPool, KeepsNoMemoryOfLargePackets) {
  PacketPool pool(1);
  for (const std::size_t length : {PacketPool::kKeptBytes, PacketPool::kKeptBytes + 1}) {
    const std::uint64_t place = pool.take(std::vector<std::uint8_t>(length), 0, 0);
    pool.give(place);
    EXPECT_EQ(pool[place].bytes.capacity() > 0, length <= PacketPool::kKeptBytes) << length;
  }
}

}  // namespace
}  // namespace linearb::merge
