// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "linearb/receiver.h"
#include "soak/findings.h"
#include "soak/ledger.h"
#include "soak/messages.h"

namespace linearb::soak {

/// What a run has handed out, readable while it runs and when it was killed.
struct RunCounts {
  std::atomic<bool> ready = false;
  std::atomic<std::uint64_t> packets = 0;  ///< each once, in however many parts it came
  std::atomic<std::uint64_t> poison = 0;   ///< packets of them
  /// Messages that came behind one with a higher number, or of a later epoch.
  std::atomic<std::uint64_t> out_of_order = 0;
};

/// The application of one run: every new message of every packet is read, and written into the
/// ledger. What is wrong with a packet by itself is a finding at once. Several threads may call it,
/// each for channels of its own.
class Deliveries {
 public:
  Deliveries(const Scenario& scenario, std::size_t run, Ledger& ledger, Findings& findings,
             RunCounts& counts);

  void take(const Delivery& delivery);

 private:
  bool is_further_part(const Delivery& delivery);
  void take_message(const Delivery& delivery, std::uint64_t number);
  void check_order(const Delivery& delivery, std::uint64_t number);
  void check_epoch(const Delivery& delivery, std::uint32_t life);

  Messages messages_;
  Order order_;
  std::size_t run_;
  std::uint32_t slow_ns_;
  Ledger& ledger_;
  Findings& findings_;
  RunCounts& counts_;
  struct OfChannel {
    std::uint64_t epoch = 0;  ///< of the last packet
    std::uint32_t life = 0;   ///< that belongs to it
    std::map<std::uint64_t, std::uint32_t> life_of_epoch;
    std::pair<std::uint64_t, std::uint64_t> highest;  ///< epoch and number
    /// Packets that came in part: epoch, line, first and count.
    std::set<std::tuple<std::uint64_t, std::uint8_t, std::uint64_t, std::uint32_t>> in_part;
  };
  std::vector<OfChannel> channels_;
};

}  // namespace linearb::soak
