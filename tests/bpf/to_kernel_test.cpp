// SPDX-License-Identifier: Apache-2.0
//
// Steps 1 and 2 of the hook, and what step 3 finds malformed: packets that stay the kernel's. Each
// row says in which counter, and that nothing else moves.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bpf/rig.h"
#include "hook/flow_table.h"
#include "hook/takeover.h"
#include "sys/error.h"
#include "sys/interface.h"
#include "sys/netlink.h"

namespace linearb::test {
namespace {

using ToKernel = HookTest;

const Expected kNotFeed = {XDP_PASS, "packets not_feed"};
const Expected kMalformed = {XDP_PASS, "packets malformed"};
const Expected kNoReceiver = {XDP_PASS, "packets no_receiver"};
const Expected kOversized = {XDP_PASS, "packets malformed oversized"};

constexpr std::size_t kFrameRoom = xsk::frame_room(xsk::kFrameSizeSmall);

/// A packet of the feed, padded to so many bytes.
PacketBuilder optiq_of(std::size_t bytes) {
  return optiq(1000).padding(bytes - optiq(1000).build().size());
}

TEST_F(ToKernel, WhatIsNotTheFeed) {
  Rig rig;
  rig.check({
      {"ARP", optiq(1000).ethertype(0x0806), {}, kNotFeed},
      {"IPv6", optiq(1000).ethertype(0x86dd).wrong_ip_version(6), {}, kNotFeed},
      {"TCP to the feed's port", optiq(1000).protocol(6), {}, kNotFeed},
      {"another port", optiq(1000).to("239.192.30.1", 30003), {}, kNotFeed},
      {"another group", mold(1000).to("239.1.1.2", 26400), {}, kNotFeed},
      {"a group on the port of another", mold(1000).to("239.1.1.1", 30011), {}, kNotFeed},
      {"line A's group on line B", mold(1000), {.on = On::B}, kNotFeed},
      {"line B's group on line A", mold(1000).to("239.1.2.1", 26400), {}, kNotFeed},
      {"first fragment", optiq(1000).fragment(0x2000), {}, kNotFeed},
      {"middle fragment", optiq(1000).fragment(0x2001), {}, kNotFeed},
      {"last fragment", optiq(1000).fragment(0x0001), {}, kNotFeed},
      {"three VLAN tags", optiq(1000).vlan(3, 0x88a8).vlan(2).vlan(1), {}, kNotFeed},
      {"larger than a frame, and not the feed",
       optiq_of(kFrameRoom + 1).to("239.192.30.1", 30003),
       {},
       kNotFeed},
      {"not the feed, on a queue without socket", optiq(1000).protocol(6), {.queue = 1}, kNotFeed},
      {"not the feed, on line B", optiq(1000).protocol(6), {.on = On::B}, kNotFeed},
  });
}

/// What is wrong, and only with checksum = "verify" malformed.
TEST_F(ToKernel, AWrongChecksumWhereItIsVerified) {
  const Expected wrong = {XDP_PASS, "packets malformed bad_checksum"};
  const Expected right = {XDP_REDIRECT, "packets claimed", "optiq: bits 1000, mark A 1001",
                          "CLAIMED +0"};
  Rig rig;
  lb_flow flow = flow_on(On::A, kOptiq, "", 30001);
  flow.flags |= LB_FLOW_CHECKSUM;
  rig.take_over({&flow, 1}, framings_by_channel());
  rig.check({
      {"right", optiq(1000), {}, right},
      {"wrong", optiq(1000).wrong_udp_checksum(), {}, wrong},
      {"none", optiq(1000).without_udp_checksum(), {}, right},
      {"right, behind IP options and tags", optiq(1000).options(40).vlan(2).vlan(1), {}, right},
      {"wrong, behind IP options and tags",
       optiq(1000).options(40).vlan(2).vlan(1).wrong_udp_checksum(),
       {},
       wrong},
      {"padding is not summed", optiq(1000).padding(7), {}, right},
  });
}

/// A channel that names its sources takes what they send; the rest is the kernel's, whatever it
/// would have been.
TEST_F(ToKernel, WhatComesFromASourceThatIsNotTaken) {
  const Expected right = {XDP_REDIRECT, "packets claimed", "mold: bits 1000, mark A 1001",
                          "CLAIMED +0"};
  const std::uint32_t sources[] = {address("192.0.2.1"), address("10.9.8.7")};
  std::vector<lb_flow> flows;
  hook::add_flow(flows, flow_on(On::A, kMold, "239.1.1.1", 26400), sources);
  hook::add_flow(flows, flow_on(On::B, kMold, "239.1.2.1", 26400), {&sources[1], 1});
  hook::add_flow(flows, flow_on(On::A, kOptiq, "", 30001), {});
  Rig rig;
  rig.take_over(flows, framings_by_channel());
  rig.check({
      {"the first source", mold(1000), {}, right},
      {"the second source", mold(1000).from("10.9.8.7", 1), {}, right},
      {"behind IP options and tags",
       mold(1000).from("10.9.8.7", 1).options(40).vlan(2).vlan(1),
       {},
       right},
      {"another source", mold(1000).from("192.0.2.2", 1), {}, kNotFeed},
      {"another source, behind IP options and tags",
       mold(1000).from("192.0.2.2", 1).options(40).vlan(2).vlan(1),
       {},
       kNotFeed},
      {"a source that line A alone takes, on line B",
       mold(1000).to("239.1.2.1", 26400),
       {.on = On::B},
       kNotFeed},
      {"a source of line B, on line B",
       mold(1000).to("239.1.2.1", 26400).from("10.9.8.7", 1),
       {.on = On::B},
       {XDP_REDIRECT, "packets claimed", "mold: bits 1000, mark B 1001", "CLAIMED +0"}},
      {"a duplicate from another source",
       mold(1000).from("192.0.2.2", 1),
       {.claimed = {{1000, 1}}},
       kNotFeed},
      {"lengths that contradict each other, from another source",
       mold(1000).from("192.0.2.2", 1).wrong_udp_length(7),
       {},
       kNotFeed},
      {"from another source, with no socket there",
       mold(1000).from("192.0.2.2", 1),
       {.queue = 1},
       kNotFeed},
      {"a channel without sources takes every one",
       optiq(1000).from("192.0.2.2", 1),
       {},
       {XDP_REDIRECT, "packets claimed", "optiq: bits 1000, mark A 1001", "CLAIMED +0"}},
  });
}

TEST_F(ToKernel, AnInterfaceThatIsNoLineIsNotCounted) {
  Rig rig;
  rig.check({
      {"a packet of the feed", optiq(1000), {.on = On::elsewhere}, {XDP_PASS}},
      {"a packet of a channel with groups", pitch(1000), {.on = On::elsewhere}, {XDP_PASS}},
      {"something else", optiq(1000).protocol(6), {.on = On::elsewhere}, {XDP_PASS}},
  });
}

TEST_F(ToKernel, AHookThatNoReceiverHasTakenOverLetsEverythingPass) {
  const hook::Hook hook({{"vethA_dst", sys::interface_index("vethA_dst")}}, {});
  const Snapshot before(hook.maps());
  const Result result = run_program(hook.program_fd(), optiq(1000).build(),
                                    {.interface_index = sys::interface_index("vethA_dst")});
  const Snapshot after(hook.maps());
  EXPECT_STREQ(action_name(result.action), "PASS");
  EXPECT_EQ(counters_moved(before, after, 0), "");
  EXPECT_EQ(changes(before, after), "");
}

TEST_F(ToKernel, WhatFitsNoFrame) {
  Rig rig;
  rig.check({
      {"as large as a frame",
       optiq_of(kFrameRoom),
       {},
       {XDP_REDIRECT, "packets claimed", "optiq: bits 1000, mark A 1001", "CLAIMED +0"}},
      {"a byte larger", optiq_of(kFrameRoom + 1), {}, kOversized},
      {"a byte larger, and no socket there", optiq_of(kFrameRoom + 1), {.queue = 1}, kOversized},
  });
}

TEST_F(ToKernel, LengthsThatContradictEachOther) {
  Rig rig;
  rig.check({
      {"UDP length 0", optiq(1000).wrong_udp_length(0), {}, kMalformed},
      {"UDP length below its header", optiq(1000).wrong_udp_length(7), {}, kMalformed},
      {"UDP length beyond the IP packet", optiq(1000).wrong_udp_length(45), {}, kMalformed},
      {"IP length below the UDP length", optiq(1000).wrong_ip_length(63), {}, kMalformed},
      {"both beyond the frame",
       optiq(1000).wrong_ip_length(65).wrong_udp_length(45),
       {},
       kMalformed},
      {"no payload", udp_packet().to("239.192.30.1", 30001), {}, kMalformed},
      {"on line B", optiq(1000).wrong_udp_length(0), {.on = On::B}, kMalformed},
  });
}

TEST_F(ToKernel, PayloadsThatTheFramingContradicts) {
  Rig rig;
  rig.check({
      {"first guard: the version", optiq(1000).wrong_payload_byte(0, 2), {}, kMalformed},
      {"second guard: the length", optiq(1000).wrong_payload_byte(1, 35), {}, kMalformed},
      {"a header without message",
       feed_packet(kOptiq, {.first = 1000, .messages = 0}),
       {},
       kMalformed},
      {"payload length field too small", pitch(1000).wrong_payload_byte(0, 9), {}, kMalformed},
      {"payload length field too large", pitch(1000).wrong_payload_byte(1, 1), {}, kMalformed},
      {"more messages than the payload can hold",
       feed_packet(kMold, {.first = 1000, .count = 4, .messages = 3}),
       {},
       kMalformed},
      {"so many that the count is no length either",
       feed_packet(kMold, {.first = 1000, .count = 0xfffe, .messages = 3}),
       {},
       kMalformed},
      {"a number beyond the largest", mold(1ull << LB_MARK_BITS), {}, kMalformed},
      {"malformed, and unpublished",
       optiq(1000).wrong_payload_byte(0, 2),
       {.published = false},
       kMalformed},
      {"malformed, and no credit left",
       optiq(1000).wrong_payload_byte(0, 2),
       {.credits = 0},
       kMalformed},
  });
}

/// A frame that was cut is never claimed: where its headers are cut, it is not the feed, and
/// behind them its lengths contradict its end.
TEST_F(ToKernel, WhatWasCutAtAnyByte) {
  Rig rig;
  constexpr std::size_t kShortest = 14;  // BPF_PROG_RUN takes no less
  const PacketBuilder plain = mold(1000, 3);
  const PacketBuilder deep = mold(1000, 3).vlan(7, 0x88a8).vlan(5).options(8);
  for (PacketBuilder packet : {plain, deep}) {
    const std::size_t length = packet.build().size();
    for (std::size_t cut = kShortest; cut < length; ++cut) {
      const Expected& expected = cut < packet.payload_offset() ? kNotFeed : kMalformed;
      const std::string description = fmt::format("cut to {} of {} bytes", cut, length);
      rig.check({{description.c_str(), packet.cut_to(cut), {}, expected}});
    }
  }
}

/// Fail-open depends on it that this comes before anything is judged.
TEST_F(ToKernel, WhatHasNoSocket) {
  Rig rig;
  rig.check({
      {"to be claimed", optiq(1000), {.queue = 1}, kNoReceiver},
      {"a duplicate", optiq(1000), {.queue = 1, .claimed = {{1000, 1}}}, kNoReceiver},
      {"malformed", optiq(1000).wrong_payload_byte(0, 2), {.queue = 1}, kNoReceiver},
      {"lengths that contradict each other",
       optiq(1000).wrong_udp_length(7),
       {.queue = 1},
       kNoReceiver},
      {"a heartbeat", mold_heartbeat(1000), {.queue = 1}, kNoReceiver},
      {"an identifier", identifier(7), {.queue = 1}, kNoReceiver},
      {"on line B", optiq(1000), {.on = On::B, .queue = 1}, kNoReceiver},
  });
}

TEST_F(ToKernel, WhatComesAfterTheReceiverHasLeft) {
  Rig rig;
  rig.prepare({.claimed = {{1000, 1}}});
  hook::empty_slots(rig.maps());
  for (const std::uint64_t number : {1000, 1001}) {
    const Outcome outcome = rig.run(optiq(number), {});
    EXPECT_EQ(outcome.in_words.counters, kNoReceiver.counters) << number;
    EXPECT_EQ(outcome.broken_rule, "") << number;
  }
}

/// What is not published is not claimed: a claim would be in vain while the slots are emptied.
TEST_F(ToKernel, NothingIsPublishedWhenSlotsAreEmptied) {
  Rig rig;
  rig.prepare({});
  hook::empty_slots(rig.maps());
  for (std::uint32_t channel = 0; channel < rig.maps().windows().size(); ++channel)
    for (std::uint32_t line = 0; line < LB_LINES_MAX; ++line)
      EXPECT_EQ(rig.maps().mark(channel, line).published, 0u) << channel << " on line " << line;
}

/// A pair of veths with one queue more than can hold a socket.
class WidePair {
 public:
  static constexpr std::uint32_t kWideQueues = LB_QUEUES_MAX + 1;

  WidePair() {
    sys::LinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request.put(IFLA_IFNAME, std::string_view("wide0"));
    request.put(IFLA_NUM_RX_QUEUES, kWideQueues);
    const std::size_t info = request.open_nest(IFLA_LINKINFO);
    request.put(IFLA_INFO_KIND, std::string_view("veth"));
    request.close_nest(info);
    if (const int error = request.send(); error != 0)
      sys::throw_errno("make a veth with 65 queues", {}, error);
    index_ = sys::interface_index("wide0");
  }
  ~WidePair() {
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(index_);
    sys::LinkRequest(RTM_DELLINK, 0, link).send();
  }
  WidePair(const WidePair&) = delete;
  WidePair& operator=(const WidePair&) = delete;

  std::uint32_t index() const noexcept { return index_; }

 private:
  std::uint32_t index_ = 0;
};

/// Behind the last slot of one interface is the first of the next, with a socket in it: a packet
/// of queue 64 must not end there.
TEST_F(ToKernel, AQueueBeyondTheLastSlotOfItsInterface) {
  const WidePair wide;
  Rig rig;
  lb_flow flow = flow_on(On::A, kOptiq, "", 30001);
  flow.interface_index = wide.index();
  rig.take_over({&flow, 1}, framings_by_channel());
  rig.prepare({});
  const Snapshot before(rig.maps());
  const Result result = run_program(rig.program_fd(), optiq(1000).build(),
                                    {.interface_index = wide.index(), .queue = LB_QUEUES_MAX});
  const Snapshot after(rig.maps());
  EXPECT_STREQ(action_name(result.action), "PASS");
  EXPECT_EQ(counters_moved(before, after, 0), kNoReceiver.counters);
  EXPECT_EQ(changes(before, after), "");
}

}  // namespace
}  // namespace linearb::test
