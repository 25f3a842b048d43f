// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <csignal>
#include <utility>

namespace linearb::cli {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

void hold_stop_signals() {
  sigset_t signals = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

StopWatcher::StopWatcher(std::function<void()> stop)
    : stop_(std::move(stop)), thread_([this] { watch(); }) {}

StopWatcher::~StopWatcher() {
  finished_ = true;
  // Wakes the thread; it is the only one that this signal can reach.
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void StopWatcher::watch() {
  sigset_t signals = stop_signals();
  for (;;) {
    int signal = 0;
    if (::sigwait(&signals, &signal) != 0 || finished_) return;
    stop_();
  }
}

}  // namespace linearb::cli
