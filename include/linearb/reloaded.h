// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace linearb {

/// What Receiver::reload has done: names of channels.
struct Reloaded {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;  ///< the same channel, with other destinations
  std::size_t unchanged = 0;
};

}  // namespace linearb
