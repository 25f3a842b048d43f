// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "hook/maps.h"

namespace linearb::bench {

/// A line, as the hook knows it.
struct HookLine {
  unsigned interface_index;
  int socket_fd;
  std::uint32_t frames;  ///< the socket's
};

/// Takes a hook over and publishes one channel of optiq, from message 1 on, as a receiver does for
/// whom every line has come so far. Line i has slot i * LB_QUEUES_MAX. Throws Error.
void publish_optiq(const hook::Maps& maps, const std::vector<HookLine>& lines);

}  // namespace linearb::bench
