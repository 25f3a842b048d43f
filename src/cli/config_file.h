// SPDX-License-Identifier: Apache-2.0
//
// Options from a TOML file. The keys are the long options without their dashes; an option that can
// be repeated takes an array:
//
//   line = ["A=enp1s0f0", "B=enp1s0f1"]
//   wait = "spin"
//   frames = 8192
//   keep-hook = true
//
// A receiver's file may have its lines and channels as tables instead (config/receiver_tables.h).
// The command line wins: what it says is not looked for in the file.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "linearb/options.h"

namespace linearb::cli {

/// Adds --config FILE to a command; the file's path goes to `path`.
void add_config_option(CLI::App& command, std::string& path);

/// Gives every option that was not on the command line what the file says. An empty path changes
/// nothing. Throws UsageError with file, line and column.
void apply_config_file(CLI::App& command, const std::string& path);

/// The same for a command about a receiver, whose options are bound to `options`; then checks all
/// that can be checked without touching the system, framings included. One file serves all such
/// commands: its keys are those of `linearb receive`, also where the command has no such option.
void finish_receiver_options(CLI::App& command, const std::string& path, ReceiverOptions& options);

/// The same for a merge, whose lines are there already: it takes channels, keys, checksum, dedup
/// and order from the file of a receiver, and passes over what is about interfaces and recording.
void finish_merge_options(CLI::App& command, const std::string& path, ReceiverOptions& options);

}  // namespace linearb::cli
