// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/unknown_name.h"
#include "linearb/error.h"

namespace linearb::cli {
namespace {

int refuse(const CLI::App& app, const CLI::ParseError& error) {
  std::string text = describe_unknown_name(app).value_or(error.what());
  fmt::print(stderr,
             "linearb: {}; linearb --help, and --help behind a command, list what there is\n",
             text);
  return kWrongUsage;
}

int run_command(int argc, char** argv) {
  CLI::App app{
      "linearb arbitrates the redundant lines of a market data feed: every message once, "
      "whichever line brings it first.",
      "linearb"};
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", LINEARB_VERSION);
  app.require_subcommand(1);
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  std::vector<Command> commands{
      add_demo(app),   add_receive(app, words), add_feed(app),    add_merge(app),
      add_config(app), add_framing(app),        add_explain(app), add_lab(app),
      add_attach(app), add_detach(app),         add_status(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for_text) {
    return app.exit(asked_for_text);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  for (const Command& command : commands) {
    if (command.arguments->parsed()) return command.run();
  }
  return kWrongUsage;
}

int fail(const std::exception& error, int status) {
  fmt::print(stderr, "linearb: {}\n", error.what());
  return status;
}

}  // namespace
}  // namespace linearb::cli

int main(int argc, char** argv) {
  using namespace linearb;
  // Who reads may end first: then a write fails, and what was attached is detached.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return cli::run_command(argc, argv);
  } catch (const UsageError& error) {
    return cli::fail(error, cli::kWrongUsage);
  } catch (const std::bad_alloc&) {
    return cli::fail(Error("there is no memory left: free some, or take fewer frames and channels"),
                     cli::kFailed);
  } catch (const std::exception& error) {
    return cli::fail(error, cli::kFailed);
  }
}
