// SPDX-License-Identifier: Apache-2.0
//
// Packets of the feeds, whole and damaged, on states of every kind. No row says what must come of
// them: the rules that hold for every packet do (find_broken_rule in rig.cpp), and those below.
#include <cstdint>
#include <map>
#include <string>

#include "bpf/dice.h"
#include "bpf/rig.h"
#include "core/walk.h"

namespace linearb::test {
namespace {

using Random = HookTest;

constexpr std::uint64_t kSeed = 20'260'101;
constexpr unsigned kPackets = 2'000;

/// Mostly what continues the line; now and then anything.
std::uint64_t any_number(Dice& dice) {
  if (dice.one_in(8)) return dice.below(1ull << 32);
  if (dice.one_in(4)) return dice.between(kStart - 40, kStart + 5'000);
  return kStart;
}

Bytes any_packet(Dice& dice, Channel channel) {
  Header header{.first = any_number(dice), .count = dice.one_in(4) ? dice.below(255) : 2};
  if (dice.one_in(10)) header.session = "SESSION002";
  PacketBuilder packet = feed_packet(channel, header);
  if (dice.one_in(4)) packet.vlan(5);
  if (dice.one_in(4)) packet.options(4 * dice.below(11));
  if (dice.one_in(4)) packet.padding(dice.below(1'800));
  return packet.build();
}

Given any_state(Dice& dice) {
  Given given;
  given.on = dice.one_in(20) ? On::elsewhere : dice.one_in(2) ? On::A : On::B;
  given.queue = dice.one_in(12) ? 1 : 0;
  given.published = !dice.one_in(6);
  if (dice.one_in(20)) given.mark_generation = 2;
  if (dice.one_in(6)) given.mark = dice.between(0, 2 * kStart);
  for (std::uint64_t ranges = dice.below(4); ranges > 0; --ranges)
    given.claimed.push_back(
        {dice.between(kStart - 10, kStart + 10), static_cast<lb_u32>(dice.between(1, 200))});
  if (dice.one_in(10)) given.claimed.push_back({kStart + LB_WINDOW_MESSAGES, 200});
  if (dice.one_in(4)) given.jumped = given.mark + dice.between(4'000, 9'000);
  if (dice.one_in(10)) given.jumped_generation = 2;
  if (dice.one_in(4)) given.jumped_unseen = dice.below(9'000);
  given.credits_out = dice.one_in(2) ? dice.below(kFrames + 2) : 0;
  given.metadata = !dice.one_in(6);
  return given;
}

/// The range of a packet that the hook has found to be of the channel.
lb_run range_of(const Bytes& packet, Channel channel) {
  lb_walk walk{};
  lb_datagram datagram{};
  const lb_u8* end = packet.data() + packet.size();
  EXPECT_EQ(lb_walk_frame(packet.data(), end, &walk), LB_WALK_DATAGRAM);
  EXPECT_EQ(lb_framing_decode(&framing_of(channel), packet.data() + walk.payload_offset, end,
                              walk.payload_length, &datagram),
            LB_KIND_DATA);
  return {datagram.first, datagram.count};
}

/// A port that was hit by the dice can be another channel's.
Channel channel_of(const Outcome& outcome) {
  const auto name = outcome.in_words.changes.substr(0, outcome.in_words.changes.find(':'));
  for (std::uint16_t channel = 0; channel < kChannels; ++channel)
    if (name == kChannelNames[channel]) return static_cast<Channel>(channel);
  return kIdentifiers;  // the only one whose duplicates and claims change nothing
}

TEST_F(Random, EveryPacketKeepsTheRules) {
  Rig rig;
  Dice dice(kSeed);
  std::map<std::string, unsigned> ways_out;
  for (unsigned i = 0; i < kPackets && !HasFailure(); ++i) {
    SCOPED_TRACE("packet " + std::to_string(i));
    const Given given = any_state(dice);
    Bytes packet = any_packet(dice, static_cast<Channel>(dice.below(kChannels)));
    if (dice.one_in(2)) damage(dice, packet);
    rig.prepare(given);
    const Outcome outcome = rig.run_bytes(packet, given);
    EXPECT_EQ(outcome.broken_rule, "");
    ++ways_out[outcome.in_words.counters];

    const bool is_duplicate = outcome.in_words.counters == "packets duplicate";
    const bool is_claimed = outcome.in_words.counters.starts_with("packets claimed");
    if (!is_duplicate && !is_claimed) continue;
    const Channel channel = channel_of(outcome);
    if (channel == kIdentifiers) continue;
    EXPECT_TRUE(rig.holds(channel, range_of(packet, channel))) << "all of it is claimed now";
    EXPECT_NE(outcome.in_words.changes.find("mark"), std::string::npos) << "it moves its line";
  }
  for (const char* way_out :
       {"", "packets duplicate", "packets claimed", "packets passed_up", "packets no_credit",
        "packets not_feed", "packets malformed", "packets no_receiver", "packets passed_up late",
        "packets malformed oversized", "packets claimed no_metadata"})
    EXPECT_GE(ways_out[way_out], 10u) << "the dice have to reach it: " << way_out;
}

}  // namespace
}  // namespace linearb::test
