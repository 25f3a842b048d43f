// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "merge/capture_line.h"

namespace linearb::merge {

/// Time as the records tell it, for the sequencer, whose time never goes back. A record that is a
/// little behind the one before it has the time of that one. One that is far behind shows that the
/// clock was set back, or that the one before was damaged: time goes on from where it was.
class CaptureClock {
 public:
  /// Captures of several queues, and clocks that are disciplined, go back by less.
  static constexpr std::uint64_t kSetBackNs = 1'000'000'000;

  /// Records in the order in which they are judged. At least 1: the sequencer's 0 is "not known".
  std::uint64_t at(std::uint64_t record_ns) noexcept {
    std::uint64_t ns = std::min(record_ns + ahead_ns_, kTimeMaxNs);
    if (ns + kSetBackNs < now_ns_) {
      ahead_ns_ += now_ns_ - ns;
      ns = now_ns_;
    }
    now_ns_ = std::max(now_ns_, ns);
    return now_ns_;
  }

 private:
  std::uint64_t now_ns_ = 1;
  std::uint64_t ahead_ns_ = 0;  ///< of the records; no more than now_ns_
};

}  // namespace linearb::merge
