// SPDX-License-Identifier: Apache-2.0
//
// What was delivered while it was doubted stays known, whatever straggles in before it is
// confirmed.
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "sequencer/sequencer.h"

namespace linearb::sequencer {
namespace {

struct Collected final : Decisions {
  void decided(const Packet&, const Decision& decision) noexcept override {
    for (const lb_run& run : decision.news)
      for (std::uint32_t i = 0; i < run.count; ++i) ++times[run.first + i];
  }
  std::map<std::uint64_t, int> times;
};

TEST(DeliveredApart, IsNotForgottenForAStraggler) {
  const config::Framing framing = config::builtin_framing("optiq");
  const std::vector<const lb_framing*> framings{&framing.descriptor};
  Collected delivered;
  Sequencer sequencer{framings, Settings{}, Sequencer::Dedup::window, delivered};
  const auto push = [&](std::uint8_t line, std::uint64_t number) {
    Packet packet;
    packet.line = line;
    packet.kind = LB_KIND_DATA;
    packet.datagram = {number, 0, 1, 1};
    packet.arrival_ns = 1'000'000'000;
    sequencer.push(packet);
  };
  for (std::uint64_t number = 1; number <= 10; ++number) push(0, number);
  push(0, 10'000);  // both lines were away for a while
  push(0, 7);       // a straggler from before
  push(0, 10'001);
  push(0, 10'002);
  for (std::uint64_t number = 9'999; number <= 10'002; ++number) push(1, number);
  sequencer.finish();
  for (const auto& [number, times] : delivered.times) EXPECT_EQ(times, 1) << number;
  EXPECT_EQ(delivered.times.size(), 14u);
  ASSERT_EQ(sequencer.gaps().gaps().size(), 1u);
  EXPECT_EQ(sequencer.gaps().gaps()[0].range.first, 11u);
  EXPECT_EQ(sequencer.gaps().gaps()[0].range.end, 9'999u);
}

}  // namespace
}  // namespace linearb::sequencer
