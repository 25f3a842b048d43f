// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/hook_arguments.h"
#include "cli/options.h"
#include "core/layout.h"
#include "hook/hook.h"
#include "report/json.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What there is on one interface when `attach` is done.
struct OnInterface {
  std::string interface;
  hook::Attachment attachment;
  bool was_there = false;

  const char* mode() const { return attachment.native ? "native" : "generic"; }
};

struct Outcome {
  std::uint32_t hook_id = 0;
  std::vector<OnInterface> interfaces;
  std::vector<std::string> pin_directories;
};

hook::Capacity capacity_of(const ReceiverOptions& options) {
  return {.channels = static_cast<std::uint32_t>(options.channels.size()),
          .flows = static_cast<std::uint32_t>(options.channels.size() * options.lines.size()),
          .remembers = true,
          .identifiers = LB_SEEN_SESSIONS};
}

std::vector<std::string> directories_with(std::uint32_t map_id) {
  std::vector<std::string> directories;
  for (const hook::Pin& pin : hook::find_pins())
    if (pin.map.id == map_id) directories.push_back(pin.directory());
  return directories;
}

Outcome attach_to(const std::vector<hook::Interface>& interfaces, const ReceiverOptions& options) {
  hook::Hook hook(interfaces, capacity_of(options));
  hook.attach(options.mode);
  hook.keep();
  Outcome outcome;
  outcome.hook_id = hook.maps().identity();
  outcome.pin_directories = directories_with(outcome.hook_id);
  for (std::size_t i = 0; i < interfaces.size(); ++i)
    outcome.interfaces.push_back(
        {interfaces[i].name, hook::attachment_of(interfaces[i]), !hook.was_attached_here(i)});
  return outcome;
}

constexpr const char* kProgramName = LB_TEXT(LB_HOOK_FUNCTION);

Json json_of(const Outcome& outcome) {
  Json list = Json::array();
  for (const OnInterface& on : outcome.interfaces)
    list.push_back({{"interface", on.interface},
                    {"mode", on.mode()},
                    {"id", on.attachment.program_id},
                    {"name", kProgramName},
                    {"was_there", on.was_there}});
  return {{"hook", outcome.hook_id}, {"interfaces", list}, {"pinned_in", outcome.pin_directories}};
}

void print(const Outcome& outcome) {
  const std::string pinned =
      outcome.pin_directories.empty()
          ? "not pinned"
          : fmt::format("pinned in {}", fmt::join(outcome.pin_directories, " and "));
  for (const OnInterface& on : outcome.interfaces)
    fmt::print("{} {} {} (id {}) in {} mode, {}\n", on.interface,
               on.was_there ? "has already" : "has now", kProgramName, on.attachment.program_id,
               on.mode(), pinned);
}

int attach(CLI::App& command, HookArguments& arguments) {
  apply_receiver_file(command, arguments);
  const Outcome outcome = attach_to(interfaces_of_lines(arguments, false), arguments.options);
  if (arguments.json)
    report::print_json(stdout, json_of(outcome));
  else
    print(outcome);
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
