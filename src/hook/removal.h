// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Taking hooks off interfaces again, with all that they left in the BPF file system.

#include <span>
#include <string>
#include <vector>

#include "hook/attached.h"

namespace linearb::hook {

struct Removal {
  std::vector<Attached> programs;  ///< taken off
  std::vector<Attached> foreign;   ///< not linearb's: they stay
  /// Where a hook stays that was taken off elsewhere. It needs its pins: a load by hand finds the
  /// maps by them.
  std::vector<Attached> remaining;
  std::vector<std::string> pins;
  std::vector<std::string> directories;

  bool is_nothing() const { return programs.empty() && pins.empty() && directories.empty(); }
};

enum class WhenOwned {
  refuse,
  remove,
};

/// Takes linearb's programs, of whichever layout, off the interfaces, and removes the pins of the
/// hooks that are on no interface any more, now or before. Throws Error, before it has changed
/// anything, when a living receiver owns one of the hooks and that is to be refused.
Removal remove_hooks(std::span<const Interface> interfaces, WhenOwned when_owned);

}  // namespace linearb::hook
