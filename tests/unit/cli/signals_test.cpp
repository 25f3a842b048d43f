// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <csignal>
#include <semaphore>

#include <gtest/gtest.h>
#include <unistd.h>

namespace linearb::cli {
namespace {

TEST(StopWatcher, CallsStopForEachSignalAndForOneThatCameBefore) {
  hold_stop_signals();
  std::counting_semaphore<> stops(0);
  ::kill(::getpid(), SIGINT);
  {
    StopWatcher watcher([&] { stops.release(); });
    stops.acquire();
    ::kill(::getpid(), SIGTERM);
    stops.acquire();
  }
  EXPECT_FALSE(stops.try_acquire()) << "its own end is no stop";
}

}  // namespace
}  // namespace linearb::cli
