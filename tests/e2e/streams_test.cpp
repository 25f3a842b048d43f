// SPDX-License-Identifier: Apache-2.0
//
// Several streams on one group and port, told apart by a key in their packets: each is a channel of
// its own, made when it is first seen.
#include <chrono>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "e2e/arbitration.h"
#include "support/error_text.h"
#include "support/packet.h"
#include "support/raw_line.h"

namespace linearb::test {
namespace {

constexpr std::uint16_t kPort = 30'501;

/// A packet of Cboe with messages [first, first + count) of a unit, each of two bytes.
Bytes unit_packet(int unit, std::uint32_t first, std::uint8_t count) {
  const auto length = static_cast<std::uint8_t>(8 + 2 * count);
  Bytes payload = {length, 0, count, static_cast<std::uint8_t>(unit)};
  for (int byte = 0; byte < 4; ++byte)
    payload.push_back(static_cast<std::uint8_t>(first >> 8 * byte));
  for (std::uint8_t i = 0; i < count; ++i) {
    payload.push_back(2);
    payload.push_back(static_cast<std::uint8_t>(first + i));
  }
  return udp_packet().to("239.1.1.1", kPort).payload(std::move(payload)).build();
}

/// A receiver on a thread, and how often each message of each unit came out of it.
class UnitReceiver {
 public:
  explicit UnitReceiver(const ReceiverOptions& options)
      : receiver_(
            options,
            [this](const Delivery& delivery) {
              for (const Run& run : delivery.news)
                for (std::uint32_t i = 0; i < run.count; ++i)
                  ++delivered_[{delivery.channel, delivery.key}][run.first + i];
            },
            [this](const Event& event) {
              const std::lock_guard lock(mutex_);
              events_.push_back(event);
            }),
        result_(std::async(std::launch::async, [this] { return receiver_.run(); })) {}

  void wait_for_packets(std::uint64_t packets) const {
    EXPECT_TRUE(wait_until([&] { return seen() >= packets; })) << seen() << " of " << packets;
  }
  Summary end() {
    receiver_.stop();
    return result_.get();
  }
  Receiver& receiver() { return receiver_; }
  bool was_told(Event::Kind kind) const {
    return wait_until([&] { return has_told(kind); });
  }
  bool has_told(Event::Kind kind) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::count(events_, kind, &Event::kind) > 0;
  }
  /// [first, first + count) of the unit came, each once, and nothing else.
  void expect_once(std::uint64_t unit, std::uint64_t first, std::uint64_t count,
                   std::uint32_t channel = 0) const {
    const auto found = delivered_.find({channel, unit});
    ASSERT_NE(found, delivered_.end()) << "nothing of unit " << unit;
    EXPECT_EQ(found->second.size(), count) << "unit " << unit;
    EXPECT_EQ(found->second.begin()->first, first) << "unit " << unit;
    EXPECT_EQ(found->second.rbegin()->first, first + count - 1) << "unit " << unit;
    for (const auto& [number, times] : found->second)
      EXPECT_EQ(times, 1) << "message " << number << " of unit " << unit;
  }
  const std::map<std::uint64_t, int>& of(std::uint64_t unit) const {
    return delivered_.at({0, unit});
  }

 private:
  std::uint64_t seen() const {
    std::uint64_t packets = 0;
    for (const auto& line : receiver_.progress().lines) packets += line.packets;
    return packets;
  }

  std::map<std::pair<std::uint32_t, std::uint64_t>, std::map<std::uint64_t, int>> delivered_;
  mutable std::mutex mutex_;
  std::vector<Event> events_;
  Receiver receiver_;
  std::future<Summary> result_;  ///< last: its thread uses all of the above
};

class Units : public BothModes {
 protected:
  void SetUp() override {
    BothModes::SetUp();
    a_.emplace("vethA_src");
    b_.emplace("vethB_src");
  }
  static ReceiverOptions options() {
    ReceiverOptions options = BothModes::options();
    options.channels = {{"pitch", "cboe-pitch", {0, kPort}, {}}};
    return options;
  }
  /// A packet on both lines, A first.
  void send_both(int unit, std::uint32_t first, std::uint8_t count) {
    const Bytes packet = unit_packet(unit, first, count);
    a_->send(packet);
    b_->send(packet);
    sent_ += 2;
  }
  /// Three packets of each unit, until the hook judges what comes.
  void open(UnitReceiver& receiver, std::initializer_list<int> units, std::uint32_t begin = 1) {
    for (std::uint32_t first = begin; first < begin + 6; first += 2) {
      for (const int unit : units) send_both(unit, first, 2);
      receiver.wait_for_packets(sent_);
      std::this_thread::sleep_for(std::chrono::milliseconds(150));  // a grace period, and more
    }
  }
  static const ChannelSummary& channel(const Summary& summary, const std::string& name) {
    const auto found = std::ranges::find(summary.channels, name, &ChannelSummary::name);
    if (found == summary.channels.end()) throw std::runtime_error("no channel " + name);
    return *found;
  }

  std::optional<RawLine> a_, b_;
  std::uint64_t sent_ = 0;
};

/// Each has numbers of its own: taken for one, they would restart all the time.
TEST_P(Units, OnOneDestinationAreChannelsOfTheirOwn) {
  constexpr std::uint32_t kPackets = 500;
  UnitReceiver receiver(options());
  open(receiver, {3, 1, 2});
  const std::uint64_t opening = sent_;
  for (std::uint32_t i = 0; i < kPackets; ++i) {
    for (const int unit : {3, 1, 2}) {
      const Bytes packet = unit_packet(unit, 7 + 2 * i, 2);
      const bool both_lose = unit == 2 && i == 333;
      if (!both_lose && static_cast<int>(i % 10) != unit) a_->send(packet), ++sent_;
      if (!both_lose && static_cast<int>(i % 10) != unit + 4) b_->send(packet), ++sent_;
    }
    if (i % 16 == 0) receiver.wait_for_packets(sent_);
  }
  receiver.wait_for_packets(sent_);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  ASSERT_EQ(summary.channels.size(), 3u);
  EXPECT_EQ(summary.channels[0].name, "pitch/3") << "in the order in which they were seen";
  receiver.expect_once(1, 1, 6 + 2 * kPackets);
  receiver.expect_once(3, 1, 6 + 2 * kPackets);
  EXPECT_EQ(receiver.of(2).size(), 6u + 2 * kPackets - 2);
  EXPECT_EQ(channel(summary, "pitch/2").gap_messages, 2u);
  ASSERT_EQ(summary.gaps->size(), 1u);
  EXPECT_EQ(summary.gaps->front().channel, "pitch/2");
  EXPECT_EQ(summary.gaps->front().first, 7u + 2 * 333);
  EXPECT_EQ(summary.gaps->front().count, 2u);
  const std::uint64_t judged_above = sum(summary, &LineSummary::passed_up);
  EXPECT_LT(judged_above, opening + sent_ / 4) << "the hook knows the streams";
}

TEST_P(Units, BeyondThoseThatThereMayBeAreNotFeedAndSaid) {
  ReceiverOptions two = options();
  two.keys = 2;
  UnitReceiver receiver(two);
  open(receiver, {1, 2, 9});
  EXPECT_TRUE(receiver.was_told(Event::Kind::too_many_keys));
  for (std::uint32_t i = 0; i < 50; ++i)
    for (const int unit : {1, 2, 9}) send_both(unit, 7 + i, 1);
  receiver.wait_for_packets(sent_);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::not_feed), 2u * (3 + 50)) << "those of unit 9";
  EXPECT_EQ(summary.channels.size(), 2u);
  receiver.expect_once(1, 1, 56);
  receiver.expect_once(2, 1, 56);
}

/// What is looked at each second is looked at while events are told as well.
TEST_P(Units, BeyondThoseThatThereMayBeAreSaidWhileOtherEventsAreToo) {
  ReceiverOptions two = options();
  two.keys = 2;
  UnitReceiver receiver(two);
  open(receiver, {1, 2});
  const auto lose_every_second = [&](std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t number = begin; number < end; number += 2) {
      send_both(1, number, 1);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  };
  lose_every_second(8, 28);
  EXPECT_TRUE(receiver.has_told(Event::Kind::gap));
  send_both(9, 1, 1);
  lose_every_second(28, 88);
  EXPECT_TRUE(receiver.has_told(Event::Kind::too_many_keys));
  EXPECT_TRUE(receiver.end().balanced);
}

/// A channel that goes takes its streams with it, and one that comes begins anew in their places.
TEST_P(Units, GoAndComeWithTheirChannel) {
  ReceiverOptions with = options();
  ReceiverOptions without = with;
  without.channels = {{"other", "optiq", {0, 30'001}, {}}};
  UnitReceiver receiver(with);
  open(receiver, {1, 2});
  receiver.receiver().reload(without);
  receiver.receiver().reload(with);
  open(receiver, {2, 5});
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  ASSERT_EQ(summary.channels.size(), 5u);
  EXPECT_EQ(summary.channels[0].name, "pitch/1");
  EXPECT_TRUE(summary.channels[0].removed);
  EXPECT_EQ(summary.channels[2].name, "other");
  EXPECT_EQ(summary.channels[3].name, "pitch/2");
  EXPECT_FALSE(summary.channels[3].removed);
  receiver.expect_once(1, 1, 6, 0);
  receiver.expect_once(2, 1, 6, 0);
  receiver.expect_once(2, 1, 6, 2);
  receiver.expect_once(5, 1, 6, 2);
}

/// Those that another receiver has seen are known by their keys.
TEST_P(Units, GoOnWithTheNextReceiver) {
  ReceiverOptions keeping = options();
  keeping.keep_hook = true;
  {
    UnitReceiver receiver(keeping);
    // Where numbers begin a copy that comes a second later would be taken for a restart.
    open(receiver, {4, 7}, 20'001);
    receiver.end();
  }
  sent_ = 0;
  UnitReceiver receiver(keeping);
  EXPECT_TRUE(receiver.was_told(Event::Kind::went_on));
  for (const int unit : {7, 4}) {
    send_both(unit, 20'005, 2);  // the last of before
    send_both(unit, 20'009, 2);  // 7 and 8 came to nobody
    send_both(unit, 20'011, 2);
  }
  receiver.wait_for_packets(sent_);
  const Summary summary = receiver.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  receiver.expect_once(4, 20'009, 4);
  receiver.expect_once(7, 20'009, 4);
  EXPECT_EQ(channel(summary, "pitch/4").gap_messages, 2u);
  EXPECT_EQ(channel(summary, "pitch/7").gap_messages, 2u);
}

INSTANTIATE_TEST_SUITE_P(Modes, Units, ::testing::Values(Mode::native, Mode::generic), mode_name);

}  // namespace
}  // namespace linearb::test
