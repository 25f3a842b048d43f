// SPDX-License-Identifier: Apache-2.0
//
// A line in every form that a capture can have, against one that is told in this project's own.
#include <ostream>

#include <gmock/gmock.h>

#include "support/captures.h"
#include "unit/capture/capture_file.h"
#include "unit/merge/merging.h"

namespace linearb::test {
namespace {

using namespace capture_file;

const std::vector<Datagram> kDatagrams{{kTime, 1, 3}, {kTime, 4, 1}, {kTime, 5, 2}};

/// Padded as Ethernet may pad, so that pcapng's blocks are whole.
std::vector<Bytes> frames(PacketBuilder builder = udp_packet()) {
  std::vector<Bytes> result;
  for (const Datagram& datagram : kDatagrams) {
    Bytes frame = builder.payload(payload_of(datagram)).build();
    frame.resize((frame.size() + 3) / 4 * 4);
    result.push_back(frame);
  }
  return result;
}

/// The frames behind another link layer's header instead of Ethernet's.
std::vector<Bytes> frames_behind(const Bytes& header) {
  std::vector<Bytes> result = frames();
  for (Bytes& frame : result) {
    frame.erase(frame.begin(), frame.begin() + 14);
    frame.insert(frame.begin(), header.begin(), header.end());
  }
  return result;
}

const Bytes kCookedHeader = {0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0x00};
const Bytes kCooked2Header = {0x08, 0x00, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0};

Bytes next_generation(std::uint8_t resolution) {
  NextGeneration capture;
  capture.interface(kEthernet, resolution);
  for (const Bytes& frame : frames())
    capture.packet(0, resolution == 9 ? kTime : kTime / 1000, frame);
  return capture.file.bytes;
}

struct Form {
  const char* name;
  Bytes file;
  bool gzip = false;
};

/// For the list of ctest: bytes of pointers change from run to run.
void PrintTo(const Form& form, std::ostream* out) {
  *out << form.name;
}

std::vector<Form> forms() {
  const Classic nano, micro{.nanoseconds = false};
  return {
      {"PcapNanoseconds", nano.file_of(frames())},
      {"PcapMicroseconds", micro.file_of(frames())},
      {"PcapOfTheOtherByteOrder", Classic{.big_endian = true}.file_of(frames())},
      {"PcapMicrosecondsOfTheOtherByteOrder",
       Classic{.nanoseconds = false, .big_endian = true}.file_of(frames())},
      {"PcapPacked", nano.file_of(frames()), true},
      {"PcapngNanoseconds", next_generation(9)},
      {"PcapngMicroseconds", next_generation(6)},
      {"PcapngPacked", next_generation(9), true},
      {"Vlan", nano.file_of(frames(udp_packet().vlan(5)))},
      {"TwoVlanTags", nano.file_of(frames(udp_packet().vlan(5, 0x88a8).vlan(7)))},
      {"IpOptions", nano.file_of(frames(udp_packet().options(8)))},
      {"LinuxCooked", Classic{.link_type = kCooked}.file_of(frames_behind(kCookedHeader))},
      {"LinuxCooked2", Classic{.link_type = kCooked2}.file_of(frames_behind(kCooked2Header))},
      {"RawIp", Classic{.link_type = kRawIp}.file_of(frames_behind({}))},
      {"RawIpv4", Classic{.link_type = kRawIpv4}.file_of(frames_behind({}))},
  };
}

class CaptureForms : public Merging, public testing::WithParamInterface<Form> {};

TEST_P(CaptureForms, AreALineAsAnyOther) {
  const Form& form = GetParam();
  const std::string line = form.gzip ? write_gzip("a", form.file) : write_file("a", form.file);
  std::vector<Datagram> later = kDatagrams;
  for (Datagram& datagram : later) datagram.time_ns += 1'000;
  for (const bool first : {true, false}) {
    SCOPED_TRACE(first);
    const std::string plain = write_line("plain.pcap", first ? later : kDatagrams);
    merge::MergeOptions options = options_for({line, plain});
    options.captures[0].offset_ns = first ? 0 : 2'000;
    options.receiver.write_path = path("merged.pcap");
    const Merged merged = merge(options);
    EXPECT_THAT(merged.complaints, testing::ElementsAre());
    EXPECT_EQ(merged.summary.lines[first ? 0 : 1].won, 3u);
    EXPECT_EQ(merged.summary.lines[first ? 1 : 0].duplicate, 3u);
    EXPECT_EQ(numbers_of(merged).size(), 6u);
    EXPECT_EQ(merged.summary.written, 3u);
    EXPECT_EQ(merge_all({path("merged.pcap")}).messages, merged.messages);
    EXPECT_TRUE(merged.summary.balanced);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CaptureForms, testing::ValuesIn(forms()),
                         [](const auto& row) { return row.param.name; });

/// Captures that others recorded: see support/captures.h.
TEST_F(Merging, RealCapturesTwiceGiveEveryPacketOnce) {
  const char* name = "bats/mcastpitch_realtime_useq.pcap";
  const auto capture = find_capture(name);
  if (!capture) GTEST_SKIP() << no_capture(name);
  merge::MergeOptions options = options_for({*capture, *capture, *capture});
  options.receiver.channels = {{"pitch", "cboe-pitch", {0, 32001}, {}}};
  options.receiver.write_path = path("merged.pcap");
  merge::Merge merge(options);
  const Summary summary = merge.run();
  EXPECT_TRUE(summary.balanced);
  EXPECT_EQ(summary.packets, 19u);
  EXPECT_EQ(summary.messages, 40u);
  EXPECT_EQ(summary.gap_messages, 2u) << "heartbeats tell of messages 1 and 2";
  EXPECT_EQ(summary.lines[0].won, 19u);
  for (const std::size_t copy : {1u, 2u}) EXPECT_EQ(summary.lines[copy].duplicate, 19u);
  for (const LineSummary& line : summary.lines) {
    EXPECT_EQ(line.packets, 739u);
    EXPECT_EQ(line.control, 720u);
  }
  EXPECT_EQ(summary.written, 19u);
}

}  // namespace
}  // namespace linearb::test
