// SPDX-License-Identifier: Apache-2.0
//
// A feed that no built-in framing knows, by a framing file of the user's own: from the start, and
// by a reload. What is sent is put together here, byte by byte.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include <nlohmann/json.hpp>

#include "e2e/arbitration.h"
#include "support/packet.h"
#include "support/raw_line.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 30'701;

/// Its number has 5 bytes, and stands in the other byte order than its session; a heartbeat looks
/// like a packet of one message.
constexpr const char* kHouseFeed = R"(# The feed of the house.
name = "house"
title = "The feed of the house"
source = "tests/e2e/framing_file_test.cpp"
endian = "little"
header_length = 11

[[guard]]
offset = 0
width = 1
value = 0xA7

[session]
offset = 2
width = 2
order = "rising"

[count]
offset = 4
width = 1

[sequence]
offset = 5
width = 5
endian = "big"

[message]
smallest = 3
length = { offset = 1, width = 2, extra = 3, endian = "big" }

[[kind]]
is = "heartbeat"
offset = 1
width = 1
value = 0x48  # "H"
number = "next"

[[kind]]
is = "reset"
offset = 1
width = 1
value = 0x52  # "R"
number = "next"
)";

/// What the file says, in bytes.
class House {
 public:
  explicit House(std::uint16_t port = kPort) : port_(port) {}

  static Bytes message(std::uint64_t number) {
    Bytes message = {'m', 0, static_cast<std::uint8_t>(4 + number % 9)};
    while (message.size() < 3u + message[2])
      message.push_back(static_cast<std::uint8_t>(number >> 8 * (message.size() % 4)));
    return message;
  }
  Bytes data(std::uint64_t first, std::uint8_t count) const {
    Bytes payload = header('D', first, count);
    for (std::uint64_t number = first; number < first + count; ++number) {
      const Bytes next = message(number);
      payload.insert(payload.end(), next.begin(), next.end());
    }
    return packet(std::move(payload));
  }
  Bytes heartbeat(std::uint64_t next) const {
    Bytes payload = header('H', next, 1);
    payload.insert(payload.end(), {'h', 0, 0});
    return packet(std::move(payload));
  }
  Bytes reset(std::uint64_t next) const { return packet(header('R', next, 0)); }
  /// From here on.
  void open_session(std::uint8_t session) { session_ = session; }
  void begin_with(std::uint8_t byte) { begins_with_ = byte; }

 private:
  Bytes header(char kind, std::uint64_t number, std::uint8_t count) const {
    Bytes bytes = {begins_with_, static_cast<std::uint8_t>(kind), session_, 0x01, count};
    for (int shift = 32; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(number >> shift));
    bytes.push_back(0xff);  // of no meaning
    return bytes;
  }
  Bytes packet(Bytes payload) const {
    return udp_packet().to("239.192.30.7", port_).payload(std::move(payload)).build();
  }

  std::uint16_t port_;
  std::uint8_t session_ = 1;
  std::uint8_t begins_with_ = 0xa7;
};

/// A receiver on a thread, and how often each message of a channel came out of it as it was sent.
class HouseReceiver {
 public:
  explicit HouseReceiver(const ReceiverOptions& options)
      : receiver_(options, [this](const Delivery& delivery) { take(delivery); }),
        result_(std::async(std::launch::async, [this] { return receiver_.run(); })) {}
  ~HouseReceiver() { receiver_.stop(); }

  Receiver& receiver() { return receiver_; }
  void wait_for_packets(std::uint64_t packets) const {
    const auto seen = [&] {
      std::uint64_t all = 0;
      for (const auto& line : receiver_.progress().lines) all += line.packets;
      return all;
    };
    EXPECT_TRUE(wait_until([&] { return seen() >= packets; })) << seen() << " of " << packets;
  }
  Summary end() {
    receiver_.stop();
    return result_.get();
  }
  /// By epochs: "1: 1-49 51-60".
  std::string delivered_of(std::uint32_t channel) const {
    std::string text;
    const auto found = delivered_.find(channel);
    if (found == delivered_.end()) return text;
    for (const auto& [epoch, numbers] : found->second) {
      text += (text.empty() ? "" : "; ") + std::to_string(epoch) + ":";
      for (auto at = numbers.begin(); at != numbers.end();) {
        const auto [first, times] = *at;
        std::uint64_t last = first;
        while (++at != numbers.end() && at->first == last + 1 && at->second == times) ++last;
        text += " " + std::to_string(first) + "-" + std::to_string(last);
        if (times != 1) text += " (" + std::to_string(times) + " times)";
      }
    }
    return text;
  }
  std::uint64_t wrong_bytes() const { return wrong_bytes_; }

 private:
  void take(const Delivery& delivery) {
    for (const Run& run : delivery.news)
      for (std::uint64_t number = run.first; number < run.first + run.count; ++number) {
        ++delivered_[delivery.channel][delivery.epoch][number];
        if (!has(delivery, number)) ++wrong_bytes_;
      }
  }
  /// In the place where its packet had it.
  static bool has(const Delivery& delivery, std::uint64_t number) {
    constexpr std::size_t kHeader = 11;
    std::size_t offset = kHeader;
    for (std::uint64_t before = delivery.range.first; before < number; ++before)
      offset += House::message(before).size();
    const Bytes sent = House::message(number);
    return delivery.payload.size() >= offset + sent.size() &&
           std::ranges::equal(delivery.payload.subspan(offset, sent.size()), sent);
  }

  std::map<std::uint32_t, std::map<std::uint64_t, std::map<std::uint64_t, int>>> delivered_;
  std::uint64_t wrong_bytes_ = 0;
  Receiver receiver_;
  std::future<Summary> result_;  ///< last: its thread uses all of the above
};

/// A folder with the framing, and the two lines.
class FramingFile : public BothModes {
 protected:
  void SetUp() override {
    BothModes::SetUp();
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ + "/house.toml") << kHouseFeed;
    a_.emplace("vethA_src");
    b_.emplace("vethB_src");
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    BothModes::TearDown();
  }

  Channel house_channel(const std::string& name, std::uint16_t port = kPort) const {
    return {name, folder_ + "/house.toml", {0, port}, {}};
  }
  ReceiverOptions with(std::vector<Channel> channels) const {
    ReceiverOptions options = BothModes::options();
    options.channels = std::move(channels);
    return options;
  }

  void send(const RawLine& line, const Bytes& packet) {
    line.send(packet);
    ++sent_;
  }
  void send_both(const Bytes& packet) {
    send(*a_, packet);
    send(*b_, packet);
  }
  /// Until the hook judges what comes: [first, first + 6).
  void open(const HouseReceiver& receiver, const House& house, std::uint64_t first) {
    for (std::uint64_t number = first; number < first + 6; number += 2) {
      send_both(house.data(number, 2));
      receiver.wait_for_packets(sent_);
      std::this_thread::sleep_for(150ms);  // a grace period, and more
    }
  }
  /// [first, first + 60): each line loses some of its packets, and what A puts into packets of
  /// three B has in packets of two. No line has [first + 30, first + 36).
  void send_lossy(const House& house, std::uint64_t first) {
    for (std::uint64_t i = 0; i < 60; i += 6) {
      if (i == 30) continue;
      if (i % 18 != 0) send(*a_, house.data(first + i, 3));
      send(*a_, house.data(first + i + 3, 3));
      send(*b_, house.data(first + i, 2));
      if (i % 18 == 0) send(*b_, house.data(first + i + 2, 2));
      send(*b_, house.data(first + i + 4, 2));
    }
  }

  std::string folder_ = ::testing::TempDir() + "linearb-framing-" + std::to_string(::getpid());
  std::optional<RawLine> a_, b_;
  std::uint64_t sent_ = 0;
};

TEST_P(FramingFile, OfTheUsersOwnIsArbitratedByHookAndSequencer) {
  HouseReceiver receiver(with({house_channel("house")}));
  House house;
  open(receiver, house, 1);
  const std::uint64_t opening = sent_;
  for (std::uint64_t first = 7; first < 607; first += 60) {
    send_lossy(house, first);
    receiver.wait_for_packets(sent_);
  }
  send_both(house.heartbeat(609));  // 607 and 608 are lost, and that is all that is known of them
  receiver.wait_for_packets(sent_);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(receiver.wrong_bytes(), 0u);
  std::string delivered = "1: 1-36";
  for (std::uint64_t first = 43; first < 583; first += 60)
    delivered += " " + std::to_string(first) + "-" + std::to_string(first + 53);
  EXPECT_EQ(receiver.delivered_of(0), delivered + " 583-606");
  EXPECT_EQ(summary.messages, 606u - 60);
  EXPECT_EQ(summary.gap_messages, 60u + 2);
  EXPECT_EQ(summary.gaps->back().first, 607u);
  EXPECT_EQ(sum(summary, &LineSummary::control), 2u);
  EXPECT_EQ(sum(summary, &LineSummary::malformed), 0u);
  EXPECT_LT(sum(summary, &LineSummary::passed_up), opening + sent_ / 2) << "the hook knows it, too";
}

TEST_P(FramingFile, SaysWhereItsNumbersBeginAnew) {
  HouseReceiver receiver(with({house_channel("house")}));
  House house;
  open(receiver, house, 500);
  send_both(house.reset(1));
  open(receiver, house, 1);
  house.open_session(2);
  send_both(house.heartbeat(1));
  open(receiver, house, 1);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(receiver.wrong_bytes(), 0u);
  EXPECT_EQ(receiver.delivered_of(0), "1: 500-505; 2: 1-6; 3: 1-6");
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(sum(summary, &LineSummary::control), 4u);
}

TEST_P(FramingFile, WhatIsNotOfItIsTheKernels) {
  HouseReceiver receiver(with({house_channel("house")}));
  House house;
  open(receiver, house, 1);
  send_both(udp_packet().to("239.192.30.7", kPort).payload({1, 2, 3}).build());
  send_both(house.data(7, 1));
  receiver.wait_for_packets(sent_);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(receiver.delivered_of(0), "1: 1-7");
  EXPECT_EQ(sum(summary, &LineSummary::malformed), 2u);
}

TEST_P(FramingFile, AChannelOfItIsAddedByAReload) {
  const Channel other = {"other", "optiq", {0, 30'001}, {}};
  HouseReceiver receiver(with({other}));
  House house;
  for (const auto& line : {&*a_, &*b_}) line->send(house.data(1, 1));  // nobody's
  const Reloaded reloaded = receiver.receiver().reload(with({other, house_channel("house")}));
  EXPECT_EQ(reloaded.added, std::vector<std::string>{"house"});
  open(receiver, house, 101);
  send_lossy(house, 107);
  receiver.wait_for_packets(sent_);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(receiver.wrong_bytes(), 0u);
  EXPECT_EQ(receiver.delivered_of(1), "1: 101-136 143-166");
  EXPECT_EQ(summary.gap_messages, 6u);
  EXPECT_EQ(sum(summary, &LineSummary::not_feed), 2u) << "before it came";
}

TEST_P(FramingFile, ThatWasChangedMakesItAnotherChannelAtTheNextReload) {
  HouseReceiver receiver(with({house_channel("house")}));
  House house;
  open(receiver, house, 1);
  std::string changed = kHouseFeed;
  changed.replace(changed.find("0xA7"), 4, "0xB7");
  std::ofstream(folder_ + "/house.toml") << changed;
  const Reloaded reloaded = receiver.receiver().reload(with({house_channel("house")}));
  EXPECT_EQ(reloaded.removed, std::vector<std::string>{"house"});
  EXPECT_EQ(reloaded.added, std::vector<std::string>{"house"});
  send_both(house.data(7, 1));
  house.begin_with(0xb7);
  open(receiver, house, 1);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(receiver.delivered_of(0), "1: 1-6");
  EXPECT_EQ(receiver.delivered_of(1), "1: 1-6");
  EXPECT_EQ(sum(summary, &LineSummary::malformed), 2u) << "as it was before";
}

/// The program, with a configuration file that names the framing as one beside it.
TEST_P(FramingFile, AChannelOfItIsAddedBySighup) {
  const std::string path = folder_ + "/site.toml";
  const std::string other = "[channels.other]\nframing = \"optiq\"\ndestination = \"any:30001\"\n";
  std::ofstream(path) << other;
  const char* mode = GetParam() == Mode::native ? "native" : "generic";
  Program receiver(LINEARB_PROGRAM,
                   std::string("receive --json --mode ") + mode + " --config " + path);
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  std::ofstream(path)
      << other << "[channels.house]\nframing = \"house.toml\"\ndestination = \"any:30701\"\n";
  receiver.signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] {
    return contains(receiver.errors(), "1 channel added (house), 0 removed, 1 unchanged");
  })) << receiver.errors();
  send_lossy(House(), 1);
  send_both(House().heartbeat(61));
  std::this_thread::sleep_for(500ms);
  receiver.interrupt();
  ASSERT_EQ(receiver.wait(), 0) << receiver.errors();
  const nlohmann::json summary = nlohmann::json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  EXPECT_EQ(summary["messages"], 54);
  EXPECT_EQ(summary["gap_messages"], 6);
  EXPECT_EQ(summary["channels"][1]["name"], "house");
  EXPECT_EQ(summary["channels"][1]["messages"], 54);
}

INSTANTIATE_TEST_SUITE_P(Modes, FramingFile, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

}  // namespace
}  // namespace linearb::test
