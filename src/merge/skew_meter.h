// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "linearb/options.h"
#include "merge/packet_pool.h"
#include "merge/summing_up.h"
#include "merge/winner_times.h"
#include "sequencer/packet.h"

namespace linearb::merge {

/// Measures how far copies are behind their winners. It stands right behind the sequencer, in front
/// of the order of numbers: there a winner may wait until its copies have long been decided.
class SkewMeter final : public sequencer::Decisions {
 public:
  /// All outlive it.
  struct Parts {
    const PacketPool& packets;
    std::vector<LineCounts>& counts;
    sequencer::Decisions& next;
  };

  SkewMeter(const Parts& parts, std::size_t channels, Dedup dedup)
      : parts_(parts), winners_(channels), dedup_(dedup) {}

  void decided(const sequencer::Packet& packet,
               const sequencer::Decision& decision) noexcept override;

 private:
  void measure(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept;

  Parts parts_;
  std::vector<WinnerTimes> winners_;  ///< by place
  Dedup dedup_;
};

}  // namespace linearb::merge
