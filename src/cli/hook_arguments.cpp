// SPDX-License-Identifier: Apache-2.0
#include "cli/hook_arguments.h"

#include <algorithm>

#include "cli/config_file.h"
#include "cli/options.h"
#include "sys/interface.h"

namespace linearb::cli {
namespace {

bool is_given(const CLI::App& command, const std::string& option) {
  const CLI::Option* found = command.get_option_no_throw(option);
  return found && !found->empty();
}

}  // namespace

void add_hook_options(CLI::App& command, HookArguments& arguments) {
  add_line_option(command, arguments.options.lines);
  add_config_option(command, arguments.config_path);
  add_json_option(command, arguments.json);
}

void apply_receiver_file(CLI::App& command, HookArguments& arguments) {
  ReceiverOptions from_file;
  bool json = arguments.json;
  CLI::App keys;  // those of `receive`, on no command line
  add_receiver_options(keys, from_file);
  add_json_option(keys, json);
  apply_config_file(keys, arguments.config_path);
  const bool has_lines = is_given(command, "--line");
  if (has_lines) from_file.lines = arguments.options.lines;
  if (is_given(command, "--mode")) from_file.mode = arguments.options.mode;
  arguments.lines_given = has_lines || is_given(keys, "--line");
  arguments.options = from_file;
  arguments.json = json;
  validate(arguments.options);
}

std::vector<hook::Interface> interfaces_of_lines(const HookArguments& arguments,
                                                 bool may_be_missing) {
  std::vector<hook::Interface> interfaces;
  for (const Line& line : arguments.options.lines) {
    if (std::ranges::find(interfaces, line.interface, &hook::Interface::name) != interfaces.end())
      continue;
    if (may_be_missing && !arguments.lines_given && !sys::find_interface(line.interface)) continue;
    interfaces.push_back({line.interface, sys::interface_index(line.interface)});
  }
  return interfaces;
}

}  // namespace linearb::cli
