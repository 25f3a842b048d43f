// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "hook/maps.h"
#include "receiver/port.h"
#include "receiver/publication.h"
#include "sequencer/in_order.h"
#include "sequencer/sequencer.h"

namespace linearb::receiver {

/// Finds out what all lines have passed, so that nobody waits for what never comes.
///
/// A mark is visible before the packets that moved it, since the kernel fills a ring at the end of
/// its poll. So a look has two steps: where the lines of the channels that wait have come to, then
/// how much the hook had redirected by then; and once all of that was received, and what changes
/// its place on the way had time to come, the first is true of what was handed in.
///
/// A line that has shown nothing for a quarter of a second is not waited for. Data thread; nothing
/// allocates after the constructor.
class Passing {
 public:
  /// All outlive it.
  Passing(const hook::Maps& maps, const Publication& publication,
          const sequencer::Sequencer& sequencer, sequencer::InOrder& order, std::uint32_t lines);

  /// While packets wait: costs a few loads, or a look at the channels that wait.
  void look(std::span<Port* const> ports, std::uint64_t now_ns) noexcept;

 private:
  static constexpr std::uint64_t kLiveNs = 250'000'000;
  static constexpr std::uint64_t kReorderNs = 1'000'000;

  /// Where a channel has been passed, and whether its lines have left the epoch.
  struct Target {
    sequencer::InOrder::Wait wait;
    std::uint64_t end = 0;
    bool is_left = false;
  };

  void begin(std::span<Port* const> ports, std::uint64_t now_ns) noexcept;
  bool all_has_come(std::span<Port* const> ports) const noexcept;
  void tell() noexcept;
  Target target_of(const sequencer::InOrder::Wait& wait, std::uint64_t now_ns) const noexcept;

  const hook::Maps& maps_;
  const Publication& publication_;
  const sequencer::Sequencer& sequencer_;
  sequencer::InOrder& order_;
  std::uint32_t lines_;
  std::vector<Target> targets_;  ///< of the look that has begun; empty: none has
  std::uint64_t began_ns_ = 0;
  std::array<std::uint64_t, kPortsMax> redirected_{};  ///< by the id of a port
};

}  // namespace linearb::receiver
