// SPDX-License-Identifier: Apache-2.0
#include "sequencer/sequencer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "unit/sequencer/allocations.h"
#include "unit/sequencer/story.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSecondNs = 1'000'000'000;

/// Two channels of one message a packet, and a list of what was decided.
class Bench final : private Decisions {
 public:
  struct Decided {
    std::uint16_t channel;
    std::uint64_t first;
    Outcome outcome;
    std::uint64_t epoch;

    friend bool operator==(const Decided&, const Decided&) = default;
  };

  explicit Bench(std::uint32_t channels = 2)
      : descriptors_(channels, &framing_.descriptor),
        sequencer_(descriptors_, Settings{}, Sequencer::Dedup::window, *this) {}

  void push(std::uint64_t first, std::uint64_t now_ns, std::uint16_t channel = 0,
            std::uint8_t line = 0, std::int32_t place = LB_PLACE_UNKNOWN) {
    Packet packet;
    packet.channel = channel;
    packet.line = line;
    packet.kind = LB_KIND_DATA;
    packet.datagram = {first, 0, 1, 1};
    packet.place = place;
    packet.arrival_ns = now_ns;
    sequencer_.push(packet);
  }
  std::vector<Decided> take_decided() { return std::exchange(decided_, {}); }
  Sequencer* operator->() { return &sequencer_; }

 private:
  void decided(const Packet& packet, const Decision& decision) noexcept override {
    decided_.push_back({packet.channel, packet.first(), decision.outcome, decision.epoch});
  }

  config::Framing framing_ = config::builtin_framing("optiq");
  std::vector<const lb_framing*> descriptors_;
  std::vector<Decided> decided_;
  Sequencer sequencer_;
};

using All = std::vector<Bench::Decided>;

TEST(Sequencer, KeepsChannelsApart) {
  Bench bench;
  bench.push(5, kSecondNs, 0);
  bench.push(5, kSecondNs, 1);
  bench.push(5, kSecondNs, 1, 1);
  bench.push(9, kSecondNs, 1);
  bench->finish();
  EXPECT_EQ(bench.take_decided(), (All{{0, 5, Outcome::won, 1},
                                       {1, 5, Outcome::won, 1},
                                       {1, 5, Outcome::duplicate, 1},
                                       {1, 9, Outcome::won, 1}}));
  EXPECT_EQ(bench->messages(0), 1u);
  EXPECT_EQ(bench->messages(1), 2u);
  EXPECT_EQ(bench->channel(0).gap_messages(), 0u);
  EXPECT_EQ(bench->channel(1).gap_messages(), 3u);
  ASSERT_EQ(bench->gaps().gaps().size(), 1u);
  EXPECT_EQ(bench->gaps().gaps()[0].origin.channel, 1);
}

TEST(Sequencer, AddsUpWhatALineLostOverChannels) {
  Bench bench;
  for (const std::uint16_t channel : std::array<std::uint16_t, 2>{0, 1})
    for (const std::uint64_t number : {1, 2, 5}) bench.push(number, kSecondNs, channel);
  EXPECT_EQ(bench->lost_messages(0), 4u);
  EXPECT_EQ(bench->lost_messages(1), 0u);
}

TEST(Sequencer, HasNoEpochBeforeTheFirstPacket) {
  Bench bench;
  EXPECT_EQ(bench->channel(0).newest_epoch(), 0u);
  EXPECT_FALSE(bench->channel(0).line_is_in_newest(0));
  bench->tick(kSecondNs);
  bench->finish();
  EXPECT_EQ(bench->messages(0), 0u);
  EXPECT_EQ(bench->channel(0).gap_messages(), 0u);
  EXPECT_TRUE(bench.take_decided().empty());
}

TEST(Sequencer, SaysWhereALineIs) {
  Bench bench;
  bench.push(7, kSecondNs);
  EXPECT_TRUE(bench->channel(0).line_is_in_newest(0));
  EXPECT_EQ(bench->channel(0).line_end(0), 8u);
  EXPECT_FALSE(bench->channel(0).line_is_in_newest(1));
  bench->channel(0).line_shown(0, 1, 20);
  EXPECT_EQ(bench->channel(0).line_end(0), 20u);
  bench->channel(0).line_shown(0, 1, 10);
  EXPECT_EQ(bench->channel(0).line_end(0), 20u) << "a mark that is behind says nothing";
  bench->channel(0).line_shown(0, 2, 30);
  EXPECT_EQ(bench->channel(0).line_end(0), 20u) << "nor does the mark of another epoch";
}

/// A line that is far on, then falls back by a packet that nothing continues.
void fall_back(Bench& bench, std::uint64_t number, std::uint64_t now_ns,
               std::uint16_t channel = 0) {
  for (std::uint64_t i = 1; i <= 200; ++i) bench.push(i, kSecondNs, channel);
  bench.take_decided();
  bench.push(number, now_ns, channel);
}

TEST(Sequencer, DeliversWhatIsHeldWhenTheHoldTimeIsOver) {
  Bench bench;
  const std::uint64_t now_ns = 2 * kSecondNs;
  fall_back(bench, 30, now_ns);
  EXPECT_EQ(bench->held(), 1u);
  bench->tick(now_ns + Settings{}.hold_ns - 1);
  EXPECT_EQ(bench->held(), 1u);
  bench->tick(now_ns + Settings{}.hold_ns);
  EXPECT_EQ(bench->held(), 0u);
  EXPECT_EQ(bench.take_decided(), (All{{0, 30, Outcome::won, 0}}));
  EXPECT_EQ(bench->channel(0).newest_epoch(), 1u);
}

TEST(Sequencer, DecidesWhatIsHeldWhenTheLineGoesOn) {
  Bench bench;
  fall_back(bench, 30, 2 * kSecondNs);
  bench.push(201, 2 * kSecondNs);
  EXPECT_EQ(bench.take_decided(),
            (All{{0, 30, Outcome::unconfirmed, 1}, {0, 201, Outcome::won, 1}}));
}

TEST(Sequencer, DecidesWhatIsHeldAtTheEnd) {
  Bench bench;
  fall_back(bench, 30, 2 * kSecondNs);
  bench->finish();
  EXPECT_EQ(bench->held(), 0u);
  EXPECT_EQ(bench.take_decided(), (All{{0, 30, Outcome::won, 0}}));
}

/// The first message of a new life has a number that the old one lacks: it is taken for that. What
/// follows it is known to be a restart all the same.
TEST(Sequencer, FindsARestartThatBeginsInAHole) {
  Bench bench;
  bench.push(10, kSecondNs);
  for (std::uint64_t number = 12; number <= 200; ++number) bench.push(number, kSecondNs);
  bench.take_decided();
  for (std::uint64_t number = 11; number <= 14; ++number) bench.push(number, 2 * kSecondNs);
  EXPECT_EQ(bench.take_decided(), (All{{0, 11, Outcome::won, 1},
                                       {0, 12, Outcome::won, 2},
                                       {0, 13, Outcome::won, 2},
                                       {0, 14, Outcome::won, 2}}));
}

TEST(Sequencer, FindsARestartThatGoesOnInAHole) {
  Bench bench;
  bench.push(10, kSecondNs);
  for (std::uint64_t number = 12; number <= 200; ++number) bench.push(number, kSecondNs);
  bench.take_decided();
  bench.push(10, 2 * kSecondNs);
  bench.push(11, 2 * kSecondNs);
  EXPECT_EQ(bench.take_decided(), (All{{0, 10, Outcome::won, 2}, {0, 11, Outcome::won, 2}}));
}

/// What the hook says of places before a restart is confirmed, it says by the mark of the old life.
TEST(Sequencer, KnowsWhereALineIsAfterARestart) {
  struct Restart {
    std::uint64_t end;
    std::uint64_t packets_to_confirm;
  };
  for (const Restart& restart : {Restart{20, 3}, Restart{200, 2}}) {
    Bench bench;
    for (std::uint64_t i = 1; i <= restart.end; ++i) bench.push(i, kSecondNs);
    for (std::uint64_t i = 1; i <= restart.packets_to_confirm; ++i)
      bench.push(i, 2 * kSecondNs, 0, 0, static_cast<std::int32_t>(i - restart.end - 1));
    EXPECT_EQ(bench->channel(0).newest_epoch(), 2u);
    EXPECT_EQ(bench->channel(0).line_end(0), restart.packets_to_confirm + 1);
  }
}

/// Two old packets that continue each other look like a restart. The line that goes on where it was
/// takes it back; only the copies were delivered twice.
TEST(Sequencer, TakesBackARestartThatWasNone) {
  Story story;
  story.line(A).sends(1, 8000).waits(50ms).sends(7, 8).sends(8001, 10'000);
  story.line(B).waits(1ms).sends(1, 8000).waits(50ms).sends(8001, 10'000);
  story.play();
  EXPECT_EQ(story.newest_epoch(), 1u);
  EXPECT_EQ(story.sequencer().messages(0), 10'002u);
  EXPECT_EQ(story.sequencer().channel(0).gap_messages(), 0u);
}

/// All bytes alike, as status messages are. The old hole was one, and the new number is another.
TEST(Sequencer, DeliversATwinInTheNextLifeOfWhatFilledAnOldHole) {
  constexpr std::uint64_t kHole = 500;
  for (const bool goes_on : {true, false}) {
    Bench bench;
    std::uint64_t now_ns = kSecondNs;
    const auto push = [&](std::uint64_t number) { bench.push(number, now_ns += 100'000); };
    for (std::uint64_t number = 1; number <= 1000; ++number)
      if (number != kHole) push(number);
    push(kHole);
    if (goes_on) push(1001);
    now_ns += 50'000'000;
    for (std::uint64_t number = 1; number <= 1000; ++number) push(number);
    bench->finish();
    EXPECT_EQ(bench->messages(0), goes_on ? 2001u : 2000u);
    EXPECT_EQ(bench->channel(0).gap_messages(), 0u);
    EXPECT_EQ(bench->channel(0).newest_epoch(), 2u);
  }
}

/// A number that was damaged comes before anything else, and is believed. The line that goes on
/// from elsewhere is doubted, until the other one shows the same.
TEST(Sequencer, TakesWhatAnotherLineShowsForNoBeginning) {
  Story story;
  story.line(A).sends_poison(1'020'000).sends(1'000'000, 1'001'000);
  story.line(B).waits(50us).sends(1'000'000, 1'001'000);
  story.play();
  EXPECT_EQ(story.sequencer().messages(0), 1002u) << "nothing twice";
  EXPECT_EQ(story.newest_epoch(), 1u);
}

/// Frames are not held without end: the oldest doubt makes room.
TEST(Sequencer, HoldsNoMoreThanItsLimit) {
  constexpr auto kChannels = static_cast<std::uint16_t>(Sequencer::kHeldMax + 3);
  Bench bench(kChannels);
  for (std::uint16_t channel = 0; channel < kChannels; ++channel) {
    fall_back(bench, 30, 2 * kSecondNs + channel, channel);
    EXPECT_LE(bench->held(), Sequencer::kHeldMax);
  }
  EXPECT_EQ(bench->held(), Sequencer::kHeldMax);
  EXPECT_EQ(bench.take_decided(), (All{{2, 30, Outcome::won, 0}})) << "the last one to give way";
}

TEST(Sequencer, FindsWhatIsHeldAmongManyChannelsThatHeldSomethingBefore) {
  constexpr std::uint16_t kChannels = 100;
  Bench bench(kChannels);
  for (std::uint16_t channel = 0; channel < kChannels; ++channel) {
    fall_back(bench, 30, 2 * kSecondNs, channel);
    if (channel % 10 != 9) bench.push(201, 2 * kSecondNs, channel);
  }
  ASSERT_EQ(bench->held(), 10u);
  bench.take_decided();
  bench->tick(4 * kSecondNs);
  All all;
  for (std::uint16_t channel = 9; channel < kChannels; channel += 10)
    all.push_back({channel, 30, Outcome::won, 0});
  EXPECT_EQ(bench.take_decided(), all);
}

/// The hook's place has 32 bits.
TEST(Sequencer, CountsWhatALineSkippedBeyondWhatTheHookCanSay) {
  Bench bench;
  for (std::uint64_t number = 1; number <= 100; ++number) bench.push(number, kSecondNs, 0, 0, 0);
  bench.push(4'000'000'000, kSecondNs, 0, 0, LB_PLACE_MAX);
  bench.push(4'000'000'001, kSecondNs, 0, 0, LB_PLACE_MAX);
  EXPECT_EQ(bench->lost_messages(0), 4'000'000'000u - 101);
  EXPECT_EQ(bench->channel(0).gap_messages(), 4'000'000'000u - 101);
}

TEST(Sequencer, IdentifiersAreDeliveredOnceWhateverTheirOrder) {
  Story story("optiq", 2, Sequencer::Dedup::identifiers);
  story.line(A).sends(400'000, 400'099).sends(17, 17).sends(5, 6).announces(9);
  story.line(B).waits(50ms).sends(5, 7).sends(400'000, 400'200);
  story.play();
  EXPECT_EQ(story.complaint(), "");
  EXPECT_EQ(story.count_of(A, Outcome::won), 103u);
  EXPECT_EQ(story.count_of(B, Outcome::duplicate), 102u);
  EXPECT_EQ(story.sequencer().messages(0), 205u);
  EXPECT_EQ(story.newest_epoch(), 0u);
}

/// The application's side of it: nothing but numbers of packets that were handed in, and each run
/// inside of its packet.
TEST(Sequencer, AChannelThatIsRemovedGivesItsFiguresAndItsPlaceToAnother) {
  Bench bench;
  bench.push(5, kSecondNs, 0);
  bench.push(9, kSecondNs, 0);
  bench.push(50, kSecondNs, 1);
  bench.take_decided();
  const std::unique_ptr<Channel> removed = bench->remove(0);
  EXPECT_EQ(removed->messages(), 2u);
  EXPECT_EQ(removed->gap_messages(), 3u);
  bench.push(10, kSecondNs, 0);
  EXPECT_EQ(bench.take_decided(), (All{{0, 10, Outcome::old_epoch, 0}})) << "nobody wants it";
  EXPECT_FALSE(bench->has(0));

  bench->install(0, bench->make_channel(7, removed->framing()));
  bench.push(9, kSecondNs, 0);
  bench.push(11, kSecondNs, 0);
  EXPECT_EQ(bench.take_decided(), (All{{0, 9, Outcome::won, 1}, {0, 11, Outcome::won, 1}}));
  bench->finish();
  ASSERT_EQ(bench->gaps().gaps().size(), 2u);
  EXPECT_EQ(bench->gaps().gaps()[0].origin.channel, 0u);
  EXPECT_EQ(bench->gaps().gaps()[1].origin.channel, 7u);
  EXPECT_EQ(bench->lost_messages(0), 4u) << "of the channel that is gone, and of the other";
}

TEST(Sequencer, AChannelThatIsRemovedDecidesWhatItHolds) {
  Bench bench;
  for (std::uint64_t i = 1; i < 300; ++i) bench.push(i, kSecondNs);
  bench.push(5, 5 * kSecondNs);  // as numbers that begin again do: it waits for a second one
  bench.take_decided();
  ASSERT_EQ(bench->held(), 1u);
  bench->remove(0);
  EXPECT_EQ(bench->held(), 0u);
  EXPECT_EQ(bench.take_decided().size(), 1u);
  bench->tick(9 * kSecondNs);
}

class Auditor final : public Decisions {
 public:
  std::uint64_t decisions = 0;
  std::uint64_t outside = 0;

 private:
  void decided(const Packet& packet, const Decision& decision) noexcept override {
    ++decisions;
    for (const lb_run& run : decision.news)
      outside += run.first < packet.first() || run.first + run.count > packet.end();
  }
};

TEST(Sequencer, AllocatesNothingAfterItsConstruction) {
  const config::Framing framing = config::builtin_framing("optiq");
  const std::array<const lb_framing*, 1> framings{&framing.descriptor};
  Auditor auditor;
  Sequencer sequencer(framings, Settings{}, Sequencer::Dedup::window, auditor);
  const Allocations allocations;
  Packet packet;
  packet.kind = LB_KIND_DATA;
  for (std::uint64_t i = 0; i < 50'000; ++i) {
    const std::uint64_t number = i % 1000 == 999 ? i * 7919 % 10'000'000 : i % 20'000 + i % 3;
    packet.datagram = {number, 0, 1, 1};
    packet.line = static_cast<std::uint8_t>(i % 5 == 0);
    packet.arrival_ns = kSecondNs + i * 100'000;
    sequencer.push(packet);
    if (i % 1000 == 0) sequencer.tick(packet.arrival_ns);
  }
  sequencer.finish();
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_EQ(auditor.decisions, 50'000u);
  EXPECT_EQ(auditor.outside, 0u);
}

}  // namespace
}  // namespace linearb::sequencer::test
