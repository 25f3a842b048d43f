// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "hook/maps.h"
#include "receiver/port.h"
#include "receiver/publication.h"
#include "sequencer/passed_by_all.h"

namespace linearb::receiver {

/// Finds out what all lines have passed, with the hook's marks and the packets on their way.
///
/// A mark is visible before the packets that moved it, since the kernel fills a ring at the end of
/// its poll. So a look (sequencer/passed_by_all.h) also notes how much the hook had redirected by
/// then, and tells once all of that was received: then it is true of what was handed in.
///
/// Data thread; nothing allocates after the constructor.
class Passing {
 public:
  /// All outlive it.
  Passing(const hook::Maps& maps, const Publication& publication,
          const sequencer::Sequencer& sequencer, sequencer::InOrder& order, std::uint32_t lines);

  /// While packets wait: costs a few loads, or a look at the channels that wait.
  void look(std::span<Port* const> ports, std::uint64_t now_ns) noexcept;

 private:
  void begin(std::span<Port* const> ports, std::uint64_t now_ns) noexcept;
  bool all_has_come(std::span<Port* const> ports) const noexcept;

  const hook::Maps& maps_;
  const Publication& publication_;
  sequencer::PassedByAll passed_;
  std::array<std::uint64_t, kPortsMax> redirected_{};  ///< by the id of a port
};

}  // namespace linearb::receiver
