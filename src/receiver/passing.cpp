// SPDX-License-Identifier: Apache-2.0
#include "receiver/passing.h"

#include <algorithm>

namespace linearb::receiver {

Passing::Passing(const hook::Maps& maps, const Publication& publication,
                 const sequencer::Sequencer& sequencer, sequencer::InOrder& order,
                 std::uint32_t lines)
    : maps_(maps), publication_(publication), passed_(sequencer, order, lines) {}

void Passing::look(std::span<Port* const> ports, std::uint64_t now_ns) noexcept {
  if (!passed_.has_begun()) return begin(ports, now_ns);
  if (!passed_.may_be_told(now_ns) || !all_has_come(ports)) return;
  passed_.tell();
  begin(ports, now_ns);
}

void Passing::begin(std::span<Port* const> ports, std::uint64_t now_ns) noexcept {
  passed_.begin(now_ns, [this](std::uint16_t channel, std::uint32_t line, std::uint64_t epoch) {
    return publication_.mark_of(channel, line, epoch);
  });
  if (!passed_.has_begun()) return;
  for (const Port* port : ports)
    redirected_[port->id] = lb_load_acquire(&maps_.credit(port->slot).redirected);
}

/// One that was opened since has nothing that is older.
bool Passing::all_has_come(std::span<Port* const> ports) const noexcept {
  return std::ranges::all_of(ports, [this](const Port* port) {
    const std::uint64_t now = lb_load_acquire(&maps_.credit(port->slot).redirected);
    return port->redirected_before + port->received + port->kernel_lost >=
           std::min(redirected_[port->id], now);
  });
}

}  // namespace linearb::receiver
