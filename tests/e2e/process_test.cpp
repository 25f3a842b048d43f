// SPDX-License-Identifier: Apache-2.0
//
// The receiver as a process: stopped, killed, beside other traffic; and real captures through it.
#include <array>
#include <deque>
#include <filesystem>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "capture/raw_datagrams.h"
#include "capture/reader.h"
#include "e2e/arbitration.h"
#include "hook/attached.h"
#include "support/captures.h"
#include "support/packet.h"
#include "support/program.h"
#include "support/repackaged.h"
#include "support/tap.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

using Json = nlohmann::json;

class Process : public LabTest, public ::testing::WithParamInterface<const char*> {
 protected:
  std::string mode() const { return GetParam(); }
  std::string output_path(const char* name) const {
    return ::testing::TempDir() + "linearb-" + std::to_string(::getpid()) + "-" + name;
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, Process, ::testing::Values("native", "generic"),
                         [](const auto& test) { return std::string(test.param); });

std::size_t feed_packets_among(const std::vector<Seen>& seen, std::size_t line) {
  std::size_t packets = 0;
  for (const Seen& frame : seen) {
    lb_walk walk{};
    if (frame.line == line &&
        lb_walk_frame(frame.bytes.data(), frame.bytes.data() + frame.bytes.size(), &walk) ==
            LB_WALK_DATAGRAM &&
        walk.port == 30'001)
      ++packets;
  }
  return packets;
}

TEST_P(Process, AKilledReceiverLeavesTheFeedToTheKernelAndTheNextOneStartsAtOnce) {
  {
    Program receiver(LINEARB_PROGRAM, "receive --mode " + mode());
    ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
    Tap taken(2);
    feed(feed_on("AB", 1, 2'000));
    EXPECT_EQ(feed_packets_among(taken.take(), 0), 0u) << "the receiver's, not the kernel's";
    receiver.signal(SIGKILL);
    EXPECT_EQ(receiver.wait(), -SIGKILL);
  }
  {
    Tap kernel(2);
    feed(feed_on("AB", 2'001, 1'000));
    const auto seen = kernel.take();
    EXPECT_EQ(feed_packets_among(seen, 0), 1'000u);
    EXPECT_EQ(feed_packets_among(seen, 1), 1'000u);
  }
  Running running(ReceiverOptions{});
  feed(feed_on("AB", 3'001, 5'000));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.packets, 5'000u);
  EXPECT_EQ(summary.gap_messages, 0u);
  running.expect_once(1, 3'001, 5'000);
  EXPECT_EQ(summary.lines[0].mode, mode()) << "the hook that is attached keeps its mode";
}

TEST_P(Process, AStoppedProcessTakesFromBWhatItHadNoRoomForOnA) {
  Program receiver(LINEARB_PROGRAM, "receive --json --mode " + mode());
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  feed(feed_on("AB", 1, 1'000));
  receiver.signal(SIGSTOP);
  auto lines = feed_on("A", 1'001, 40'000);
  lines.rate = 0;
  feed(lines);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  receiver.signal(SIGCONT);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  feed(feed_on("B", 1'001, 40'000));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  EXPECT_EQ(summary["packets"], 41'000);
  EXPECT_EQ(summary["messages"], 41'000);
  EXPECT_EQ(summary["gap_messages"], 0);
  EXPECT_GT(summary["lines"][0]["no_credit"], 30'000);
}

/// As `receive | tee` with the reader gone.
TEST_P(Process, WhoReadsItsOutputMayEndFirst) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  ::fcntl(pipe[1], F_SETFD, 0);
  Program receiver(LINEARB_PROGRAM, "receive --mode " + mode() + " >&" + std::to_string(pipe[1]));
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  ::close(pipe[0]);
  ::close(pipe[1]);
  receiver.interrupt();
  receiver.wait();
  for (const char* interface : {"vethA_dst", "vethB_dst"})
    EXPECT_EQ(hook::attachment_of({interface, sys::interface_index(interface)}).program_id, 0u);
}

/// Several want the lines that one leaves: one gets them, and keeps the hook on all.
TEST_P(Process, OneOfSeveralTakesTheLinesOverWhole) {
  for (int round = 0; round < 5; ++round) {
    auto first = std::make_unique<Program>(LINEARB_PROGRAM, "receive --mode " + mode());
    ASSERT_TRUE(first->wait_until_receiving()) << first->errors();
    first->interrupt();
    std::deque<Program> others;
    for (int i = 0; i < 3; ++i) others.emplace_back(LINEARB_PROGRAM, "receive --mode " + mode());
    EXPECT_EQ(first->wait(), 0) << first->errors();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    for (Program& other : others) other.interrupt();
    for (Program& other : others) {
      other.wait();
      EXPECT_FALSE(contains(other.errors(), "lost its hook")) << other.errors();
      EXPECT_FALSE(contains(other.errors(), "another XDP program")) << other.errors();
    }
  }
}

TEST_P(Process, UnrelatedTrafficIsTheKernelsByteForByte) {
  Running running([] {
    ReceiverOptions options;
    options.mode = std::string_view(GetParam()) == "native" ? Mode::native : Mode::generic;
    return options;
  }());
  Tap kernel(2);
  Bytes payload(200, 0xa5);
  const std::vector<Bytes> frames = {
      udp_packet().to("239.192.30.1", 30'002).payload(payload).build(),
      udp_packet().to("198.18.0.9", 53).payload(payload).build(),
      udp_packet().to("239.192.30.1", 30'001).fragment(0x2000).payload(payload).build(),
      udp_packet().ethertype(0x0806).payload(payload).build(),
      udp_packet().ethertype(0x86dd).payload(payload).build(),
      udp_packet().protocol(1).to("239.192.30.1", 30'001).payload(payload).build(),
  };
  sys::Fd raw(::socket(AF_PACKET, SOCK_RAW, 0));
  for (const Bytes& frame : frames) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(sys::interface_index("vethA_src"));
    address.sll_halen = ETH_ALEN;
    ASSERT_EQ(::sendto(raw.get(), frame.data(), frame.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              static_cast<ssize_t>(frame.size()));
  }
  feed(feed_on("AB", 1, 500));
  std::vector<Bytes> seen;
  for (Seen& frame : kernel.take())
    if (frame.line == 0) seen.push_back(std::move(frame.bytes));
  EXPECT_EQ(seen, frames);
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].not_feed, frames.size());
  EXPECT_EQ(summary.packets, 500u);
}

TEST_P(Process, PingGoesThroughBesideTheFeed) {
  if (std::system("command -v ping >/dev/null") != 0) GTEST_SKIP() << "needs ping";
  // The source end moves into a network of its own, so that the two ends are two hosts.
  Program host("unshare", "-n sleep 60");
  const std::string its_network = "/proc/" + std::to_string(host.pid()) + "/ns/net";
  ASSERT_TRUE(wait_until([&] {
    return std::filesystem::read_symlink(its_network) !=
           std::filesystem::read_symlink("/proc/self/ns/net");
  }));
  ASSERT_EQ(std::system(("ip link set vethA_src netns " + std::to_string(host.pid())).c_str()), 0);
  const std::string there = "nsenter -t " + std::to_string(host.pid()) + " -n ";
  ASSERT_EQ(std::system((there + "ip addr add 198.18.1.1/24 dev vethA_src").c_str()), 0);
  ASSERT_EQ(std::system((there + "ip link set vethA_src up").c_str()), 0);
  ASSERT_EQ(std::system("ip addr add 198.18.1.2/24 dev vethA_dst"), 0);
  Program receiver(LINEARB_PROGRAM, "receive --line A=vethA_dst --json --mode " + mode());
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  EXPECT_EQ(std::system((there + "ping -q -c 5 -i 0.05 -W 5 198.18.1.2 >/dev/null").c_str()), 0);
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  EXPECT_GE(summary["lines"][0]["not_feed"], 5);
}

/// The messages in the datagrams of a capture, by number.
std::map<std::uint64_t, Bytes> messages_in(const std::string& path, const lb_framing& framing,
                                           std::uint64_t* twice = nullptr) {
  std::map<std::uint64_t, Bytes> messages;
  capture::Reader reader(path);
  while (const auto record = reader.next()) {
    lb_walk walk{};
    lb_datagram datagram{};
    const std::uint8_t* data = record->bytes.data();
    if (lb_walk_frame(data, data + record->bytes.size(), &walk) != LB_WALK_DATAGRAM) continue;
    const std::uint8_t* payload = data + walk.payload_offset;
    if (lb_framing_decode(&framing, payload, payload + walk.payload_length, walk.payload_length,
                          &datagram) != LB_KIND_DATA)
      continue;
    std::uint32_t offset = framing.header_length;
    for (std::uint32_t i = 0; i < datagram.count; ++i) {
      const std::uint32_t length =
          lb_message_length(&framing, payload, walk.payload_length, offset);
      const bool is_new =
          messages.emplace(datagram.first + i, Bytes(payload + offset, payload + offset + length))
              .second;
      if (!is_new && twice) ++*twice;
      offset += length;
    }
  }
  return messages;
}

TEST_P(Process, TheCboeCaptureOnTwoLinesComesOutOnceByteForByte) {
  const auto capture = find_capture("bats/mcastpitch_realtime_useq.pcap");
  if (!capture) GTEST_SKIP() << no_capture("bats/mcastpitch_realtime_useq.pcap");
  const std::string written = output_path("cboe.pcap");
  Program receiver(LINEARB_PROGRAM, "receive --json --channel pitch=cboe-pitch@any:32001 --write " +
                                        written + " --mode " + mode());
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  // Seed and rates lose packets with data on each line, and none on both.
  Program feeder(
      LINEARB_PROGRAM,
      "feed --json --speed max --loss 3% --skew B=2ms --seed 5 --replay " + capture->string());
  EXPECT_EQ(feeder.wait(), 0) << feeder.errors();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();

  const Json summary = Json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  EXPECT_EQ(summary["messages"], 40);
  EXPECT_EQ(summary["gap_messages"], 2);
  EXPECT_EQ(summary["gaps"],
            Json::parse(R"([{"channel":"pitch/1","epoch":1,"first":1,"count":2}])"));
  const Json fed = Json::parse(feeder.output());
  for (int line = 0; line < 2; ++line) {
    const Json& counts = summary["lines"][line];
    EXPECT_EQ(counts["packets"], fed["lines"][line]["sent"]);
    EXPECT_EQ(counts["malformed"], 0);
    EXPECT_EQ(counts["unsequenced"], 0);
    EXPECT_GT(fed["lines"][line]["dropped"], 0);
    // 739 datagrams: 720 heartbeats, 19 packets with data. What was not lost is one or the other.
    EXPECT_EQ(
        counts["control"].get<int>() + counts["won"].get<int>() + counts["duplicate"].get<int>(),
        fed["lines"][line]["sent"].get<int>());
  }
  const lb_framing pitch = config::builtin_framing("cboe-pitch").descriptor;
  std::uint64_t twice = 0;
  EXPECT_EQ(messages_in(written, pitch, &twice), messages_in(capture->string(), pitch));
  EXPECT_EQ(twice, 0u);
  std::filesystem::remove(written);
}

TEST_P(Process, EveryHeartbeatOfTheCboeCaptureIsControl) {
  const auto capture = find_capture("bats/mcastpitch_realtime_useq.pcap");
  if (!capture) GTEST_SKIP() << no_capture("bats/mcastpitch_realtime_useq.pcap");
  Program receiver(LINEARB_PROGRAM,
                   "receive --json --channel pitch=cboe-pitch@any:32001 --mode " + mode());
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  Program feeder(LINEARB_PROGRAM, "feed --speed max --replay " + capture->string());
  EXPECT_EQ(feeder.wait(), 0) << feeder.errors();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  for (int line = 0; line < 2; ++line) {
    EXPECT_EQ(summary["lines"][line]["packets"], 739);
    EXPECT_EQ(summary["lines"][line]["control"], 720);
  }
  EXPECT_EQ(summary["packets"], 19);
  EXPECT_EQ(summary["messages"], 40);
}

TEST_P(Process, TheMoldSampleIsFortyOneMessages) {
  const auto capture = find_capture("mold/mold.sample.dat");
  if (!capture) GTEST_SKIP() << no_capture("mold/mold.sample.dat");
  const std::string channel = " --channel itch=moldudp64@239.192.30.1:26400 ";
  const std::string written = output_path("mold.pcap");
  Program receiver(LINEARB_PROGRAM,
                   "receive --json" + channel + "--write " + written + " --mode " + mode());
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  Program feeder(LINEARB_PROGRAM, "feed --skew B=1ms" + channel + "--replay " + capture->string());
  EXPECT_EQ(feeder.wait(), 0) << feeder.errors();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  EXPECT_EQ(summary["messages"], 41);
  EXPECT_EQ(summary["gap_messages"], 0);
  std::filesystem::remove(written);
}

std::uint64_t numbers_in(const Json& gaps, std::set<std::uint64_t>& numbers) {
  for (const Json& gap : gaps)
    for (std::uint64_t i = 0; i < gap["count"].get<std::uint64_t>(); ++i)
      numbers.insert(gap["first"].get<std::uint64_t>() + i);
  return numbers.size();
}

/// A as it was recorded, B with the messages in other packets, and losses on both.
TEST_P(Process, RepackagedCapturesComeOutMessageForMessage) {
  for (const RealCapture& row : kRealCaptures) {
    const auto capture = find_capture(row.file);
    if (!capture) GTEST_SKIP() << no_capture(row.file);
    const lb_framing framing = config::builtin_framing(row.framing).descriptor;
    const std::vector<RecordedFrame> frames = read_frames(row, *capture, framing);
    for (const auto& [order, seed] : {std::pair("arrival", 3), std::pair("sequence", 4)}) {
      SCOPED_TRACE(std::string(row.name) + ", order " + order);
      const RepackagedLines lines = repackaged_lines(frames, framing, seed);
      const std::string a = write_frames(output_path("a.pcap"), lines.a);
      const std::string b = write_frames(output_path("b.pcap"), lines.b);
      const std::string written = output_path("both.pcap");
      Program receiver(LINEARB_PROGRAM,
                       "receive --json --channel feed=" + std::string(row.framing) +
                           "@any:" + std::to_string(row.port) + " --order " + order + " --write " +
                           written + " --mode " + mode());
      ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
      const std::string replay = "feed --speed max --replay ";
      Program feeder_a(LINEARB_PROGRAM, replay + a + " --line A=" + lab::source_name('A'));
      Program feeder_b(LINEARB_PROGRAM, replay + b + " --line B=" + lab::source_name('B'));
      EXPECT_EQ(feeder_a.wait(), 0) << feeder_a.errors();
      EXPECT_EQ(feeder_b.wait(), 0) << feeder_b.errors();
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      receiver.interrupt();
      EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
      const Json summary = Json::parse(receiver.output());
      EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
      EXPECT_EQ(summary["messages"], lines.messages.size());
      std::set<std::uint64_t> missing;
      EXPECT_EQ(summary["gap_messages"], numbers_in(summary["gaps"], missing));
      EXPECT_EQ(missing, lines.missing);
      const std::vector<RecordedFrame> delivered = read_frames(written, framing);
      EXPECT_EQ(messages_of(framing, delivered), lines.messages);
      // The last message of the Mold sample is cut off: where its packet comes second, nobody can
      // trim it.
      EXPECT_LE(summary["untrimmed"], row.is_raw ? 1 : 0);
      if (summary["untrimmed"] == 0) {
        EXPECT_EQ(count_messages(delivered), lines.messages.size()) << "once each";
      }
      for (const std::string& path : {a, b, written}) std::filesystem::remove(path);
    }
  }
}

TEST_P(Process, OverlapsAreWrittenTrimmedToTheMessage) {
  const std::string written = output_path("trimmed.pcap");
  Program receiver(LINEARB_PROGRAM, "receive --json --channel itch=moldudp64@any:30001 --write " +
                                        written + " --mode " + mode());
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  auto lines = feed_on("AB", 1, 5'000, "moldudp64");
  lines.lines[0].messages_per_packet = 3;
  lines.lines[1].messages_per_packet = 4;
  for (auto& line : lines.lines) line.impairment.loss = 0.05;
  const feeder::FeederResult fed = feed(lines);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
  const Json summary = Json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  EXPECT_EQ(summary["untrimmed"], 0);

  const lb_framing mold = config::builtin_framing("moldudp64").descriptor;
  std::uint64_t twice = 0;
  const auto messages = messages_in(written, mold, &twice);
  EXPECT_EQ(twice, 0u) << "a message that was delivered once is in the file twice";
  EXPECT_EQ(messages.size(), summary["messages"].get<std::size_t>());
  EXPECT_EQ(messages.size() + summary["gap_messages"].get<std::size_t>(), fed.units);
  for (const auto& [number, message] : messages) {
    Bytes sent(message.size());
    feeder::write_message(mold, number, sent);
    ASSERT_EQ(message, sent) << number;
  }
  std::filesystem::remove(written);
}

}  // namespace
}  // namespace linearb::test
