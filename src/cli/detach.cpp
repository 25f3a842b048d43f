// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/hook_arguments.h"
#include "cli/removal_report.h"
#include "hook/removal.h"
#include "report/json.h"

namespace linearb::cli {
namespace {

/// For those who left out --line, and whose hook is on other interfaces than those of the lab.
void name_other_hooks() {
  for (const hook::Attached& attached : hook::all_attached()) {
    if (attached.is_ours())
      fmt::print("{0} has a hook; linearb detach --line NAME={0} removes it\n",
                 attached.interface.name);
  }
}

int detach(CLI::App& command, HookArguments& arguments) {
  apply_receiver_file(command, arguments);
  const hook::Removal removal =
      hook::remove_hooks(interfaces_of_lines(arguments, true), hook::WhenOwned::refuse);
  if (arguments.json) {
    report::print_json(stdout, to_json(removal));
    return kDone;
  }
  for (const std::string& sentence : sentences(removal)) fmt::print("{}\n", sentence);
  if (!removal.is_nothing()) return kDone;
  fmt::print("there was nothing to remove\n");
  name_other_hooks();
  return kDone;
}

}  // namespace

Command add_detach(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "detach", "Take the hook off the lines' interfaces, and remove its pins, whoever loaded it");
  auto arguments = std::make_shared<HookArguments>();
  add_hook_options(*command, *arguments);
  return {command, [command, arguments] { return detach(*command, *arguments); }};
}

}  // namespace linearb::cli
