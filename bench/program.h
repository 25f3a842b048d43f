// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace linearb::bench {

/// Starts a program; a path that is not absolute begins at the directory of the suite. What it
/// prints on stdout goes nowhere. Throws Error.
pid_t start_program(const std::string& program, const std::vector<std::string>& arguments);

/// Runs it to its end. Throws Error when it fails.
void run_program(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace linearb::bench
