// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <sys/eventfd.h>
#include <unistd.h>

#include "sys/error.h"
#include "sys/fd.h"

namespace linearb::receiver {

/// A descriptor that somebody who waits in poll() waits for, too.
class Wake {
 public:
  /// Throws Error.
  Wake() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!fd_) sys::throw_errno("make an event descriptor");
  }
  int fd() const noexcept { return fd_.get(); }
  /// Safe from a signal handler.
  void up() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
  }
  void reset() const noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t length = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  sys::Fd fd_;
};

}  // namespace linearb::receiver
