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
  sequencer.channel(0).line_marked(1, 1, 150, 0);
  sequencer.tick(4 * kSecond);
  EXPECT_EQ(outcomes.all, std::vector{Outcome::duplicate});
}

TEST_F(Marks, ALineThatSaysNothingMayHaveRestarted) {
  sequencer.channel(0).line_marked(1, 1, 51, 0);
  sequencer.tick(4 * kSecond);
  EXPECT_EQ(outcomes.all, std::vector{Outcome::won}) << "lest the first message be lost";
}

TEST_F(Marks, OfAnotherEpochSayNothing) {
  sequencer.channel(0).line_marked(1, 7, 150, 0);
  sequencer.tick(4 * kSecond);
  EXPECT_EQ(outcomes.all, std::vector{Outcome::won});
}

}  // namespace
}  // namespace linearb::sequencer
