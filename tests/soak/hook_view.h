// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hook/hook.h"
#include "soak/scenario.h"

namespace linearb::soak {

/// What the hook of a running receiver has counted, looked at from outside. Each line has an
/// interface of its own with one queue.
class HookView {
 public:
  /// Of a receiver that is ready; it counts in one bank for as long as it runs. Throws Error.
  explicit HookView(const Scenario& scenario);

  struct Counts {
    std::uint64_t packets = 0;
    std::uint64_t no_credit = 0;
    std::uint64_t no_receiver = 0;
  };
  Counts counts(std::size_t line) const noexcept;
  /// The hook may claim and drop what comes on the line, on the first channel at least.
  bool is_published(std::size_t line) const noexcept;
  /// Packets of a line that were redirected, and whose frames are not back.
  std::uint64_t outstanding(std::size_t line) const noexcept;
  /// For how many packets of a line there is room.
  struct Room {
    std::uint64_t for_any;   ///< what is passed up may hold half of the credits
    std::uint64_t for_news;  ///< what is claimed may hold all
  };
  /// Where threads have each their own: for whichever has least.
  Room room(std::size_t line) const noexcept;

 private:
  lb_credit& credit_of(std::size_t line, std::uint32_t thread) const noexcept;

  hook::Hook hook_;
  std::uint32_t bank_;
  std::uint32_t threads_;
  unsigned cpus_;
};

}  // namespace linearb::soak
