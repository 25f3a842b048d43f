// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/hook_arguments.h"
#include "cli/options.h"
#include "cli/removal_report.h"
#include "hook/hook.h"
#include "linearb/error.h"
#include "report/json.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What there is on one interface when `attach` is done.
struct Outcome {
  hook::Attached attached;
  bool was_there = false;
  std::vector<std::string> pin_directories;
};

hook::Capacity capacity_of(const ReceiverOptions& options) {
  return {.channels = static_cast<std::uint32_t>(options.channels.size()),
          .flows = static_cast<std::uint32_t>(options.channels.size() * options.lines.size())};
}

std::vector<std::string> pin_directories_of(const hook::Attached& attached,
                                            const std::vector<hook::Pin>& pins) {
  std::set<std::string> directories;
  for (const std::string& path : hook::pins_of({&attached, 1}, pins))
    directories.insert(path.substr(0, path.rfind('/')));
  return {directories.begin(), directories.end()};
}

std::vector<Outcome> attach_to(const std::vector<hook::Interface>& interfaces,
                               const ReceiverOptions& options) {
  hook::Hook hook(interfaces, capacity_of(options));
  hook.attach(options.mode);
  hook.keep();
  const std::vector<hook::Pin> pins = hook::find_pins();
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    auto attached = hook::attached_to(interfaces[i]);
    if (!attached)
      throw linearb::Error(fmt::format(
          "the hook on {} is gone again: somebody else has detached it", interfaces[i].name));
    auto directories = pin_directories_of(*attached, pins);
    outcomes.push_back({*std::move(attached), !hook.was_attached_here(i), std::move(directories)});
  }
  return outcomes;
}

Json outcome_json(const Outcome& outcome) {
  Json json = to_json(outcome.attached);
  json["hook"] = outcome.attached.hook_id();
  json["was_there"] = outcome.was_there;
  json["pinned_in"] = outcome.pin_directories;
  return json;
}

void print_outcome(const Outcome& outcome) {
  const hook::Attached& attached = outcome.attached;
  fmt::print("{} {} {} (id {}) in {} mode, {}\n", attached.interface.name,
             outcome.was_there ? "has already" : "has now", attached.program.name,
             attached.program.id, attached.mode(),
             outcome.pin_directories.empty()
                 ? "not pinned"
                 : fmt::format("pinned in {}", fmt::join(outcome.pin_directories, " and ")));
}

int attach(CLI::App& command, HookArguments& arguments) {
  apply_receiver_file(command, arguments);
  const std::vector<Outcome> outcomes =
      attach_to(interfaces_of_lines(arguments, false), arguments.options);
  Json list = Json::array();
  for (const Outcome& outcome : outcomes) {
    if (arguments.json)
      list.push_back(outcome_json(outcome));
    else
      print_outcome(outcome);
  }
  if (arguments.json) report::print_json(stdout, {{"interfaces", list}});
  return kDone;
}

}  // namespace

Command add_attach(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "attach", "Load the hook, attach it to every line's interface, and leave it there");
  auto arguments = std::make_shared<HookArguments>();
  add_hook_options(*command, *arguments);
  add_mode_option(*command, arguments->options.mode);
  return {command, [command, arguments] { return attach(*command, *arguments); }};
}

}  // namespace linearb::cli
