// SPDX-License-Identifier: Apache-2.0
//
// Where other arbitrators fell, by the numbers of docs/correctness.md, section "Pitfalls". What
// another test holds already stands there alone.
#include <set>

#include "e2e/played.h"
#include "hook/hook.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;

ReceiverOptions options_for(const char* framing) {
  ReceiverOptions options;
  options.channels = {{"played", framing, {0, 30'001}, {}}};
  return options;
}

using Pitfall05 = LabTest;

/// An LRU hash evicts many at a time, and not the oldest.
TEST_F(Pitfall05, WhatTheHookForgotIsNotDeliveredTwice) {
  ReceiverOptions options;
  options.dedup = Dedup::lru;
  Running running(options);
  feed(feed_on("A", 1, 5'000));
  running.wait_until_quiet();
  hook::Hook({{"vethA_dst", sys::interface_index("vethA_dst")},
              {"vethB_dst", sys::interface_index("vethB_dst")}},
             {1, 2})
      .maps()
      .clear_seen_sessions();
  feed(feed_on("B", 1, 5'000));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.packets, 5'000u);
  EXPECT_EQ(summary.lines[B].duplicate, 5'000u);
}

using Pitfall08 = LabTest;

/// More than any look-ahead holds, and then what follows is not "rogue" until a time is over.
TEST_F(Pitfall08, AfterABurstThatNoLineBroughtEverythingIsDelivered) {
  Played played(options_for("moldudp64"));
  for (const std::size_t line : {A, B})
    played.line(line).sends(1, 500).sends(565, 1'000).sends(10'001, 10'500).sends(90'001, 90'500);
  played.play();
  EXPECT_EQ(played.complaint(), "");
  EXPECT_EQ(played.summary().gap_messages, 64u + 9'000u + 79'500u);
  EXPECT_EQ(played.epoch(), 1u);
}

TEST_F(Pitfall08, ALineBehindByMoreThanTheWindowFillsWhatTheOtherLost) {
  constexpr std::uint64_t kMessages = 2 * LB_WINDOW_MESSAGES;
  Played played(options_for("moldudp64"));
  played.line(A).packs(100).sends(1, 900).loses(901, 1'000).sends(1'001, kMessages);
  played.line(B).waits(400ms).packs(100).sends(1, kMessages);
  played.play();
  EXPECT_EQ(played.complaint(), "");
  EXPECT_EQ(played.summary().lines[B].won, 1u);
  EXPECT_GT(played.summary().lines[B].late, 0u);
}

Bytes optiq_packet(std::uint16_t port, std::uint32_t number) {
  const auto message = feeder::optiq_message(number, 0);
  return udp_packet().to("239.192.30.1", port).payload({message.begin(), message.end()}).build();
}

using Pitfall13 = LabTest;

/// Nor is it missed because it is not the first channel's (pitfall 9).
TEST_F(Pitfall13, ARestartOfTheSecondChannelIsFoundAndDiscardsNothingOfTheFirst) {
  constexpr std::uint16_t kPorts[] = {30'001, 30'009};
  constexpr std::uint32_t kMessages = 4'000;
  constexpr std::uint32_t kRestartsAfter = 2'000;
  constexpr std::uint32_t kBeginsAgainAt =
      2'600;  // of the first channel: a pause of 60 ms at least
  ReceiverOptions options;
  options.channels = {{"first", "optiq", {0, kPorts[0]}, {}},
                      {"second", "optiq", {0, kPorts[1]}, {}}};
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::multiset<std::uint64_t>> delivered;
  Receiver receiver(options, [&](const Delivery& delivery) {
    delivered[{delivery.channel, delivery.epoch}].insert(delivery.range.first);
  });
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  const RawLine lines[] = {RawLine("vethA_src"), RawLine("vethB_src")};
  const auto send = [&](std::size_t channel, std::uint32_t number) {
    for (const RawLine& line : lines) line.send(optiq_packet(kPorts[channel], number));
  };
  for (std::uint32_t number = 1; number <= kMessages; ++number) {
    send(0, number);
    if (number <= kRestartsAfter) send(1, number);
    if (number > kBeginsAgainAt) send(1, number - kBeginsAgainAt);
    std::this_thread::sleep_for(100us);
  }
  constexpr std::uint64_t kAll = kMessages + kRestartsAfter + kMessages - kBeginsAgainAt;
  EXPECT_TRUE(wait_until([&] { return receiver.progress().packets == kAll; }));
  receiver.stop();
  const Summary summary = result.get();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.packets, kAll);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.channels[0].epoch, 1u);
  EXPECT_EQ(summary.channels[1].epoch, 2u);
  const auto expect_each_once = [&](std::uint32_t channel, std::uint64_t epoch,
                                    std::uint32_t last) {
    const std::multiset<std::uint64_t>& numbers = delivered[{channel, epoch}];
    EXPECT_EQ(numbers.size(), last);
    EXPECT_EQ((std::set<std::uint64_t>(numbers.begin(), numbers.end()).size()), last);
  };
  expect_each_once(0, 1, kMessages);
  expect_each_once(1, 1, kRestartsAfter);
  expect_each_once(1, 2, kMessages - kBeginsAgainAt);
}

using Pitfall15 = LabTest;

/// No packet comes that would show it.
TEST_F(Pitfall15, ATailThatNoLineBroughtIsKnownByAHeartbeat) {
  Played played(options_for("moldudp64"));
  for (const std::size_t line : {A, B})
    played.line(line).sends(1, 300).loses(301, 305).announces(306);
  played.play();
  EXPECT_EQ(played.complaint(), "");
  ASSERT_EQ(played.summary().gaps->size(), 1u);
  EXPECT_EQ(played.summary().gaps->front().first, 301u);
  EXPECT_EQ(played.summary().gaps->front().count, 5u);
}

using Pitfall18 = LabTest;

/// The same message a second time, under the next number, is another message.
TEST_F(Pitfall18, CopiesAreKnownByTheirNumbersWhateverElseIsInThePackets) {
  constexpr std::uint64_t kNumbers = 500;
  const config::Framing framing = config::builtin_framing("moldudp64");
  Receiver receiver(options_for("moldudp64"), {});
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  const RawLine a("vethA_src");
  const RawLine b("vethB_src");
  for (std::uint64_t number = 1; number <= kNumbers; ++number) {
    Bytes payload(framing.descriptor.header_length + 20u);
    const lb_header header{.first = number,
                           .count = 1,
                           .key = 0,
                           .session = reinterpret_cast<const lb_u8*>("session"),
                           .session_length = 7,
                           .payload_length = static_cast<lb_u32>(payload.size())};
    lb_framing_encode_header(&framing.descriptor, payload.data(), framing.descriptor.header_length,
                             &header);
    lb_message_encode_length(&framing.descriptor, &payload[framing.descriptor.header_length], 20);
    const PacketBuilder packet = udp_packet().to("239.192.30.1", 30'001).payload(payload);
    a.send(PacketBuilder(packet).from("10.1.1.1", 4'001).build());
    b.send(PacketBuilder(packet)
               .from("10.2.2.2", 4'002)
               .vlan(7)
               .options(8)
               .without_udp_checksum()
               .padding(6)
               .build());
    std::this_thread::sleep_for(100us);
  }
  EXPECT_TRUE(wait_until([&] {
    const Progress progress = receiver.progress();
    return progress.lines[A].packets == kNumbers && progress.lines[B].packets == kNumbers;
  }));
  receiver.stop();
  const Summary summary = result.get();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.packets, kNumbers);
  EXPECT_EQ(sum(summary, &LineSummary::duplicate), kNumbers);
}

using Pitfall19 = LabTest;

/// A venue may keep its second line silent until the first one fails.
TEST_F(Pitfall19, ALineThatIsSilentUntilTheOtherFailsIsNoAlarm) {
  ReceiverOptions options;
  options.channels[0].active_passive = true;
  Running running(options);
  auto active = feed_on("A", 1, 3'000);
  active.rate = 1'000;
  feed(active);
  running.wait_until_quiet();
  auto passive = feed_on("B", 3'001, 3'000);
  passive.rate = 1'000;
  feed(passive);
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  running.expect_once(1, 1, 6'000);
  EXPECT_EQ(running.event_texts(), "channel optiq: epoch 1 begins with message 1\n");
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(sum(summary, &LineSummary::lost_messages), 0u);
}

}  // namespace
}  // namespace linearb::test
