// SPDX-License-Identifier: Apache-2.0
#include "sequencer/watch.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "unit/sequencer/allocations.h"
#include "unit/sequencer/story.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

constexpr std::uint64_t kTick = Sequencer::kTickNs;

/// "1: 5 + 2": two messages from 5 of epoch 1.
Texts told(const Story& story, Notice::Kind kind) {
  Texts texts;
  for (const Notice& notice : story.notices())
    if (notice.kind == kind)
      texts.push_back(fmt::format("{}: {} + {}", notice.epoch, notice.first, notice.count));
  return texts;
}

const Notice& first_of(const Story& story, Notice::Kind kind) {
  return *std::ranges::find(story.notices(), kind, &Notice::kind);
}

/// Played and found right, told gaps among it.
void play(Story& story) {
  story.play();
  EXPECT_EQ(story.complaint(), "");
}

TEST(Watch, AGapIsToldOnceEveryLineHasPassedIt) {
  Story story;
  story.line(A).sends(1, 4).loses(5, 6).sends(7, 2000);
  story.line(B).waits(50ms).sends(1, 4).loses(5, 6);
  const std::uint64_t passed_ns = story.line(B).now_ns();
  story.line(B).sends(7, 2000);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::gap), (Texts{"1: 5 + 2"}));
  EXPECT_GE(first_of(story, Notice::Kind::gap).ns, passed_ns);
  EXPECT_LE(first_of(story, Notice::Kind::gap).ns, passed_ns + 3 * kTick);
}

TEST(Watch, WhatTheSlowerLineBringsIsNoGap) {
  Story story;
  story.line(A).sends(1, 4).loses(5, 6).sends(7, 3000);
  story.line(B).waits(100ms).sends(1, 3000);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::gap), Texts{});
  EXPECT_EQ(told(story, Notice::Kind::late_repair), Texts{});
}

TEST(Watch, ALineThatIsDeadIsNotWaitedFor) {
  Story story;
  story.line(A).sends(1, 100);
  story.line(B).sends(1, 90);
  const std::uint64_t died_ns = story.line(B).now_ns();
  story.line(A).loses(101, 110).sends(111, 9000);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::gap), (Texts{"1: 101 + 10"}));
  EXPECT_GE(first_of(story, Notice::Kind::gap).ns, died_ns + kLiveNs);
  EXPECT_LE(first_of(story, Notice::Kind::gap).ns, died_ns + kLiveNs + 3 * kTick);
}

TEST(Watch, NorIsALineThatIsSlowerThanTheHoldTimeAndWhatItBringsIsALateRepair) {
  Story story;
  story.line(A).sends(1, 100).loses(101, 110).sends(111, 50'000);
  story.line(B).waits(3s).sends(1, 50'000);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::gap), (Texts{"1: 101 + 10"}));
  std::uint64_t repaired = 0;
  for (const Notice& notice : story.notices())
    if (notice.kind == Notice::Kind::late_repair) {
      EXPECT_EQ(notice.line, B);
      EXPECT_EQ(notice.first, 101 + repaired);
      repaired += notice.count;
    }
  EXPECT_EQ(repaired, 10u);
}

TEST(Watch, ATailIsToldWhenAHeartbeatAnnouncesIt) {
  Story story;
  for (const std::size_t line : {A, B}) story.line(line).sends(1, 10).loses(11, 12).announces(13);
  const std::uint64_t end_ns = story.line(A).now_ns();
  for (const std::size_t line : {A, B}) story.line(line).waits(2s).announces(13);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::gap), (Texts{"1: 11 + 2"}));
  EXPECT_LE(first_of(story, Notice::Kind::gap).ns, end_ns + 3 * kTick);
}

TEST(Watch, WhatIsLeftWhenTheRunEndsIsToldThen) {
  Story story;
  story.line(A).sends(1, 10).loses(11, 12).sends(13, 14);
  story.line(B).sends(1, 10);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::gap), (Texts{"1: 11 + 2"}));
}

TEST(Watch, AnEpochIsToldAndWhatTheOneBeforeLacksWhenItsLinesHaveLeft) {
  Story story;
  for (const std::size_t line : {A, B})
    story.line(line).sends(1, 100).loses(101, 105).sends(106, 200).opens_session("next");
  story.line(A).sends(1, 3000);
  story.line(B).waits(150ms);
  const std::uint64_t left_ns = story.line(B).now_ns();
  story.line(B).sends(1, 3000);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::epoch), (Texts{"1: 1 + 0", "2: 1 + 0"}));
  EXPECT_EQ(told(story, Notice::Kind::gap), (Texts{"1: 101 + 5"}));
  EXPECT_LE(first_of(story, Notice::Kind::gap).ns, left_ns);
}

TEST(Watch, ASlowerLineThatBeginsEarlierHasGapsOfItsOwn) {
  Story story;
  story.line(A).sends(1000, 3000);
  story.line(B).waits(50ms).sends(900, 910).loses(911, 920).sends(921, 3000);
  play(story);
  EXPECT_EQ(told(story, Notice::Kind::gap), (Texts{"1: 911 + 10"}));
  EXPECT_EQ(told(story, Notice::Kind::late_repair), Texts{});
}

TEST(Watch, ALineThatIsSilentIsTold) {
  Story story;
  story.line(A).every(1ms).sends(1, 5000);
  story.line(B).every(1ms).sends(1, 1000).waits(2s).sends(3001, 5000);
  play(story);
  std::vector<Condition> conditions;
  for (const Notice& notice : story.notices())
    if (notice.kind == Notice::Kind::line) {
      EXPECT_EQ(notice.line, B);
      conditions.push_back(notice.condition);
    }
  EXPECT_EQ(conditions, (std::vector{Condition::silent, Condition::back, Condition::degraded}));
}

/// Packets as a plain sequencer has them, and a listener without room.
class WatchRoom : public testing::Test, protected Decisions, protected Notices {
 protected:
  WatchRoom() { watch_.follow(sequencer_); }

  void decided(const Packet&, const Decision&) noexcept override {}
  bool has_room() const noexcept override { return room_ > 0; }
  void tell(const Notice& notice) noexcept override {
    conditions_ += notice.kind == Notice::Kind::line;
    if (notice.kind != Notice::Kind::gap) return;
    if (room_ > 0) gaps_[told_++ % gaps_.size()] = {notice.first, notice.first + notice.count};
    room_ -= room_ > 0;
  }
  void send(std::size_t line, std::uint64_t number) {
    Packet packet;
    packet.line = static_cast<std::uint8_t>(line);
    packet.kind = LB_KIND_DATA;
    packet.arrival_ns = now_ns_;
    packet.datagram = {.first = number, .session = 1, .count = 1, .numbered = 1};
    sequencer_.push(packet);
  }
  void send_on_both(std::uint64_t number) {
    send(A, number);
    send(B, number);
  }
  void look() {
    now_ns_ += kTick;
    if (watch_.has_begun()) watch_.tell();
    watch_.begin(
        1, now_ns_, [](std::uint16_t, std::uint32_t, std::uint64_t) { return std::uint64_t{0}; },
        [](std::uint16_t, std::uint32_t) { return std::uint64_t{0}; });
  }

  std::size_t room_ = 0;
  std::size_t told_ = 0;
  std::size_t conditions_ = 0;
  std::array<Range, 16> gaps_{};
  std::uint64_t now_ns_ = 1'000'000'000;
  lb_framing framing_ = config::builtin_framing("optiq").descriptor;
  const lb_framing* framings_[1] = {&framing_};
  Watch watch_{1, 2, *this, *this};
  Sequencer sequencer_{framings_, {.lines = 2}, Sequencer::Dedup::window, watch_};
};

TEST_F(WatchRoom, AGapThatThereIsNoRoomForIsToldLater) {
  for (std::uint64_t number = 1; number < 20; number += 2) send_on_both(number);
  for (int i = 0; i < 3; ++i) look();
  EXPECT_EQ(told_, 0u);
  room_ = 4;
  for (int i = 0; i < 3; ++i) look();
  EXPECT_EQ(told_, 4u);
  room_ = 100;
  for (int i = 0; i < 3; ++i) look();
  ASSERT_EQ(told_, 9u);
  for (std::uint64_t i = 0; i < 9; ++i) {
    EXPECT_EQ(gaps_[i].first, 2 + 2 * i);
    EXPECT_EQ(gaps_[i].end, 3 + 2 * i);
  }
}

TEST_F(WatchRoom, AllocatesNothingAfterItsConstruction) {
  room_ = ~std::size_t{0};
  const Allocations allocations;
  for (std::uint64_t number = 1; number < 20'000; number += 2) {
    send_on_both(number);
    if (number % 100 == 1) look();
  }
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_GT(told_, 9000u);
}

TEST_F(WatchRoom, AChannelThatIsMadeWhenItIsSeenIsNotSilentBefore) {
  watch_.begin_channel(0, {.expects_feed = true, .only_once_seen = true});
  for (int i = 0; i < 300; ++i) look();
  EXPECT_EQ(conditions_, 0u);
  send_on_both(1);
  for (int i = 0; i < 300; ++i) look();
  EXPECT_EQ(conditions_, 2u) << "both lines are silent now";
}

TEST_F(WatchRoom, AnotherOneIsSilentFromTheStart) {
  watch_.begin_channel(0, {.expects_feed = true});
  for (int i = 0; i < 300; ++i) look();
  EXPECT_EQ(conditions_, 2u);
}

TEST_F(WatchRoom, OutsideOfItsHoursOrWithoutThemItIsNot) {
  watch_.begin_channel(0, {.expects_feed = true});
  watch_.set_in_hours(0, false);
  for (int i = 0; i < 300; ++i) look();
  EXPECT_EQ(conditions_, 0u);
  watch_.set_alarms(0, {});
  for (int i = 0; i < 300; ++i) look();
  EXPECT_EQ(conditions_, 0u) << "in hours again, and the feed is not expected";
  watch_.set_alarms(0, {.expects_feed = true});
  for (int i = 0; i < 300; ++i) look();
  EXPECT_EQ(conditions_, 2u);
}

TEST_F(WatchRoom, ALineThatIsDownIsTold) {
  look();
  watch_.set_line_down(1, true);
  look();
  EXPECT_EQ(conditions_, 1u);
}

TEST_F(WatchRoom, AChannelThatIsGoneIsForgotten) {
  room_ = 100;
  send_on_both(1);
  send_on_both(3);
  look();
  sequencer_.remove(0);
  EXPECT_EQ(told_, 1u);
  look();
  watch_.begin_channel(0, {});
  sequencer_.install(0, sequencer_.make_channel(1, framing_));
  send_on_both(1);
  send_on_both(3);
  for (int i = 0; i < 3; ++i) look();
  EXPECT_EQ(told_, 2u);
}

}  // namespace
}  // namespace linearb::sequencer::test
