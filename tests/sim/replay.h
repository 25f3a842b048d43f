// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sim/script.h"

namespace linearb::sim {

/// Runs the production code under a script, and what is left after its last line by turns. When a
/// step cannot be taken, the order of the code is another: that is told, and the rest goes on by
/// turns, too. Does not return when an invariant fails (failure.h).
///
/// Returns how far it came, in a sentence; `story` becomes all that happened, if it is wanted.
std::string replay(const Script& script, std::string* story = nullptr);

/// How far the replay that goes on has come, and with `everything` all that happened in it.
std::string describe_replay(bool everything);

}  // namespace linearb::sim
