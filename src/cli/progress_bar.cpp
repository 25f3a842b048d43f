// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "report/numbers.h"

namespace linearb::cli {
namespace {

constexpr std::uint64_t kBarWidth = 40;

}  // namespace

std::string progress_text(const merge::Progress& progress) {
  const std::string packets = report::grouped(progress.packets) + " packets";
  if (progress.bytes == 0) return packets;
  const double share =
      std::min(1.0, static_cast<double>(progress.bytes_read) / static_cast<double>(progress.bytes));
  const auto done = static_cast<std::uint64_t>(share * kBarWidth);
  return fmt::format("[{:#<{}}{:-<{}}] {:.0f} %  {}", "", done, "", kBarWidth - done,
                     std::floor(share * 100), packets);
}

}  // namespace linearb::cli
