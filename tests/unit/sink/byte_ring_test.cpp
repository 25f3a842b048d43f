// SPDX-License-Identifier: Apache-2.0
#include "sink/byte_ring.h"

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace linearb::sink {
namespace {

/// A packet whose length and bytes follow from its number.
std::vector<std::uint8_t> packet_of(std::uint64_t number, std::size_t longest) {
  return std::vector<std::uint8_t>((number * 2654435761u) % (longest + 1),
                                   static_cast<std::uint8_t>(number));
}

bool put(ByteRing& ring, std::uint64_t number, std::size_t longest) {
  std::vector<std::uint8_t> bytes = packet_of(number, longest);
  std::uint8_t* room = ring.reserve(bytes.size());
  if (!room) return false;
  std::copy(bytes.begin(), bytes.end(), room);
  ring.commit(number, static_cast<std::uint32_t>(number + 1));
  return true;
}

bool take(ByteRing& ring, std::uint64_t number, std::size_t longest) {
  auto packet = ring.front();
  if (!packet) return false;
  EXPECT_EQ(packet->timestamp_ns, number);
  EXPECT_EQ(packet->original_length, number + 1);
  EXPECT_EQ(std::vector<std::uint8_t>(packet->bytes.begin(), packet->bytes.end()),
            packet_of(number, longest));
  ring.pop();
  return true;
}

TEST(ByteRing, IsEmptyFirst) {
  ByteRing ring(1024);
  EXPECT_FALSE(ring.front());
}

TEST(ByteRing, SizeIsRoundedUp) {
  EXPECT_EQ(ByteRing(1024).packet_max(), 512u - 16);
  EXPECT_EQ(ByteRing(1025).packet_max(), 1024u - 16);
  EXPECT_EQ(ByteRing(0).packet_max(), 16u);
}

TEST(ByteRing, IsFullAtItsLastByteAndNotBefore) {
  ByteRing ring(1024);
  for (int i = 0; i < 1024 / 32; i++) {
    ASSERT_TRUE(ring.reserve(16)) << i;
    ring.commit(0, 0);
  }
  EXPECT_FALSE(ring.reserve(0));
  ring.front();
  ring.pop();
  EXPECT_TRUE(ring.reserve(16));
}

TEST(ByteRing, WhatIsReservedAndNotCommittedIsNotThere) {
  ByteRing ring(1024);
  ASSERT_TRUE(ring.reserve(100));
  EXPECT_FALSE(ring.front());
  ASSERT_TRUE(put(ring, 3, ring.packet_max()));
  EXPECT_TRUE(take(ring, 3, ring.packet_max()));
  EXPECT_FALSE(ring.front());
}

TEST(ByteRing, TakesTheLongestPacketFromEveryPlaceWhenItIsEmpty) {
  ByteRing ring(1024);
  for (int i = 0; i < 100; i++) {
    ASSERT_TRUE(ring.reserve(ring.packet_max())) << i;
    ring.commit(0, 0);
    ASSERT_TRUE(ring.front());
    ring.pop();
    ASSERT_TRUE(ring.reserve(0));
    ring.commit(0, 0);
    ASSERT_TRUE(ring.front());
    ring.pop();
  }
}

TEST(ByteRing, GivesWhatItGotInItsOrder) {
  for (unsigned seed = 0; seed < 50; seed++) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    ByteRing ring(512);
    const std::size_t longest = ring.packet_max();
    std::uint64_t in = 0, out = 0;
    for (int step = 0; step < 2000; step++) {
      if (random() % 2) in += put(ring, in, longest);
      if (random() % 2) out += take(ring, out, longest);
      ASSERT_LE(out, in);
    }
    while (out < in) ASSERT_TRUE(take(ring, out++, longest));
    EXPECT_FALSE(ring.front());
    EXPECT_GT(in, 100u);
  }
}

TEST(ByteRing, CarriesEverythingFromOneThreadToAnother) {
  constexpr std::uint64_t kPackets = 100'000;
  // Some hundred packets at a time: on a busy machine the other thread's turn comes after
  // milliseconds.
  constexpr std::size_t kLongest = 512;
  ByteRing ring(65'536);
  std::thread producer([&] {
    for (std::uint64_t number = 0; number < kPackets;) {
      if (put(ring, number, kLongest)) {
        number++;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (std::uint64_t number = 0; number < kPackets;) {
    if (take(ring, number, kLongest)) {
      number++;
    } else {
      std::this_thread::yield();
    }
  }
  producer.join();
  EXPECT_FALSE(ring.front());
}

}  // namespace
}  // namespace linearb::sink
