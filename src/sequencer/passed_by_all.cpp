// SPDX-License-Identifier: Apache-2.0
#include "sequencer/passed_by_all.h"

namespace linearb::sequencer {

void PassedByAll::look(std::uint64_t now_ns) noexcept {
  if (!may_be_told(now_ns)) return;
  tell();
  begin(now_ns, [](std::uint16_t, std::uint32_t, std::uint64_t) { return std::uint64_t{0}; });
}

void PassedByAll::tell() noexcept {
  for (const Target& target : targets_) {
    if (target.end > 0) order_.passed(target.wait.channel, target.wait.epoch, target.end);
    if (target.is_left) order_.left(target.wait.channel, target.wait.held_epoch);
  }
  targets_.clear();
}

}  // namespace linearb::sequencer
