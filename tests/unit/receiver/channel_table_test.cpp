// SPDX-License-Identifier: Apache-2.0
#include "receiver/channel_table.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "linearb/error.h"

namespace linearb::receiver {
namespace {

Channel channel(const std::string& name, std::uint16_t port = 1,
                const std::string& framing = "one") {
  return {name, framing, {0, port}, {}};
}

/// A framing whose bytes are told by one of them.
config::Framing framing(std::uint16_t header_length) {
  config::Framing framing;
  framing.descriptor.header_length = header_length;
  return framing;
}

std::vector<config::Framing> framings(std::size_t count) {
  return std::vector<config::Framing>(count, framing(20));
}

ChannelPlan plan(const std::vector<RunningChannel>& running, const std::vector<Channel>& wanted,
                 std::uint32_t next_serial = 0, const ChannelRoom& room = {}) {
  return plan_channels(running, wanted, framings(wanted.size()), {next_serial, 0}, room);
}

std::string names(const std::vector<RunningChannel>& channels) {
  std::string all;
  for (const RunningChannel& channel : channels) all += channel.options.name;
  return all;
}

TEST(ChannelTable, AtTheStartAllAreAddedInTheirOrder) {
  const ChannelPlan first = plan({}, {channel("a", 1), channel("b", 2), channel("c", 3)});
  EXPECT_EQ(names(first.added), "abc");
  for (std::uint16_t i = 0; i < 3; ++i) {
    EXPECT_EQ(first.added[i].index, i);
    EXPECT_EQ(first.added[i].serial, i);
    EXPECT_EQ(first.added[i].framing_index, 0u) << "one framing, one descriptor";
  }
}

TEST(ChannelTable, WhatStaysKeepsItsPlaceAndWhatComesGetsOneThatIsFree) {
  const auto running = plan({}, {channel("a", 1), channel("b", 2), channel("c", 3)}).added;
  const ChannelPlan next = plan(running, {channel("c", 3), channel("d", 4), channel("a", 1)}, 3);
  EXPECT_EQ(names(next.kept), "ca");
  EXPECT_EQ(names(next.removed), "b");
  EXPECT_EQ(names(next.added), "d");
  EXPECT_EQ(next.kept[0].index, 2u);
  EXPECT_EQ(next.kept[0].serial, 2u);
  EXPECT_EQ(next.added[0].serial, 3u);
  EXPECT_EQ(next.added[0].index, 3u) << "not that of b, which the hook may still look at";
  EXPECT_EQ(names(next.wanted()), "cad");
}

TEST(ChannelTable, AFullTableUsesThePlaceOfWhatGoes) {
  const ChannelRoom room{.channels = 2, .framings = 4};
  const auto running = plan({}, {channel("a", 1), channel("b", 2)}, 0, room).added;
  const ChannelPlan next = plan(running, {channel("b", 2), channel("c", 3)}, 2, room);
  EXPECT_EQ(next.added[0].index, 0u);
  EXPECT_THROW(plan(running, {channel("a"), channel("b"), channel("c")}, 2, room), UsageError);
}

TEST(ChannelTable, ADestinationMayChangeAFramingMakesAnotherChannel) {
  const auto running = plan({}, {channel("a", 1), channel("b", 2), channel("c", 3)}).added;
  std::vector<config::Framing> now = framings(3);
  now[2] = framing(24);  // the file says something else than before
  const ChannelPlan next = plan_channels(
      running, {channel("a", 9), channel("b", 2, "two"), channel("c", 3)}, now, {3, 0}, {});
  EXPECT_EQ(names(next.kept), "a");
  EXPECT_EQ(next.kept[0].options.destination.port, 9u);
  EXPECT_EQ(names(next.removed), "bc");
  EXPECT_EQ(names(next.added), "bc");
  EXPECT_EQ(next.added[0].serial, 3u);
  EXPECT_NE(next.added[1].framing_index, next.kept[0].framing_index);
  EXPECT_NE(next.added[0].framing_index, next.added[1].framing_index);
}

config::Framing keyed() {
  config::Framing result = framing(8);
  result.descriptor.keys[0].width = 1;
  return result;
}

TEST(ChannelTable, AChannelThatGoesOnHasTheAlarmsThatAreWanted) {
  RunningChannel channel;
  ReceiverOptions options;
  options.silence_seconds = 3;
  channel.options = spelled_out(options).channels[0];
  EXPECT_EQ(alarms_of(channel).silence_ns, 3'000'000'000u);
  EXPECT_FALSE(alarms_of(channel).active_passive);
  EXPECT_FALSE(alarms_of(channel).expects_feed);
  options.channels[0].silence_seconds = 0.5;
  options.channels[0].active_passive = true;
  options.channels[0].hours = "08:00-17:30";
  channel.options = spelled_out(options).channels[0];
  const ChannelPlan plan = plan_channels({channel}, {channel.options}, {channel.framing}, {}, {});
  ASSERT_EQ(plan.kept.size(), 1u);
  EXPECT_EQ(alarms_of(plan.kept[0]).silence_ns, 500'000'000u);
  EXPECT_TRUE(alarms_of(plan.kept[0]).active_passive);
  EXPECT_TRUE(alarms_of(plan.kept[0]).expects_feed);
}

TEST(ChannelTable, StreamsHavePlacesOfTheirOwn) {
  ReceiverOptions options;
  options.keys = 3;
  options.channels = {channel("a", 1), channel("b", 2), channel("c", 3)};
  options.channels[2].keys = 1;
  const std::vector<Channel> wanted = spelled_out(options).channels;
  const std::vector<config::Framing> framings = {keyed(), framing(20), keyed()};
  const ChannelRoom room{.channels = 7, .framings = 4};
  const auto running = plan_channels({}, wanted, framings, {}, room).added;
  EXPECT_EQ(running[0].streams, (std::vector<std::uint16_t>{1, 2, 3}));
  EXPECT_EQ(running[1].index, 4u);
  EXPECT_TRUE(running[1].streams.empty()) << "its framing has no key";
  EXPECT_EQ(running[2].streams, (std::vector<std::uint16_t>{6}));
  EXPECT_EQ(running[2].first_stream, 3u);
  EXPECT_EQ(places_of(running[0]), 4u);
  const std::vector<Sequence> streams = sequences_of(running[2]);
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_EQ(streams[0].place, 6u);
  EXPECT_EQ(streams[0].serial, kStreamSerials + 3);
  EXPECT_EQ(sequences_of(running[1])[0].serial, 1u);
  EXPECT_THROW(plan_channels({}, wanted, framings, {}, {.channels = 6, .framings = 4}), UsageError);

  std::vector<Channel> more = wanted;
  more[0].keys = 2;
  const ChannelPlan next = plan_channels(running, more, framings, {3, 4}, room);
  EXPECT_EQ(names(next.kept), "bc");
  EXPECT_EQ(names(next.removed), "a") << "it may have another number of streams";
  ASSERT_EQ(names(next.added), "a");
  EXPECT_EQ(next.added[0].first_stream, 4u);
}

std::vector<unsigned> threads(const std::vector<RunningChannel>& channels) {
  std::vector<unsigned> all;
  for (const RunningChannel& channel : channels) all.push_back(channel.thread);
  return all;
}

Channel on_thread(Channel channel, unsigned thread) {
  channel.thread = thread;
  return channel;
}

TEST(ChannelTable, ThreadsHaveAsManyChannelsAsOneAnother) {
  const ChannelRoom room{.threads = 3};
  const ChannelPlan first = plan(
      {}, {channel("a", 1), channel("b", 2), channel("c", 3), channel("d", 4), channel("e", 5)}, 0,
      room);
  EXPECT_EQ(threads(first.added), (std::vector<unsigned>{0, 1, 2, 0, 1}));
  const ChannelPlan next = plan(
      first.added, {channel("a", 1), channel("d", 4), channel("f", 6), channel("g", 7)}, 5, room);
  EXPECT_EQ(threads(next.kept), (std::vector<unsigned>{0, 0}));
  EXPECT_EQ(threads(next.added), (std::vector<unsigned>{1, 2}));
}

TEST(ChannelTable, AChannelMaySayWhichThreadItWantsAndTheOthersMakeRoom) {
  const ChannelRoom room{.threads = 2};
  const ChannelPlan first = plan(
      {}, {channel("a", 1), on_thread(channel("b", 2), 0), on_thread(channel("c", 3), 0)}, 0, room);
  EXPECT_EQ(threads(first.added), (std::vector<unsigned>{1, 0, 0}));
  // One that goes on may say where it is.
  EXPECT_EQ(threads(plan(first.added, {on_thread(channel("a", 1), 1)}, 3, room).kept),
            std::vector<unsigned>{1});
  EXPECT_THROW(plan(first.added, {on_thread(channel("a", 1), 0)}, 3, room), UsageError);
}

TEST(ChannelTable, MoreFramingsThanTheHookTakesAreRefused) {
  std::vector<Channel> wanted;
  std::vector<config::Framing> each;
  for (std::uint16_t i = 0; i <= LB_FRAMINGS_MAX; ++i) {
    wanted.push_back(channel("c" + std::to_string(i), i, "f" + std::to_string(i)));
    each.push_back(framing(i));
  }
  EXPECT_THROW(plan_channels({}, wanted, each, {}, {}), UsageError);
  wanted.pop_back();
  each.pop_back();
  const ChannelPlan fits = plan_channels({}, wanted, each, {}, {});
  std::set<int> places;
  for (const RunningChannel& channel : fits.added) places.insert(channel.framing_index);
  EXPECT_EQ(places.size(), std::size_t{LB_FRAMINGS_MAX});
}

}  // namespace
}  // namespace linearb::receiver
