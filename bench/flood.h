// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "bench/contender.h"
#include "bench/live_frames.h"
#include "bench/traffic.h"

namespace linearb::bench {

/// How the lines are sent from one CPU: a block of the first line, the same block of the next, and
/// again. It goes as fast as the contender takes them, and never over its rings.
struct Flood {
  std::uint64_t first = 0;     ///< packet, counted over all channels
  std::uint64_t packets = 0;   ///< on each line
  std::uint32_t block = 512;   ///< packets; also how far behind the first line the others are. A
                               ///< run of the source costs about 10 us, so a small block
                               ///< measures that
  std::uint32_t ahead = 1024;  ///< packets of each line that may be unread when a block begins
  std::vector<std::size_t> order{};  ///< of the lines; empty: A, B, ...
};

/// Sends it, when all before it was sent and delivered; `expected` knows of all lines. Returns
/// packets a second of each line, until the last was delivered. Several may send the same, each on
/// lines of its own. Throws Error when the contender stops taking, and how far it came.
double send(const Flood& flood, LiveFrames& frames, Expected& expected,
            RunningContender& contender);

}  // namespace linearb::bench
