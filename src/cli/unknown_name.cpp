// SPDX-License-Identifier: Apache-2.0
#include "cli/unknown_name.h"

#include <vector>

#include <fmt/format.h>

#include "config/nearest.h"

namespace linearb::cli {
namespace {

/// The command that was given, down to `lab up`.
const CLI::App& innermost(const CLI::App& app) {
  std::vector<CLI::App*> given = app.get_subcommands();
  return given.empty() ? app : innermost(*given.front());
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

}  // namespace

std::vector<std::string> long_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::optional<std::string> describe_unknown_name(const CLI::App& app) {
  std::vector<std::string> unknown = app.remaining(true);
  if (unknown.empty()) return std::nullopt;
  const CLI::App& command = innermost(app);
  const std::string& word = unknown.front();
  bool is_option = word.starts_with('-');
  std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known = is_option ? long_options(command) : command_names(command);
  if (known.empty()) return fmt::format("{} takes no \"{}\"", command.get_name(), word);
  return fmt::format("there is no {} \"{}\"; {}", is_option ? "option" : "command", name,
                     config::suggest_name(name, known));
}

}  // namespace linearb::cli
