// SPDX-License-Identifier: Apache-2.0
//
// Step 5 of the hook: nothing is redirected without a credit, and nothing is claimed without one.
#include "bpf/rig.h"

namespace linearb::test {
namespace {

using Credit = HookTest;

constexpr std::uint64_t kHalf = kFrames / 2;

Expected no_credit(const char* changes) {
  return {XDP_DROP, "packets no_credit", changes};
}

TEST_F(Credit, WithoutOneNothingIsClaimed) {
  const Expected unclaimed = no_credit("optiq: mark A 1001");
  Rig rig;
  rig.check({
      {"no capacity: the socket is being closed", optiq(1000), {.credits = 0}, unclaimed},
      {"all are out", optiq(1000), {.credits_out = kFrames}, unclaimed},
      {"more are out than there are", optiq(1000), {.credits_out = kFrames + 1}, unclaimed},
      {"on line B", optiq(1000), {.on = On::B, .credits = 0}, no_credit("optiq: mark B 1001")},
      {"partly claimed",
       mold(1000, 3),
       {.claimed = {{1000, 1}}, .credits = 0},
       no_credit("mold: mark A 1003")},
      {"what the line skipped is kept, since the packet cannot tell",
       optiq(1003),
       {.credits = 0},
       no_credit("optiq: mark A 1004, skipped unseen A +3")},
      {"the last one is for a claim",
       optiq(1000),
       {.credits_out = kFrames - 1},
       {XDP_REDIRECT, "packets claimed", "optiq: bits 1000, mark A 1001", "CLAIMED +0"}},
  });
}

TEST_F(Credit, WhatIsPassedUpMayHoldHalfOfThem) {
  Rig rig;
  rig.check({
      {"a heartbeat, half but one out",
       mold_heartbeat(1000),
       {.credits_out = kHalf - 1},
       {XDP_REDIRECT, "packets passed_up", "", "NOT_DATA +0"}},
      {"a heartbeat, half out", mold_heartbeat(1000), {.credits_out = kHalf}, no_credit("")},
      {"a heartbeat that tells of a loss, half out",
       mold_heartbeat(1003),
       {.credits_out = kHalf},
       no_credit("")},
      {"unpublished, half out",
       optiq(1000),
       {.published = false, .credits_out = kHalf},
       no_credit("")},
      {"behind, half out", optiq(999), {.credits_out = kHalf}, no_credit("")},
      {"a jump, half out",
       optiq(9000),
       {.credits_out = kHalf},
       no_credit("optiq: jumped A 9001, jumped unseen A 8000")},
      {"a count that is not claimed, half out",
       mold(1000, 257),
       {.credits_out = kHalf},
       no_credit("")},
      {"an ordinary packet, half out",
       optiq(1000),
       {.credits_out = kHalf},
       {XDP_REDIRECT, "packets claimed", "optiq: bits 1000, mark A 1001", "CLAIMED +0"}},
  });
}

TEST_F(Credit, ADuplicateNeedsNone) {
  Rig rig;
  rig.check({
      {"no capacity",
       optiq(1000),
       {.claimed = {{1000, 1}}, .credits = 0},
       {XDP_DROP, "packets duplicate", "optiq: mark A 1001"}},
      {"all are out",
       optiq(1000),
       {.claimed = {{1000, 1}}, .credits_out = kFrames},
       {XDP_DROP, "packets duplicate", "optiq: mark A 1001"}},
      {"one that would go up for what its line skipped before it",
       optiq(1002),
       {.claimed = {{1002, 1}}, .credits_out = kHalf},
       {XDP_DROP, "packets duplicate", "optiq: mark A 1003, skipped unseen A +2"}},
  });
}

/// What a line skipped is counted once: before a jump by the receiver, if it sees a packet of it.
TEST_F(Credit, WhatALineSkippedBeforeAJumpIsCountedOnce) {
  Rig rig;
  rig.check({
      {"the jump was seen, what goes on from it is not",
       optiq(9003),
       {.credits = 0, .jumped = 9000},
       no_credit("optiq: jumped A 9004, jumped unseen A 3")},
      {"neither is",
       optiq(9003),
       {.credits = 0, .jumped = 9000, .jumped_unseen = 7999},
       no_credit("optiq: jumped A 9004, jumped unseen A 8002")},
      {"neither is, and another line has brought it",
       optiq(9000),
       {.claimed = {{9000, 1}}, .credits = 0, .jumped = 9000, .jumped_unseen = 7999},
       no_credit("optiq: jumped A 9001")},
      {"the jump was not seen, what goes on from it is",
       optiq(9003),
       {.jumped = 9000, .jumped_unseen = 7999},
       {XDP_REDIRECT, "packets claimed",
        "optiq: bits 9003, mark A 9004, no jump A, skipped unseen A +7999",
        "CLAIMED +3 from jump"}},
      {"the copy of a jump that was seen",
       optiq(8999),
       {.credits = 0, .jumped = 9000},
       no_credit("")},
      {"a jump whose copy was not seen",
       optiq(8999),
       {.jumped = 9000, .jumped_unseen = 7999},
       {XDP_REDIRECT, "packets passed_up", "optiq: jumped unseen A 0", "JUMP +7999"}},
      {"a jump behind one that was not seen",
       optiq(18'000),
       {.credits = 0, .jumped = 9000, .jumped_unseen = 7999},
       no_credit("optiq: jumped A 18001, jumped unseen A 16999")},
      {"a jump behind one that was seen",
       optiq(18'000),
       {.credits = 0, .jumped = 9000},
       no_credit("optiq: jumped A 18001, jumped unseen A 9000")},
      {"the line goes on where it was",
       optiq(1000),
       {.credits = 0, .jumped = 9000, .jumped_unseen = 7999},
       no_credit("optiq: mark A 1001, no jump A")},
  });
}

/// The other line's copy still wins what one line had no credit for.
TEST_F(Credit, WhatOneLineHadNoneForTheOtherClaims) {
  Rig rig;
  rig.prepare({});
  rig.maps().credit(0).capacity = 0;
  EXPECT_EQ(rig.run(optiq(1000), {.on = On::A}).in_words.counters, "packets no_credit");
  EXPECT_EQ(rig.run(optiq(1000), {.on = On::B}).in_words.counters, "packets claimed");
}

TEST_F(Credit, EachOneIsSpentOnceAndCountsAgainWhenGivenBack) {
  Rig rig;
  rig.prepare({});
  std::uint64_t number = kStart;
  for (; number < kStart + kFrames; ++number)
    EXPECT_EQ(rig.run(optiq(number), {}).in_words.counters, "packets claimed") << number;
  EXPECT_EQ(rig.run(optiq(number++), {}).in_words.counters, "packets no_credit");
  rig.maps().credit(0).returned += 2;
  EXPECT_EQ(rig.run(optiq(number++), {}).in_words.counters, "packets claimed");
  EXPECT_EQ(rig.run(optiq(number++), {}).in_words.counters, "packets claimed");
  EXPECT_EQ(rig.run(optiq(number++), {}).in_words.counters, "packets no_credit");
}

}  // namespace
}  // namespace linearb::test
