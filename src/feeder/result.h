// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/layout.h"
#include "core/run.h"
#include "feeder/impairment.h"

namespace linearb::feeder {

/// What became of the packets of one line. After a run that was not given up
/// completed = sent = offered - dropped + duplicated (of `ledger`).
struct LineResult {
  std::string name;
  Ledger ledger;
  std::uint64_t sent = 0;       // handed to the kernel
  std::uint64_t completed = 0;  // and given back by it: not a proof of delivery
  /// Meanwhile, by the interface's own counter, whoever sent: its queue, or that of the other end
  /// of a veth pair, had no room. 0 of an interface that has gone.
  std::uint64_t interface_dropped = 0;
  /// Lost units as runs; `first` counts from 0, the first message (datagram) of the run.
  std::vector<lb_run> lost;
  std::uint64_t unlisted = 0;  // lost packets beyond kLostRunsMax runs
  bool frames_conserved = false;
};

struct FeederResult {
  std::vector<LineResult> lines;
  std::uint64_t units = 0;    // messages that were generated, or datagrams that were replayed
  std::uint64_t skipped = 0;  // records of the capture that are no UDP datagram
  std::uint64_t pauses = 0;   // times the source waited: a delay queue or the look-ahead was full
  double seconds = 0;
};

/// The units that no line carried: what a receiver must report as gaps. Exact as long as
/// `unlisted` is 0 on every line.
std::vector<lb_run> lost_on_every_line(std::span<const LineResult> lines);

/// For a display, while a run is going on: the feeder stores, anyone loads, relaxed. Each number
/// is right by itself; they are not of one moment.
struct Progress {
  std::atomic<std::uint64_t> units{0};
  std::array<std::atomic<std::uint64_t>, LB_LINES_MAX> sent{};
};

}  // namespace linearb::feeder
