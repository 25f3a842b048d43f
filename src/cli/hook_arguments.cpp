// SPDX-License-Identifier: Apache-2.0
#include "cli/hook_arguments.h"

#include <algorithm>

#include "cli/config_file.h"
#include "cli/options.h"
#include "sys/interface.h"

namespace linearb::cli {
void add_hook_options(CLI::App& command, HookArguments& arguments) {
  add_line_option(command, arguments.options.lines);
  add_config_option(command, arguments.config_path);
  add_json_option(command, arguments.json);
}

void apply_receiver_file(CLI::App& command, HookArguments& arguments) {
  finish_receiver_options(command, arguments.config_path, arguments.options);
  arguments.lines_given =
      !command.get_option("--line")->empty() || arguments.options.lines != ReceiverOptions{}.lines;
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
