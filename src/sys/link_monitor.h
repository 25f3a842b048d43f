// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/fd.h"

namespace linearb::sys {

/// Hears when an interface of this network namespace is made, changed or removed (rtnetlink's link
/// group). It says that something happened, not what: whoever waits looks for himself, and so
/// loses nothing when the kernel had to leave messages out.
class LinkMonitor {
 public:
  /// Throws Error.
  LinkMonitor();

  /// Waits until something happened, or `stop_fd` is readable, or the time is over. False when it
  /// was `stop_fd` alone.
  bool wait(int stop_fd, int timeout_ms) noexcept;

 private:
  Fd socket_;
};

}  // namespace linearb::sys
