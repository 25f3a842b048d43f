// SPDX-License-Identifier: Apache-2.0
//
// What attach, detach and status are told: the lines, by the command line or by the file that
// `receive` reads too.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "hook/attached.h"
#include "linearb/options.h"

namespace linearb::cli {

struct HookArguments {
  ReceiverOptions options;
  std::string config_path;
  bool json = false;
  bool lines_given = false;  ///< by the command line or the file
};

/// --line, --config and --json.
void add_hook_options(CLI::App& command, HookArguments& arguments);

/// Takes from the file what the command line has left open. The file may have every key that
/// `receive` knows. Throws UsageError.
void apply_receiver_file(CLI::App& command, HookArguments& arguments);

/// The interfaces of the lines, each once. One that is missing is left out when the lines are the
/// default and `may_be_missing`; otherwise Error is thrown.
std::vector<hook::Interface> interfaces_of_lines(const HookArguments& arguments,
                                                 bool may_be_missing);

}  // namespace linearb::cli
