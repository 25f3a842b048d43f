// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/layout.h"

namespace linearb::receiver {

/// The same packets, counted by everyone who had them in hand. Nobody derives a figure from
/// another's, so that a packet that is swallowed between two of them shows.
struct Ledger {
  struct Line {
    std::string name;
    lb_counters hook{};             ///< by the hook, over all CPUs
    std::uint64_t judged = 0;       ///< handed to the sequencer
    std::uint64_t decided = 0;      ///< came out of it with an outcome
    std::uint64_t held = 0;         ///< still in it: 0 when a run is over
    std::uint64_t kernel_lost = 0;  ///< given up by the data path
  };
  struct Socket {
    std::string name;
    std::uint64_t redirected = 0;  ///< by the hook
    std::uint64_t received = 0;    ///< out of the RX ring
    std::uint64_t kernel_lost = 0;
    bool frames_conserved = true;  ///< by the owner table
  };

  std::vector<Line> lines;
  std::vector<Socket> sockets;
  std::uint64_t injected = 0;                 ///< taken of what the application injected
  std::uint64_t injected_decided = 0;         ///< came out of the sequencer
  std::uint64_t delivered = 0;                ///< packets handed to the application
  std::uint64_t won_overlap_unsequenced = 0;  ///< outcomes that deliver
  std::uint64_t delivered_messages = 0;       ///< runs handed to the application, added up
  std::uint64_t sequencer_messages = 0;       ///< numbers that the sequencer's memory holds
  std::uint64_t written = 0;                  ///< packets that the file sink took, or counted lost
  bool writes = false;
};

/// What does not add up, a sentence each; empty when the run is balanced.
std::vector<std::string> imbalances(const Ledger& ledger);

}  // namespace linearb::receiver
