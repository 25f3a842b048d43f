// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "linearb/options.h"

namespace linearb::cli {

struct ReceiveArguments {
  ReceiverOptions options;
  std::string events_path;
  std::string config_path;
  bool json = false;
};

/// Declares `receive` and its options, bound to the arguments, which have to live as long as `app`.
CLI::App* declare_receive(CLI::App& app, ReceiveArguments& arguments);

/// What a command line of `receive`, without the program's name, and its file say: read afresh, and
/// checked. Throws UsageError or CLI::ParseError.
ReceiverOptions parse_receive(const std::vector<std::string>& words);

}  // namespace linearb::cli
