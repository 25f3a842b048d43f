// SPDX-License-Identifier: Apache-2.0
#include "xsk/frame.h"

#include <gtest/gtest.h>

#include "xsk/frame_owners.h"
#include "xsk/frame_pool.h"

namespace linearb::xsk {
namespace {

constexpr FrameSpan kSpan{.first = 2 * 4096, .frames = 3, .frame_size = 4096};

TEST(Frame, RoomIsWhatTheHeadroomLeaves) {
  EXPECT_EQ(frame_room(2048), 1792u);
  EXPECT_EQ(frame_room(4096), 3840u);
}

TEST(Frame, EveryAddressOfAFrameNamesIt) {
  EXPECT_EQ(frame_of(0, 2048), 0u);
  EXPECT_EQ(frame_of(2047, 2048), 0u);
  EXPECT_EQ(frame_of(2048 + 256, 2048), 2048u);
}

TEST(Frame, SpanKnowsItsFrames) {
  EXPECT_EQ(kSpan.frame(1), 3u * 4096);
  EXPECT_EQ(kSpan.index(3 * 4096 + 5), 1u);
  EXPECT_EQ(kSpan.end(), 5u * 4096);
  EXPECT_FALSE(kSpan.contains(2 * 4096 - 1));
  EXPECT_TRUE(kSpan.contains(2 * 4096));
  EXPECT_TRUE(kSpan.contains(5 * 4096 - 1));
  EXPECT_FALSE(kSpan.contains(5 * 4096));
}

TEST(FramePool, BeginsWithTheWholeSpanAndTakesTheLastGiven) {
  FramePool pool(kSpan);
  EXPECT_EQ(pool.size(), 3u);
  EXPECT_EQ(pool.take(), kSpan.frame(0));
  EXPECT_EQ(pool.take(), kSpan.frame(1));
  EXPECT_EQ(pool.take(), kSpan.frame(2));
  EXPECT_TRUE(pool.empty());
  pool.give(kSpan.frame(1));
  EXPECT_EQ(pool.take(), kSpan.frame(1));
}

TEST(FramePool, MayHaveRoomForMoreThanItBeginsWith) {
  FramePool pool(kSpan, 5);
  EXPECT_EQ(pool.size(), 3u);
  for (const std::uint64_t other : {0u, 4096u}) pool.give(other);
  EXPECT_EQ(pool.size(), 5u);
  EXPECT_EQ(pool.take(), 4096u);
  EXPECT_EQ(pool.take(), 0u);
  EXPECT_EQ(pool.take(), kSpan.frame(0));
}

template <class Owners>
class FrameOwnersTest : public ::testing::Test {};
using BothBuilds = ::testing::Types<BasicFrameOwners<false>, BasicFrameOwners<true>>;
TYPED_TEST_SUITE(FrameOwnersTest, BothBuilds);

TYPED_TEST(FrameOwnersTest, CountsAreConserved) {
  TypeParam owners(kSpan);
  EXPECT_TRUE(owners.conserved(3));
  owners.check(kSpan.frame(0), FrameOwner::kUser, FrameOwner::kReceiving);
  owners.moved(1, FrameOwner::kUser, FrameOwner::kReceiving);
  EXPECT_TRUE(owners.conserved(2));
  EXPECT_FALSE(owners.conserved(3)) << "the caller holds a frame that is in the fill ring";
  EXPECT_FALSE(owners.conserved(1)) << "the caller has lost a frame";
  EXPECT_EQ(owners.count(FrameOwner::kUser), 2u);
  EXPECT_EQ(owners.count(FrameOwner::kReceiving), 1u);
  EXPECT_EQ(owners.count(FrameOwner::kSending), 0u);
}

TYPED_TEST(FrameOwnersTest, ARingThatGaveMoreThanItGotIsFound) {
  TypeParam received(kSpan);
  received.moved(1, FrameOwner::kReceiving, FrameOwner::kUser);
  EXPECT_FALSE(received.conserved(4));
  TypeParam completed(kSpan);
  completed.moved(1, FrameOwner::kSending, FrameOwner::kUser);
  EXPECT_FALSE(completed.conserved(4));
}

TEST(FrameOwnersDeathTest, TheTableNamesFrameAndOwners) {
  BasicFrameOwners<true> owners(kSpan);
  owners.check(kSpan.frame(1), FrameOwner::kUser, FrameOwner::kSending);
  EXPECT_DEATH(owners.check(kSpan.frame(1), FrameOwner::kUser, FrameOwner::kReceiving),
               "frame 0x3000 is owned by TX ring, kernel or completion ring, expected user");
  EXPECT_DEATH(owners.check(kSpan.end(), FrameOwner::kUser, FrameOwner::kReceiving),
               "frame 0x5000 is not of this socket, whose frames are 0x2000 to 0x5000");
}

TEST(FrameOwners, WithoutTheTableNothingIsCheckedAndNothingStored) {
  BasicFrameOwners<false> owners(kSpan);
  owners.check(kSpan.end(), FrameOwner::kUser, FrameOwner::kReceiving);
  EXPECT_TRUE(owners.conserved(3));
  EXPECT_LT(sizeof(BasicFrameOwners<false>), sizeof(BasicFrameOwners<true>));
}

}  // namespace
}  // namespace linearb::xsk
