// SPDX-License-Identifier: Apache-2.0
#include "sequencer/streams.h"

#include <gtest/gtest.h>

namespace linearb::sequencer {
namespace {

lb_framing keyed() {
  lb_framing framing{};
  framing.keys[0].width = 1;
  return framing;
}

Packet with_key(std::uint64_t key) {
  Packet packet;
  packet.kind = LB_KIND_DATA;
  packet.key = key;
  return packet;
}

TEST(StreamGroup, GivesEachKeyAChannelAsLongAsThereAreAny) {
  StreamGroup group(keyed(), {8, 3});
  Packet first = with_key(200), second = with_key(0), again = with_key(200), third = with_key(1);
  EXPECT_TRUE(group.assign(first));
  EXPECT_TRUE(group.assign(second));
  EXPECT_FALSE(group.assign(again));
  EXPECT_EQ(first.channel, 8u);
  EXPECT_EQ(second.channel, 3u);
  EXPECT_EQ(again.channel, 8u);
  EXPECT_EQ(group.refused_key(), std::nullopt);
  EXPECT_FALSE(group.assign(third));
  EXPECT_TRUE(third.is_of_no_channel);
  EXPECT_EQ(group.refused_key(), 1u);
  Packet fourth = with_key(2);
  EXPECT_FALSE(group.assign(fourth));
  EXPECT_EQ(group.refused_key(), 1u) << "the first of them";
}

TEST(StreamName, HasAllFieldsOfTheKey) {
  lb_framing framing = keyed();
  EXPECT_EQ(stream_name("pitch", framing, 3), "pitch/3");
  framing.keys[1].width = 4;
  framing.keys[2].width = 2;
  EXPECT_EQ(stream_name("iex", framing, 0x02'00000003'0004), "iex/2.3.4");
  framing.keys[0].width = 8;
  framing.keys[1].width = framing.keys[2].width = 0;
  EXPECT_EQ(key_text(framing, ~0ull), "18446744073709551615");
}

TEST(StreamGroup, KnowsTheKeysOfBefore) {
  const std::uint64_t keys[] = {5, 6};
  StreamGroup group(keyed(), {1, 2, 3}, keys);
  Packet known = with_key(6), other = with_key(7);
  EXPECT_FALSE(group.assign(known));
  EXPECT_EQ(known.channel, 2u);
  EXPECT_TRUE(group.assign(other));
  EXPECT_EQ(other.channel, 3u);
}

TEST(StreamGroup, AMalformedPacketHasNoKey) {
  StreamGroup group(keyed(), {4});
  Packet packet = with_key(9);
  packet.kind = LB_KIND_MALFORMED;
  EXPECT_FALSE(group.assign(packet));
  EXPECT_EQ(packet.channel, 4u);
  EXPECT_TRUE(group.keys().empty());
}

TEST(ChannelPlaces, StreamsStandBehindTheChannels) {
  const lb_framing plain{}, with = keyed();
  const ChannelPlaces::Configured channels[] = {{&with, 2}, {&plain, 9}, {&with, 1}};
  ChannelPlaces places(channels);
  ASSERT_EQ(places.size(), 6u);
  EXPECT_EQ(places.framings()[0], nullptr);
  EXPECT_EQ(places.framings()[1], &plain);
  EXPECT_EQ(places.framings()[4], &with);
  EXPECT_EQ(places.channel_of(4), 0u);
  EXPECT_EQ(places.channel_of(5), 2u);
  Packet packet = with_key(77);
  packet.channel = 2;
  places.assign(packet);
  EXPECT_EQ(packet.channel, 5u);
  EXPECT_EQ(places.name_of(5, "c"), "c/77");
  EXPECT_EQ(places.name_of(1, "b"), "b");
  EXPECT_TRUE(places.places_of(0).empty()) << "none of its streams was seen";
  EXPECT_EQ(places.places_of(1), std::vector<std::size_t>{1});
  EXPECT_EQ(places.places_of(2), std::vector<std::size_t>{5});
}

}  // namespace
}  // namespace linearb::sequencer
