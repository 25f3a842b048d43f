// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace linearb::cli {

/// SIGINT and SIGTERM wait from here on, in the calling thread and in those that it starts, until a
/// StopWatcher takes them: so that none of them ends the process between two steps of its set-up.
/// Call it before the first thread is started.
void hold_stop_signals();

/// While it lives, each SIGINT and SIGTERM calls `stop`, on a thread of its own. So does one that
/// came since hold_stop_signals(), at once.
class StopWatcher {
 public:
  explicit StopWatcher(std::function<void()> stop);
  ~StopWatcher();
  StopWatcher(const StopWatcher&) = delete;
  StopWatcher& operator=(const StopWatcher&) = delete;

 private:
  void watch();

  std::function<void()> stop_;
  std::atomic<bool> finished_{false};
  std::thread thread_;  // last: it uses the members above
};

}  // namespace linearb::cli
