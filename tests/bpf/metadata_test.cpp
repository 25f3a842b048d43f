// SPDX-License-Identifier: Apache-2.0
//
// Step 7 of the hook: what it writes in front of a packet for the receiver.
#include "bpf/rig.h"
#include "sys/clock.h"

namespace linearb::test {
namespace {

using Metadata = HookTest;

struct FieldRow {
  const char* description;
  PacketBuilder packet;
  Given given;
  lb_metadata expected;  ///< but for the arrival
};

lb_metadata fields(Channel channel, On line, lb_verdict verdict, lb_kind kind) {
  lb_metadata metadata{};
  metadata.channel = channel;
  metadata.line = line == On::B ? 1 : 0;
  metadata.verdict = static_cast<lb_u8>(verdict);
  metadata.kind = static_cast<lb_u8>(kind);
  metadata.generation = kGeneration;
  return metadata;
}

lb_metadata range(lb_metadata metadata, std::uint64_t first, std::uint16_t count, lb_s32 place) {
  metadata.first = first;
  metadata.count = count;
  metadata.place = place;
  return metadata;
}

lb_metadata payload(lb_metadata metadata, std::uint16_t offset, std::uint16_t length) {
  metadata.payload_offset = offset;
  metadata.payload_length = length;
  return metadata;
}

void expect_fields(const lb_metadata& metadata, const lb_metadata& expected) {
  EXPECT_EQ(metadata.first, expected.first);
  EXPECT_EQ(metadata.place, expected.place);
  EXPECT_EQ(metadata.count, expected.count);
  EXPECT_EQ(metadata.channel, expected.channel);
  EXPECT_EQ(metadata.payload_offset, expected.payload_offset);
  EXPECT_EQ(metadata.payload_length, expected.payload_length);
  EXPECT_EQ(metadata.line, expected.line);
  EXPECT_EQ(metadata.verdict, expected.verdict);
  EXPECT_EQ(metadata.kind, expected.kind);
  EXPECT_EQ(metadata.generation, expected.generation);
}

TEST_F(Metadata, SaysAllThatTheHookKnows) {
  const FieldRow rows[] = {
      {"claimed on line A",
       optiq(1000),
       {},
       payload(range(fields(kOptiq, On::A, LB_VERDICT_CLAIMED, LB_KIND_DATA), 1000, 1, 0), 42, 36)},
      {"claimed on line B, behind VLAN tags and options",
       pitch(1003, 5).vlan(7, 0x88a8).vlan(5).options(12),
       {.on = On::B},
       payload(range(fields(kPitch, On::B, LB_VERDICT_CLAIMED, LB_KIND_DATA), 1003, 5, 3), 62, 18)},
      {"Ethernet padding is no payload",
       optiq(1000).padding(9),
       {},
       payload(range(fields(kOptiq, On::A, LB_VERDICT_CLAIMED, LB_KIND_DATA), 1000, 1, 0), 42, 36)},
      {"a heartbeat",
       mold_heartbeat(1002),
       {},
       payload(range(fields(kMold, On::A, LB_VERDICT_NOT_DATA, LB_KIND_HEARTBEAT), 1002, 0, 2), 42,
               20)},
      {"an end of session",
       mold_end_of_session(1000),
       {},
       payload(range(fields(kMold, On::A, LB_VERDICT_NOT_DATA, LB_KIND_END_OF_SESSION), 1000, 0, 0),
               42, 20)},
      {"unsequenced messages",
       pitch(0, 2),
       {},
       payload(range(fields(kPitch, On::A, LB_VERDICT_NOT_DATA, LB_KIND_UNSEQUENCED), 0, 2,
                     LB_PLACE_UNKNOWN),
               42, 12)},
      {"a count beyond what is claimed",
       mold(1000, 300),
       {},
       payload(range(fields(kMold, On::A, LB_VERDICT_COUNT, LB_KIND_DATA), 1000, 300, 0), 42, 620)},
      {"an identifier",
       identifier(77),
       {},
       payload(range(fields(kIdentifiers, On::A, LB_VERDICT_CLAIMED, LB_KIND_DATA), 77, 1,
                     LB_PLACE_UNKNOWN),
               42, 36)},
  };
  Rig rig;
  for (const FieldRow& row : rows) {
    SCOPED_TRACE(row.description);
    rig.prepare(row.given);
    const std::uint64_t earliest_ns = sys::monotonic_ns();
    const Outcome outcome = rig.run(row.packet, row.given);
    const std::uint64_t latest_ns = sys::monotonic_ns();
    const auto metadata = outcome.result.hook_metadata();
    ASSERT_TRUE(metadata);
    expect_fields(*metadata, row.expected);
    EXPECT_GE(metadata->arrival_ns, earliest_ns);
    EXPECT_LE(metadata->arrival_ns, latest_ns);
    EXPECT_EQ(outcome.result.metadata.size(), sizeof(lb_metadata));
  }
}

TEST_F(Metadata, IsLeftOutWhereTheReceiverWantsNone) {
  Rig rig;
  rig.check({
      {"claimed",
       optiq(1000),
       {.metadata = false},
       {XDP_REDIRECT, "packets claimed no_metadata", "optiq: bits 1000, mark A 1001"}},
      {"claimed, numbers skipped before it",
       optiq(1003),
       {.metadata = false},
       {XDP_REDIRECT, "packets claimed no_metadata",
        "optiq: bits 1003, mark A 1004, skipped unseen A +3"}},
      {"a duplicate before which its line skipped",
       optiq(1003),
       {.claimed = {{1003, 1}}, .metadata = false},
       {XDP_REDIRECT, "packets passed_up no_metadata", "optiq: mark A 1004, skipped unseen A +3"}},
      {"a heartbeat moves nothing",
       mold_heartbeat(1003),
       {.metadata = false},
       {XDP_REDIRECT, "packets passed_up no_metadata"}},
      {"a jump moves nothing, but what was skipped before it is kept",
       optiq(9000),
       {.metadata = false},
       {XDP_REDIRECT, "packets passed_up no_metadata",
        "optiq: jumped A 9001, jumped unseen A 8000"}},
      {"a duplicate needs none",
       optiq(1000),
       {.claimed = {{1000, 1}}, .metadata = false},
       {XDP_DROP, "packets duplicate", "optiq: mark A 1001"}},
  });
}

/// Another XDP program may have run before, in libxdp's chain of programs. The receiver looks right
/// in front of the packet, and must find there what the hook wrote, or nothing.
TEST_F(Metadata, TakesThePlaceOfAnEarlierPrograms) {
  Rig rig;
  for (const std::uint32_t earlier : {4u, 8u, 32u}) {
    rig.check({
        {"claimed",
         optiq(1000),
         {.earlier_metadata = earlier},
         {XDP_REDIRECT, "packets claimed", "optiq: bits 1000, mark A 1001", "CLAIMED +0"}},
        {"passed up",
         mold_heartbeat(1000),
         {.earlier_metadata = earlier},
         {XDP_REDIRECT, "packets passed_up", "", "NOT_DATA +0"}},
        {"where the receiver wants none",
         optiq(1000),
         {.earlier_metadata = earlier, .metadata = false},
         {XDP_REDIRECT, "packets claimed no_metadata", "optiq: bits 1000, mark A 1001"}},
    });
  }
}

}  // namespace
}  // namespace linearb::test
