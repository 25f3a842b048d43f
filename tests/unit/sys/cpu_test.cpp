// SPDX-License-Identifier: Apache-2.0
#include "sys/cpu.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>

#include "linearb/error.h"

namespace linearb::sys {
namespace {

TEST(Cpu, AThreadIsPinnedAndNoOther) {
  const auto before = allowed_cpus();
  ASSERT_FALSE(before.empty());
  std::vector<unsigned> inside;
  int ran_on = -1;
  std::thread([&] {
    pin_this_thread(before.back());
    inside = allowed_cpus();
    ran_on = ::sched_getcpu();
  }).join();
  EXPECT_EQ(inside, std::vector<unsigned>{before.back()});
  EXPECT_EQ(ran_on, static_cast<int>(before.back()));
  EXPECT_EQ(allowed_cpus(), before);
}

TEST(Cpu, ACpuThatIsNotAllowedIsRefusedWithThoseThatAre) {
  std::string text;
  const unsigned first = allowed_cpus().front();
  std::thread([&] {
    pin_this_thread(first);
    try {
      pin_this_thread(first + 1);
    } catch (const UsageError& error) {
      text = error.what();
    }
  }).join();
  EXPECT_EQ(text, "pin a thread to CPU " + std::to_string(first + 1) + ": it may run on " +
                      std::to_string(first) + " only");
}

}  // namespace
}  // namespace linearb::sys
