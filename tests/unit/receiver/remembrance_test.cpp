// SPDX-License-Identifier: Apache-2.0
#include "receiver/remembrance.h"

#include <memory>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "sequencer/sequencer.h"

namespace linearb::receiver {
namespace {

RunningChannel channel(const std::string& name, std::uint16_t index = 0,
                       std::uint16_t header_length = 20) {
  RunningChannel channel;
  channel.options.name = name;
  channel.options.framing = "one";
  channel.options.destination = {0, 1};
  channel.framing.descriptor.header_length = header_length;
  channel.index = index;
  return channel;
}

/// As a receiver with these channels leaves them, in their places.
class Memories {
 public:
  explicit Memories(std::size_t room) : memories_(room) {}

  void are_of(const std::vector<RunningChannel>& channels) {
    for (const RunningChannel& one : channels) begin_memory(memories_[one.index], identity_of(one));
  }
  std::span<lb_memory> all() { return memories_; }
  lb_memory& operator[](std::size_t place) { return memories_[place]; }

 private:
  std::vector<lb_memory> memories_;
};

lb_config with_lines(const std::vector<std::string>& names) {
  lb_config config{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i].copy(config.line_names[i], 15);
  return config;
}

TEST(Remembrance, IdentityIsNameAndFramingAndNotTheDestination) {
  const std::uint64_t identity = identity_of(channel("a"));
  RunningChannel other = channel("a");
  other.options.destination = {7, 7};
  other.serial = 3;
  EXPECT_EQ(identity_of(other), identity);
  EXPECT_NE(identity_of(channel("b")), identity);
  EXPECT_NE(identity_of(channel("a", 0, 21)), identity) << "the framing's file says something else";
  other.options.framing = "./one.toml";
  EXPECT_NE(identity_of(other), identity);
  other = channel("ao");
  other.options.framing = "ne";
  EXPECT_NE(identity_of(other), identity);
  EXPECT_NE(identity, 0u);
}

TEST(Remembrance, ChannelsTakeThePlacesOfTheirMemories) {
  Memories memories(4);
  memories.are_of({channel("x", 0), channel("b", 1), channel("a", 2)});
  std::vector<RunningChannel> channels = {channel("a", 0), channel("b", 1), channel("c", 2),
                                          channel("d", 3)};
  take_remembered_places(channels, memories.all());
  EXPECT_EQ(channels[0].index, 2);
  EXPECT_EQ(channels[1].index, 1);
  EXPECT_EQ(channels[2].index, 0) << "its own was taken: the lowest that is free";
  EXPECT_EQ(channels[3].index, 3);
  take_remembered_places(channels, {});
  EXPECT_EQ(channels[0].index, 2) << "a hook without memory leaves all as it is";
}

RunningChannel with_streams(const std::string& name, std::uint16_t index,
                            std::vector<std::uint16_t> streams) {
  RunningChannel result = channel(name, index);
  result.streams = std::move(streams);
  return result;
}

TEST(Remembrance, StreamsTakeThePlacesOfTheirKeys) {
  Memories memories(6);
  const std::uint64_t identity = identity_of(channel("a"));
  for (const std::size_t place : {2, 4, 5}) begin_memory(memories[place], identity);
  for (const std::size_t place : {2, 5}) {
    memories[place].is_stream = 1;
    memories[place].key = 10 * place;
  }
  std::vector<RunningChannel> channels = {with_streams("a", 0, {1, 2, 3})};
  take_remembered_places(channels, memories.all());
  ASSERT_EQ(channels[0].keys.size(), 2u) << "place 4 was never given to a stream";
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(channels[0].keys[i], 10u * channels[0].streams[i]);
  const std::set<std::uint16_t> places(channels[0].streams.begin(), channels[0].streams.end());
  EXPECT_EQ(places.size(), 3u);
  EXPECT_FALSE(places.contains(channels[0].index));
  claim_memories(memories.all(), with_lines({"A"}), channels, std::vector<std::string>{"A"});
  EXPECT_EQ(memories[2].identity, identity);
  EXPECT_EQ(memories[2].key, 20u);
  EXPECT_EQ(memories[4].identity, 0u);
}

TEST(Remembrance, AStreamBeyondThoseThatThereMayBeIsForgotten) {
  Memories memories(4);
  const std::uint64_t identity = identity_of(channel("a"));
  for (const std::size_t place : {1, 2}) {
    begin_memory(memories[place], identity);
    memories[place].is_stream = 1;
    memories[place].key = place;
  }
  std::vector<RunningChannel> channels = {with_streams("a", 0, {1})};
  take_remembered_places(channels, memories.all());
  ASSERT_EQ(channels[0].keys.size(), 1u);
  claim_memories(memories.all(), with_lines({"A"}), channels, std::vector<std::string>{"A"});
  EXPECT_EQ(memories[channels[0].streams[0]].identity, identity);
  EXPECT_EQ(memories[3 - channels[0].streams[0]].identity, 0u);
  EXPECT_EQ(memories[3 - channels[0].streams[0]].is_stream, 0u);
}

TEST(Remembrance, WhatIsOfNoChannelIsForgotten) {
  Memories memories(3);
  memories.are_of({channel("a", 0), channel("b", 1)});
  memories[0].banks[1].epoch = 5;
  memories[1].banks[1].epoch = 5;
  memories[1].in_hand.count = 3;
  memories[1].lines[0].epoch = 5;
  const std::vector<RunningChannel> channels = {channel("a", 0), channel("c", 1)};
  claim_memories(memories.all(), with_lines({"A"}), channels, std::vector<std::string>{"A"});
  EXPECT_EQ(memories[0].identity, identity_of(channel("a")));
  EXPECT_EQ(memories[0].banks[1].epoch, 5u);
  EXPECT_EQ(memories[1].identity, 0u);
  EXPECT_EQ(memories[1].banks[1].epoch, 0u);
  EXPECT_EQ(memories[1].in_hand.count, 0u);
  EXPECT_EQ(memories[1].lines[0].epoch, 0u);
}

TEST(Remembrance, LinesAreKnownByTheirNames) {
  Memories memories(1);
  memories.are_of({channel("a", 0)});
  for (std::uint64_t i = 0; i < 3; ++i) {
    memories[0].lines[i].epoch = 1;
    memories[0].lines[i].end = 100 + i;
  }
  const std::vector<RunningChannel> channels = {channel("a", 0)};
  claim_memories(memories.all(), with_lines({"A", "B", "C"}), channels,
                 std::vector<std::string>{"C", "new", "A"});
  EXPECT_EQ(memories[0].lines[0].end, 102u);
  EXPECT_EQ(memories[0].lines[1].epoch, 0u) << "it is not known where this one is";
  EXPECT_EQ(memories[0].lines[2].end, 100u);
  for (std::size_t i = 3; i < LB_LINES_MAX; ++i) EXPECT_EQ(memories[0].lines[i].epoch, 0u);
}

TEST(Remembrance, WhatWasInHandAndWhatIsInNoEpochIsDoubtfulUntilItWasSaid) {
  Memories memories(1);
  lb_memory& memory = memories[0];
  EXPECT_TRUE(doubtful(memory).empty());
  memory.in_hand.first = 7;
  memory.in_hand.count = 2;
  remember_apart(memory.lines[1], 5'000, 3);
  remember_apart(memory.lines[1], 5'003, 1);
  const std::vector<lb_range> ranges = doubtful(memory);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_EQ(ranges[0].first, 7u);
  EXPECT_EQ(ranges[0].end, 9u);
  EXPECT_EQ(ranges[1].first, 5'000u);
  EXPECT_EQ(ranges[1].end, 5'003u);
  EXPECT_EQ(ranges[2].first, 5'003u);
  settle_doubts(memory);
  EXPECT_TRUE(doubtful(memory).empty());
}

/// A line of a channel that two packets put into an epoch, and where that is remembered.
class LineTest : public ::testing::Test, private sequencer::Decisions {
 protected:
  LineTest() : sequencer_(framings_, {}, sequencer::Sequencer::Dedup::window, *this) {}

  const lb_memory_line& push(std::uint64_t number, std::uint64_t session = 0) {
    sequencer::Packet packet;
    packet.kind = LB_KIND_DATA;
    packet.datagram = {number, session, 1, 1};
    packet.arrival_ns = now_ns_ += 1'000;
    sequencer_.push(packet);
    remember_line(*memory_, sequencer_.channel(0), 0, now_ns_);
    return memory_->lines[0];
  }
  void decided(const sequencer::Packet& packet,
               const sequencer::Decision& decision) noexcept override {
    if (decision.epoch == 0) remember_apart(memory_->lines[0], packet.first(), 1);
  }

  lb_framing framing_{};
  const lb_framing* framings_[1] = {&framing_};
  std::unique_ptr<lb_memory> memory_ = std::make_unique<lb_memory>();
  sequencer::Sequencer sequencer_;
  std::uint64_t now_ns_ = 1'000'000'000;
};

TEST_F(LineTest, ItsEndAndEpochAreRemembered) {
  push(10);
  const lb_memory_line& line = push(11);
  EXPECT_EQ(line.epoch, 1u);
  EXPECT_EQ(line.end, 12u);
  EXPECT_EQ(line.last_ns, now_ns_);
  push(3, 77);
  push(4, 77);
  EXPECT_EQ(line.epoch, 2u);
  EXPECT_EQ(line.end, 5u);
}

TEST_F(LineTest, WhatIsApartIsDoubtfulUntilItIsConfirmed) {
  push(10);
  push(100'000);
  EXPECT_EQ(doubtful(*memory_).size(), 1u);
  push(100'001);
  EXPECT_TRUE(doubtful(*memory_).empty());
}

}  // namespace
}  // namespace linearb::receiver
