// SPDX-License-Identifier: Apache-2.0
#include "feeder/replay.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "capture/writer.h"
#include "config/framing_file.h"
#include "linearb/error.h"
#include "support/captures.h"
#include "support/packet.h"

namespace linearb::feeder {
namespace {

using test::Bytes;
using test::udp_packet;

constexpr std::uint32_t kFrameSize = 2048;
constexpr std::uint32_t kMtu = 1500;

/// A file that is removed with the test.
class ReplayTest : public testing::Test {
 protected:
  ReplayTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path_ = testing::TempDir() + "linearb_replay_" + info->name() + ".pcap";
  }
  ~ReplayTest() override { std::filesystem::remove(path_); }

  struct Packet {
    std::uint64_t timestamp_ns;
    Bytes bytes;
  };
  void write_capture(const std::vector<Packet>& packets) {
    capture::Writer writer(path_);
    for (const Packet& packet : packets) writer.write(packet.timestamp_ns, packet.bytes);
    writer.close();
  }
  void write_bytes(const Bytes& bytes) {
    std::ofstream file(path_, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

  Replay replay(ReplayOptions options = {}, const char* framing = "moldudp64",
                std::size_t lines = 1) {
    options.path = path_;
    return {options, config::builtin_framing(framing).descriptor, kFrameSize, kMtu,
            std::vector<xsk::PacketHeader>(lines, xsk::PacketHeader(xsk::PacketAddresses{}))};
  }

  std::string refusal() {
    try {
      replay();
    } catch (const UsageError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::string path_;
};

Bytes packet(std::uint8_t mark) {
  return udp_packet().payload({mark, 2, 3}).build();
}

Bytes written(const Replay& replay, std::uint64_t unit) {
  Bytes frame(kFrameSize);
  frame.resize(replay.write(0, {unit, 1}, 0, frame.data()));
  return frame;
}

/// Base times of all units, each taken when it is due.
std::vector<std::uint64_t> base_times(Replay& replay, std::uint64_t start_ns) {
  std::vector<std::uint64_t> times;
  replay.start({start_ns, 0});
  for (std::uint64_t due_ns; (due_ns = replay.due_ns()) != kNever;) {
    times.push_back(replay.take(due_ns));
    replay.release({times.size() - 1, 1});
  }
  EXPECT_TRUE(replay.finished());
  return times;
}

TEST_F(ReplayTest, SendsWhatTheCaptureHolds) {
  Bytes tagged = udp_packet().vlan(7).payload({9, 9}).padding(5).build();
  write_capture({{10, packet(1)}, {20, tagged}});
  Replay two = replay();
  two.start({0, 0});
  for (int unit = 0; unit < 2; ++unit) {
    ASSERT_NE(two.due_ns(), kNever);
    two.take(0);
  }
  EXPECT_EQ(written(two, 0), packet(1));
  EXPECT_EQ(written(two, 1), tagged);
  EXPECT_EQ(two.payload_offset({1, 1}), 46u);
  EXPECT_EQ(two.payload_length({1, 1}), 2u);
}

TEST_F(ReplayTest, KeepsThePaceOfTheCapture) {
  write_capture({{1'000, packet(1)}, {1'500, packet(2)}, {1'300, packet(3)}, {3'000, packet(4)}});
  const std::vector<std::uint64_t> recorded{100, 600, 600, 2'100};
  const std::vector<std::uint64_t> twice{100, 350, 350, 1'100};
  const std::vector<std::uint64_t> even{100, 1'100, 2'100, 3'100};
  Replay at_its_pace = replay();
  EXPECT_EQ(base_times(at_its_pace, 100), recorded);
  Replay at_twice = replay({.path = {}, .speed = 2});
  EXPECT_EQ(base_times(at_twice, 100), twice);
  Replay at_a_rate = replay({.path = {}, .units_per_second = 1e6});
  EXPECT_EQ(base_times(at_a_rate, 100), even);
}

TEST_F(ReplayTest, FlatOutIsDueAtOnce) {
  write_capture({{1'000, packet(1)}, {5'000, packet(2)}});
  Replay flat_out = replay({.path = {}, .speed = 0});
  flat_out.start({100, 0});
  EXPECT_EQ(flat_out.due_ns(), 100u);
  EXPECT_EQ(flat_out.take(150), 150u);
  EXPECT_EQ(flat_out.due_ns(), 100u);
  EXPECT_EQ(flat_out.take(160), 160u);
  EXPECT_EQ(flat_out.due_ns(), kNever);
  EXPECT_TRUE(flat_out.finished());
}

TEST_F(ReplayTest, SkipsAndCountsWhatIsNoDatagram) {
  Bytes arp = udp_packet().ethertype(0x0806).build();
  Bytes fragment = udp_packet().fragment(0x2000).payload({1}).build();
  Bytes cut = udp_packet().payload(Bytes(100)).build();
  cut.resize(60);
  write_capture({{1, arp}, {2, packet(7)}, {3, fragment}, {4, cut}});
  Replay one = replay();
  EXPECT_EQ(one.skipped(), 3u);
  EXPECT_EQ(base_times(one, 0).size(), 1u);
}

TEST_F(ReplayTest, EndsAfterSoManyDatagrams) {
  write_capture({{1, packet(1)}, {2, packet(2)}, {3, packet(3)}});
  Replay two = replay({.path = {}, .units = 2});
  EXPECT_EQ(base_times(two, 0).size(), 2u);
}

TEST_F(ReplayTest, RawDatagramsGetTheHeadersOfTheLine) {
  Bytes payload(20 + 2 + 3);  // session of zeros, number 0, one message of three bytes
  payload[19] = 1;
  payload[21] = 3;
  Bytes both = payload;
  both.insert(both.end(), payload.begin(), payload.end());
  write_bytes(both);

  Replay raw = replay({.path = {}, .units_per_second = 1000});
  EXPECT_EQ(base_times(raw, 0), (std::vector<std::uint64_t>{0, 1'000'000}));
  Bytes expected(xsk::kHeaderLength);
  expected.insert(expected.end(), payload.begin(), payload.end());
  xsk::PacketHeader(xsk::PacketAddresses{})
      .write(expected.data(), static_cast<std::uint32_t>(payload.size()));
  EXPECT_EQ(written(raw, 1), expected);
  EXPECT_EQ(raw.payload_offset({1, 1}), xsk::kHeaderLength);
  EXPECT_EQ(raw.payload_length({1, 1}), payload.size());

  Replay without_times = replay();
  without_times.start({100, 0});
  EXPECT_EQ(without_times.due_ns(), 100u);
  EXPECT_EQ(without_times.take(170), 170u);
}

TEST_F(ReplayTest, WaitsWhileALineNeedsWhatIsInMemory) {
  std::vector<Packet> packets(kLookAhead + 1, Packet{1, packet(1)});
  write_capture(packets);
  Replay both = replay({.path = {}, .speed = 0}, "moldudp64", 2);
  both.start({0, 0});
  for (std::size_t unit = 0; unit < kLookAhead; ++unit) {
    ASSERT_EQ(both.due_ns(), 0u);
    both.take(0);
  }
  EXPECT_EQ(both.due_ns(), kNever);
  EXPECT_FALSE(both.finished());
  both.release({0, 1});
  EXPECT_EQ(both.due_ns(), kNever);
  both.release({0, 1});
  EXPECT_EQ(both.due_ns(), 0u);
  both.take(0);
  both.release({1, 1});
  both.release({1, 1});
  EXPECT_EQ(both.due_ns(), kNever);
  EXPECT_TRUE(both.finished());
}

TEST_F(ReplayTest, RefusesWhatDoesNotFitBeforeAnythingIsSent) {
  write_capture({{1, packet(1)}, {2, udp_packet().payload(Bytes(1472)).build()}});
  EXPECT_EQ(refusal(), "accepted");
  write_capture({{1, udp_packet().vlan(3).payload(Bytes(1472)).build()}});
  EXPECT_EQ(refusal(), "accepted");
  write_capture({{1, packet(1)}, {2, udp_packet().payload(Bytes(1473)).build()}});
  EXPECT_EQ(refusal(), path_ +
                           ": datagram 2 is a packet of 1515 bytes, and 1514 fit (frames have 2048 "
                           "bytes, the interface has an MTU of 1500); nothing was sent");
  Bytes mold(1473);
  mold[19] = 1;
  mold[20] = static_cast<std::uint8_t>((1473 - 22) >> 8);
  mold[21] = static_cast<std::uint8_t>(1473 - 22);
  write_bytes(mold);
  EXPECT_EQ(refusal(), path_ +
                           ": datagram 1 is a packet of 1515 bytes, and 1514 fit (frames have 2048 "
                           "bytes, the interface has an MTU of 1500); nothing was sent");
}

TEST_F(ReplayTest, RefusesFilesWithoutDatagrams) {
  write_capture({{1, udp_packet().ethertype(0x86dd).build()}});
  EXPECT_EQ(refusal(), path_ + ": there is no UDP datagram in it, and 1 other records");
  write_bytes({});
  EXPECT_EQ(refusal(), path_ + ": there is no UDP datagram in it, and 0 other records");
}

TEST_F(ReplayTest, RefusesDamagedFiles) {
  write_capture({{1, packet(1)}, {2, packet(2)}});
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_NE(refusal().find("record 2"), std::string::npos) << refusal();
  std::filesystem::remove(path_);
  EXPECT_NE(refusal().find(path_), std::string::npos);
}

TEST(Replay, ReadsTheCaptureOfAnExchange) {
  const char* name = "bats/mcastpitch_realtime_useq.pcap";
  const auto path = test::find_capture(name);
  if (!path) GTEST_SKIP() << test::no_capture(name);
  Replay replay({.path = *path}, config::builtin_framing("cboe-pitch").descriptor, kFrameSize, kMtu,
                {xsk::PacketHeader(xsk::PacketAddresses{})});
  std::vector<std::uint64_t> times = base_times(replay, 0);
  EXPECT_EQ(times.size(), 739u);
  EXPECT_EQ(times.back() / 1'000'000'000, 405u);
  EXPECT_EQ(replay.skipped(), 0u);
}

TEST(Replay, ReadsRawDatagrams) {
  const char* name = "mold/mold.sample.dat";
  const auto path = test::find_capture(name);
  if (!path) GTEST_SKIP() << test::no_capture(name);
  Replay replay({.path = *path}, config::builtin_framing("moldudp64").descriptor, kFrameSize, kMtu,
                {xsk::PacketHeader(xsk::PacketAddresses{})});
  replay.start({0, 0});
  for (int unit = 0; unit < 3; ++unit) {
    ASSERT_NE(replay.due_ns(), kNever);
    replay.take(0);
  }
  EXPECT_EQ(replay.due_ns(), kNever);
}

}  // namespace
}  // namespace linearb::feeder
