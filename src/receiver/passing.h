// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "hook/maps.h"
#include "receiver/on_the_way.h"
#include "receiver/port.h"
#include "receiver/publication.h"
#include "sequencer/passed_by_all.h"

namespace linearb::receiver {

/// Finds out what all lines have passed, with the hook's marks and the packets on their way.
///
/// A look (sequencer/passed_by_all.h) also notes what is on its way, and tells once that was
/// received.
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

  const Publication& publication_;
  sequencer::PassedByAll passed_;
  OnTheWay on_the_way_;
};

}  // namespace linearb::receiver
