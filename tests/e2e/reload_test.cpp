// SPDX-License-Identifier: Apache-2.0
//
// Receiver::reload: channels come and go while others are received.
#include "e2e/arbitration.h"
#include "support/error_text.h"

namespace linearb::test {
namespace {

constexpr std::uint16_t kPort = 30'001;

Channel channel(const std::string& name, std::uint16_t port, const std::string& framing = "optiq") {
  return {name, framing, {0, port}, {}};
}

feeder::FeederOptions feed_to(std::uint16_t port, std::uint64_t first, std::uint64_t packets,
                              const std::string& framing = "optiq") {
  feeder::FeederOptions options = feed_on("AB", first, packets, framing);
  for (feeder::FeederLine& line : options.lines) line.destination.port = port;
  return options;
}

class Reload : public LabTest {
 protected:
  ReceiverOptions with(std::vector<Channel> channels) const {
    ReceiverOptions options;
    options.channels = std::move(channels);
    return options;
  }
  const ChannelSummary& of(const Summary& summary, const std::string& name) const {
    return *std::ranges::find(summary.channels, name, &ChannelSummary::name);
  }
};

TEST_F(Reload, ChannelsComeAndGoWithoutLosingAPacketOfTheOthers) {
  const Channel first = channel("first", kPort);
  const Channel second = channel("second", kPort + 1);
  Running running(with({first}));
  auto steady =
      std::async(std::launch::async, [] { return feed(feed_to(kPort, 1, 60'000)).units; });
  int reloads = 0;
  while (steady.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready) {
    running.receiver().reload(with({first, second}));
    running.receiver().reload(with({first}));
    reloads += 2;
  }
  const Summary summary = running.end();
  EXPECT_GT(reloads, 4);
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  running.expect_once(1, 1, 60'000);
  EXPECT_EQ(summary.messages, 60'000u);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(sum(summary, &LineSummary::not_feed), 0u);
  EXPECT_EQ(of(summary, "first").messages, 60'000u);
  EXPECT_FALSE(of(summary, "first").removed);
  EXPECT_EQ(summary.channels.size(), 1u + static_cast<std::size_t>(reloads) / 2);
}

TEST_F(Reload, AnAddedChannelIsArbitratedAndARemovedOneIsTheKernels) {
  Running running(with({channel("first", kPort)}));
  feed(feed_to(kPort + 1, 1, 100));
  running.wait_until_quiet();
  running.receiver().reload(with({channel("first", kPort), channel("second", kPort + 1)}));
  auto lossy = feed_to(kPort + 1, 1'001, 1'000);
  lossy.lines[0].impairment.loss = 0.1;
  feed(lossy);
  running.wait_until_quiet();
  running.receiver().reload(with({channel("second", kPort + 1)}));
  feed(feed_to(kPort, 1, 200));
  feed(feed_to(kPort + 1, 2'001, 500));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.lines[0].not_feed, 300u) << "before it came, and after it went";
  EXPECT_EQ(summary.lines[1].not_feed, 300u);
  EXPECT_EQ(of(summary, "second").messages, 1'500u);
  EXPECT_EQ(of(summary, "second").gap_messages, 0u);
  EXPECT_TRUE(of(summary, "first").removed);
  EXPECT_EQ(summary.messages, 1'500u);
}

TEST_F(Reload, GapsAreOfTheChannelThatHadThemAlsoWhenAnotherOneHasItsPlace) {
  std::vector<Channel> many;
  for (int i = 0; i < 64; ++i)
    many.push_back(channel("c" + std::to_string(i), static_cast<std::uint16_t>(40'000 + i)));
  many[7] = channel("first", kPort);
  Running running(with(many));
  auto hole = [](std::uint16_t port, std::uint64_t first) {
    feed(feed_to(port, first, 10));
    feed(feed_to(port, first + 15, 10));
  };
  hole(kPort, 1);
  running.wait_until_quiet();
  many[7] = channel("other", kPort);
  running.receiver().reload(with(many));
  hole(kPort, 101);
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  ASSERT_EQ(summary.gaps->size(), 2u);
  EXPECT_EQ(summary.gaps->at(0).channel, "first");
  EXPECT_EQ(summary.gaps->at(0).first, 11u);
  EXPECT_EQ(summary.gaps->at(1).channel, "other");
  EXPECT_EQ(summary.gaps->at(1).first, 111u);
  EXPECT_EQ(summary.gap_messages, 10u);
}

TEST_F(Reload, AChannelKeepsItsMemoryWhenItsDestinationChanges) {
  Running running(with({channel("moves", kPort)}));
  feed(feed_on("A", 1, 1'000));
  running.wait_until_quiet();
  running.receiver().reload(with({channel("moves", kPort + 5)}));
  auto slower = feed_on("B", 1, 1'500);
  slower.lines[0].destination.port = kPort + 5;
  feed(slower);
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  running.expect_once(1, 1, 1'500);
  EXPECT_EQ(summary.messages, 1'500u) << "what came before the move is known";
  EXPECT_EQ(summary.lines[1].won, 500u);
}

TEST_F(Reload, AnotherFramingMakesItAnotherChannel) {
  Running running(with({channel("feed", kPort, "moldudp64")}));
  feed(feed_to(kPort, 1, 300, "moldudp64"));
  running.wait_until_quiet();
  running.receiver().reload(with({channel("feed", kPort, "cboe-pitch")}));
  feed(feed_to(kPort, 1, 300, "cboe-pitch"));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  ASSERT_EQ(summary.channels.size(), 2u);
  EXPECT_TRUE(summary.channels[0].removed);
  EXPECT_EQ(summary.channels[0].framing, "moldudp64");
  EXPECT_GE(summary.channels[0].messages, 300u);
  EXPECT_GE(summary.channels[1].messages, 300u);
  EXPECT_EQ(sum(summary, &LineSummary::malformed), 0u);
}

/// What is refused, and a word of why.
struct Refused {
  const char* situation;
  void (*change)(ReceiverOptions&);
  const char* word;
};

TEST_F(Reload, WhatCannotChangeIsRefusedAndTheRunGoesOn) {
  const Refused rows[] = {
      {"another line", [](auto& options) { options.lines[0].name = "C"; }, "line cannot change"},
      {"frames", [](auto& options) { options.frames = 64; }, "frames cannot change"},
      {"two at once",
       [](auto& options) {
         options.wait = Wait::spin;
         options.packets = 5;
       },
       "wait, packets cannot change"},
      {"no channel", [](auto& options) { options.channels.clear(); }, "0 channels"},
      {"an unknown framing", [](auto& options) { options.channels[0].framing = "optik"; }, "optiq"},
      {"more than the hook has room for",
       [](auto& options) {
         for (std::uint16_t i = 0; i < 64; ++i)
           options.channels.push_back(
               channel("c" + std::to_string(i), static_cast<std::uint16_t>(40'000 + i)));
       },
       "room for 64"},
      {"two channels with one destination",
       [](auto& options) { options.channels.push_back(channel("twin", kPort)); }, "twin"},
  };
  Running running(with({channel("first", kPort)}));
  feed(feed_to(kPort, 1, 500));
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.situation);
    ReceiverOptions options = with({channel("first", kPort)});
    row.change(options);
    EXPECT_TRUE(contains(error_text([&] { running.receiver().reload(options); }), row.word))
        << error_text([&] { running.receiver().reload(options); });
  }
  feed(feed_to(kPort, 501, 500));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  running.expect_once(1, 1, 1'000);
  EXPECT_EQ(error_text([&] { running.receiver().reload(with({channel("first", kPort)})); }),
            "reload: the run is over");
}

/// Identifiers are remembered without their channel: another one would miss what the first has
/// seen.
TEST_F(Reload, UnderLruAnotherChannelIsRefused) {
  ReceiverOptions options = with({channel("first", kPort)});
  options.dedup = Dedup::lru;
  Running running(options);
  options.channels = {channel("second", kPort + 1)};
  EXPECT_TRUE(
      contains(error_text([&] { running.receiver().reload(options); }),
               "channel second: under --dedup lru another channel needs a memory of its own"));
  options.channels = {channel("first", kPort + 1)};
  const Reloaded reloaded = running.receiver().reload(options);
  EXPECT_EQ(reloaded.changed, std::vector<std::string>{"first"});
  feed(feed_to(kPort + 1, 1, 300));
  EXPECT_EQ(running.end().messages, 300u);
}

TEST_F(Reload, SaysWhatItDid) {
  Running running(with({channel("stays", 1), channel("moves", 2), channel("goes", 3)}));
  const Reloaded reloaded = running.receiver().reload(
      with({channel("comes", 3), channel("stays", 1), channel("moves", 4)}));
  EXPECT_EQ(reloaded.added, std::vector<std::string>{"comes"});
  EXPECT_EQ(reloaded.removed, std::vector<std::string>{"goes"});
  EXPECT_EQ(reloaded.changed, std::vector<std::string>{"moves"});
  EXPECT_EQ(reloaded.unchanged, 1u);
  running.end();
}

TEST_F(Reload, ALineThatComesBackKnowsTheChannelsOfNow) {
  Running running(with({channel("first", kPort)}));
  ASSERT_EQ(std::system("ip link del vethA_src"), 0);
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone));
  running.receiver().reload(with({channel("second", kPort + 1)}));
  lab::up({});
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
  feed(feed_to(kPort + 1, 1, 1'000));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.messages, 1'000u);
  EXPECT_EQ(summary.lines[0].packets, 1'000u);
}

}  // namespace
}  // namespace linearb::test
