// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace linearb::soak {

/// What did not hold, said by any process of a scenario: it lies in shared memory. The first few
/// are kept in words, the others are counted.
class Findings {
 public:
  void add(std::string_view text) noexcept;
  void clear() noexcept;
  bool empty() const noexcept { return count_.load() == 0; }
  std::vector<std::string> texts() const;

 private:
  static constexpr std::size_t kKept = 16;
  static constexpr std::size_t kRoom = 240;
  struct Text {
    std::atomic<bool> is_written = false;
    char bytes[kRoom] = {};
  };

  std::atomic<std::size_t> count_ = 0;
  Text kept_[kKept];
};

}  // namespace linearb::soak
