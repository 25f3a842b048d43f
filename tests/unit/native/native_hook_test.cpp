// SPDX-License-Identifier: Apache-2.0
#include "support/native_hook/native_hook.h"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <linux/bpf.h>

#include "config/framing_file.h"
#include "framing/encode.h"
#include "hook/takeover.h"

namespace linearb::test::native {
namespace {

constexpr std::uint32_t kInterfaceOfA = 7;
constexpr std::uint32_t kInterfaceOfB = 8;
constexpr std::uint32_t kSlotOfA = 0;
constexpr std::uint32_t kSlotOfB = LB_QUEUES_MAX;
constexpr std::uint64_t kStart = 1000;
constexpr std::uint64_t kCredits = 4;
constexpr std::uint16_t kPort = 30001;
constexpr std::uint16_t kPortOfIdentifiers = 30002;

const lb_framing& optiq() {
  static const lb_framing framing = config::builtin_framing("optiq").descriptor;
  return framing;
}

Bytes packet(std::uint64_t number, std::uint16_t port = kPort) {
  Bytes payload(optiq().header_length + optiq().smallest_message);
  const lb_header header{.first = number,
                         .count = 1,
                         .key = 0,
                         .session = nullptr,
                         .session_length = 0,
                         .payload_length = static_cast<lb_u32>(payload.size())};
  lb_framing_encode_header(&optiq(), payload.data(), optiq().header_length, &header);
  return udp_packet().to("239.192.30.1", port).payload(payload).build();
}

lb_flow flow(std::uint8_t line, std::uint16_t port, std::uint8_t flags) {
  lb_flow result{};
  result.interface_index = line == 0 ? kInterfaceOfA : kInterfaceOfB;
  result.port = port;
  result.channel = port == kPort ? 0 : 1;
  result.slot_group = line;
  result.line = line;
  result.flags = flags;
  return result;
}

class NativeHook : public testing::Test {
 protected:
  NativeHook() {
    const lb_flow flows[] = {flow(0, kPort, 0), flow(1, kPort, 0),
                             flow(0, kPortOfIdentifiers, LB_FLOW_LRU),
                             flow(1, kPortOfIdentifiers, LB_FLOW_LRU)};
    const hook::Setup::InterfaceLine interfaces[] = {{kInterfaceOfA, 0}, {kInterfaceOfB, 1}};
    const std::string names[] = {"A", "B"};
    hook::take_over(hook_.maps(), {.flows = flows,
                                   .framings = {&optiq(), 1},
                                   .interfaces = interfaces,
                                   .lines = names,
                                   .frame_room = 1792});
    prepare();
  }

  /// Both lines published and open, nothing claimed.
  void prepare() {
    hook_.maps().windows()[0] = {};
    hook::publish_identifiers(hook_.maps(), 1, 2);
    for (std::uint32_t line = 0; line < 2; ++line) {
      lb_mark& mark = hook_.maps().mark(0, line);
      mark.shown = lb_mark_word(1, kStart);
      mark.published = lb_mark_word(1, 0);
      lb_credit& credit = hook_.maps().credit(line * LB_QUEUES_MAX);
      credit.returned = credit.redirected;
      credit.capacity = kCredits;
      hook_.maps().set_socket(line * LB_QUEUES_MAX, kSocket);
    }
  }

  Outcome on(std::uint32_t interface, const Bytes& bytes, Arrival arrival = {}) {
    arrival.interface_index = interface;
    return hook_.run(bytes, arrival);
  }
  lb_counters counted(std::uint32_t line) const {
    return hook::sum_counters(hook_.maps(), hook_.maps().config().bank & 1, line);
  }
  std::uint64_t credits_out(std::uint32_t line) const {
    const lb_credit& credit = hook_.maps().credit(line * LB_QUEUES_MAX);
    return credit.redirected - credit.returned;
  }

  Hook hook_{{.channels = 2, .flows = 4, .seen_sessions = 3}};
};

TEST_F(NativeHook, TheFirstCopyGoesUpAndTheSecondIsDropped) {
  const Outcome first = on(kInterfaceOfA, packet(kStart), {.cpu = 3, .now_ns = 77});
  EXPECT_EQ(first.action, std::uint32_t{XDP_REDIRECT});
  EXPECT_EQ(first.slot, kSlotOfA);
  ASSERT_EQ(first.metadata.size(), sizeof(lb_metadata));
  lb_metadata metadata;
  std::memcpy(&metadata, first.metadata.data(), sizeof(metadata));
  EXPECT_EQ(metadata.arrival_ns, 77u);
  EXPECT_EQ(metadata.first, kStart);
  EXPECT_EQ(metadata.verdict, LB_VERDICT_CLAIMED);
  EXPECT_EQ(first.packet, packet(kStart));
  EXPECT_EQ(hook_.maps().counters(hook_.maps().config().bank & 1, 0, 3).claimed, 1u)
      << "where the packet's CPU counts";

  const Outcome second = on(kInterfaceOfB, packet(kStart));
  EXPECT_EQ(second.action, std::uint32_t{XDP_DROP});
  EXPECT_FALSE(second.slot);
  EXPECT_EQ(counted(1).duplicate, 1u);
  EXPECT_EQ(lb_mark_value(hook_.maps().mark(0, 1).shown), kStart + 1);
}

TEST_F(NativeHook, ASlotHasASocketUntilItIsCleared) {
  EXPECT_TRUE(hook_.has_socket(kSlotOfB));
  hook_.maps().clear_socket(kSlotOfB);
  EXPECT_FALSE(hook_.has_socket(kSlotOfB));
  EXPECT_EQ(on(kInterfaceOfB, packet(kStart)).action, std::uint32_t{XDP_PASS});
  EXPECT_EQ(counted(1).no_receiver, 1u);
}

TEST_F(NativeHook, WhatIsNoFlowIsCountedOnItsInterface) {
  EXPECT_EQ(on(kInterfaceOfB, packet(kStart, 5)).action, std::uint32_t{XDP_PASS});
  EXPECT_EQ(counted(1).not_feed, 1u);
  hook_.maps().clear_interface(kInterfaceOfB);
  on(kInterfaceOfB, packet(kStart, 5));
  EXPECT_EQ(counted(1).not_feed, 1u) << "the hook does not know the interface any more";
}

TEST_F(NativeHook, AnIdentifierIsRememberedUntilOthersNeedItsPlace) {
  const auto action = [&](std::uint64_t identifier) {
    hook_.maps().credit(kSlotOfA).returned = hook_.maps().credit(kSlotOfA).redirected;
    return on(kInterfaceOfA, packet(identifier, kPortOfIdentifiers)).action;
  };
  for (const std::uint64_t identifier : {50, 40, 60})
    EXPECT_EQ(action(identifier), std::uint32_t{XDP_REDIRECT});
  EXPECT_EQ(action(50), std::uint32_t{XDP_DROP});  // and it is the youngest now
  EXPECT_EQ(hook_.seen_sessions(), 3u);
  EXPECT_EQ(action(70), std::uint32_t{XDP_REDIRECT});
  EXPECT_EQ(hook_.seen_sessions(), 3u);
  EXPECT_EQ(action(50), std::uint32_t{XDP_DROP});
  EXPECT_EQ(action(40), std::uint32_t{XDP_REDIRECT}) << "forgotten for 70";
  hook_.maps().clear_seen_sessions();
  EXPECT_EQ(hook_.seen_sessions(), 0u);
}

TEST_F(NativeHook, MetadataNeedRoom) {
  EXPECT_EQ(on(kInterfaceOfA, packet(kStart), {.earlier_metadata = 8}).metadata.size(),
            sizeof(lb_metadata))
      << "what was there before is gone";
  const Outcome without = on(kInterfaceOfA, packet(kStart + 1), {.has_metadata_room = false});
  EXPECT_EQ(without.action, std::uint32_t{XDP_REDIRECT});
  EXPECT_EQ(without.metadata.size(), 0u);
  EXPECT_EQ(counted(0).no_metadata, 1u);
}

TEST_F(NativeHook, TwoHooksShareNothing) {
  Hook other({.channels = 2});
  EXPECT_NE(other.maps().identity(), hook_.maps().identity());
  EXPECT_EQ(other.maps().config().frame_room, 0u);
  EXPECT_FALSE(other.has_socket(kSlotOfA));
  on(kInterfaceOfA, packet(kStart));
  EXPECT_EQ(hook::sum_counters(other.maps(), 0, 0).packets, 0u);
  EXPECT_EQ(hook::sum_counters(other.maps(), 1, 0).packets, 0u);
}

/// Line B's copy comes while line A's is inside, at each of its steps in turn.
TEST_F(NativeHook, WhereverOneIsInterruptedByTheOtherOneIsDelivered) {
  bool came_between = true;
  unsigned steps = 0;
  for (unsigned step = 1; came_between; ++step) {
    prepare();
    came_between = false;
    unsigned passed = 0;
    Outcome other;
    set_schedule_point([&] {
      if (came_between || ++passed != step) return;
      came_between = true;
      other = on(kInterfaceOfB, packet(kStart), {.cpu = 1});
    });
    const Outcome outcome = on(kInterfaceOfA, packet(kStart), {.cpu = 0});
    set_schedule_point({});
    if (!came_between) break;
    steps = step;
    EXPECT_EQ((outcome.action == XDP_REDIRECT) + (other.action == XDP_REDIRECT), 1)
        << "step " << step;
    EXPECT_EQ((outcome.action == XDP_DROP) + (other.action == XDP_DROP), 1) << "step " << step;
    EXPECT_EQ(credits_out(0) + credits_out(1), 1u) << "step " << step;
  }
  EXPECT_GE(steps, 10u) << "every atomic is a step";
}

/// A slot that is emptied at any step: the packet is the kernel's, and holds no credit.
TEST_F(NativeHook, WheneverASlotIsEmptiedNoCreditIsLost) {
  unsigned went_to_kernel = 0;
  for (unsigned step = 1; step < 30; ++step) {
    prepare();
    unsigned passed = 0;
    set_schedule_point([&] {
      if (++passed == step) hook_.maps().clear_socket(kSlotOfA);
    });
    const Outcome outcome = on(kInterfaceOfA, packet(kStart));
    set_schedule_point({});
    EXPECT_EQ(credits_out(0), outcome.action == XDP_REDIRECT ? 1u : 0u) << "step " << step;
    went_to_kernel += outcome.action == XDP_PASS;
  }
  EXPECT_GE(went_to_kernel, 5u);
}

}  // namespace
}  // namespace linearb::test::native
