// SPDX-License-Identifier: Apache-2.0
#include "bench/flood.h"

#include <algorithm>
#include <numeric>

#include "sys/clock.h"

namespace linearb::bench {
namespace {

/// Until of the packets before that the rings have room again. Where all are read that are
/// delivered the copies do not come up; else they do, and have to be read.
void wait_for_room(std::uint64_t packets, Expected& expected, RunningContender& contender) {
  Board& board = contender.board();
  if (board.copies == 1)
    contender.wait_until_delivered(expected.messages_of(packets));
  else
    contender.wait_until_read(packets * board.copies);
}

}  // namespace

double send(const Flood& flood, LiveFrames& frames, Expected& expected,
            RunningContender& contender) {
  std::vector<std::size_t> order = flood.order;
  if (order.empty()) {
    order.resize(frames.lines());
    std::iota(order.begin(), order.end(), 0);
  }
  const std::uint64_t begin_ns = sys::monotonic_ns();
  for (std::uint64_t sent = 0; sent < flood.packets;) {
    const auto count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(flood.block, flood.packets - sent));
    if (sent > flood.ahead) wait_for_room(flood.first + sent - flood.ahead, expected, contender);
    for (const std::size_t line : order) frames.send(line, flood.first + sent, count);
    sent += count;
  }
  contender.wait_until_delivered(expected.messages_of(flood.first + flood.packets));
  return static_cast<double>(flood.packets) * 1e9 /
         static_cast<double>(sys::monotonic_ns() - begin_ns);
}

}  // namespace linearb::bench
