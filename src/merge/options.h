// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "linearb/options.h"

namespace linearb::merge {

/// How far the clock of a capture may be moved, either way: 100 days. Up to there a number of
/// nanoseconds that was typed with a fraction is exact.
inline constexpr std::int64_t kOffsetMaxNs = 100ll * 24 * 3600 * 1'000'000'000;
static_assert(kOffsetMaxNs < 1ll << 53, "whole numbers of a double");

/// What stands in the place of a line's interface.
struct Capture {
  std::string path;
  std::int64_t offset_ns = 0;  ///< added to its time stamps
};

struct MergeOptions {
  std::vector<Capture> captures;  ///< one for each line, in their order
  /// Of a receiver's options those that say how to arbitrate: lines (by their names), which of
  /// them only repair, channels, dedup, checksum, order and write_path. The others are about
  /// interfaces, and not looked at.
  ReceiverOptions receiver;
};

/// Lines A, B, C, ... for so many captures. Throws UsageError when there are none, or too many.
std::vector<Line> lines_of(std::size_t captures);

/// What one `--offset` says: "B=1.5ms" of one line, "-1ms" of all. Throws UsageError.
void set_offset(std::string_view text, MergeOptions& options);

}  // namespace linearb::merge
