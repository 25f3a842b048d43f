// SPDX-License-Identifier: Apache-2.0
#include "xsk/rings.h"

#include <array>

#include <gtest/gtest.h>

#include "memory_ring.h"
#include "xsk/frame_pool.h"

namespace linearb::xsk {
namespace {

constexpr std::uint32_t kEntries = 8;
constexpr std::uint32_t kNearWrap = 0xffff'fffdu;

class RingsTest : public ::testing::Test {
 protected:
  static constexpr FrameSpan kSpan{.first = 4096, .frames = 16, .frame_size = 2048};
  FrameOwners owners_{kSpan};

  /// Puts frames into the kernel's hands without a ring of the test.
  void hand_to_kernel(std::uint32_t frames, FrameOwner owner) {
    for (std::uint32_t index = 0; index < frames; ++index)
      owners_.check(kSpan.frame(index), FrameOwner::kUser, owner);
    owners_.moved(frames, FrameOwner::kUser, owner);
  }
};

TEST_F(RingsTest, FillBatchPublishesWhenItLeavesScope) {
  MemoryRing<std::uint64_t> memory(kEntries);
  xsk_ring_prod ring = memory.for_producer();
  {
    FillBatch batch(ring, owners_, 2);
    EXPECT_EQ(batch.room(), 2u);
    batch.put(kSpan.frame(0));
    batch.put(kSpan.frame(1));
    EXPECT_EQ(batch.room(), 0u);
    EXPECT_EQ(batch.size(), 2u);
    EXPECT_EQ(memory.size(), 0u) << "the kernel sees it at submit";
  }
  EXPECT_EQ(memory.size(), 2u);
  EXPECT_EQ(memory.consume(), kSpan.frame(0));
  EXPECT_EQ(memory.consume(), kSpan.frame(1));
  EXPECT_EQ(owners_.count(FrameOwner::kReceiving), 2u);
  EXPECT_TRUE(owners_.conserved(14));
}

TEST_F(RingsTest, SubmitEndsABatchAndTheDestructorAddsNothing) {
  MemoryRing<std::uint64_t> memory(kEntries);
  xsk_ring_prod ring = memory.for_producer();
  {
    FillBatch batch(ring, owners_, 4);
    batch.put(kSpan.frame(0));
    batch.submit();
    EXPECT_EQ(memory.size(), 1u);
    EXPECT_EQ(batch.room(), 0u);
    EXPECT_EQ(batch.size(), 0u);
  }
  EXPECT_EQ(memory.size(), 1u);
}

TEST_F(RingsTest, PlacesThatWereNotUsedGoBack) {
  MemoryRing<std::uint64_t> memory(kEntries);
  xsk_ring_prod ring = memory.for_producer();
  for (std::uint32_t round = 0; round < kEntries; ++round) {
    FillBatch batch(ring, owners_, kEntries);
    ASSERT_EQ(batch.room(), kEntries - round);
    batch.put(kSpan.frame(round));
  }
  for (std::uint32_t round = 0; round < kEntries; ++round)
    EXPECT_EQ(memory.consume(), kSpan.frame(round));
}

TEST_F(RingsTest, AFullRingGivesLessRoomAndThenNone) {
  MemoryRing<std::uint64_t> memory(kEntries);
  xsk_ring_prod ring = memory.for_producer();
  FramePool pool(kSpan);
  const auto fill = [&] {
    FillBatch batch(ring, owners_, 6);
    while (batch.room() > 0) batch.put(pool.take());
    return batch.size();
  };
  EXPECT_EQ(fill(), 6u);
  EXPECT_EQ(fill(), 2u);
  EXPECT_EQ(fill(), 0u);
  memory.consume();
  EXPECT_EQ(fill(), 1u) << "the retry finds the place that the kernel has freed";
  EXPECT_EQ(memory.size(), kEntries);
  EXPECT_TRUE(owners_.conserved(pool.size()));
}

TEST_F(RingsTest, TxBatchWritesWholeDescriptors) {
  MemoryRing<xdp_desc> memory(kEntries);
  xsk_ring_prod ring = memory.for_producer();
  {
    TxBatch batch(ring, owners_, 3);
    batch.put(kSpan.frame(5), 60);
    batch.put(kSpan.frame(6), 1514);
  }
  ASSERT_EQ(memory.size(), 2u);
  const xdp_desc first = memory.consume();
  EXPECT_EQ(first.addr, kSpan.frame(5));
  EXPECT_EQ(first.len, 60u);
  EXPECT_EQ(first.options, 0u);
  EXPECT_EQ(memory.consume().len, 1514u);
  EXPECT_EQ(owners_.count(FrameOwner::kSending), 2u);
}

TEST_F(RingsTest, RxBatchShowsPacketsAndReleasesWhenItLeavesScope) {
  MemoryRing<xdp_desc> memory(kEntries);
  xsk_ring_cons ring = memory.for_consumer();
  hand_to_kernel(2, FrameOwner::kReceiving);
  std::array<std::byte, 4096 + 16 * 2048> umem{};
  memory.produce({kSpan.frame(1) + XDP_PACKET_HEADROOM, 60, 0});
  memory.produce({kSpan.frame(0) + XDP_PACKET_HEADROOM, 1514, 0});
  {
    const RxBatch batch(ring, umem.data(), owners_, 64);
    ASSERT_EQ(batch.size(), 2u);
    EXPECT_FALSE(batch.empty());
    EXPECT_EQ(batch[0].frame, kSpan.frame(1));
    EXPECT_EQ(batch[0].length_bytes, 60u);
    EXPECT_EQ(batch[0].data, umem.data() + kSpan.frame(1) + XDP_PACKET_HEADROOM);
    std::vector<std::uint32_t> lengths;
    for (const RxPacket packet : batch) lengths.push_back(packet.length_bytes);
    EXPECT_EQ(lengths, (std::vector<std::uint32_t>{60, 1514}));
    EXPECT_EQ(memory.size(), 2u) << "the places are the batch's until it is released";
  }
  EXPECT_EQ(memory.size(), 0u);
  EXPECT_TRUE(owners_.conserved(16));
}

TEST_F(RingsTest, ReleaseEmptiesABatchOnce) {
  MemoryRing<xdp_desc> memory(kEntries);
  xsk_ring_cons ring = memory.for_consumer();
  hand_to_kernel(3, FrameOwner::kReceiving);
  for (std::uint32_t index = 0; index < 3; ++index) memory.produce({kSpan.frame(index), 60, 0});
  {
    RxBatch batch(ring, nullptr, owners_, 2);
    EXPECT_EQ(batch.size(), 2u) << "no more than asked for";
    batch.release();
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(memory.size(), 1u);
  }
  EXPECT_EQ(memory.size(), 1u) << "released twice";
}

TEST_F(RingsTest, AnEmptyRingGivesAnEmptyBatch) {
  MemoryRing<xdp_desc> memory(kEntries);
  xsk_ring_cons ring = memory.for_consumer();
  const RxBatch batch(ring, nullptr, owners_, 64);
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(batch.begin() == batch.end());
}

TEST_F(RingsTest, CompletionBatchNamesFrames) {
  MemoryRing<std::uint64_t> memory(kEntries);
  xsk_ring_cons ring = memory.for_consumer();
  hand_to_kernel(2, FrameOwner::kSending);
  memory.produce(kSpan.frame(0));
  memory.produce(kSpan.frame(1) + 128);
  {
    const CompletionBatch batch(ring, owners_, 64);
    ASSERT_EQ(batch.size(), 2u);
    EXPECT_EQ(batch[0], kSpan.frame(0));
    EXPECT_EQ(batch[1], kSpan.frame(1)) << "whatever address in the frame was sent from";
  }
  EXPECT_EQ(memory.size(), 0u);
  EXPECT_TRUE(owners_.conserved(16));
}

/// Every frame goes round many times, in batches that do not divide the ring, across the places
/// where the ring and its 32-bit index words wrap.
TEST_F(RingsTest, FramesAreConservedAcrossTheWrap) {
  MemoryRing<std::uint64_t> fill_memory(kEntries, kNearWrap);
  MemoryRing<xdp_desc> rx_memory(kEntries, kNearWrap);
  xsk_ring_prod fill_ring = fill_memory.for_producer();
  xsk_ring_cons rx_ring = rx_memory.for_consumer();
  FramePool pool(kSpan);
  std::uint32_t sent = 0;
  std::uint32_t received = 0;
  for (std::uint32_t round = 0; round < 100; ++round) {
    {
      FillBatch batch(fill_ring, owners_, std::min(1 + round % 5, pool.size()));
      while (batch.room() > 0) batch.put(pool.take());
    }
    while (fill_memory.size() > 0 && rx_memory.size() < kEntries)
      rx_memory.produce({fill_memory.consume() + XDP_PACKET_HEADROOM, sent++, 0});
    const RxBatch batch(rx_ring, nullptr, owners_, 1 + round % 7);
    for (const RxPacket packet : batch) {
      ASSERT_EQ(packet.length_bytes, received++) << "in order, none twice";
      pool.give(packet.frame);
    }
    ASSERT_TRUE(owners_.conserved(pool.size()));
  }
  EXPECT_GT(received, 4 * kSpan.frames);
}

#ifndef NDEBUG
using RingsDeathTest = RingsTest;

TEST_F(RingsDeathTest, AFrameThatIsFilledTwiceStopsTheProcess) {
  MemoryRing<std::uint64_t> memory(kEntries);
  xsk_ring_prod ring = memory.for_producer();
  FillBatch batch(ring, owners_, 2);
  batch.put(kSpan.frame(3));
  EXPECT_DEATH(batch.put(kSpan.frame(3)),
               "frame 0x2800 is owned by fill ring, kernel or RX ring, expected user");
}

TEST_F(RingsDeathTest, AFrameThatWasNeverFilledIsNotReceived) {
  MemoryRing<xdp_desc> memory(kEntries);
  xsk_ring_cons ring = memory.for_consumer();
  memory.produce({kSpan.frame(0), 60, 0});
  EXPECT_DEATH(RxBatch(ring, nullptr, owners_, 1), "is owned by user, expected fill ring");
}

TEST_F(RingsDeathTest, AFrameThatIsBeingSentIsNotSentAgain) {
  MemoryRing<xdp_desc> memory(kEntries);
  xsk_ring_prod ring = memory.for_producer();
  TxBatch batch(ring, owners_, 2);
  batch.put(kSpan.frame(0), 60);
  EXPECT_DEATH(batch.put(kSpan.frame(0), 60), "is owned by TX ring, kernel or completion ring");
}
#endif

}  // namespace
}  // namespace linearb::xsk
