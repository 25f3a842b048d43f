// SPDX-License-Identifier: Apache-2.0
//
// Packets of a retransmission service, that the application hands in.
#include <atomic>
#include <chrono>
#include <filesystem>

#include "capture/reader.h"
#include "core/walk.h"
#include "e2e/arbitration.h"
#include "feeder/generator.h"
#include "linearb/error.h"
#include "receiver/injections.h"
#include "support/error_text.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;

class Inject : public BothModes {
 protected:
  /// What the service sends for a message.
  static auto payload(std::uint64_t number) {
    return feeder::optiq_message(static_cast<std::uint32_t>(number), 0);
  }
  static void inject(Receiver& receiver, std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t number = first; number < first + count; ++number)
      EXPECT_TRUE(wait_until([&] { return receiver.inject(0, payload(number)); }));
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Inject, ::testing::Values(Mode::native, Mode::generic), mode_name);

TEST_P(Inject, WhatIsMissingIsDeliveredOnceAndIsNoGapAnyMore) {
  Running running(options());
  feed(feed_on("AB", 1, 1000));
  feed(feed_on("AB", 1201, 1000));
  ASSERT_TRUE(running.wait_for(Event::Kind::gap)) << running.event_texts();
  inject(running.receiver(), 1001, 200);
  inject(running.receiver(), 1001, 200);
  feed(feed_on("AB", 2201, 1000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 3200);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.injected, 400u);
  EXPECT_EQ(summary.injected_delivered, 200u);
  EXPECT_EQ(summary.packets, 3200u);
  EXPECT_EQ(summary.messages, 3200u);
  for (const Event& event : running.events())
    if (event.kind == Event::Kind::late_repair) {
      EXPECT_EQ(event.lines, "");
    }
}

TEST_P(Inject, AGapIsAnsweredFromTheFunctionThatIsToldOfIt) {
  Receiver* answering = nullptr;
  std::map<std::uint64_t, int> delivered;
  std::uint64_t on_no_line = 0;
  Receiver receiver(
      options(),
      [&](const Delivery& delivery) {
        ++delivered[delivery.range.first];
        on_no_line += delivery.line == kInjectedLine;
      },
      [&](const Event& event) {
        if (event.kind == Event::Kind::gap)
          for (std::uint64_t number = event.first; number < event.first + event.count; ++number)
            answering->inject(event.channel_number, payload(number));
      });
  answering = &receiver;
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  for (std::uint64_t first = 1; first < 10'000; first += 1000) feed(feed_on("AB", first, 970));
  std::this_thread::sleep_for(1s);
  receiver.stop();
  const Summary summary = result.get();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.injected_delivered, 9 * 30u);
  EXPECT_EQ(on_no_line, 9 * 30u);
  EXPECT_EQ(delivered.size(), 9970u);
  for (const auto& [number, times] : delivered) ASSERT_EQ(times, 1) << number;
}

TEST_P(Inject, InTheOrderOfNumbersItComesBehind) {
  ReceiverOptions sequence = options();
  sequence.order = Order::sequence;
  Running running(sequence);
  feed(feed_on("AB", 1, 1000));
  feed(feed_on("AB", 1011, 1000));
  ASSERT_TRUE(running.wait_for(Event::Kind::gap)) << running.event_texts();
  inject(running.receiver(), 1001, 10);
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 2010);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.late_repairs, 10u);
}

TEST_P(Inject, IsWrittenAsAPacketToTheChannel) {
  const std::string path = ::testing::TempDir() + "inject.pcap";
  ReceiverOptions writing = options();
  writing.channels[0].destination = parse_destination("239.192.30.1:30001");
  writing.write_path = path;
  Running running(writing);
  inject(running.receiver(), 7, 1);
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.written, 1u);
  capture::Reader reader(path);
  const auto record = reader.next();
  ASSERT_TRUE(record);
  lb_walk walk{};
  ASSERT_EQ(lb_walk_frame(record->bytes.data(), record->bytes.data() + record->bytes.size(), &walk),
            LB_WALK_DATAGRAM);
  EXPECT_EQ(walk.destination, 0xefc01e01u);
  EXPECT_EQ(walk.port, 30'001);
  const auto sent = payload(7);
  EXPECT_TRUE(std::ranges::equal(
      std::span(record->bytes).subspan(walk.payload_offset, walk.payload_length), sent));
  std::filesystem::remove(path);
}

TEST_P(Inject, ThereIsRoomForSoManyAndNoneWhenTheRunIsOver) {
  Running running(options());
  running.blocked = true;
  feed(feed_on("A", 1, 1));
  std::this_thread::sleep_for(200ms);
  Receiver& receiver = running.receiver();
  for (std::uint64_t i = 0; i < receiver::Injections::kPackets; ++i)
    EXPECT_TRUE(receiver.inject(0, payload(2 + i)));
  EXPECT_FALSE(receiver.inject(0, payload(1000)));
  running.blocked = false;
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.injected, receiver::Injections::kPackets);
  EXPECT_FALSE(receiver.inject(0, payload(1000)));
}

TEST_P(Inject, WhatIsWrongIsRefusedAndNothingIsCounted) {
  ReceiverOptions receive = options();
  receive.channels = {{"itch", "moldudp64", {0, 30001}, {}}};
  Running running(receive);
  Receiver& receiver = running.receiver();
  std::vector<std::uint8_t> heartbeat(20);
  const auto refusal = [&](std::uint32_t channel, std::span<const std::uint8_t> bytes) {
    return error_text([&] { receiver.inject(channel, bytes); });
  };
  EXPECT_EQ(refusal(1, heartbeat), "inject: there is no channel of number 1");
  EXPECT_EQ(refusal(0, heartbeat), "inject: channel itch: a packet without numbered messages");
  EXPECT_EQ(refusal(0, std::span(heartbeat).first(19)),
            "inject: channel itch: 19 bytes that are no packet of moldudp64");
  EXPECT_EQ(refusal(0, std::vector<std::uint8_t>(9001)),
            "inject: channel itch: a payload of 9001 bytes; it can have up to 9000");
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.injected, 0u);
}

TEST_P(Inject, OtherBytesUnderANumberAreTold) {
  Running running(options());
  feed(feed_on("AB", 1, 6));
  running.wait_until_quiet();
  inject(running.receiver(), 7, 1);
  auto other = feeder::optiq_message(7, 1);  // its time of sending is no matter
  EXPECT_TRUE(running.receiver().inject(0, other));
  other.back() ^= 1;
  EXPECT_TRUE(running.receiver().inject(0, other));
  ASSERT_TRUE(running.wait_for(Event::Kind::divergent)) << running.event_texts();
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.injected, 3u);
  EXPECT_EQ(summary.injected_delivered, 1u);
  const std::vector<Event> events = running.events();
  EXPECT_EQ(std::ranges::count(events, Event::Kind::divergent, &Event::kind), 1);
}

/// Its header promises more messages than there are.
TEST_P(Inject, WhatIsCutIsNotDelivered) {
  ReceiverOptions receive = options();
  receive.channels = {{"itch", "moldudp64", {0, 30001}, {}}};
  Running running(receive);
  std::vector<std::uint8_t> cut(28);
  cut[17] = 1;  // the number
  cut[19] = 3;  // the count
  cut[21] = 6;  // the length of the first, and there is none behind it
  EXPECT_TRUE(running.receiver().inject(0, cut));
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.injected, 1u);
  EXPECT_EQ(summary.injected_delivered, 0u);
}

}  // namespace
}  // namespace linearb::test
