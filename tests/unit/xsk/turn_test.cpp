// SPDX-License-Identifier: Apache-2.0
#include "xsk/turn.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace linearb::xsk {
namespace {

TEST(Turn, IsOneAtATime) {
  std::atomic<bool> is_taken = false;
  {
    const Turn first(is_taken);
    EXPECT_TRUE(first.is_mine());
    {
      const Turn second(is_taken);
      EXPECT_FALSE(second.is_mine());
    }
    EXPECT_FALSE(Turn(is_taken).is_mine()) << "who did not get it has nothing to give back";
  }
  EXPECT_TRUE(Turn(is_taken).is_mine());
}

TEST(Turn, WhatOneThreadDidTheNextOneSees) {
  constexpr int kTurns = 50'000;
  std::atomic<bool> is_taken = false;
  int count = 0;  // a plain one
  const auto take_turns = [&] {
    for (int mine = 0; mine < kTurns;) {
      const Turn turn(is_taken);
      if (!turn.is_mine()) continue;
      ++count;
      ++mine;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back(take_turns);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 3 * kTurns);
}

}  // namespace
}  // namespace linearb::xsk
