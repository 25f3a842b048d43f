// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "hook/maps.h"
#include "receiver/port.h"

namespace linearb::receiver {

/// What the hook had redirected at a time. A mark is visible before the packets that moved it,
/// since the kernel fills a ring at the end of its poll: what was seen of marks at that time is
/// true of what was received once all of this has come.
///
/// Data thread; nothing allocates.
class OnTheWay {
 public:
  /// It outlives this.
  explicit OnTheWay(const hook::Maps& maps) : maps_(maps) {}

  void note(std::span<Port* const> ports) noexcept {
    for (const Port* port : ports)
      redirected_[port->id] = lb_load_acquire(&maps_.credit(port->slot).redirected);
  }
  /// One that was opened since has nothing that is older.
  bool has_come(std::span<Port* const> ports) const noexcept {
    return std::ranges::all_of(ports, [this](const Port* port) {
      const std::uint64_t now = lb_load_acquire(&maps_.credit(port->slot).redirected);
      return port->redirected_before + port->received + port->kernel_lost >=
             std::min(redirected_[port->id], now);
    });
  }

 private:
  const hook::Maps& maps_;
  std::array<std::uint64_t, kPortsMax> redirected_{};  ///< by the id of a port
};

}  // namespace linearb::receiver
