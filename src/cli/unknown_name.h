// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace linearb::cli {

/// After a parse that failed: names the first word that nobody knows, as a command or as an option
/// of the command that was given, and what it may have meant. Nothing when every word was known.
std::optional<std::string> describe_unknown_name(const CLI::App& app);

/// The long options of a command, as "--line".
std::vector<std::string> long_options(const CLI::App& command);

}  // namespace linearb::cli
