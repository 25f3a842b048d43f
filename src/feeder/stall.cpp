// SPDX-License-Identifier: Apache-2.0
#include "feeder/stall.h"

#include <fmt/format.h>

#include "linearb/error.h"

namespace linearb::feeder {

void throw_stalled(std::span<const Outstanding> lines) {
  std::string text;
  bool any_is_live = false;
  for (const Outstanding& line : lines) {
    if (line.packets == 0) continue;
    any_is_live |= line.is_live;
    text += fmt::format("{}{} on line {} ({})", text.empty() ? "" : ", ", line.packets, line.line,
                        line.interface);
  }
  throw Error(
      fmt::format("the kernel has taken packets to send and not given them back for {} s: {}; look "
                  "at the interfaces with `ip -s link`{}",
                  kStallNs / 1'000'000'000, text,
                  any_is_live ? "; live frames (--engine live) arrive where the other end of the "
                                "veth pair has a native XDP program, or generic receive offload "
                                "(ethtool -K INTERFACE gro on)"
                              : ""));
}

}  // namespace linearb::feeder
