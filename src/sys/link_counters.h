// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "sys/fd.h"

namespace linearb::sys {

/// What an interface has sent, asked of the kernel again and again: a few microseconds each time,
/// where query_interface() asks for everything (RTM_GETSTATS, rtnetlink(7)).
class LinkCounters {
 public:
  struct Transmitted {
    std::uint64_t packets = 0;  ///< of a veth: what its other end has taken out of its queue
    std::uint64_t dropped = 0;  ///< of a veth: what found no room there
  };

  /// In the network namespace of the calling thread. Throws Error when there is no such interface.
  explicit LinkCounters(const std::string& interface);

  /// Since the interface was made. Throws Error when it is gone.
  Transmitted read() const;

 private:
  std::string interface_;
  unsigned index_;
  Fd socket_;
};

}  // namespace linearb::sys
