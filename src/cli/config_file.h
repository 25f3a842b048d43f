// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace linearb::cli {

/// Adds --config FILE to a command; the file's path goes to `path`.
void add_config_option(CLI::App& command, std::string& path);

/// Gives every option that was not on the command line what the TOML file says. The keys are the
/// long options without their dashes; an option that can be repeated takes an array:
///
///   line = ["A=enp1s0f0", "B=enp1s0f1"]
///   wait = "spin"
///   frames = 8192
///   keep-hook = true
///
/// An empty path changes nothing. Throws UsageError with file, line and column.
void apply_config_file(CLI::App& command, const std::string& path);

}  // namespace linearb::cli
