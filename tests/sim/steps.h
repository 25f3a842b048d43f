// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "core/atomic.h"
#include "sim/reference.h"

namespace linearb::sim {

/// A step of the model (tests/model/README.md) as the production code takes it: a scheduling point
/// that has a name there.
struct Step {
  std::string_view name;  ///< empty: the model has no such step
  std::uint64_t of = 0;   ///< the line, the word of the window, or the number of the packet
};

/// An access to memory that hook and receiver share.
struct Access {
  lb_access kind = LB_ACCESS_LOAD;
  const lb_u64* word = nullptr;
  lb_u64 value = 0;  ///< stored, expected or added
};

/// What the access is called, of the fiber that is about to make it. Nobody goes on in between, so
/// that it is known whether a compare-and-swap will succeed.
Step step_of(const Access& access);
Step step_of(WayOut way_out, std::uint64_t number);

/// Who follows a script hears of each step; empty while seeds are run.
using Listener = std::function<void(const Step& step)>;
void listen(Listener listener);
bool replays() noexcept;
void tell(const Step& step);

/// Whether a process of a script can take a step of that name.
bool has_step(std::string_view process, std::string_view step) noexcept;

}  // namespace linearb::sim
