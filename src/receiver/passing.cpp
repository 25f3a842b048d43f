// SPDX-License-Identifier: Apache-2.0
#include "receiver/passing.h"

namespace linearb::receiver {

Passing::Passing(const hook::Maps& maps, const Publication& publication,
                 const sequencer::Sequencer& sequencer, sequencer::InOrder& order,
                 std::uint32_t lines)
    : publication_(publication), passed_(sequencer, order, lines), on_the_way_(maps) {}

void Passing::look(std::span<Port* const> ports, std::uint64_t now_ns) noexcept {
  if (!passed_.has_begun()) return begin(ports, now_ns);
  if (!passed_.may_be_told(now_ns) || !on_the_way_.has_come(ports)) return;
  passed_.tell();
  begin(ports, now_ns);
}

void Passing::begin(std::span<Port* const> ports, std::uint64_t now_ns) noexcept {
  passed_.begin(now_ns, [this](std::uint16_t channel, std::uint32_t line, std::uint64_t epoch) {
    return publication_.mark_of(channel, line, epoch);
  });
  if (passed_.has_begun()) on_the_way_.note(ports);
}

}  // namespace linearb::receiver
