// SPDX-License-Identifier: Apache-2.0
//
// A copy from a line that was quiet is held, since it could be the first packet of a restart. What
// ends the wait is the hook's mark: a line that goes on has not restarted.
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "sequencer/sequencer.h"

namespace linearb::sequencer {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

struct Outcomes final : Decisions {
  void decided(const Packet&, const Decision& decision) noexcept override {
    all.push_back(decision.outcome);
  }
  std::vector<Outcome> all;
};

class Marks : public ::testing::Test {
 protected:
  void push(std::uint8_t line, std::uint64_t first, std::uint64_t now_ns) {
    Packet packet;
    packet.line = line;
    packet.kind = LB_KIND_DATA;
    packet.datagram = {first, 0, 1, 1};
    packet.arrival_ns = now_ns;
    sequencer.push(packet);
  }
  void SetUp() override {
    for (std::uint8_t line = 0; line < 2; ++line)
      for (std::uint64_t number = 1; number <= 50; ++number) push(line, number, kSecond);
    push(1, 49, 2 * kSecond);
    ASSERT_EQ(sequencer.held(), 1u);
    outcomes.all.clear();
  }

  const config::Framing framing = config::builtin_framing("optiq");
  const std::vector<const lb_framing*> framings{&framing.descriptor};
  Outcomes outcomes;
  Sequencer sequencer{framings, Settings{}, Sequencer::Dedup::window, outcomes};
};

TEST_F(Marks, ALineThatWentOnHasBroughtACopy) {
  sequencer.channel(0).line_marked(1, 1, 150, 0, 0);
  sequencer.tick(4 * kSecond);
  EXPECT_EQ(outcomes.all, std::vector{Outcome::duplicate});
}

TEST_F(Marks, ALineThatSaysNothingMayHaveRestarted) {
  sequencer.channel(0).line_marked(1, 1, 51, 0, 0);
  sequencer.tick(4 * kSecond);
  EXPECT_EQ(outcomes.all, std::vector{Outcome::won}) << "lest the first message be lost";
}

TEST_F(Marks, OfAnotherEpochSayNothing) {
  sequencer.channel(0).line_marked(1, 7, 150, 0, 0);
  sequencer.tick(4 * kSecond);
  EXPECT_EQ(outcomes.all, std::vector{Outcome::won});
}

/// The hook said where the line was when it fell back. What was looked at before that is old.
TEST_F(Marks, ThatWereReadTooEarlySayNothing) {
  sequencer.channel(0).line_marked(0, 1, 150, 2 * kSecond, 2 * kSecond);
  Packet packet;
  packet.kind = LB_KIND_DATA;
  packet.datagram = {7, 0, 1, 1};
  packet.arrival_ns = 3 * kSecond;
  packet.place = 7 - 300;
  sequencer.push(packet);
  ASSERT_EQ(sequencer.held(), 2u);
  EXPECT_TRUE(sequencer.channel(0).end_oldest_doubt());
  EXPECT_TRUE(sequencer.channel(0).end_oldest_doubt());
  EXPECT_EQ(outcomes.all, (std::vector{Outcome::won, Outcome::won}));
}

/// Line 1 brings the tail of a life that line 0 has left. It was looked at long before; the mark
/// that is read when it is unpublished shows that it came on since.
TEST_F(Marks, AtTheEndOfAnEpochShowWhoWasNotSilent) {
  sequencer.channel(0).line_marked(1, 1, 53, 2 * kSecond, 2 * kSecond);
  sequencer.tick(4 * kSecond);
  ASSERT_EQ(sequencer.held(), 0u);
  const std::uint64_t began_ns = 5 * kSecond;
  for (std::uint64_t number = 51; number <= 60; ++number) push(0, number, 4 * kSecond);
  for (std::uint64_t number = 1; number <= 3; ++number) push(0, number, began_ns);
  ASSERT_EQ(sequencer.channel(0).newest_epoch(), 2u);
  sequencer.channel(0).line_shown(1, 1, 59);
  for (std::uint64_t number = 4; number <= 90; ++number) push(0, number, began_ns + 1);
  push(1, 59, began_ns + 2);
  push(1, 60, began_ns + 2);
  outcomes.all.clear();
  push(1, 61, began_ns + 2);
  EXPECT_EQ(outcomes.all, std::vector{Outcome::won}) << "of the life that line 0 has left";
}

struct Jump {
  const char* description;
  bool is_from_jump;
  std::uint64_t lost;
};

/// The hook dropped what is between the two packets. Either it saw the line jump to where the first
/// of them is, or the line came there on foot, and the first was garbage from where it was going.
TEST_F(Marks, TellAJumpFromGarbageThatALineComesTo) {
  for (const auto& [description, is_from_jump, lost] :
       {Jump{"a jump", true, 9001 - 51}, Jump{"garbage", false, 0}}) {
    Sequencer fresh(framings, Settings{}, Sequencer::Dedup::window, outcomes);
    Packet packet;
    packet.kind = LB_KIND_DATA;
    packet.arrival_ns = 2 * kSecond;
    const auto push = [&](std::uint64_t first, std::int32_t place) {
      packet.datagram = {first, 0, 1, 1};
      packet.place = place;
      fresh.push(packet);
    };
    push(50, 0);
    push(9001, 9001 - 51);
    packet.is_from_jump = is_from_jump;
    push(9010, 0);
    EXPECT_EQ(fresh.lost_messages(0), lost) << description;
    EXPECT_EQ(fresh.messages(0), 3u) << description;
    fresh.finish();
    EXPECT_EQ(fresh.channel(0).gap_messages(), 9011u - 50 - 3) << description;
    EXPECT_EQ(fresh.channel(0).newest_epoch(), 1u) << description;
  }
}

}  // namespace
}  // namespace linearb::sequencer
