// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace linearb::cli {

/// What a process ends with. Wrong usage is what the user can mend by typing something else.
enum ExitStatus {
  kDone = 0,
  kFailed = 1,  ///< or the run did not balance
  kWrongUsage = 2,
};

/// One command of linearb: its part of the command line, and what it does once that is read.
/// `run` returns an exit status and throws UsageError or Error.
struct Command {
  CLI::App* arguments;
  std::function<int()> run;
  /// Reads the options and the configuration file to the end, and does nothing: for
  /// `linearb config check`. A command without such a file has none.
  std::function<void()> check = {};
};

Command add_attach(CLI::App& app);
Command add_config(CLI::App& app);
Command add_demo(CLI::App& app);
Command add_detach(CLI::App& app);
Command add_explain(CLI::App& app);
Command add_feed(CLI::App& app);
Command add_framing(CLI::App& app);
Command add_lab(CLI::App& app);
Command add_merge(CLI::App& app);
/// `words` are the command line without the program's name: SIGHUP has them read again.
Command add_receive(CLI::App& app, const std::vector<std::string>& words);
Command add_status(CLI::App& app);

}  // namespace linearb::cli
