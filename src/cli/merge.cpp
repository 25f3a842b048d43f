// SPDX-License-Identifier: Apache-2.0
#include "merge/merge.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/event_log.h"
#include "cli/live_display.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/signals.h"
#include "report/json.h"
#include "report/numbers.h"
#include "report/text.h"

namespace linearb::cli {
namespace {

struct MergeArguments {
  std::vector<std::string> paths;
  std::vector<std::string> offsets;
  ReceiverOptions receiver;
  std::string events_path;
  std::string config_path;
  bool json = false;
};

/// The file sets what the options are bound to, so it has to be read before anything is copied.
merge::MergeOptions options_of(CLI::App& command, MergeArguments& arguments) {
  arguments.receiver.lines = merge::lines_of(arguments.paths.size());
  finish_merge_options(command, arguments.config_path, arguments.receiver);
  merge::MergeOptions options;
  for (const std::string& path : arguments.paths) options.captures.push_back({.path = path});
  options.receiver = arguments.receiver;
  for (const std::string& text : arguments.offsets) merge::set_offset(text, options);
  return options;
}

void tell(const std::string& line) {
  fmt::print(stderr, "linearb: {}\n", line);
}

/// The first signal ends the merge, which reads on until then: where that is a pipe that nobody
/// writes to, a second one ends the process.
class Stop {
 public:
  explicit Stop(merge::Merge& merge) : watcher_([this, &merge] { stop(merge); }) {}

 private:
  void stop(merge::Merge& merge) {
    if (asked_.exchange(true)) std::_Exit(kFailed);
    merge.stop();
  }

  std::atomic<bool> asked_ = false;
  StopWatcher watcher_;  // last: it uses the member above
};

Summary run(merge::Merge& merge) {
  std::optional<LiveDisplay> display;
  if (::isatty(STDERR_FILENO))
    display.emplace([&] { return std::vector{progress_text(merge.progress())}; });
  return merge.run();
}

/// Two hosts' clocks may differ by more than a hole is remembered for, and who sees gaps then
/// should know that they are none of the feed's.
void tell_of_late_lines(const Summary& summary) {
  for (const LineSummary& line : summary.lines) {
    if (line.late == 0 || line.skew_ns.count == 0) continue;
    tell(
        fmt::format("line {}: {} of its packets came behind the window, half of its copies {} or "
                    "more behind the winner, and what comes so late may fill no hole any more; if "
                    "its clock is wrong, set it right with --offset {}=-{}ns",
                    line.name, report::grouped(line.late), report::time_text(line.skew_ns.p50),
                    line.name, line.skew_ns.p50));
  }
}

int merge_captures(CLI::App& command, MergeArguments& arguments) {
  const merge::MergeOptions options = options_of(command, arguments);
  EventLog log(arguments.events_path, EventLog::Shows::nothing);
  OnEvent on_event;
  if (!arguments.events_path.empty()) on_event = [&log](const Event& event) { log.tell(event); };
  merge::Merge merge(options, {}, tell, on_event);
  hold_stop_signals();  // not before: a capture can be a pipe that nobody writes to
  const Stop stop(merge);
  const Summary summary = run(merge);
  if (arguments.json)
    report::print_json(stdout, report::to_json(summary));
  else
    report::print_summary(stdout, summary);
  tell_of_late_lines(summary);
  if (!summary.write_error.empty()) tell(summary.write_error);
  const bool is_written = summary.write_error.empty() && log.finish().empty();
  return summary.balanced && is_written ? kDone : kFailed;
}

}  // namespace

Command add_merge(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "merge", "Arbitrate captures of the lines; needs no rights, and ends with a summary");
  auto arguments = std::make_shared<MergeArguments>();
  command
      ->add_option("FILE", arguments->paths,
                   "Captures of line A, of line B, ...: pcap or pcapng, also packed with gzip")
      ->required()
      ->type_name("")
      ->check(names_a_file);
  add_arbitration_options(*command, arguments->receiver);
  command
      ->add_option("--offset", arguments->offsets,
                   "Added to the time stamps of a line, as B=1.5ms or B=-20us (repeatable)")
      ->type_name("[LINE=]TIME")
      ->allow_extra_args(false);
  add_write_option(*command, arguments->receiver.write_path);
  add_events_option(*command, arguments->events_path);
  add_config_option(*command, arguments->config_path);
  add_json_option(*command, arguments->json);
  return {command, [command, arguments] { return merge_captures(*command, *arguments); }};
}

}  // namespace linearb::cli
