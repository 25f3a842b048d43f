// SPDX-License-Identifier: Apache-2.0
//
// What the feeder says it sent is what a packet socket at the other end of each line sees.
#include "feeder/feeder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include "capture/writer.h"
#include "core/walk.h"
#include "feeder/replay.h"
#include "support/captures.h"
#include "support/namespace.h"
#include "support/packet.h"
#include "support/tap.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/fd.h"
#include "sys/interface.h"

namespace linearb::feeder {
namespace {

using test::Bytes;

using test::Seen;
using test::Tap;

std::vector<Bytes> of_line(const std::vector<Seen>& seen, std::size_t line) {
  std::vector<Bytes> frames;
  for (const Seen& frame : seen)
    if (frame.line == line) frames.push_back(frame.bytes);
  return frames;
}

lb_walk walk(const Bytes& frame) {
  lb_walk found{};
  EXPECT_EQ(lb_walk_frame(frame.data(), frame.data() + frame.size(), &found), LB_WALK_DATAGRAM);
  return found;
}

Bytes payload(const Bytes& frame) {
  lb_walk found = walk(frame);
  return Bytes(frame.begin() + found.payload_offset,
               frame.begin() + found.payload_offset + found.payload_length);
}

/// Of a frame without VLAN tags and IP options.
bool ip_checksum_holds(const Bytes& frame) {
  return test::checksum_fold({&frame[14], 20}) == 0xffff;
}

bool udp_checksum_holds(const Bytes& frame) {
  Bytes summed(frame.begin() + 26, frame.begin() + 34);  // addresses
  test::append_u16(summed, 17);
  test::append_u16(summed, static_cast<std::uint32_t>(frame.size() - 34));
  summed.insert(summed.end(), frame.begin() + 34, frame.end());
  return test::checksum_fold(summed) == 0xffff;
}

std::uint32_t number_of(const Bytes& frame) {
  return lb_load_u32_le(&frame[xsk::kHeaderLength + 4]);
}
std::uint64_t stamp_of(const Bytes& frame) {
  return lb_load_u64_le(&frame[xsk::kHeaderLength + 12]);
}

std::vector<std::uint32_t> numbers(const std::vector<Bytes>& frames) {
  std::vector<std::uint32_t> all;
  for (const Bytes& frame : frames) all.push_back(number_of(frame));
  return all;
}

FeederOptions two_lines(const char* framing = "optiq") {
  FeederOptions options;
  options.lines.resize(2);
  options.lines[0].line = {"A", lab::source_name('A')};
  options.lines[1].line = {"B", lab::source_name('B')};
  options.framing = config::builtin_framing(framing);
  return options;
}

/// Runs the feeder and checks what holds after every run.
FeederResult run(Feeder& feeder) {
  FeederResult result = feeder.run();
  EXPECT_EQ(feeder.progress().units, result.units);
  for (std::size_t line = 0; line < result.lines.size(); ++line) {
    const LineResult& each = result.lines[line];
    EXPECT_EQ(each.sent, each.ledger.offered - each.ledger.dropped + each.ledger.duplicated);
    EXPECT_EQ(each.completed, each.sent);
    EXPECT_TRUE(each.frames_conserved);
    EXPECT_EQ(each.unlisted, 0u);
    EXPECT_EQ(feeder.progress().sent[line], each.sent);
  }
  return result;
}

FeederResult run(const FeederOptions& options) {
  Feeder feeder(options);
  return run(feeder);
}

class FeederTest : public test::LabTest {};

TEST_F(FeederTest, BothLinesCarryEveryMessageByteForByte) {
  constexpr std::uint32_t kPackets = 5'000;
  constexpr std::uint32_t kFirst = 1'000;
  FeederOptions options = two_lines();
  options.packets = kPackets;
  options.messages.first = kFirst;
  options.lines[1].destination = {test::address("239.192.30.2"), 30002};
  options.cpu = sys::allowed_cpus().front();

  Tap tap(2);
  std::uint64_t before_ns = sys::realtime_ns();
  FeederResult result = run(options);
  std::uint64_t after_ns = sys::realtime_ns();
  std::vector<Seen> seen = tap.take();

  EXPECT_EQ(result.units, kPackets);
  std::array<std::vector<Bytes>, 2> lines{of_line(seen, 0), of_line(seen, 1)};
  for (std::size_t line = 0; line < 2; ++line) {
    EXPECT_EQ(result.lines[line].ledger.offered, kPackets);
    EXPECT_EQ(result.lines[line].sent, kPackets);
    EXPECT_TRUE(result.lines[line].lost.empty());
    ASSERT_EQ(lines[line].size(), kPackets);
    sys::MacAddress mac = sys::query_interface(options.lines[line].line.interface).mac;
    for (std::uint32_t i = 0; i < kPackets; ++i) {
      const Bytes& frame = lines[line][i];
      ASSERT_TRUE(ip_checksum_holds(frame) && udp_checksum_holds(frame)) << i;
      EXPECT_TRUE(std::equal(mac.begin(), mac.end(), frame.begin() + 6));
      lb_walk found = walk(frame);
      EXPECT_EQ(found.destination, test::address(line ? "239.192.30.2" : "239.192.30.1"));
      EXPECT_EQ(found.port, line ? 30002 : 30001);
      EXPECT_GE(stamp_of(frame), before_ns);
      EXPECT_LE(stamp_of(frame), after_ns);
      auto expected = optiq_message(kFirst + i, stamp_of(frame));
      EXPECT_EQ(payload(frame), Bytes(expected.begin(), expected.end()));
      EXPECT_EQ(payload(frame), payload(lines[0][i]));
    }
  }
  EXPECT_EQ(lines[0][0][5], 1);  // the end of 01:00:5e:40:1e:01
  EXPECT_EQ(lines[1][0][5], 2);
}

TEST_F(FeederTest, EveryFaultIsInTheLedger) {
  constexpr std::uint32_t kPackets = 20'000;
  FeederOptions options = two_lines();
  options.packets = kPackets;
  options.lines[0].impairment = {.loss = 0.01, .reorder = 0.02, .reorder_depth = 4};
  options.lines[1].impairment = {
      .loss = 0.02, .burst = {0.001, 10}, .duplicate = 0.03, .corrupt = 0.05};

  Tap tap(2);
  FeederResult result = run(options);
  std::vector<Seen> seen = tap.take();

  for (std::size_t line = 0; line < 2; ++line) {
    const LineResult& said = result.lines[line];
    std::vector<Bytes> frames = of_line(seen, line);
    EXPECT_EQ(frames.size(), said.sent);

    std::map<std::uint64_t, std::uint32_t> copies;  // of the message with a time stamp
    std::uint64_t corrupted = 0, behind = 0;
    std::uint32_t highest = 0;
    for (const Bytes& frame : frames) {
      EXPECT_TRUE(ip_checksum_holds(frame));
      if (!udp_checksum_holds(frame)) {
        ++corrupted;
        continue;
      }
      behind += number_of(frame) < highest;
      highest = std::max(highest, number_of(frame));
      ++copies[number_of(frame)];
    }
    EXPECT_EQ(corrupted, said.ledger.corrupted);
    EXPECT_EQ(behind, said.ledger.reordered);

    std::uint64_t lost = 0;
    for (const lb_run& run : said.lost) {
      lost += run.count;
      for (std::uint64_t unit = run.first; unit < run.first + run.count; ++unit)
        EXPECT_FALSE(copies.contains(1 + unit)) << unit;
    }
    EXPECT_EQ(lost, said.ledger.dropped);
  }
  EXPECT_GT(result.lines[0].ledger.reordered, 0u);
  EXPECT_GT(result.lines[1].ledger.duplicated, 0u);
  EXPECT_GT(result.lines[1].ledger.corrupted, 0u);

  std::set<std::uint32_t> arrived;
  for (const Seen& frame : seen) arrived.insert(number_of(frame.bytes));
  for (const lb_run& run : lost_on_every_line(result.lines))
    for (std::uint64_t unit = run.first; unit < run.first + run.count; ++unit)
      EXPECT_FALSE(arrived.contains(static_cast<std::uint32_t>(1 + unit)));
}

TEST_F(FeederTest, DuplicatesAreTheSamePacketTwice) {
  FeederOptions options = two_lines();
  options.packets = 100;
  options.lines[1].impairment.duplicate = 1;
  Tap tap(2);
  run(options);
  std::vector<Bytes> twice = of_line(tap.take(), 1);
  ASSERT_EQ(twice.size(), 200u);
  for (std::size_t i = 0; i < 200; i += 2) EXPECT_EQ(twice[i], twice[i + 1]);
}

TEST_F(FeederTest, OneFlippedBitIsAllThatIsCorrupt) {
  FeederOptions options = two_lines();
  options.packets = 100;
  options.lines[1].impairment.corrupt = 1;
  Tap tap(2);
  run(options);
  std::vector<Seen> seen = tap.take();
  std::vector<Bytes> whole = of_line(seen, 0), corrupt = of_line(seen, 1);
  ASSERT_EQ(corrupt.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) {
    Bytes left = payload(whole[i]), right = payload(corrupt[i]);
    int bits = 0;
    for (std::size_t byte = 0; byte < left.size(); ++byte)
      bits += std::popcount(static_cast<unsigned>(left[byte] ^ right[byte]));
    EXPECT_EQ(bits, 1);
    EXPECT_FALSE(udp_checksum_holds(corrupt[i]));
  }
}

TEST_F(FeederTest, SkewShowsInTheOrderOfArrival) {
  constexpr std::size_t kPackets = 50;  // one block
  FeederOptions options = two_lines();
  options.packets = kPackets;
  options.lines[0].impairment.skew_ns = 50'000'000;
  Tap tap(2);
  FeederResult result = run(options);
  std::vector<Seen> seen = tap.take();
  ASSERT_EQ(seen.size(), 2 * kPackets);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].line, i < kPackets ? 1u : 0u);
  EXPECT_EQ(result.lines[0].ledger.delayed, kPackets);
  EXPECT_EQ(result.lines[1].ledger.delayed, 0u);
}

TEST_F(FeederTest, ReorderingSwapsNeighbours) {
  FeederOptions options = two_lines();
  options.packets = 6;
  options.lines[1].impairment.reorder = 1;
  Tap tap(2);
  run(options);
  std::vector<Seen> seen = tap.take();
  EXPECT_EQ(numbers(of_line(seen, 0)), (std::vector<std::uint32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(numbers(of_line(seen, 1)), (std::vector<std::uint32_t>{2, 1, 4, 3, 6, 5}));
}

TEST_F(FeederTest, PacketsAreStampedAtTheRate) {
  FeederOptions options = two_lines();
  options.packets = 20;
  options.rate = 400;
  Tap tap(2);
  run(options);
  std::vector<Bytes> frames = of_line(tap.take(), 0);
  ASSERT_EQ(frames.size(), 20u);
  for (std::size_t i = 0; i < frames.size(); ++i)
    EXPECT_EQ(stamp_of(frames[i]), stamp_of(frames[0]) + i * 2'500'000);
}

TEST_F(FeederTest, LinesMayPackTheSameMessagesDifferently) {
  FeederOptions options = two_lines("moldudp64");
  options.packets = 101;
  options.lines[0].messages_per_packet = 3;
  options.lines[1].messages_per_packet = 4;
  Tap tap(2);
  FeederResult result = run(options);
  std::vector<Seen> seen = tap.take();
  EXPECT_EQ(result.units, 303u);
  EXPECT_EQ(result.lines[0].sent, 101u);
  EXPECT_EQ(result.lines[1].sent, 76u);  // the last one carries three

  const lb_framing& framing = options.framing.descriptor;
  std::array<std::map<std::uint64_t, Bytes>, 2> messages;
  for (const Seen& frame : seen) {
    EXPECT_TRUE(udp_checksum_holds(frame.bytes));
    Bytes bytes = payload(frame.bytes);
    auto length = static_cast<lb_u32>(bytes.size());
    lb_datagram datagram{};
    ASSERT_EQ(lb_framing_decode(&framing, bytes.data(), bytes.data() + length, length, &datagram),
              LB_KIND_DATA);
    lb_u32 offset = framing.header_length;
    for (lb_u32 i = 0; i < datagram.count; ++i) {
      lb_u32 size = lb_message_length(&framing, bytes.data(), length, offset);
      Bytes expected(size);
      write_message(framing, datagram.first + i, expected);
      EXPECT_EQ(Bytes(&bytes[offset], &bytes[offset] + size), expected);
      messages[frame.line][datagram.first + i] = expected;
      offset += size;
    }
  }
  EXPECT_EQ(messages[0].size(), 303u);
  EXPECT_EQ(messages[0], messages[1]);
}

TEST_F(FeederTest, AUnicastDestinationGetsTheAddressItIsGiven) {
  FeederOptions options = two_lines();
  options.packets = 1;
  options.lines[0].destination = {test::address("10.1.2.3"), 7};
  options.lines[0].destination_mac = sys::MacAddress{2, 3, 4, 5, 6, 7};
  options.lines[1].destination = {test::address("10.1.2.3"), 7};
  Tap tap(2);
  run(options);
  std::vector<Seen> seen = tap.take();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(Bytes(&seen[0].bytes[0], &seen[0].bytes[6]), (Bytes{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(Bytes(&seen[1].bytes[0], &seen[1].bytes[6]), Bytes(6, 0xff));
}

TEST_F(FeederTest, ALineSendsFromTheFirstSourceOfItsDestination) {
  FeederOptions options = two_lines();
  options.packets = 1;
  options.lines[0].destination = {
      test::address("232.1.1.1"), 7, {test::address("10.1.1.1"), test::address("10.1.1.2")}};
  Tap tap(2);
  run(options);
  const std::vector<Seen> seen = tap.take();
  const auto source_on = [&](std::size_t line) {
    const Bytes bytes = of_line(seen, line).at(0);
    return lb_walk_source(bytes.data(), bytes.data() + bytes.size(), LB_ETHERNET_HEADER);
  };
  EXPECT_EQ(source_on(0), test::address("10.1.1.1"));
  EXPECT_EQ(source_on(1), feeder::kDefaultSource.address);
}

TEST_F(FeederTest, AnyDestinationIsTheDefaultGroup) {
  FeederOptions options = two_lines();
  options.packets = 1;
  options.lines[0].destination = {0, 5};
  Tap tap(2);
  run(options);
  lb_walk found = walk(of_line(tap.take(), 0).at(0));
  EXPECT_EQ(found.destination, test::address("239.192.30.1"));
  EXPECT_EQ(found.port, 5);
}

TEST_F(FeederTest, FewFramesAndFullRingsDelayButDoNotStall) {
  FeederOptions options = two_lines();
  options.packets = 10'000;
  options.frames = 64;
  options.batch = kBatchMax;
  options.lines[1].impairment.duplicate = 0.5;
  Tap tap(2);
  FeederResult result = run(options);
  EXPECT_EQ(tap.take().size(), result.lines[0].sent + result.lines[1].sent);
}

TEST_F(FeederTest, AFullDelayQueueMakesTheGeneratorWait) {
  FeederOptions options = two_lines();
  options.packets = 2'000;
  options.delay_queue = kDelayQueueMin;
  options.lines[1].impairment.skew_ns = 10'000'000;
  Tap tap(2);
  FeederResult result = run(options);
  EXPECT_GT(result.pauses, 0u);
  EXPECT_EQ(tap.take().size(), 4'000u);
}

TEST_F(FeederTest, StopEndsTheRunAndSendsWhatIsDelayed) {
  FeederOptions options = two_lines();
  options.rate = 10'000;
  options.lines[1].impairment = {.skew_ns = kDelayMaxNs, .reorder = 1, .reorder_depth = 8};
  Tap tap(2);
  Feeder feeder(options);
  std::jthread stopper([&feeder] {
    while (feeder.progress().sent[0] < 200) std::this_thread::yield();
    feeder.stop();
  });
  FeederResult result = run(feeder);
  EXPECT_GE(result.units, 200u);
  EXPECT_EQ(result.lines[1].sent, result.units);
  EXPECT_EQ(tap.take().size(), 2 * result.units);
}

/// The frames of a classic little-endian capture, read without the reader that the feeder uses.
std::vector<Bytes> frames_in(const std::filesystem::path& path) {
  constexpr std::size_t kFileHeader = 24, kRecordHeader = 16;
  std::ifstream file(path, std::ios::binary);
  const Bytes all{std::istreambuf_iterator<char>(file), {}};
  std::vector<Bytes> frames;
  for (std::size_t at = kFileHeader; at < all.size();) {
    std::size_t length = lb_load_u32_le(&all[at + 8]);
    at += kRecordHeader;
    frames.emplace_back(&all[at], &all[at] + length);
    at += length;
  }
  return frames;
}

TEST_F(FeederTest, ACaptureArrivesByteForByte) {
  const char* name = "bats/mcastpitch_realtime_useq.pcap";
  const auto path = test::find_capture(name);
  if (!path) GTEST_SKIP() << test::no_capture(name);
  FeederOptions options = two_lines("cboe-pitch");
  options.replay_path = *path;
  options.speed = 0;
  Tap tap(2);
  FeederResult result = run(options);
  std::vector<Seen> seen = tap.take();

  EXPECT_EQ(result.units, 739u);
  EXPECT_EQ(result.skipped, 0u);
  const std::vector<Bytes> recorded = frames_in(*path);
  EXPECT_EQ(recorded.size(), 739u);
  EXPECT_EQ(of_line(seen, 0), recorded);
  EXPECT_EQ(of_line(seen, 1), recorded);
}

TEST_F(FeederTest, ALongCaptureGoesThroughABoundedMemory) {
  constexpr std::uint32_t kPackets = kLookAhead + 4'000;
  const std::string path = testing::TempDir() + "linearb_long.pcap";
  capture::Writer writer(path);
  for (std::uint32_t i = 0; i < kPackets; ++i) {
    auto message = optiq_message(i, 0);
    writer.write(i, test::udp_packet().payload({message.begin(), message.end()}).build());
  }
  writer.close();
  FeederOptions options = two_lines();
  options.replay_path = path;
  options.speed = 0;
  options.lines[1].impairment = {.loss = 0.1, .reorder = 0.1, .reorder_depth = 9, .duplicate = 0.1};

  Tap tap(2);
  FeederResult result = run(options);
  std::filesystem::remove(path);
  std::vector<Seen> seen = tap.take();
  EXPECT_EQ(result.units, kPackets);
  std::vector<std::uint32_t> first = numbers(of_line(seen, 0));
  ASSERT_EQ(first.size(), kPackets);
  for (std::uint32_t i = 0; i < kPackets; ++i) EXPECT_EQ(first[i], i);
  EXPECT_EQ(of_line(seen, 1).size(), result.lines[1].sent);
}

TEST_F(FeederTest, RawDatagramsGoToTheGroupOfTheLine) {
  const char* name = "mold/mold.sample.dat";
  const auto path = test::find_capture(name);
  if (!path) GTEST_SKIP() << test::no_capture(name);
  FeederOptions options = two_lines("moldudp64");
  options.replay_path = *path;
  options.lines[1].destination = {test::address("239.192.30.9"), 30009};
  Tap tap(2);
  run(options);
  std::vector<Seen> seen = tap.take();
  std::vector<Bytes> left = of_line(seen, 0), right = of_line(seen, 1);
  ASSERT_EQ(left.size(), 3u);
  ASSERT_EQ(right.size(), 3u);
  Bytes back_to_back;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(udp_checksum_holds(right[i]));
    EXPECT_EQ(walk(right[i]).destination, test::address("239.192.30.9"));
    EXPECT_EQ(walk(right[i]).port, 30009);
    EXPECT_EQ(payload(left[i]), payload(right[i]));
    Bytes bytes = payload(left[i]);
    back_to_back.insert(back_to_back.end(), bytes.begin(), bytes.end());
  }
  EXPECT_EQ(back_to_back.size(), std::filesystem::file_size(*path));
}

TEST_F(FeederTest, AnInterfaceThatGoesDownEndsTheRunWithAWord) {
  FeederOptions options = two_lines();
  options.rate = 10'000;
  Feeder feeder(options);
  std::jthread breaker([&feeder] {
    while (feeder.progress().sent[1] < 50) std::this_thread::yield();
    sys::set_interface_up(lab::source_name('B'), false);
  });
  try {
    feeder.run();
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "line B: send on vethB_src: Network is down; see `ip link show vethB_src`");
  }
}

std::string refusal(const FeederOptions& options) {
  try {
    Feeder feeder(options);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST_F(FeederTest, RefusesWhatCannotBeBeforeAnythingIsSent) {
  struct Row {
    void (*change)(FeederOptions&);
    const char* refusal;
  };
  const Row rows[] = {
      {[](FeederOptions&) {}, "accepted"},
      {[](FeederOptions& o) { o.lines.clear(); }, "--line 0: accepted is 1 to 8 lines"},
      {[](FeederOptions& o) { o.lines.resize(9); }, "--line 9: accepted is 1 to 8 lines"},
      {[](FeederOptions& o) { o.batch = 0; }, "--batch 0: accepted is 1 to 1024 packets"},
      {[](FeederOptions& o) { o.frames = 100; },
       "--frames 100: accepted is a power of two from 64 to 65536"},
      {[](FeederOptions& o) { o.delay_queue = 128; },
       "--delay-queue 128: accepted is a power of two from 256 to 1048576"},
      {[](FeederOptions& o) { o.rate = -1; },
       "--rate -1: accepted is 0 to 1000000000 packets a second"},
      {[](FeederOptions& o) { o.speed = -2; },
       "--speed -2: accepted is 0, as fast as it goes, or a multiple of the recorded pace"},
      {[](FeederOptions& o) { o.lines[1].messages_per_packet = 0; },
       "--messages-per-packet 0: accepted is at least 1"},
      {[](FeederOptions& o) {
         o.replay_path = "a.pcap";
         o.lines[1].messages_per_packet = 2;
       },
       "--messages-per-packet 2: accepted is 1 when a capture is replayed: its packets are sent as "
       "they are"},
      {[](FeederOptions& o) { o.lines[0].impairment.loss = 2; },
       "loss is 2; accepted is a probability from 0 to 1"},
      {[](FeederOptions& o) {
         o.framing = config::builtin_framing("moldudp64");
         o.lines[1].messages_per_packet = 46;
       },
       "packets with 46 messages of 32 bytes have 1492 bytes of payload, and 1472 fit into a "
       "packet; ask for fewer or shorter messages"},
  };
  for (const Row& row : rows) {
    FeederOptions options = two_lines();
    row.change(options);
    EXPECT_EQ(refusal(options), row.refusal);
  }
}

TEST_F(FeederTest, RefusesAnInterfaceThatIsNotThere) {
  FeederOptions options = two_lines();
  options.lines[1].line.interface = "vethZ_src";
  EXPECT_NE(refusal(options).find("vethZ_src"), std::string::npos) << refusal(options);
}

class JumboFeederTest : public test::LabTest {
 protected:
  lab::LabOptions lab_options() const override { return {.mtu = 3'000}; }
};

TEST_F(JumboFeederTest, LargePacketsGetLargeFrames) {
  FeederOptions options = two_lines("moldudp64");
  options.packets = 10;
  options.messages.message_length = 1'400;
  for (FeederLine& line : options.lines) line.messages_per_packet = 2;
  Tap tap(2);
  run(options);
  std::vector<Seen> seen = tap.take();
  ASSERT_EQ(seen.size(), 20u);
  for (const Seen& frame : seen) {
    EXPECT_EQ(frame.bytes.size(), xsk::kHeaderLength + 20 + 2 * 1'400);
    EXPECT_TRUE(udp_checksum_holds(frame.bytes));
  }
}

}  // namespace
}  // namespace linearb::feeder
