// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "linearb/receiver.h"
#include "report/json.h"
#include "report/text.h"

namespace linearb::cli {
namespace {

struct ReceiveArguments {
  ReceiverOptions options;
  std::string config_path;
  bool json = false;
};

int receive(CLI::App& command, ReceiveArguments& arguments) {
  apply_config_file(command, arguments.config_path);
  hold_stop_signals();
  Receiver receiver(arguments.options, {},
                    [](const Event& event) { fmt::print(stderr, "linearb: {}\n", event.text); });
  StopWatcher watcher([&] { receiver.stop(); });
  // For scripts that start the feed when this is here; stdout is for the summary.
  fmt::print(stderr, "receiving; SIGINT or SIGTERM ends it\n");
  Summary summary = receiver.run();
  if (arguments.json)
    report::print_json(stdout, report::to_json(summary));
  else
    report::print_summary(stdout, summary);
  if (!summary.write_error.empty()) fmt::print(stderr, "linearb: {}\n", summary.write_error);
  return summary.balanced && summary.write_error.empty() ? kDone : kFailed;
}

}  // namespace

Command add_receive(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "receive", "Arbitrate: attach the hook, receive, count, record; ends with a summary");
  auto arguments = std::make_shared<ReceiveArguments>();
  add_receiver_options(*command, arguments->options);
  add_config_option(*command, arguments->config_path);
  add_json_option(*command, arguments->json);
  return {command, [command, arguments] { return receive(*command, *arguments); }};
}

}  // namespace linearb::cli
