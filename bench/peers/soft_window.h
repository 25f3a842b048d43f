// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/window.h"

namespace linearb::bench {

/// Arbitration in user space, for the peers whose packets come up on every line: linearb's own
/// window, one for each channel. One thread.
class SoftWindow {
 public:
  explicit SoftWindow(std::uint32_t channels)
      : words_(static_cast<std::size_t>(channels) * LB_WINDOW_WORDS) {}

  /// Whether nobody has brought it before. `channel` is counted from 1.
  bool is_new(std::uint64_t channel, std::uint64_t number) noexcept {
    lb_u32 lost_races = 0;
    return lb_window_claim(&words_[(channel - 1) * LB_WINDOW_WORDS], LB_WINDOW_ORDER, 1, number, 1,
                           &lost_races) == LB_CLAIM_NEW;
  }

 private:
  std::vector<lb_u64> words_;
};

}  // namespace linearb::bench
