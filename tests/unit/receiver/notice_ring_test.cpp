// SPDX-License-Identifier: Apache-2.0
#include "receiver/notice_ring.h"

#include <thread>

#include <gtest/gtest.h>

namespace linearb::receiver {
namespace {

TaggedNotice notice(std::uint64_t first) {
  TaggedNotice tagged;
  tagged.notice.first = first;
  return tagged;
}

TEST(NoticeRing, GivesWhatWasPushedInItsOrder) {
  NoticeRing ring([] {});
  TaggedNotice tagged;
  EXPECT_FALSE(ring.pop(tagged));
  for (std::uint64_t i = 0; i < 3 * NoticeRing::kNotices; ++i) {
    ring.push(notice(i));
    ring.push(notice(i + 1));
    ASSERT_TRUE(ring.pop(tagged));
    EXPECT_EQ(tagged.notice.first, i);
    ASSERT_TRUE(ring.pop(tagged));
  }
  EXPECT_EQ(ring.take_lost(), 0u);
}

TEST(NoticeRing, CountsWhatThereIsNoRoomFor) {
  NoticeRing ring([] {});
  for (std::uint64_t i = 0; i < NoticeRing::kNotices; ++i) {
    EXPECT_TRUE(ring.has_room());
    ring.push(notice(i));
  }
  EXPECT_FALSE(ring.has_room());
  ring.push(notice(1));
  ring.push(notice(2));
  EXPECT_EQ(ring.take_lost(), 2u);
  EXPECT_EQ(ring.take_lost(), 0u);
  TaggedNotice tagged;
  EXPECT_TRUE(ring.pop(tagged));
  EXPECT_TRUE(ring.has_room());
}

TEST(NoticeRing, WakesOnceWhoSleeps) {
  int woken = 0;
  NoticeRing ring([&] { ++woken; });
  ring.push(notice(1));
  EXPECT_EQ(woken, 0);
  EXPECT_FALSE(ring.may_sleep());
  TaggedNotice tagged;
  ring.pop(tagged);
  EXPECT_TRUE(ring.may_sleep());
  ring.push(notice(2));
  ring.push(notice(3));
  EXPECT_EQ(woken, 1);
}

TEST(NoticeRing, CanTellAtOnce) {
  int woken = 0;
  std::vector<std::uint64_t> told;
  NoticeRing ring([&] { ++woken; });
  ring.may_sleep();
  ring.tell_at_once([&](const TaggedNotice& tagged) { told.push_back(tagged.notice.first); });
  for (std::uint64_t i = 0; i < 2 * NoticeRing::kNotices; ++i) {
    EXPECT_TRUE(ring.has_room());
    ring.push(notice(i));
  }
  EXPECT_EQ(told.size(), 2 * NoticeRing::kNotices);
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(ring.take_lost(), 0u);
}

/// Nobody sleeps over what the other has pushed.
TEST(NoticeRing, LosesNoWakeUpBetweenTwoThreads) {
  constexpr std::uint64_t kPushed = 200'000;
  std::atomic<std::uint32_t> wakes = 0;
  NoticeRing ring([&] {
    ++wakes;
    wakes.notify_one();
  });
  std::thread other([&] {
    for (std::uint64_t i = 0; i < kPushed; ++i) {
      while (!ring.has_room()) std::this_thread::yield();
      ring.push(notice(i));
    }
  });
  TaggedNotice tagged;
  for (std::uint64_t expected = 0; expected < kPushed;) {
    const std::uint32_t before = wakes.load();
    while (ring.pop(tagged)) ASSERT_EQ(tagged.notice.first, expected++);
    if (expected < kPushed && ring.may_sleep()) wakes.wait(before);
  }
  other.join();
  EXPECT_EQ(ring.take_lost(), 0u);
}

}  // namespace
}  // namespace linearb::receiver
