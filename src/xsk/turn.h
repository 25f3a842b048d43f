// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

namespace linearb::xsk {

/// What one thread has at a time, for as long as this lives. Nobody waits: who does not get it
/// comes again.
class Turn {
 public:
  explicit Turn(std::atomic<bool>& is_taken) noexcept
      : is_taken_(is_taken), is_mine_(!is_taken.exchange(true, std::memory_order_acquire)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (is_mine_) is_taken_.store(false, std::memory_order_release);
  }

  bool is_mine() const noexcept { return is_mine_; }

 private:
  std::atomic<bool>& is_taken_;
  bool is_mine_;
};

}  // namespace linearb::xsk
