// SPDX-License-Identifier: Apache-2.0
#pragma once

/// All that the suite measures, once in each round. A figure has a name, and its unit is in it.

#include <functional>
#include <string>
#include <vector>

#include "bench/figures.h"
#include "bench/stage.h"

namespace linearb::bench {

struct Settings {
  Cpus cpus;
  bool quick = false;  ///< fewer packets
};

/// Throws Error when what was measured is no result: something was lost, or failed.
struct Measurement {
  std::string name;
  std::function<void(Figures&)> run;
};

using Measurements = std::vector<Measurement>;

/// Packets a second through hook and receiver (path.cpp), and what it costs to take messages that
/// wait in the rings.
Measurements path_measurements(const Settings& settings);
/// From the sender to the application, one packet at a time (latency.cpp).
Measurements latency_measurements(const Settings& settings);
/// Packets a second that leave (feeding.cpp).
Measurements feeding_measurements(const Settings& settings);
/// Captures (merging.cpp).
Measurements merging_measurements(const Settings& settings);
/// ns of a packet in the hook alone (hook_cost.cpp).
Measurements hook_measurements(const Settings& settings);
/// Memory, and CPU time of a receiver that receives nothing (footprint.cpp).
Measurements footprint_measurements(const Settings& settings);

}  // namespace linearb::bench
