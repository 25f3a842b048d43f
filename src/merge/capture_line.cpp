// SPDX-License-Identifier: Apache-2.0
#include "merge/capture_line.h"

#include <algorithm>

namespace linearb::merge {

std::uint64_t shifted(std::uint64_t timestamp_ns, std::int64_t offset_ns) noexcept {
  const std::uint64_t time_ns = std::min(timestamp_ns, kTimeMaxNs);
  if (offset_ns < 0) return time_ns - std::min(time_ns, static_cast<std::uint64_t>(-offset_ns));
  return std::min(time_ns + static_cast<std::uint64_t>(offset_ns), kTimeMaxNs);
}

}  // namespace linearb::merge
