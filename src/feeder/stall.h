// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace linearb::feeder {

/// How long packets may be outstanding while not a single one moves.
inline constexpr std::uint64_t kStallNs = 5'000'000'000;

/// What a line has handed to the kernel and not got back.
struct Outstanding {
  std::string line;
  std::string interface;
  std::uint64_t packets;
  bool is_live = false;  ///< sent as live frames
};

/// Notices when the kernel keeps packets and nothing moves any more. Pure: time is an argument.
class StallWatch {
 public:
  explicit StallWatch(std::uint64_t now_ns) noexcept : moved_ns_(now_ns) {}

  /// Whether it has been kStallNs since anything moved, or since nothing was outstanding.
  bool stalled(std::uint64_t now_ns, std::uint64_t moved, std::uint64_t outstanding) noexcept {
    if (moved != 0 || outstanding == 0) moved_ns_ = now_ns;
    return now_ns - moved_ns_ >= kStallNs;
  }

 private:
  std::uint64_t moved_ns_;
};

/// Throws the Error that says how many packets are outstanding, and where.
[[noreturn]] void throw_stalled(std::span<const Outstanding> lines);

}  // namespace linearb::feeder
