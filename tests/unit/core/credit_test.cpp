// SPDX-License-Identifier: Apache-2.0
#include "core/credit.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>

#include <gtest/gtest.h>

namespace linearb {
namespace {

lb_credit with_capacity(std::uint64_t capacity) {
  lb_credit credit{};
  credit.capacity = capacity;
  return credit;
}

/// Takes until it is refused.
int take_all(lb_credit& credit, lb_credit_share share) {
  int taken = 0;
  while (lb_credit_take(&credit, share)) taken++;
  return taken;
}

TEST(Credit, IsThereUpToTheCapacity) {
  for (int capacity : {1, 2, 3, 64, 4096}) {
    lb_credit credit = with_capacity(static_cast<std::uint64_t>(capacity));
    EXPECT_EQ(take_all(credit, LB_CREDIT_CLAIM), capacity);
    EXPECT_EQ(credit.redirected, credit.capacity) << "a refusal leaves nothing behind";
  }
}

TEST(Credit, OfCapacityZeroIsNever) {
  lb_credit credit = with_capacity(0);
  EXPECT_EQ(lb_credit_take(&credit, LB_CREDIT_CLAIM), 0);
  EXPECT_EQ(lb_credit_take(&credit, LB_CREDIT_PASS_UP), 0);
  EXPECT_EQ(credit.redirected, 0u);
}

TEST(Credit, ComesBackWithReturnedFrames) {
  lb_credit credit = with_capacity(8);
  take_all(credit, LB_CREDIT_CLAIM);
  lb_store_release(&credit.returned, 3);
  EXPECT_EQ(take_all(credit, LB_CREDIT_CLAIM), 3);
  lb_store_release(&credit.returned, 11);
  EXPECT_EQ(take_all(credit, LB_CREDIT_CLAIM), 8) << "all frames are back";
}

TEST(Credit, ThatWasNotSpentIsGivenBack) {
  lb_credit credit = with_capacity(2);
  take_all(credit, LB_CREDIT_CLAIM);
  lb_credit_give_back(&credit);
  EXPECT_EQ(take_all(credit, LB_CREDIT_CLAIM), 1);
}

TEST(Credit, OfAClosedSocketIsNeverWhileFramesAreOut) {
  lb_credit credit = with_capacity(8);
  lb_credit_take(&credit, LB_CREDIT_CLAIM);
  lb_store_release(&credit.capacity, 0);
  EXPECT_EQ(lb_credit_take(&credit, LB_CREDIT_CLAIM), 0);
  EXPECT_EQ(credit.redirected, 1u);
}

TEST(Credit, CountsOnBeyondTheWrapOfItsCounters) {
  lb_credit credit = with_capacity(4);
  credit.redirected = ~0ull - 1;
  credit.returned = ~0ull - 1;
  EXPECT_EQ(take_all(credit, LB_CREDIT_CLAIM), 4);
  EXPECT_EQ(credit.redirected, 2u);
}

struct Shares {
  std::uint64_t capacity;
  int pass_up;
};

TEST(Credit, IsForPassingUpOnlyWhileLessThanHalfIsOut) {
  const Shares table[] = {{8, 4}, {9, 4}, {2, 1}, {1, 0}};
  for (const Shares& row : table) {
    lb_credit credit = with_capacity(row.capacity);
    EXPECT_EQ(take_all(credit, LB_CREDIT_PASS_UP), row.pass_up) << row.capacity;
    EXPECT_EQ(take_all(credit, LB_CREDIT_CLAIM), static_cast<int>(row.capacity) - row.pass_up)
        << "the other half is for claims";
  }
}

TEST(Credit, OfClaimsCountsAgainstPassingUp) {
  lb_credit credit = with_capacity(8);
  for (int i = 0; i < 4; i++) lb_credit_take(&credit, LB_CREDIT_CLAIM);
  EXPECT_EQ(lb_credit_take(&credit, LB_CREDIT_PASS_UP), 0);
  EXPECT_EQ(lb_credit_take(&credit, LB_CREDIT_CLAIM), 1);
}

/// Two CPUs in the hook and the receiver, over a ring that has as many places as there are
/// credits. A place is taken after its credit, and is free again before the credit comes back.
TEST(CreditThreads, NeverExceedTheCapacity) {
  constexpr std::uint64_t kCapacity = 4;
  constexpr std::uint64_t kPacketsPerCpu = 200'000;
  lb_credit credit = with_capacity(kCapacity);
  std::atomic<std::uint64_t> places_taken = 0;
  std::atomic<std::uint64_t> redirected = 0;
  std::atomic<std::uint64_t> overruns = 0;
  std::atomic<int> cpus_running = 2;

  auto run_cpu = [&](std::uint64_t cpu) {
    for (std::uint64_t packet = 0; packet < kPacketsPerCpu; packet++) {
      lb_credit_share share = packet % 4 == cpu ? LB_CREDIT_PASS_UP : LB_CREDIT_CLAIM;
      while (!lb_credit_take(&credit, share)) std::this_thread::yield();
      if (places_taken.fetch_add(1) >= kCapacity) overruns++;
      bool is_spent = packet % 3 != 0;
      if (is_spent) {
        redirected.fetch_add(1);
      } else {
        places_taken.fetch_sub(1);
        lb_credit_give_back(&credit);
      }
    }
    cpus_running.fetch_sub(1);
  };
  std::array<std::thread, 2> cpus{std::thread(run_cpu, 0), std::thread(run_cpu, 1)};
  std::uint64_t returned = 0;
  while (cpus_running.load() > 0 || returned < redirected.load()) {
    std::uint64_t received = redirected.load();
    places_taken.fetch_sub(received - returned);
    returned = received;
    lb_store_release(&credit.returned, returned);
    std::this_thread::yield();
  }
  for (std::thread& cpu : cpus) cpu.join();

  EXPECT_EQ(overruns, 0u);
  EXPECT_EQ(credit.redirected, redirected.load()) << "every credit was spent or given back";
  EXPECT_EQ(credit.returned, credit.redirected);
}

}  // namespace
}  // namespace linearb
