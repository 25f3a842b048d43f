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

TEST(SignalWatcher, CallsWhatBelongsToTheSignal) {
  hold_signals({SIGHUP, SIGTERM});
  std::counting_semaphore<> reloads(0), stops(0);
  ::kill(::getpid(), SIGHUP);
  {
    SignalWatcher watcher(
        {{SIGHUP, [&] { reloads.release(); }}, {SIGTERM, [&] { stops.release(); }}});
    reloads.acquire();
    EXPECT_FALSE(stops.try_acquire());
    ::kill(::getpid(), SIGTERM);
    stops.acquire();
    ::kill(::getpid(), SIGHUP);
    reloads.acquire();
  }
  EXPECT_FALSE(reloads.try_acquire()) << "its own end is no signal";
  EXPECT_FALSE(stops.try_acquire());
}

}  // namespace
}  // namespace linearb::cli
