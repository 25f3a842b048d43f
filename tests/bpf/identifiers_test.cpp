// SPDX-License-Identifier: Apache-2.0
//
// dedup = "lru": identifiers without order. Whatever the window and the marks, the first copy of an
// identifier is claimed and the second dropped, as long as anything is published.
#include "bpf/rig.h"
#include "hook/takeover.h"

namespace linearb::test {
namespace {

using Identifiers = HookTest;

const Expected kClaimed = {XDP_REDIRECT, "packets claimed", "", "CLAIMED"};
const Expected kDuplicate = {XDP_DROP, "packets duplicate"};

void expect(const Outcome& outcome, const Expected& expected) {
  EXPECT_EQ(outcome.in_words.action, expected.action);
  EXPECT_EQ(outcome.in_words.counters, expected.counters);
  EXPECT_EQ(outcome.in_words.changes, expected.changes);
  EXPECT_EQ(outcome.in_words.metadata, expected.metadata);
  EXPECT_EQ(outcome.broken_rule, "");
}

TEST_F(Identifiers, AreClaimedOnceInWhateverOrder) {
  const struct {
    const char* description;
    On on;
    std::uint64_t identifier;
    const Expected& expected;
  } packets[] = {
      {"first seen", On::A, 5'000, kClaimed},
      {"the other line's copy", On::B, 5'000, kDuplicate},
      {"a repeat of the line itself", On::A, 5'000, kDuplicate},
      {"another", On::B, 5'001, kClaimed},
      {"far below the earlier ones", On::B, 3, kClaimed},
      {"and its copy", On::A, 3, kDuplicate},
      {"far above", On::A, 4'000'000'001, kClaimed},
      {"and its copy", On::B, 4'000'000'001, kDuplicate},
      {"the first one again", On::B, 5'000, kDuplicate},
      {"0 is one like any other", On::A, 0, kClaimed},
      {"and its copy", On::B, 0, kDuplicate},
  };
  Rig rig;
  rig.prepare({});
  for (const auto& packet : packets) {
    SCOPED_TRACE(packet.description);
    expect(rig.run(identifier(packet.identifier), {.on = packet.on}), packet.expected);
  }
}

TEST_F(Identifiers, NeedNoEpochAndNoMark) {
  Rig rig;
  rig.check({
      {"unpublished",
       identifier(7),
       {.published = false},
       {XDP_REDIRECT, "packets passed_up", "", "UNPUBLISHED"}},
      {"a mark of another epoch", identifier(7), {.mark_generation = 9}, kClaimed},
      {"behind the mark", identifier(7), {}, kClaimed},
      {"far ahead of it", identifier(1'000'001), {}, kClaimed},
      {"set in a window", identifier(1000), {.claimed = {{1000, 1}}}, kClaimed},
      {"malformed", identifier(7).wrong_payload_byte(0, 2), {}, {XDP_PASS, "packets malformed"}},
      {"the winner of a sampled number leaves a stamp",
       identifier(1008),
       {},
       {XDP_REDIRECT, "packets claimed", "identifiers: stamp 1008", "CLAIMED"}},
  });
}

/// What was dropped for want of credit has not been seen: the other line's copy can win.
TEST_F(Identifiers, AreNotRememberedWithoutCredit) {
  Rig rig;
  rig.prepare({});
  rig.maps().credit(0).capacity = 0;
  expect(rig.run(identifier(7), {.on = On::A}), {XDP_DROP, "packets no_credit"});
  expect(rig.run(identifier(7), {.on = On::B}), kClaimed);
  expect(rig.run(identifier(7), {.on = On::A}), kDuplicate);
}

/// A claim would be in vain when its slot is emptied, and the other line's copy a duplicate.
TEST_F(Identifiers, AreNotClaimedAnyMoreWhenSlotsAreEmptied) {
  Rig rig;
  rig.prepare({.published = false});
  hook::publish_identifiers(rig.maps(), kIdentifiers, kLines);
  expect(rig.run(identifier(7), {.on = On::A}), kClaimed);
  hook::empty_slots(rig.maps());
  rig.maps().set_socket(LB_QUEUES_MAX, rig.socket_fd(1));  // as one that is not emptied yet
  expect(rig.run(identifier(8), {.on = On::B}),
         {XDP_REDIRECT, "packets passed_up", "", "UNPUBLISHED"});
  expect(rig.run(identifier(8), {.on = On::A}), {XDP_PASS, "packets no_receiver"});
}

TEST_F(Identifiers, AreForgottenWithTheNextReceiver) {
  Rig rig;
  rig.prepare({});
  expect(rig.run(identifier(7), {}), kClaimed);
  rig.take_over();
  rig.prepare({});
  expect(rig.run(identifier(7), {}), kClaimed);
}

}  // namespace
}  // namespace linearb::test
