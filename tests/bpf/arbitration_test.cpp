// SPDX-License-Identifier: Apache-2.0
//
// Steps 3, 4 and 6 of the hook: what it claims, what it drops as a duplicate, and what it leaves to
// the sequencer. Marks are at 1000 and windows empty unless a row says otherwise.
#include <algorithm>

#include "bpf/rig.h"
#include "core/stream.h"

namespace linearb::test {
namespace {

using Arbitration = HookTest;

constexpr std::uint64_t kLap = LB_WINDOW_MESSAGES;
constexpr std::uint64_t kAhead = LB_AHEAD_DEFAULT;

Expected claimed(const char* changes, const char* metadata = "CLAIMED +0") {
  return {XDP_REDIRECT, "packets claimed", changes, metadata};
}
Expected passed_up(const char* metadata, const char* changes = "") {
  return {XDP_REDIRECT, "packets passed_up", changes, metadata};
}
Expected duplicate(const char* changes) {
  return {XDP_DROP, "packets duplicate", changes};
}

TEST_F(Arbitration, ClaimsWhatContinuesItsLine) {
  Rig rig;
  rig.check({
      {"one message", optiq(1000), {}, claimed("optiq: bits 1000, mark A 1001")},
      {"on line B", optiq(1000), {.on = On::B}, claimed("optiq: bits 1000, mark B 1001")},
      {"in a VLAN", optiq(1000).vlan(5), {}, claimed("optiq: bits 1000, mark A 1001")},
      {"in two", optiq(1000).vlan(7, 0x88a8).vlan(5), {}, claimed("optiq: bits 1000, mark A 1001")},
      {"with IPv4 options", optiq(1000).options(40), {}, claimed("optiq: bits 1000, mark A 1001")},
      {"to another address, where any will do",
       optiq(1000).to("192.0.2.77", 30001),
       {},
       claimed("optiq: bits 1000, mark A 1001")},
      {"with Ethernet padding",
       optiq(1000).padding(4),
       {},
       claimed("optiq: bits 1000, mark A 1001")},
      {"of a range, all messages", mold(1000, 3), {}, claimed("mold: bits 1000-1002, mark A 1003")},
      {"on the group of line B",
       mold(1000, 3).to("239.1.2.1", 26400),
       {.on = On::B},
       claimed("mold: bits 1000-1002, mark B 1003")},
      {"with a unit and a payload length",
       pitch(1000, 3),
       {},
       claimed("pitch: bits 1000-1002, mark A 1003")},
      {"number 0, where it is a number", mold(0), {.mark = 0}, claimed("mold: bits 0, mark A 1")},
      {"in the next lap of the window",
       optiq(1000 + kLap),
       {.mark = 1000 + kLap, .claimed = {{1000, 1}}},
       claimed("optiq: bits 66536, mark A 66537")},
      {"far into a session",
       mold((1ull << 39) + 1),
       {.mark = (1ull << 39) + 1},
       claimed("mold: bits 549755813889, mark A 549755813890")},
  });
}

TEST_F(Arbitration, CountsFromOneTo256AreClaimed) {
  Rig rig;
  rig.check({
      {"1", mold(1000, 1), {}, claimed("mold: bits 1000, mark A 1001")},
      {"255", mold(1000, 255), {}, claimed("mold: bits 1000-1254, stamp 1248, mark A 1255")},
      {"256", mold(1000, 256), {}, claimed("mold: bits 1000-1255, stamp 1248, mark A 1256")},
      {"257", mold(1000, 257), {}, passed_up("COUNT +0")},
      {"0 is a heartbeat", mold_heartbeat(1000), {}, passed_up("NOT_DATA +0")},
  });
}

/// What follows the largest number is the framing's rule for the wrap, which the hook leaves to the
/// sequencer.
TEST_F(Arbitration, ClaimsNumbersBelowTheLargest) {
  constexpr std::uint64_t kLargest = 0xffff'ffff;  // of optiq and pitch
  constexpr std::uint64_t kLargestOfMarks = (1ull << LB_MARK_BITS) - 1;
  Rig rig;
  rig.check({
      {"the last but one",
       optiq(kLargest - 1),
       {.mark = kLargest - 1},
       claimed("optiq: bits 4294967294, mark A 4294967295")},
      {"the largest", optiq(kLargest), {.mark = kLargest}, passed_up("COUNT +0")},
      {"the largest, its bit set",
       optiq(kLargest),
       {.mark = kLargest, .claimed = {{kLargest, 1}}},
       passed_up("COUNT +0")},
      {"a range that ends before it",
       pitch(kLargest - 3, 3),
       {.mark = kLargest - 3},
       claimed("pitch: bits 4294967292-4294967294, mark A 4294967295")},
      {"a range that ends with it",
       pitch(kLargest - 2, 3),
       {.mark = kLargest - 2},
       passed_up("COUNT +0")},
      {"a range that crosses it",
       pitch(kLargest - 1, 3),
       {.mark = kLargest - 1},
       passed_up("COUNT +0")},
      {"the last but one that a mark can hold",
       mold(kLargestOfMarks - 1),
       {.mark = kLargestOfMarks - 1},
       claimed("mold: bits 1099511627774, mark A 72057594037927935")},
      {"the largest that a mark can hold",
       mold(kLargestOfMarks),
       {.mark = kLargestOfMarks},
       passed_up("COUNT +0")},
  });
}

TEST_F(Arbitration, LeavesToTheSequencerWhatIsNotData) {
  Rig rig;
  rig.check({
      {"a heartbeat", mold_heartbeat(1000), {}, passed_up("NOT_DATA +0")},
      {"a heartbeat that tells of a loss", mold_heartbeat(1003), {}, passed_up("NOT_DATA +3")},
      {"a heartbeat of an unpublished channel",
       mold_heartbeat(1000),
       {.published = false},
       passed_up("NOT_DATA")},
      {"end of session", mold_end_of_session(1000), {}, passed_up("NOT_DATA +0")},
      {"unsequenced messages", pitch(0, 2), {}, passed_up("NOT_DATA")},
      {"an unsequenced heartbeat", pitch(0, 0), {}, passed_up("NOT_DATA")},
  });
}

/// Streams that share a destination have a window and marks each.
TEST_F(Arbitration, KnowsAStreamByItsKey) {
  Rig rig;
  rig.prepare({});
  const hook::Maps& maps = rig.maps();
  const auto bits = static_cast<lb_u32>(maps.config().stream_bits);
  EXPECT_EQ(std::size_t{1} << bits, maps.streams().size());
  constexpr lb_u32 kUnit = 2;
  const lb_u32 place = static_cast<lb_u32>(maps.windows().size()) - 1;
  ASSERT_TRUE(lb_stream_add(&maps.streams()[lb_stream_bucket_of(bits, kPitch, kUnit)], kPitch,
                            kUnit, place));
  const auto packet = [](lb_u64 first) {
    return feed_packet(kPitch, {.first = first, .unit = kUnit});
  };
  EXPECT_EQ(rig.run(packet(1000), {}).in_words.metadata, "UNPUBLISHED")
      << "its own mark says so, not that of its destination";
  for (lb_u32 line = 0; line < 2; ++line) {
    lb_mark& mark = maps.mark(place, line);
    lb_store_release(&mark.shown, lb_mark_word(1, 1000));
    lb_store_release(&mark.published, lb_mark_word(1, 0));
  }
  EXPECT_EQ(rig.run(packet(1000), {.on = On::A}).result.action, XDP_REDIRECT);
  EXPECT_TRUE(lb_window_holds(maps.windows()[place].words, LB_WINDOW_ORDER, 1, 1000, 1));
  EXPECT_EQ(rig.run(packet(1000), {.on = On::B}).result.action, XDP_DROP);
  EXPECT_EQ(lb_mark_value(maps.mark(place, 1).shown), 1001u);
}

/// Whatever it is, and wherever the feed is.
TEST_F(Arbitration, ClaimsNothingOfALineThatOnlyRepairs) {
  lb_flow flow = flow_on(On::A, kMold, "239.1.1.1", 26400);
  flow.flags |= LB_FLOW_REPAIR;
  Rig rig;
  rig.take_over({&flow, 1}, framings_by_channel());
  rig.check({
      {"data that would be next", mold(1000), {}, passed_up("NOT_DATA +0")},
      {"data that was there", mold(1000), {.claimed = {{1000, 1}}}, passed_up("NOT_DATA +0")},
      {"data behind the mark", mold(1), {}, passed_up("NOT_DATA -999")},
      {"a heartbeat", mold_heartbeat(1003), {}, passed_up("NOT_DATA")},
      {"end of session", mold_end_of_session(1000), {}, passed_up("NOT_DATA")},
  });
}

TEST_F(Arbitration, LeavesToTheSequencerWhatIsNotPublished) {
  Rig rig;
  rig.check({
      {"nothing is", optiq(1000), {.published = false}, passed_up("UNPUBLISHED")},
      {"nothing is, and all its bits are set",
       optiq(1000),
       {.claimed = {{1000, 1}}, .published = false},
       passed_up("UNPUBLISHED")},
      {"another session",
       feed_packet(kMold, {.first = 1000, .session = "SESSION002"}),
       {},
       passed_up("UNPUBLISHED")},
      {"another session, all bits set",
       feed_packet(kMold, {.first = 1000, .session = "SESSION002"}),
       {.claimed = {{1000, 1}}},
       passed_up("UNPUBLISHED")},
      {"published for a generation that the mark is not in",
       optiq(1000),
       {.mark_generation = 2},
       passed_up("UNPUBLISHED")},
  });
}

TEST_F(Arbitration, NeverDropsWhatBeginsBehindItsOwnLinesMark) {
  Rig rig;
  rig.check({
      {"one behind", optiq(999), {}, passed_up("BEHIND -1")},
      {"one behind, all bits set", optiq(999), {.claimed = {{999, 1}}}, passed_up("BEHIND -1")},
      {"far behind", optiq(1), {}, passed_up("BEHIND -999")},
      {"begins behind, ends beyond", mold(998, 5), {}, passed_up("BEHIND -2")},
      {"begins behind, ends beyond, all bits set",
       mold(998, 5),
       {.claimed = {{998, 5}}},
       passed_up("BEHIND -2")},
      {"further behind than a place can say",
       mold(1),
       {.mark = 1ull << 40},
       passed_up("BEHIND -2147483647")},
  });
}

TEST_F(Arbitration, ClaimsAheadOfTheMarkUpToALimit) {
  Rig rig;
  rig.check({
      {"three skipped", optiq(1003), {}, claimed("optiq: bits 1003, mark A 1004", "CLAIMED +3")},
      {"as far as may be",
       optiq(1000 + kAhead),
       {},
       claimed("optiq: bits 5096, mark A 5097", "CLAIMED +4096")},
      {"one further",
       optiq(1000 + kAhead + 1),
       {},
       passed_up("JUMP +4097", "optiq: jumped A 5098")},
      {"one further, all bits set",
       optiq(1000 + kAhead + 1),
       {.claimed = {{5097, 1}}},
       passed_up("JUMP +4097", "optiq: jumped A 5098")},
      {"further than a place can say",
       mold(1ull << 40),
       {},
       passed_up("JUMP +2147483647", "mold: jumped A 1099511627777")},
  });
}

/// One range far ahead may be garbage. Two that go on from each other are where the line is.
TEST_F(Arbitration, ClaimsWhatGoesOnFromAJump) {
  Rig rig;
  rig.check({
      {"the next",
       optiq(9000),
       {.jumped = 9000},
       claimed("optiq: bits 9000, mark A 9001, no jump A", "CLAIMED +0 from jump")},
      {"three skipped",
       optiq(9003),
       {.jumped = 9000},
       claimed("optiq: bits 9003, mark A 9004, no jump A", "CLAIMED +3 from jump")},
      {"as far as may be",
       optiq(9000 + kAhead),
       {.jumped = 9000},
       claimed("optiq: bits 13096, mark A 13097, no jump A", "CLAIMED +4096 from jump")},
      {"one further",
       optiq(9000 + kAhead + 1),
       {.jumped = 9000},
       passed_up("JUMP +12097", "optiq: jumped A 13098")},
      {"its copy", optiq(8999), {.jumped = 9000}, passed_up("JUMP +7999")},
      {"two that have changed places",
       optiq(8998),
       {.jumped = 9000},
       passed_up("JUMP +7998", "optiq: jumped A 8999")},
      {"a jump in another epoch",
       optiq(9000),
       {.jumped = 9000, .jumped_generation = 2},
       passed_up("JUMP +8000", "optiq: jumped A 9001")},
      {"another line has brought it: what was skipped before the jump has to be seen",
       optiq(9000),
       {.claimed = {{9000, 1}}, .jumped = 9000},
       passed_up("SKIP +0 from jump", "optiq: mark A 9001, no jump A")},
      {"the line goes on where it was: that was garbage",
       optiq(1000),
       {.jumped = 9000},
       claimed("optiq: bits 1000, mark A 1001, no jump A")},
      {"with what another line has brought",
       optiq(1000),
       {.claimed = {{1000, 1}}, .jumped = 9000},
       duplicate("optiq: mark A 1001, no jump A")},
      {"a straggler says nothing", optiq(999), {.jumped = 9000}, passed_up("BEHIND -1")},
      {"nor does a heartbeat", mold_heartbeat(9000), {.jumped = 9000}, passed_up("NOT_DATA +8000")},
  });
}

TEST_F(Arbitration, DropsWhatAnotherLineHasBrought) {
  Rig rig;
  rig.check({
      {"one message",
       optiq(1000),
       {.on = On::B, .claimed = {{1000, 1}}},
       duplicate("optiq: mark B 1001")},
      {"a range", mold(1000, 3), {.claimed = {{1000, 3}}}, duplicate("mold: mark A 1003")},
      {"a range that lies within more",
       mold(1000, 3),
       {.claimed = {{990, 100}}},
       duplicate("mold: mark A 1003")},
      {"a range that came in pieces",
       pitch(1000, 5),
       {.claimed = {{1000, 2}, {1002, 3}}},
       duplicate("pitch: mark A 1005")},
      {"256 messages over nine words",
       mold(1000, 256),
       {.claimed = {{1000, 256}}},
       duplicate("mold: mark A 1256")},
  });
}

/// The mark alone cannot tell the sequencer that the line has skipped something: the packet does.
TEST_F(Arbitration, PassesUpADuplicateBeforeWhichItsLineSkipped) {
  Rig rig;
  rig.check({
      {"one skipped",
       optiq(1001),
       {.claimed = {{1001, 1}}},
       passed_up("SKIP +1", "optiq: mark A 1002")},
      {"all of it claimed, what was skipped too",
       mold(1003, 2),
       {.claimed = {{1000, 5}}},
       passed_up("SKIP +3", "mold: mark A 1005")},
      {"as far ahead as may be",
       optiq(1000 + kAhead),
       {.claimed = {{1000 + kAhead, 1}}},
       passed_up("SKIP +4096", "optiq: mark A 5097")},
  });
}

TEST_F(Arbitration, ClaimsTheRestOfWhatIsPartlyClaimed) {
  Rig rig;
  rig.check({
      {"the last is new",
       mold(1000, 3),
       {.claimed = {{1000, 2}}},
       claimed("mold: bits 1002, mark A 1003")},
      {"the first is new",
       mold(1000, 3),
       {.claimed = {{1001, 5}}},
       claimed("mold: bits 1000, mark A 1003")},
      {"one in the middle is new",
       mold(1000, 3),
       {.claimed = {{1000, 1}, {1002, 1}}},
       claimed("mold: bits 1001, mark A 1003")},
      {"new ones in three words",
       mold(1000, 100),
       {.claimed = {{1010, 5}, {1050, 5}}},
       claimed("mold: bits 1000-1009, bits 1015-1049, bits 1055-1099, stamp 1088, mark A 1100")},
  });
}

TEST_F(Arbitration, PassesUpWhatIsBehindTheWindow) {
  const Expected late = {XDP_REDIRECT, "packets passed_up late", "optiq: mark A 1001", "LATE +0"};
  Rig rig;
  rig.check({
      {"a newer lap has its word", optiq(1000), {.claimed = {{1000 + kLap, 1}}}, late},
      {"its bit was set before that",
       optiq(1000),
       {.claimed = {{1000, 1}, {1000 + kLap, 1}}},
       late},
      {"a newer lap has its second word",
       mold(1022, 4),
       {.mark = 1022, .claimed = {{1024 + kLap, 1}}},
       {XDP_REDIRECT, "packets passed_up late", "mold: bits 1022-1023, mark A 1026", "LATE +0"}},
  });
}

/// The same packets on both lines, one after the other, as a feed brings them.
TEST_F(Arbitration, TwoLinesBringEachMessageOnce) {
  Rig rig;
  rig.prepare({.credits = 1000});
  for (std::uint64_t first = kStart; first < kStart + 200; first += 4) {
    const On winner = first % 8 ? On::A : On::B;
    const On other = winner == On::A ? On::B : On::A;
    EXPECT_EQ(rig.run(pitch(first, 4), {.on = winner}).result.action, XDP_REDIRECT) << first;
    EXPECT_EQ(rig.run(pitch(first, 4), {.on = other}).result.action, XDP_DROP) << first;
    EXPECT_EQ(rig.run(pitch(first, 4), {.on = other}).in_words.metadata, "BEHIND -4")
        << first << ": a repeat of the line itself";
  }
  EXPECT_TRUE(rig.holds(kPitch, {kStart, 200}));
}

/// Five messages a packet on one line, three on the other.
TEST_F(Arbitration, LinesThatPackDifferentlyLoseNothing) {
  Rig rig;
  rig.prepare({.credits = 1000});
  std::uint64_t end_of_a = kStart;
  std::uint64_t end_of_b = kStart;
  while (end_of_b < kStart + 150) {
    const bool is_a = end_of_a <= end_of_b;
    const PacketBuilder packet = is_a ? pitch(end_of_a, 5) : pitch(end_of_b, 3);
    const Outcome outcome = rig.run(packet, {.on = is_a ? On::A : On::B});
    EXPECT_EQ(outcome.broken_rule, "");
    (is_a ? end_of_a : end_of_b) += is_a ? 5 : 3;
    const auto came = static_cast<lb_u32>(std::max(end_of_a, end_of_b) - kStart);
    EXPECT_TRUE(rig.holds(kPitch, {kStart, came}));
  }
}

}  // namespace
}  // namespace linearb::test
