// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <map>
#include <thread>

namespace linearb::cli {

/// These signals wait from here on, in the calling thread and in those that it starts, until a
/// SignalWatcher takes them: so that none of them ends the process between two steps of its set-up.
/// Call it before the first thread is started.
void hold_signals(std::initializer_list<int> signals);
/// SIGINT and SIGTERM.
void hold_stop_signals();

/// While it lives, each of its signals calls what belongs to it, on a thread of its own, one after
/// the other. So does one that came since it was held, at once. It has at least one signal, and
/// all of them are held.
class SignalWatcher {
 public:
  using Actions = std::map<int, std::function<void()>>;

  explicit SignalWatcher(Actions actions);
  /// Waits for an action that is under way.
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void watch();

  Actions actions_;
  std::atomic<bool> finished_{false};
  std::thread thread_;  // last: it uses the members above
};

/// The same action for SIGINT and SIGTERM.
class StopWatcher : public SignalWatcher {
 public:
  explicit StopWatcher(const std::function<void()>& stop);
};

}  // namespace linearb::cli
