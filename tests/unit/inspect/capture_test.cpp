// SPDX-License-Identifier: Apache-2.0
//
// What a capture looks like by a framing, and what arbitration makes of its packets.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "capture/writer.h"
#include "inspect/capture_check.h"
#include "inspect/datagrams.h"
#include "inspect/verdicts.h"
#include "linearb/error.h"
#include "support/captures.h"
#include "support/packet.h"
#include "unit/capture/temp_folder.h"

namespace linearb::inspect {
namespace {

using test::Bytes;
using test::PacketBuilder;
using testing::ElementsAre;

constexpr std::uint64_t kStart = 1'700'000'000'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;

/// A MoldUDP64 payload with so many messages of two bytes.
Bytes mold(const std::string& session, std::uint64_t number, std::uint16_t count) {
  Bytes bytes(20);
  std::copy(session.begin(), session.end(), bytes.begin());
  for (int i = 0; i < 8; ++i) bytes[17 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  bytes[18] = static_cast<std::uint8_t>(count >> 8);
  bytes[19] = static_cast<std::uint8_t>(count);
  for (int i = 0; i < count && count != 0xFFFF; ++i) bytes.insert(bytes.end(), {0, 2, 'm', 's'});
  return bytes;
}

class InspectCapture : public test::TempFolder {
 protected:
  InspectCapture() : writer_(path("capture.pcap")) {}

  /// A millisecond after the one before.
  void add(const Bytes& payload, const std::string& group = "239.1.1.1") {
    add_frame(PacketBuilder().to(group, 5000).payload(payload).build());
  }
  void add_frame(const Bytes& frame) {
    writer_.write(kStart + kMillisecond * writer_.records(), frame);
  }

  CaptureFindings check(const char* name = "moldudp64") {
    writer_.close();
    const lb_framing framing = config::builtin_framing(name).descriptor;
    Datagrams datagrams(path("capture.pcap"), framing);
    CaptureCheck check(framing);
    while (const auto datagram = datagrams.next()) check.take(*datagram);
    return check.finish();
  }

  /// "channel kind first+count verdict" of each packet.
  std::vector<std::string> verdicts(const std::vector<std::string>& channels,
                                    std::uint32_t keys = 16) {
    writer_.close();
    ReceiverOptions options;
    options.keys = keys;
    options.channels.clear();
    std::vector<config::Framing> framings;
    for (const std::string& channel : channels) {
      options.channels.push_back(parse_channel(channel));
      framings.push_back(config::load_framing(options.channels.back().framing));
    }
    std::vector<std::string> told;
    Verdicts verdicts(options, framings, [&](const Explained& packet) {
      std::string text = packet.channel ? packet.channel->name : "-";
      text += " " + std::string(packet.kind);
      if (packet.channel && !packet.is_malformed && packet.datagram.numbered)
        text += " " + std::to_string(packet.datagram.first) + "+" +
                std::to_string(packet.datagram.count);
      told.push_back(text + " " + std::string(packet.verdict));
    });
    Datagrams datagrams(path("capture.pcap"), framings.front().descriptor);
    while (const auto datagram = datagrams.next()) verdicts.take(*datagram);
    verdicts.finish();
    return told;
  }

  capture::Writer writer_;
};

TEST_F(InspectCapture, StreamsAreFollowedByDestination) {
  add(mold("DAY1", 1, 2));
  add(mold("DAY1", 1, 5), "239.1.1.2");
  add(mold("DAY1", 3, 1));
  add(mold("DAY1", 3, 1));       // a copy
  add(mold("DAY1", 6, 1));       // 4 and 5 are missing
  add(mold("DAY1", 9, 0));       // and so are 7 and 8
  add(mold("DAY1", 9, 0xFFFF));  // end of session
  const CaptureFindings findings = check();
  EXPECT_EQ(findings.packets, 7u);
  EXPECT_EQ(findings.decoded(), 7u);
  EXPECT_EQ(findings.kinds[LB_KIND_DATA], 5u);
  EXPECT_EQ(findings.kinds[LB_KIND_HEARTBEAT], 1u);
  EXPECT_EQ(findings.kinds[LB_KIND_END_OF_SESSION], 1u);
  ASSERT_EQ(findings.streams.size(), 2u);
  const Stream& first = findings.streams[0];
  EXPECT_EQ(first.destination, "239.1.1.1:5000");
  EXPECT_EQ(first.key, std::nullopt);
  EXPECT_THAT(first.sessions, ElementsAre("DAY1"));
  EXPECT_EQ(first.packets, 6u);
  EXPECT_EQ(first.heartbeats, 1u);
  EXPECT_EQ(first.duplicates, 1u);
  EXPECT_EQ(first.messages, 4u);
  EXPECT_EQ(first.gaps, 2u);
  EXPECT_EQ(first.missing, 4u);
  EXPECT_EQ(first.restarts, 0u);
  EXPECT_EQ(findings.streams[1].destination, "239.1.1.2:5000");
  EXPECT_EQ(findings.streams[1].messages, 5u);
}

TEST_F(InspectCapture, ANewSessionIsARestart) {
  for (std::uint64_t number = 1; number <= 10; ++number) add(mold("DAY1", number, 1));
  for (std::uint64_t number = 1; number <= 10; ++number) add(mold("DAY2", number, 1));
  const CaptureFindings findings = check();
  ASSERT_EQ(findings.streams.size(), 1u);
  EXPECT_THAT(findings.streams[0].sessions, ElementsAre("DAY1", "DAY2"));
  EXPECT_EQ(findings.streams[0].restarts, 1u);
  EXPECT_EQ(findings.streams[0].messages, 20u);
  EXPECT_EQ(findings.streams[0].gaps, 0u);
}

TEST_F(InspectCapture, UnitsOfOneDestinationAreStreams) {
  add({8, 0, 0, 1, 5, 0, 0, 0});
  add({8, 0, 0, 2, 9, 0, 0, 0});
  add({8, 0, 0, 1, 5, 0, 0, 0});
  const CaptureFindings findings = check("cboe-pitch");
  ASSERT_EQ(findings.streams.size(), 2u);
  EXPECT_EQ(findings.streams[0].key, "1");
  EXPECT_EQ(findings.streams[0].heartbeats, 2u);
  EXPECT_EQ(findings.streams[1].key, "2");
}

TEST_F(InspectCapture, WhatIsNotOfTheFeedIsSaidToBeMalformed) {
  add_frame(PacketBuilder().to("239.1.1.1", 5000).ethertype(0x0806).build());
  add(Bytes(7));
  add(mold("DAY1", 1, 1));
  const CaptureFindings findings = check();
  EXPECT_EQ(findings.packets, 3u);
  EXPECT_EQ(findings.not_udp, 1u);
  EXPECT_EQ(findings.datagrams(), 2u);
  EXPECT_EQ(findings.decoded(), 1u);
  EXPECT_EQ(findings.first_malformed, "packet 2: it has 7 bytes, and the shortest packet 20");
}

TEST_F(InspectCapture, NoMoreStreamsAreFollowedThanThereIsRoomFor) {
  for (int i = 0; i < 300; ++i)
    add(mold("DAY1", 1, 1), "239.1." + std::to_string(i / 200) + "." + std::to_string(i % 200));
  const CaptureFindings findings = check();
  EXPECT_EQ(findings.streams.size(), CaptureCheck::kStreamsMax);
  EXPECT_EQ(findings.not_followed, 300 - CaptureCheck::kStreamsMax);
  EXPECT_EQ(findings.decoded(), 300u);
}

TEST_F(InspectCapture, AnEmptyCaptureHasNothing) {
  const CaptureFindings findings = check();
  EXPECT_EQ(findings.packets, 0u);
  EXPECT_TRUE(findings.streams.empty());
}

TEST_F(InspectCapture, EveryPacketHasAVerdictInItsOrder) {
  add(mold("DAY1", 1, 2));
  add(mold("DAY1", 2, 2));
  add(mold("DAY1", 2, 2));
  add(mold("DAY1", 4, 0));
  add(mold("DAY1", 4, 3), "239.9.9.9");
  add_frame(PacketBuilder().to("239.1.1.1", 5000).ethertype(0x0806).build());
  add(Bytes(3));
  add(mold("DAY1", 4, 0xFFFF));
  EXPECT_THAT(
      verdicts({"itch=moldudp64@239.1.1.1:5000"}),
      ElementsAre("itch data 1+2 won", "itch data 2+2 overlap", "itch data 2+2 duplicate",
                  "itch heartbeat 4+0 control", "- not_feed not_feed", "- not_feed not_feed",
                  "itch malformed malformed", "itch end_of_session 4+0 control"));
}

TEST_F(InspectCapture, WhatIsDoubtedIsToldInItsPlace) {
  for (std::uint64_t number = 1; number <= 50; ++number) add(mold("DAY1", number, 1));
  add(mold("DAY1", 10, 1));  // of long ago: the beginning of a restart, or a copy
  add(mold("DAY1", 51, 1));
  const std::vector<std::string> told = verdicts({"itch=moldudp64@any:5000"});
  ASSERT_EQ(told.size(), 52u);
  EXPECT_EQ(told[50], "itch data 10+1 duplicate");
  EXPECT_EQ(told[51], "itch data 51+1 won");
}

TEST_F(InspectCapture, DestinationsOfLinesAreLines) {
  add(mold("DAY1", 1, 1), "239.1.1.1");
  add(mold("DAY1", 1, 1), "239.1.1.2");
  add(mold("DAY1", 2, 1), "239.1.1.2");
  add(mold("DAY1", 2, 1), "239.1.1.1");
  EXPECT_THAT(verdicts({"itch=moldudp64@A=239.1.1.1:5000,B=239.1.1.2:5000"}),
              ElementsAre("itch data 1+1 won", "itch data 1+1 duplicate", "itch data 2+1 won",
                          "itch data 2+1 duplicate"));
}

TEST_F(InspectCapture, WhatComesFromAnotherSourceIsNotFeed) {
  const auto from = [&](const char* source, std::uint64_t number) {
    add_frame(PacketBuilder()
                  .to("232.1.1.1", 5000)
                  .from(source, 40000)
                  .payload(mold("S", number, 1))
                  .build());
  };
  from("10.1.1.1", 1);
  from("10.1.1.2", 2);
  EXPECT_THAT(verdicts({"x=moldudp64@10.1.1.1@232.1.1.1:5000"}),
              ElementsAre("x data 1+1 won", "- not_feed not_feed"));
}

TEST_F(InspectCapture, ChannelsAreJudgedApart) {
  add(mold("DAY1", 1, 1), "239.1.1.1");
  add(mold("DAY1", 1, 1), "239.1.1.2");
  add({8, 0, 0, 1, 5, 0, 0, 0}, "239.1.1.3");
  EXPECT_THAT(verdicts({"one=moldudp64@239.1.1.1:5000", "two=moldudp64@239.1.1.2:5000",
                        "three=cboe-pitch@239.1.1.3:5000"}),
              ElementsAre("one data 1+1 won", "two data 1+1 won", "three heartbeat 5+0 control"));
}

TEST_F(InspectCapture, StreamsOfOneDestinationAreJudgedApart) {
  for (const int unit : {1, 2}) add({10, 0, 1, static_cast<std::uint8_t>(unit), 5, 0, 0, 0, 2, 7});
  EXPECT_THAT(verdicts({"pitch=cboe-pitch@any:5000"}),
              ElementsAre("pitch data 5+1 won", "pitch data 5+1 won"));
}

TEST_F(InspectCapture, AStreamThatIsOneTooManyIsNotFeed) {
  for (const int unit : {1, 2}) add({10, 0, 1, static_cast<std::uint8_t>(unit), 5, 0, 0, 0, 2, 7});
  EXPECT_THAT(verdicts({"pitch=cboe-pitch@any:5000"}, 1),
              ElementsAre("pitch data 5+1 won", "pitch data 5+1 not_feed"));
}

TEST_F(InspectCapture, PayloadsBackToBackAreOfTheFirstChannel) {
  Bytes payloads = mold("DAY1", 1, 2);
  const Bytes more = mold("DAY1", 3, 1);
  payloads.insert(payloads.end(), more.begin(), more.end());
  const std::string file = write_file("payloads.dat", payloads);
  const lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  Datagrams datagrams(file, framing);
  EXPECT_FALSE(datagrams.is_capture());
  const auto first = datagrams.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->payload.size(), 28u);
  EXPECT_EQ(first->time_ns, std::nullopt);
  EXPECT_EQ(first->destination, std::nullopt);
  ASSERT_TRUE(datagrams.next());
  EXPECT_FALSE(datagrams.next());
}

TEST_F(InspectCapture, OfCboeIsAsItsReadmeSays) {
  const auto file = test::find_capture("bats/mcastpitch_realtime_useq.pcap");
  if (!file) GTEST_SKIP() << test::no_capture("bats/mcastpitch_realtime_useq.pcap");
  const lb_framing framing = config::builtin_framing("cboe-pitch").descriptor;
  Datagrams datagrams(*file, framing);
  CaptureCheck check(framing);
  while (const auto datagram = datagrams.next()) check.take(*datagram);
  const CaptureFindings findings = check.finish();
  EXPECT_EQ(findings.packets, 739u);
  EXPECT_EQ(findings.decoded(), 739u);
  ASSERT_EQ(findings.streams.size(), 2u);
  EXPECT_EQ(findings.streams[0].destination, "239.39.62.190:32001");
  EXPECT_EQ(findings.streams[0].heartbeats, 356u);
  EXPECT_EQ(findings.streams[0].messages, 40u);
  EXPECT_EQ(findings.streams[0].gaps, 1u);
  EXPECT_EQ(findings.streams[0].missing, 2u);
  EXPECT_EQ(findings.streams[1].heartbeats, 364u);
  EXPECT_EQ(findings.streams[1].messages, 0u);
}

}  // namespace
}  // namespace linearb::inspect
