// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What hooks there are, and what they have done so far: for an operator who looks. Nothing is
/// changed, and a receiver that runs meanwhile does not notice.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/layout.h"
#include "hook/attached.h"
#include "hook/ownership.h"
#include "hook/pins.h"

namespace linearb::hook {

/// A map or a program, and where it is pinned.
struct PinnedObject {
  std::string name;
  std::uint32_t id = 0;
  std::vector<std::string> pins;
};

struct LineCounters {
  std::string name;
  lb_counters counters{};
};

/// The programs that share one set of maps.
struct HookStatus {
  std::uint32_t id = 0;  ///< of its config map; 0: it has none
  std::uint32_t layout_version = 0;
  std::vector<Attached> attached;
  std::optional<Owner> owner;
  std::vector<PinnedObject> programs;
  std::vector<PinnedObject> maps;
  std::vector<LineCounters> lines;  ///< of the last receiver; none before the first one
  std::string unreadable;           ///< why there are no counters; empty: there are
};

struct Status {
  std::vector<HookStatus> hooks;
  std::vector<Attached> foreign;
  std::vector<StalePins> stale;
};

/// Of the whole network namespace. Throws Error.
Status look_at_hooks();

}  // namespace linearb::hook
