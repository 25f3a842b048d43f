// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

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
};

Command add_attach(CLI::App& app);
Command add_demo(CLI::App& app);
Command add_detach(CLI::App& app);
Command add_feed(CLI::App& app);
Command add_lab(CLI::App& app);
Command add_receive(CLI::App& app);
Command add_status(CLI::App& app);

}  // namespace linearb::cli
