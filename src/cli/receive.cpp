// SPDX-License-Identifier: Apache-2.0
#include "cli/receive.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/event_log.h"
#include "cli/options.h"
#include "cli/reload.h"
#include "cli/signals.h"
#include "linearb/receiver.h"
#include "report/json.h"
#include "report/text.h"

namespace linearb::cli {
namespace {

using Words = std::vector<std::string>;

/// The terminal may be gone, which is what SIGHUP was made for: nobody is told then.
void tell(const std::string& line) noexcept {
  std::fputs((line + "\n").c_str(), stderr);
}

Reloader reloader_of(Receiver& receiver, const ReceiveArguments& arguments, const Words& words) {
  return Reloader(
      {.path = arguments.config_path,
       .read = [words] { return parse_receive(words); },
       .apply = [&receiver](const ReceiverOptions& options) { return receiver.reload(options); }});
}

/// Whoever rotates logs says so by the same signal.
void reload(Reloader& reloader, EventLog& log) noexcept {
  try {
    log.reopen();
  } catch (const std::exception& error) {
    tell(std::string("linearb: ") + error.what());
  }
  tell(reloader.reload());
}

int receive(CLI::App& command, ReceiveArguments& arguments, const Words& words) {
  hold_signals({SIGHUP});
  finish_receiver_options(command, arguments.config_path, arguments.options);
  hold_stop_signals();  // not before: a file can be a pipe that nobody writes to
  EventLog log(arguments.events_path);
  Receiver receiver(arguments.options, {}, [&log](const Event& event) { log.tell(event); });
  Reloader reloader = reloader_of(receiver, arguments, words);
  auto stop = [&] { receiver.stop(); };
  SignalWatcher watcher(
      {{SIGINT, stop}, {SIGTERM, stop}, {SIGHUP, [&] { reload(reloader, log); }}});
  // For scripts that start the feed when this is here; stdout is for the summary.
  fmt::print(stderr, "receiving; SIGINT or SIGTERM ends it\n");
  Summary summary = receiver.run();
  if (arguments.json)
    report::print_json(stdout, report::to_json(summary));
  else
    report::print_summary(stdout, summary);
  const std::string log_error = log.finish();
  if (!summary.write_error.empty()) fmt::print(stderr, "linearb: {}\n", summary.write_error);
  return summary.balanced && summary.write_error.empty() && log_error.empty() ? kDone : kFailed;
}

}  // namespace

CLI::App* declare_receive(CLI::App& app, ReceiveArguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "receive", "Arbitrate: attach the hook, receive, count, record; ends with a summary");
  add_receiver_options(*command, arguments.options);
  add_events_option(*command, arguments.events_path);
  add_config_option(*command, arguments.config_path);
  add_json_option(*command, arguments.json);
  return command;
}

ReceiverOptions parse_receive(const Words& words) {
  ReceiveArguments arguments;
  CLI::App app;
  app.allow_extras();  // options of the whole program, in front of the command
  CLI::App* command = declare_receive(app, arguments);
  app.parse(Words(words.rbegin(), words.rend()));  // CLI11 takes them from behind
  finish_receiver_options(*command, arguments.config_path, arguments.options);
  return arguments.options;
}

Command add_receive(CLI::App& app, const std::vector<std::string>& words) {
  auto arguments = std::make_shared<ReceiveArguments>();
  CLI::App* command = declare_receive(app, *arguments);
  return {command, [command, arguments, words] { return receive(*command, *arguments, words); }};
}

}  // namespace linearb::cli
