// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace linearb::sequencer::test {

/// Counts what this thread allocates while the object lives. The test executable's operator new
/// does the counting.
class Allocations {
 public:
  Allocations() noexcept;
  ~Allocations();
  Allocations(const Allocations&) = delete;
  Allocations& operator=(const Allocations&) = delete;

  std::uint64_t count() const noexcept;
};

}  // namespace linearb::sequencer::test
