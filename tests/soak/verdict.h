// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "soak/deliveries.h"
#include "soak/line_driver.h"

namespace linearb::soak {

/// A receiver from its start to its end.
struct EndedRun {
  std::size_t run = 0;
  nlohmann::json summary{};   ///< null: it was killed
  std::uint64_t packets = 0;  ///< that came out of it
  std::uint64_t poison = 0;
  std::uint64_t out_of_order = 0;

  bool was_killed() const noexcept { return summary.is_null(); }
};

/// What a scenario came to.
struct Figures {
  struct OfLine {
    std::uint64_t packets = 0;
    std::uint64_t lost_messages = 0;  ///< never reached the hook on this line
    std::uint64_t refused = 0;        ///< packets without credit
  };
  std::vector<OfLine> lines;
  std::uint64_t packets = 0;    ///< of all lines
  std::uint64_t delivered = 0;  ///< messages
  std::uint64_t gaps = 0;       ///< messages that a run missed between its first and its last
};

/// Compares what the ledger knows with what each run said. Every difference becomes a finding.
Figures check(Stage& stage, const std::vector<EndedRun>& runs);

}  // namespace linearb::soak
