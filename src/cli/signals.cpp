// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <csignal>
#include <utility>

namespace linearb::cli {

void hold_signals(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : signals) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void hold_stop_signals() {
  hold_signals({SIGINT, SIGTERM});
}

SignalWatcher::SignalWatcher(Actions actions)
    : actions_(std::move(actions)), thread_([this] { watch(); }) {}

SignalWatcher::~SignalWatcher() {
  finished_ = true;
  // Wakes the thread; it is the only one that this signal can reach.
  ::pthread_kill(thread_.native_handle(), actions_.begin()->first);
  thread_.join();
}

void SignalWatcher::watch() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const auto& [signal, action] : actions_) ::sigaddset(&set, signal);
  for (;;) {
    int signal = 0;
    if (::sigwait(&set, &signal) != 0 || finished_) return;
    actions_.at(signal)();
  }
}

StopWatcher::StopWatcher(const std::function<void()>& stop)
    : SignalWatcher({{SIGINT, stop}, {SIGTERM, stop}}) {}

}  // namespace linearb::cli
