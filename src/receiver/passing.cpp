// SPDX-License-Identifier: Apache-2.0
#include "receiver/passing.h"

#include <algorithm>

namespace linearb::receiver {

Passing::Passing(const hook::Maps& maps, const Publication& publication,
                 const sequencer::Sequencer& sequencer, sequencer::InOrder& order,
                 std::uint32_t lines)
    : maps_(maps), publication_(publication), sequencer_(sequencer), order_(order), lines_(lines) {
  targets_.reserve(sequencer.room());
}

void Passing::look(std::span<Port* const> ports, std::uint64_t now_ns) noexcept {
  if (targets_.empty()) return begin(ports, now_ns);
  if (now_ns < began_ns_ + kReorderNs || !all_has_come(ports)) return;
  tell();
  begin(ports, now_ns);
}

void Passing::begin(std::span<Port* const> ports, std::uint64_t now_ns) noexcept {
  began_ns_ = now_ns;
  order_.for_each_wait([&](const sequencer::InOrder::Wait& wait) {
    const Target target = target_of(wait, now_ns);
    if (target.is_left || target.end > wait.missing) targets_.push_back(target);
  });
  if (targets_.empty()) return;
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

void Passing::tell() noexcept {
  for (const Target& target : targets_) {
    if (target.end > 0) order_.passed(target.wait.channel, target.wait.epoch, target.end);
    if (target.is_left) order_.left(target.wait.channel, target.wait.held_epoch);
  }
  targets_.clear();
}

Passing::Target Passing::target_of(const sequencer::InOrder::Wait& wait,
                                   std::uint64_t now_ns) const noexcept {
  Target target{.wait = wait, .end = ~0ull, .is_left = true};
  bool any_lives = false;
  if (!sequencer_.has(wait.channel)) return {};
  const sequencer::Channel& channel = sequencer_.channel(wait.channel);
  for (std::uint32_t line = 0; line < lines_; ++line) {
    if (now_ns >= channel.line_seen_ns(line) + kLiveNs) continue;
    any_lives = true;
    const std::uint64_t epoch = channel.line_epoch(line);
    if (epoch > wait.epoch) {
      target.is_left = target.is_left && epoch >= wait.held_epoch;
      continue;
    }
    target.is_left = false;
    const std::uint64_t end = epoch < wait.epoch ? 0 : channel.line_end(line);
    target.end =
        std::min(target.end, std::max(end, publication_.mark_of(wait.channel, line, wait.epoch)));
  }
  if (!any_lives || wait.held_epoch == wait.epoch) target.is_left = false;
  if (!any_lives) target.end = 0;
  return target;
}

}  // namespace linearb::receiver
