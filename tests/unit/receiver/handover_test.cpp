// SPDX-License-Identifier: Apache-2.0
#include "receiver/handover.h"

#include <thread>

#include <gtest/gtest.h>

namespace linearb::receiver {
namespace {

TEST(Handover, AChangeIsDoneByTheDataThreadAndTheOtherWaits) {
  constexpr int kChanges = 1000;
  Handover handover;
  hook::FlowTable table;
  int done = 0;
  std::thread data([&] {
    while (done < kChanges) {
      Change* const change = handover.pending();
      if (!change) continue;
      change->flows = &table;
      ++done;
      handover.done();
    }
  });
  int woken = 0;
  for (int i = 1; i <= kChanges; ++i) {
    Change change;
    ASSERT_TRUE(handover.request(change, [&] { ++woken; }));
    EXPECT_EQ(change.flows, &table);
    EXPECT_EQ(done, i);
  }
  data.join();
  EXPECT_EQ(woken, kChanges);
  EXPECT_EQ(handover.pending(), nullptr);
}

TEST(Handover, WhoWaitsWhenTheRunEndsIsToldThatNothingWasDone) {
  Handover handover;
  std::thread data([&] {
    while (!handover.pending()) {
    }
    handover.end();
  });
  Change change;
  EXPECT_FALSE(handover.request(change, [] {}));
  data.join();
  EXPECT_FALSE(handover.request(change, [] {})) << "and who asks after it does not wait";
  EXPECT_EQ(handover.pending(), nullptr);
}

TEST(Handover, AnAnswerToAnEarlierRequestIsNoneToALaterOne) {
  Handover handover;
  Change change;
  std::thread data([&] {
    while (!handover.pending()) {
    }
    handover.done();
    while (!handover.pending()) {
    }
    handover.end();
  });
  EXPECT_TRUE(handover.request(change, [] {}));
  EXPECT_FALSE(handover.request(change, [] {}));
  data.join();
}

}  // namespace
}  // namespace linearb::receiver
