// SPDX-License-Identifier: Apache-2.0
//
// What the data path owes the hook and the channels: credits only for frames that are back, claims
// undone that cannot be delivered, and a channel ended when all that was on its way has come.
#include "receiver/data_path.h"

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

#include "e2e/arbitration.h"
#include "e2e/played.h"
#include "feeder/generator.h"
#include "hook/hook.h"
#include "support/packet.h"
#include "support/raw_line.h"
#include "sys/clock.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

using DataPathTest = LabTest;

/// A change that ends a channel may be asked for while packets of it are between hook and ring.
TEST_F(DataPathTest, AChannelEndsWhenAllThatWasRedirectedHasComeOrWasGivenUp) {
  const hook::Hook hook({{"vethA_dst", sys::interface_index("vethA_dst")}}, {1, 1});
  const Receiver::Deliver deliver;
  receiver::DataPath data_path({.maps = hook.maps(), .lines = 1, .deliver = deliver});
  const config::Framing framing = config::builtin_framing("optiq");
  receiver::Change begin;
  begin.added.push_back({0, data_path.make_channel(0, framing.descriptor, 0)});
  ASSERT_TRUE(data_path.carry_out(begin));

  receiver::Port port;
  port.redirected_before = 100;
  lb_store_release(&hook.maps().credit(port.slot).redirected, 106);
  port.received = 4;
  receiver::Change end;
  end.wait_for.emplace_back(&port, 106);
  end.removed.push_back({.index = 0});
  EXPECT_FALSE(data_path.carry_out(end)) << "two are on their way";
  EXPECT_TRUE(data_path.sequencer().has(0)) << "all of it or nothing";
  ++port.kernel_lost;
  EXPECT_FALSE(data_path.carry_out(end)) << "one is";
  ++port.received;
  EXPECT_TRUE(data_path.carry_out(end));
  EXPECT_FALSE(data_path.sequencer().has(0));
  EXPECT_NE(end.removed[0].channel, nullptr);
}

/// A channel that a reload brings begins anew, and one that goes leaves nothing.
TEST_F(DataPathTest, AMemoryIsOfTheChannelThatIsInItsPlace) {
  const hook::Hook hook({{"vethA_dst", sys::interface_index("vethA_dst")}}, {1, 1, true});
  const Receiver::Deliver deliver;
  receiver::DataPath data_path({.maps = hook.maps(), .lines = 1, .deliver = deliver});
  const config::Framing framing = config::builtin_framing("optiq");
  lb_memory& memory = hook.maps().memories()[3];
  memory.identity = 7;
  memory.banks[0].epoch = 5;
  receiver::Change same;
  same.added.push_back({3, data_path.make_channel(0, framing.descriptor, 3), 7});
  ASSERT_TRUE(data_path.carry_out(same));
  EXPECT_EQ(memory.banks[0].epoch, 5u);
  receiver::Change change;
  change.removed.push_back({.index = 3});
  change.added.push_back({3, data_path.make_channel(1, framing.descriptor, 3), 8});
  ASSERT_TRUE(data_path.carry_out(change));
  EXPECT_EQ(memory.identity, 8u);
  EXPECT_EQ(memory.banks[0].epoch, 0u);
  receiver::Change end;
  end.removed.push_back({.index = 3});
  ASSERT_TRUE(data_path.carry_out(end));
  EXPECT_EQ(memory.identity, 0u);
}

/// The hook takes a credit for a moment, and gives it back when another line was faster.
TEST_F(DataPathTest, AChangeDoesNotWaitForACreditThatWasGivenBack) {
  const hook::Hook hook({{"vethA_dst", sys::interface_index("vethA_dst")}}, {1, 1});
  const Receiver::Deliver deliver;
  receiver::DataPath data_path({.maps = hook.maps(), .lines = 1, .deliver = deliver});
  receiver::Port port;
  port.received = 5;
  lb_store_release(&hook.maps().credit(port.slot).redirected, 5);
  receiver::Change change;
  change.wait_for.emplace_back(&port, 6);
  EXPECT_TRUE(data_path.carry_out(change));
}

/// A packet that waits to be confirmed keeps its frame. The hook must not be told that the frame is
/// back: it would redirect one packet more than there are frames, and the kernel would lose it.
TEST_F(DataPathTest, AFrameThatIsHeldIsNoCredit) {
  constexpr std::uint64_t kBehind = 2'000;  // more than there are credits
  ReceiverOptions options;
  options.frames = 64;
  Running running(options);
  auto slowly = feed_on("A", 1, 300);
  slowly.rate = 2'000;
  feed(slowly);
  running.wait_until_quiet();
  feed(feed_on("A", 1, 1));  // after a pause: the numbers may have begun again
  running.wait_until_quiet();
  running.blocked = true;
  feed(feed_on("A", 301, kBehind));
  running.blocked = false;
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_GT(summary.lines[0].no_credit, 0u) << "there were credits for all of them";
  EXPECT_EQ(summary.lines[0].kernel_lost, 0u);
}

/// While nobody reads, one line's ring takes what came then and what comes much later; that of the
/// other has only what came then. Read to its end, the first would be where the sequencer remembers
/// too little of what the second still has to bring.
TEST_F(DataPathTest, WhatArrivedFirstIsReadFirstOnWhicheverLine) {
  constexpr std::uint32_t kOld = 12 * 64 + 10;  // an odd number each, and the last batch has room
  constexpr std::uint32_t kLater = 60;
  constexpr std::uint32_t kStep = 4'000;  // within what the hook takes for the feed going on
  ReceiverOptions options;
  options.frames = 2048;
  Running running(options);
  for (const std::uint32_t first : {1u, 151u}) {
    feed(feed_on("AB", first, 150));
    running.wait_until_quiet();  // from here on the hook judges
  }
  const RawLine a("vethA_src"), b("vethB_src");
  const auto optiq = [](std::uint32_t number) {
    const auto message = feeder::optiq_message(number, 0);
    return udp_packet()
        .to("239.192.30.1", 30'001)
        .payload(Bytes(message.begin(), message.end()))
        .build();
  };
  running.blocked = true;
  a.send(optiq(301));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the application has it
  for (std::uint32_t i = 0; i < kOld; ++i) a.send(optiq(303 + 2 * i));
  for (std::uint32_t i = 0; i < kOld; ++i) b.send(optiq(302 + 2 * i));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  for (std::uint32_t i = 1; i <= kLater; ++i) a.send(optiq(303 + 2 * kOld + i * kStep));
  running.blocked = false;
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.packets, 301u + 2 * kOld + kLater);
  EXPECT_EQ(summary.lines[0].no_credit + summary.lines[1].no_credit, 0u);
  EXPECT_LT(summary.lines[0].passed_up, 300u) << "the hook did not judge";
}

/// Another view of the hook that a receiver of this process has attached.
hook::Hook adopt_hook() {
  return hook::Hook({{"vethA_dst", sys::interface_index("vethA_dst")},
                     {"vethB_dst", sys::interface_index("vethB_dst")}},
                    {1, 2});
}

/// From here on as with a driver that gives no room in front of a packet.
void refuse_metadata() {
  lb_store_release(&adopt_hook().maps().config().flags, 0);
}

/// What lies in front of a packet without metadata is of the last one that was in its frame.
TEST_F(DataPathTest, MetadataIsReadOnce) {
  constexpr std::uint64_t kMore = 500;
  const ReceiverOptions options;
  const std::uint64_t all_frames = options.frames + 1'000;
  std::vector<std::uint64_t> arrivals_ns;
  Receiver receiver(options,
                    [&](const Delivery& packet) { arrivals_ns.push_back(packet.arrival_ns); });
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  const auto wait_for = [&](std::uint64_t packets) {
    EXPECT_TRUE(wait_until([&] { return receiver.progress().packets == packets; }));
  };
  feed(feed_on("A", 1, all_frames));
  wait_for(all_frames);
  refuse_metadata();
  const std::uint64_t earliest_ns = sys::monotonic_ns();
  feed(feed_on("A", all_frames + 1, kMore));
  wait_for(all_frames + kMore);
  receiver.stop();
  const Summary summary = result.get();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  ASSERT_EQ(arrivals_ns.size(), all_frames + kMore);
  for (std::uint64_t i = all_frames; i < arrivals_ns.size(); ++i)
    ASSERT_GE(arrivals_ns[i], earliest_ns) << "packet " << i;
}

/// As those have that are in the ring when an epoch is published: the hook has measured them
/// against another mark.
TEST_F(DataPathTest, APlaceOfAnotherGenerationSaysNothing) {
  constexpr std::uint32_t kOtherGeneration = 77;
  Running running(ReceiverOptions{});
  feed(feed_on("A", 1, 1'000));
  running.wait_until_quiet();
  {
    const hook::Hook adopted = adopt_hook();
    lb_mark& mark = adopted.maps().mark(0, 0);
    lb_store_release(&mark.shown, lb_mark_word(kOtherGeneration, 5'000));
    lb_store_release(&mark.published, lb_mark_word(kOtherGeneration, 0));
  }
  feed(feed_on("A", 1'001, 500));
  feed(feed_on("A", 1'601, 500));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].won, 2'000u);
  EXPECT_EQ(summary.lines[0].lost_messages, 100u) << "the line was believed to be at 5,000";
}

/// The hook counts it next to the mark, which the next channel in that place begins anew.
TEST_F(DataPathTest, WhatTheHookSawSkippedIsKeptWhenTheChannelGoes) {
  ReceiverOptions options;
  Running running(options);
  feed(feed_on("A", 1, 1'000));
  running.wait_until_quiet();
  refuse_metadata();
  feed(feed_on("A", 1'101, 1'000));
  running.wait_until_quiet();
  options.channels = {{"other", "optiq", {0, 30'009}, {}}};
  running.receiver().reload(options);
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].lost_messages, 100u);
}

/// The hook has no mark to count it next to: nothing but a packet publishes a channel to its line.
TEST_F(DataPathTest, WhatALineSkippedBeforeItIsPublishedIsCountedWithoutMetadata) {
  Running running(ReceiverOptions{});
  refuse_metadata();
  feed(feed_on("A", 1, 10));
  running.wait_until_quiet();
  feed(feed_on("A", 21, 1));
  running.wait_until_quiet();  // what comes while its line is published: docs/correctness.md
  feed(feed_on("A", 22, 9));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].lost_messages, 10u);
}

/// A start that fails later, or an application that changes its mind.
TEST_F(DataPathTest, AReceiverThatNeverRanLetsGoOfTheHook) {
  ReceiverOptions options;
  options.dedup = Dedup::lru;  // published from the start
  auto receiver = std::make_unique<Receiver>(options, nullptr);
  const hook::Hook hook = adopt_hook();
  EXPECT_NE(hook.maps().mark(0, 1).published, 0u);
  receiver.reset();
  for (std::uint32_t line = 0; line < 2; ++line)
    EXPECT_EQ(hook.maps().mark(0, line).published, 0u) << line;
}

/// A packet of the feed whose header says `count` messages, with `messages` of them in it.
Bytes mold_packet(const lb_framing& framing, std::uint64_t first, std::uint8_t count,
                  std::uint32_t messages) {
  constexpr std::size_t kMessage = 20;  // ten times the smallest: the hook cannot see what lacks
  constexpr std::string_view kSession = "SESSION001";
  Bytes payload(framing.header_length + messages * kMessage);
  std::ranges::copy(kSession, payload.begin());
  for (std::size_t i = 0; i < 8; ++i)
    payload[kSession.size() + i] = static_cast<std::uint8_t>(first >> (56 - 8 * i));
  payload[19] = count;
  for (std::uint32_t i = 0; i < messages; ++i)
    feeder::write_message(
        framing, first + i,
        std::span(payload).subspan(framing.header_length + i * kMessage, kMessage));
  return udp_packet().to("239.192.30.1", 30'001).payload(payload).build();
}

/// The count was damaged on line A, and the hook has claimed what is not there.
TEST_F(DataPathTest, TheClaimOfADamagedCountIsUndoneAndTheGoodCopyWins) {
  constexpr std::uint64_t kDamaged = 200;
  const config::Framing framing = config::builtin_framing("moldudp64");
  ReceiverOptions options;
  options.channels = {{"itch", "moldudp64", {0, 30'001}, {}}};
  Running running(options);
  const RawLine a("vethA_src");
  const RawLine b("vethB_src");
  for (std::uint64_t number = 1; number < kDamaged; ++number) {
    a.send(mold_packet(framing.descriptor, number, 1, 1));
    b.send(mold_packet(framing.descriptor, number, 1, 1));
    if (number % 50 == 0) running.wait_until_quiet();  // the channel is published meanwhile
  }
  running.wait_until_quiet();
  a.send(mold_packet(framing.descriptor, kDamaged, 5, 3));
  running.wait_until_quiet();
  b.send(mold_packet(framing.descriptor, kDamaged, 5, 5));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].malformed, 1u);
  running.expect_once(1, 1, kDamaged + 4);
  EXPECT_EQ(running.wrong_bytes(), 0u);
  EXPECT_EQ(summary.gap_messages, 0u);
}

}  // namespace
}  // namespace linearb::test
