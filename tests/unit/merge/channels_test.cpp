// SPDX-License-Identifier: Apache-2.0
//
// What a merge takes for which channel, and which line: by destination, source and key.
#include <gmock/gmock.h>

#include "unit/merge/merging.h"

namespace linearb::test {
namespace {

using testing::ElementsAre;

TEST_F(Merging, ChannelsAreApart) {
  capture::Writer writer(path("a"));
  for (std::uint64_t i = 1; i <= 3; i++) {
    const Bytes payload = payload_of(Datagram{.time_ns = 0, .first = i});
    writer.write(at(i), udp_packet().to("239.1.1.1", 5000).payload(payload).build());
    if (i != 2) writer.write(at(i), udp_packet().to("239.1.1.1", 5001).payload(payload).build());
  }
  writer.close();
  merge::MergeOptions options = options_for({path("a")});
  options.receiver.channels = {parse_channel("x=moldudp64@any:5000"),
                               parse_channel("y=moldudp64@239.1.1.1:5001")};
  merge::Merge merge(options);
  const Summary summary = merge.run();
  EXPECT_EQ(summary.channels[0].messages, 3u);
  EXPECT_EQ(summary.channels[1].messages, 2u);
  ASSERT_EQ(summary.gaps->size(), 1u);
  EXPECT_EQ(summary.gaps->front().channel, "y");
}

/// A packet of Cboe: one message of two bytes of a unit.
Bytes unit_frame(int unit, int number) {
  const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
  return udp_packet().payload({10, 0, 1, byte(unit), byte(number), 0, 0, 0, 2, 9}).build();
}

TEST_F(Merging, StreamsOfOneDestinationAreChannelsOfTheirOwn) {
  std::vector<std::string> captures;
  for (const int lost : {2, 4}) {
    captures.push_back(path("line" + std::to_string(lost)));
    capture::Writer writer(captures.back());
    for (int number = 1; number <= 6; ++number) {
      for (const int unit : {7, 3, 200})
        if (number != lost && !(unit == 3 && number == 5))
          writer.write(at(static_cast<std::uint64_t>(10 * number + lost)),
                       unit_frame(unit, number));
    }
    writer.close();
  }
  merge::MergeOptions options = options_for(captures);
  options.receiver.channels = {{"pitch", "cboe-pitch", {0, 30001}, {}},
                               {"quiet", "cboe-pitch", {0, 30002}, {}}};
  options.receiver.keys = 2;
  std::map<std::uint64_t, std::vector<std::uint64_t>> delivered;
  merge::Merge merge(options, [&](const Delivery& delivery) {
    EXPECT_EQ(delivery.channel, 0u);
    delivered[delivery.key].push_back(delivery.range.first);
  });
  const Summary summary = merge.run();
  EXPECT_TRUE(summary.balanced);
  EXPECT_THAT(delivered[7], ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(delivered[3], ElementsAre(1, 2, 3, 4, 6));
  ASSERT_EQ(summary.channels.size(), 3u);
  EXPECT_EQ(summary.channels[0].name, "pitch/7");
  EXPECT_EQ(summary.channels[2].name, "quiet") << "none of its streams came";
  EXPECT_EQ(summary.channels[1].name, "pitch/3");
  EXPECT_EQ(summary.channels[1].gap_messages, 1u);
  ASSERT_EQ(summary.gaps->size(), 1u);
  EXPECT_EQ(summary.gaps->front().channel, "pitch/3");
  EXPECT_EQ(summary.lines[0].not_feed, 5u) << "unit 200 is one too many";
}

/// A capture has what came to the interface, also from senders that a receiver would not take.
TEST_F(Merging, AChannelWithSourcesTakesNobodyElses) {
  capture::Writer writer(path("a.pcap"));
  for (const auto& [source, number] :
       {std::pair("10.1.1.1", 1u), std::pair("10.1.1.9", 2u), std::pair("10.1.1.2", 2u)})
    writer.write(kBeginNs + number, udp_packet()
                                        .to("232.1.1.1", 30001)
                                        .from(source, 40000)
                                        .payload(payload_of({.first = number}))
                                        .build());
  writer.close();
  merge::MergeOptions options = options_for({path("a.pcap")});
  options.receiver.channels = {parse_channel("itch=moldudp64@10.1.1.1+10.1.1.2@232.1.1.1:30001")};
  const Merged merged = merge(options);
  EXPECT_EQ(merged.summary.messages, 2u);
  EXPECT_EQ(merged.summary.lines[0].not_feed, 1u);
  EXPECT_TRUE(merged.summary.balanced);
}

TEST_F(Merging, IdentifiersWithoutOrderHaveNoGaps) {
  const lb_framing framing = config::builtin_framing("optiq").descriptor;
  const auto write = [&](const std::string& name, const std::vector<std::uint64_t>& identifiers) {
    capture::Writer writer(path(name));
    std::uint64_t ms = 0;
    for (const std::uint64_t identifier : identifiers)
      writer.write(at(++ms), frame_of(framing, identifier, {Bytes(16)}));
    writer.close();
    return path(name);
  };
  merge::MergeOptions options = options_for({write("a", {7, 900'000, 32}), write("b", {32, 7, 5})});
  options.receiver.channels = {{"optiq", "optiq", {0, 30001}, {}}};
  options.receiver.dedup = Dedup::lru;
  merge::Merge merge(options);
  const Summary summary = merge.run();
  EXPECT_EQ(summary.messages, 4u);
  EXPECT_EQ(summary.gap_messages, std::nullopt);
  EXPECT_EQ(summary.gaps, std::nullopt);
  EXPECT_TRUE(summary.balanced) << testing::PrintToString(summary.imbalances);
  EXPECT_EQ(summary.lines[0].skew_ns.max, 2 * kMs) << "32 came on B first";
}

TEST_F(Merging, OneFileCanBeTwoLines) {
  capture::Writer writer(path("both.pcap"));
  for (std::uint64_t i = 1; i <= 10; i++) {
    const Bytes payload = payload_of(Datagram{.time_ns = 0, .first = i});
    writer.write(at(2 * i), udp_packet().to("239.1.1.1", 5000).payload(payload).build());
    if (i != 4)
      writer.write(at(2 * i + 1), udp_packet().to("239.1.1.2", 5000).payload(payload).build());
  }
  writer.close();
  merge::MergeOptions options = options_for({path("both.pcap"), path("both.pcap")});
  options.receiver.channels = {parse_channel("itch=moldudp64@A=239.1.1.1:5000,B=239.1.1.2:5000")};
  const Summary summary = merge(options).summary;
  EXPECT_EQ(summary.lines[0].won, 10u);
  EXPECT_EQ(summary.lines[1].duplicate, 9u);
  for (const LineSummary& line : summary.lines) EXPECT_EQ(line.packets, 19u);
  EXPECT_EQ(summary.lines[0].not_feed, 9u);
  EXPECT_EQ(summary.lines[1].not_feed, 10u);
}

/// Of what it brings beside the hole, number 1 is a restart on any other line, and the heartbeat
/// says that 985 messages were lost.
TEST_F(Merging, ALineThatOnlyRepairsFillsHolesAndSaysNothingOfTheFeed) {
  std::vector<Datagram> feed;
  for (std::uint64_t i = 1; i <= 5000; ++i)
    if (i != 5 && i != 6) feed.push_back({at(i), i});
  const std::vector<std::string> captures = {write_line("a", feed), write_line("b", feed),
                                             write_line("c", {{at(400), 5, 2},
                                                              {at(1000), 1, 2},
                                                              {at(1001), 3, 2},
                                                              {at(1002), 2000, 0},
                                                              {at(1003), 1, 1}})};
  merge::MergeOptions options = options_for(captures);
  options.receiver.repair_lines = {"C"};
  for (const Order order : {Order::arrival, Order::sequence}) {
    options.receiver.order = order;
    const Merged merged = merge(options);
    EXPECT_EQ(merged.complaints, std::vector<std::string>{});
    EXPECT_EQ(merged.summary.messages, 5000u);
    EXPECT_EQ(merged.summary.gap_messages, 0u);
    EXPECT_EQ(merged.summary.channels[0].epoch, 1u);
    const LineSummary& line = merged.summary.lines[2];
    EXPECT_TRUE(line.repair);
    EXPECT_EQ(line.won, 1u);
    EXPECT_EQ(line.control, 1u);
    EXPECT_EQ(line.duplicate + line.late, 3u);
    for (const Event& event : merged.events)
      EXPECT_FALSE(event.kind == Event::Kind::line_state && event.lines == "C") << event.text;
  }
}

TEST_F(Merging, NobodyWaitsForALineThatOnlyRepairs) {
  std::vector<Datagram> feed;
  for (std::uint64_t i = 1; i <= 200; ++i)
    if (i != 5) feed.push_back({at(i), i});
  merge::MergeOptions options =
      options_for({write_line("a", feed), write_line("b", feed), write_line("c", {{at(199), 4}})});
  options.receiver.order = Order::sequence;
  const auto told_ns = [&] {
    const Merged merged = merge(options);
    const auto told = std::ranges::find(merged.events, Event::Kind::gap, &Event::kind);
    return told != merged.events.end() ? told->time_ns - kBeginNs : 0;
  };
  EXPECT_GT(told_ns(), 190 * kMs) << "a line that may be a little behind";
  options.receiver.repair_lines = {"C"};
  EXPECT_LT(told_ns(), 60 * kMs);
}

}  // namespace
}  // namespace linearb::test
