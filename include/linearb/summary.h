// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace linearb {

/// Numbers that no line delivered: [first, first + count).
struct Gap {
  std::string channel;
  std::uint64_t epoch = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// How far the copies of a line came behind the winner, in nanoseconds, by sampling.
struct SkewSummary {
  std::uint64_t count = 0;
  std::uint64_t p50 = 0;
  std::uint64_t p99 = 0;
  std::uint64_t max = 0;
};

/// What became of the packets that the hook saw on a line. The fields from `won` to `kernel_lost`
/// add up to `packets`.
struct LineSummary {
  std::string name;
  bool repair = false;  ///< it only repairs (ReceiverOptions::repair_lines)
  std::uint64_t packets = 0;
  std::uint64_t won = 0;          ///< delivered whole; this line was first
  std::uint64_t duplicate = 0;    ///< nothing new, inside the window
  std::uint64_t overlap = 0;      ///< delivered in part, the rest was there before
  std::uint64_t unsequenced = 0;  ///< delivered, carries no number
  std::uint64_t late = 0;         ///< nothing new, behind the window
  std::uint64_t old_epoch = 0;    ///< nothing new, from an epoch that the channel has left
  std::uint64_t control = 0;      ///< heartbeat, end of session, reset
  std::uint64_t unconfirmed = 0;  ///< a jump that nothing confirmed and that could not be delivered
  std::uint64_t no_credit = 0;    ///< no room: dropped unclaimed, so that another line can win
  std::uint64_t no_receiver = 0;  ///< no socket for (line, queue): to the kernel
  std::uint64_t malformed = 0;    ///< addressed to a channel, but not of its framing
  std::uint64_t not_feed = 0;     ///< no configured channel: to the kernel
  std::uint64_t kernel_lost = 0;  ///< redirected, never seen in the RX ring

  // Outside of the sum.
  std::uint64_t passed_up = 0;      ///< how many of them user space judged
  std::uint64_t nic_lost = 0;       ///< lost before the hook, by the interface's own counters
  std::uint64_t lost_messages = 0;  ///< numbers the line skipped, less those it brought later
  std::uint64_t divergent = 0;      ///< copies that differ under one number
  std::string mode;                 ///< native, generic
  std::string bind;                 ///< zero-copy, copy
  SkewSummary skew_ns;

  std::uint64_t accounted() const noexcept {
    return won + duplicate + overlap + unsequenced + late + old_epoch + control + unconfirmed +
           no_credit + no_receiver + malformed + not_feed + kernel_lost;
  }
};

struct ChannelSummary {
  std::string name;
  std::string framing;
  std::uint64_t messages = 0;
  std::uint64_t gap_messages = 0;
  /// Where the receiver went on after another: numbers behind the first that is missing or was
  /// delivered here, which that one had delivered or reported. In each epoch
  /// messages + gap_messages + adopted = last - first + 1.
  std::uint64_t adopted = 0;
  std::uint64_t epoch = 0;  ///< the newest
  bool removed = false;     ///< by a reload; the figures are those of its time
};

/// What a run came to: of `receive`, `demo` and `merge`.
struct Summary {
  /// Won + overlap + unsequenced of all lines, and what was delivered of the injected ones.
  std::uint64_t packets = 0;
  std::uint64_t messages = 0;                 ///< the new numbered messages in them
  std::optional<std::uint64_t> gap_messages;  ///< nothing under dedup = "lru": ids have no order
  std::optional<std::vector<Gap>> gaps;       ///< the first 1,000; of each data thread its share
  bool gaps_truncated = false;
  /// Messages that came after the hole that they belong in had been given up, in Order::sequence:
  /// delivered all the same, behind later ones.
  std::uint64_t late_repairs = 0;
  std::vector<LineSummary> lines;
  std::vector<ChannelSummary> channels;
  bool balanced =
      false;  ///< every sum holds, redirected = received + kernel_lost, frames conserved
  std::vector<std::string> imbalances;   ///< what did not add up, a sentence each
  double seconds = 0;                    ///< from the first feed packet to the last
  std::uint64_t lost_races = 0;          ///< compare-and-swaps on the window that another CPU won
  std::uint64_t hook_cpus = 0;           ///< CPUs that were in the hook
  std::uint64_t injected = 0;            ///< packets that the application handed in
  std::uint64_t injected_delivered = 0;  ///< those of them that had something new
  std::uint64_t written = 0;             ///< records in the file of `write_path`
  std::uint64_t untrimmed = 0;     ///< of them: overlaps written whole, since they cannot be walked
  std::uint64_t writer_waits = 0;  ///< how often the receiver waited for the writer
  std::string write_error;         ///< why the file could not be written on; empty: it was
};

}  // namespace linearb
