// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sys/fd.h"

struct drop_all_bpf;

namespace linearb::bench {

/// A hook on each interface that drops and counts whatever comes: the upper bound of every other.
class DropAll {
 public:
  /// Throws Error.
  explicit DropAll(const std::vector<std::string>& interfaces);

  /// Since it was attached, over all interfaces.
  std::uint64_t packets() const;

 private:
  struct Destroy {
    void operator()(drop_all_bpf* skeleton) const noexcept;
  };
  std::unique_ptr<drop_all_bpf, Destroy> skeleton_;
  std::vector<sys::Fd> attached_;
};

}  // namespace linearb::bench
