// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace linearb::sim {

/// An invariant does not hold: tells what, and ends the process. There is no way back through the
/// production code, which does not throw.
[[noreturn]] void fail(const std::string& what);

}  // namespace linearb::sim
