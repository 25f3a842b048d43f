// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sequencer/in_order.h"
#include "sequencer/sequencer.h"

namespace linearb::sequencer {

/// Where the lines of a channel that live have all come to in an epoch.
struct Passed {
  std::uint64_t end = ~0ull;  ///< where none of them is in the epoch, or before it: as far as any
  bool any_lives = false;
  bool is_left = true;  ///< all are in the epoch that comes next, or later
};

/// A line that has shown nothing for so long is not waited for.
inline constexpr std::uint64_t kLiveNs = 250'000'000;

/// `mark_of(line)` is where somebody else has seen the line come in that epoch, 0 where nobody has.
template <class MarkOf>
Passed passed_in(std::uint64_t epoch, std::uint64_t next_epoch, const Channel& channel,
                 std::uint32_t lines, std::uint64_t now_ns, MarkOf mark_of) noexcept {
  Passed passed;
  for (std::uint32_t line = 0; line < lines; ++line) {
    if (channel.only_repairs(line)) continue;
    if (now_ns >= channel.line_awaited_ns(line) + kLiveNs) continue;
    passed.any_lives = true;
    const std::uint64_t line_epoch = channel.line_epoch(line);
    if (line_epoch > epoch) {
      passed.is_left = passed.is_left && line_epoch >= next_epoch;
      continue;
    }
    passed.is_left = false;
    const std::uint64_t end = line_epoch < epoch ? 0 : channel.line_end(line);
    passed.end = std::min(passed.end, std::max(end, mark_of(line)));
  }
  return passed;
}

/// Finds out what all lines of a channel have passed, so that nobody waits for what never comes.
///
/// A look has two steps: begin() sees where the lines of the channels that wait have come to, and
/// tell() says so to the order, once what changes its place on the way had time to come. Where
/// packets are still on their way to the sequencer, its owner tells only when those have come that
/// were when the look began.
///
/// Pure: time is an argument. One thread, and nothing allocates after the constructor.
class PassedByAll {
 public:
  static constexpr std::uint64_t kReorderNs = 1'000'000;

  /// Both outlive it.
  PassedByAll(const Sequencer& sequencer, InOrder& order, std::uint32_t lines)
      : sequencer_(sequencer), order_(order), lines_(lines) {
    targets_.reserve(sequencer.room());
  }

  /// Both steps, where all that has come was handed in; most calls cost nothing.
  void look(std::uint64_t now_ns) noexcept;

  bool has_begun() const noexcept { return !targets_.empty(); }
  /// None has begun. `mark_of(channel, line, epoch)` is where somebody else has seen the line come
  /// in that epoch, 0 where nobody has.
  template <class MarkOf>
  void begin(std::uint64_t now_ns, MarkOf mark_of) noexcept {
    began_ns_ = now_ns;
    order_.for_each_wait([&](const InOrder::Wait& wait) {
      const Target target = target_of(wait, now_ns, mark_of);
      if (target.is_left || target.end > wait.missing) targets_.push_back(target);
    });
  }
  /// What was overtaken before the look has come by now.
  bool may_be_told(std::uint64_t now_ns) const noexcept { return now_ns >= began_ns_ + kReorderNs; }
  void tell() noexcept;

 private:
  /// Where a channel has been passed, and whether its lines have left the epoch.
  struct Target {
    InOrder::Wait wait;
    std::uint64_t end = 0;
    bool is_left = false;
  };

  template <class MarkOf>
  Target target_of(const InOrder::Wait& wait, std::uint64_t now_ns, MarkOf mark_of) const noexcept {
    if (!sequencer_.has(wait.channel)) return {};
    const Passed passed =
        passed_in(wait.epoch, wait.held_epoch, sequencer_.channel(wait.channel), lines_, now_ns,
                  [&](std::uint32_t line) { return mark_of(wait.channel, line, wait.epoch); });
    if (!passed.any_lives) return {.wait = wait};
    return {.wait = wait,
            .end = passed.end,
            .is_left = passed.is_left && wait.held_epoch != wait.epoch};
  }

  const Sequencer& sequencer_;
  InOrder& order_;
  std::uint32_t lines_;
  std::vector<Target> targets_;  ///< of the look that has begun; empty: none has
  std::uint64_t began_ns_ = 0;
};

}  // namespace linearb::sequencer
