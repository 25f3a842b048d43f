// SPDX-License-Identifier: Apache-2.0
#include "hook/status.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/hook_arguments.h"
#include "cli/removal_report.h"
#include "report/json.h"
#include "report/numbers.h"
#include "report/text.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Counter {
  const char* name;
  lb_u64 lb_counters::*value;
  const char* meaning;
};

constexpr Counter kCounters[] = {
    {"packets", &lb_counters::packets, "seen by the hook"},
    {"claimed", &lb_counters::claimed, "to the receiver: this line was first"},
    {"passed_up", &lb_counters::passed_up, "to the receiver, which judges them"},
    {"duplicate", &lb_counters::duplicate, "dropped: nothing new"},
    {"no_credit", &lb_counters::no_credit, "dropped unclaimed: the receiver had no room"},
    {"no_receiver", &lb_counters::no_receiver, "to the kernel: no socket for the queue"},
    {"malformed", &lb_counters::malformed, "to the kernel: not of the channel's framing"},
    {"not_feed", &lb_counters::not_feed, "to the kernel: no configured channel"},
};

/// Leaves what is on these interfaces. Of a hook that is on others too, all of it.
void keep_interfaces(hook::Status& status, const std::vector<hook::Interface>& interfaces) {
  const auto is_elsewhere = [&](const hook::Attached& attached) {
    return std::ranges::find(interfaces, attached.interface.index, &hook::Interface::index) ==
           interfaces.end();
  };
  std::erase_if(status.foreign, is_elsewhere);
  std::erase_if(status.hooks, [&](const hook::HookStatus& hook) {
    return std::ranges::all_of(hook.attached, is_elsewhere);
  });
}

/// Those on which there is nothing.
std::vector<std::string> empty_among(const std::vector<hook::Interface>& interfaces) {
  std::vector<std::string> names;
  for (const hook::Interface& interface : interfaces)
    if (hook::attachment_of(interface).program_id == 0) names.push_back(interface.name);
  return names;
}

// ---- JSON ---------------------------------------------------------------------------------------

Json objects_json(const std::vector<hook::PinnedObject>& objects) {
  Json array = Json::array();
  for (const hook::PinnedObject& object : objects)
    array.push_back({{"name", object.name}, {"id", object.id}, {"pins", object.pins}});
  return array;
}

Json owner_json(const std::optional<hook::Owner>& owner) {
  if (!owner) return {};
  return {{"pid", owner->pid}, {"command", owner->command}};
}

Json attached_json(const std::vector<hook::Attached>& list) {
  Json array = Json::array();
  for (const hook::Attached& attached : list) array.push_back(to_json(attached));
  return array;
}

Json lines_json(const std::vector<hook::LineCounters>& lines) {
  Json array = Json::array();
  for (const hook::LineCounters& line : lines) {
    Json json = {{"name", line.name}};
    for (const Counter& counter : kCounters) json[counter.name] = line.counters.*counter.value;
    array.push_back(json);
  }
  return array;
}

Json hook_json(const hook::HookStatus& hook) {
  return {{"id", hook.id},
          {"layout_version", hook.layout_version},
          {"interfaces", attached_json(hook.attached)},
          {"receiver", owner_json(hook.owner)},
          {"programs", objects_json(hook.programs)},
          {"maps", objects_json(hook.maps)},
          {"lines", hook.unreadable.empty() ? lines_json(hook.lines) : Json()}};
}

Json status_json(const hook::Status& status, const std::vector<std::string>& empty) {
  Json hooks = Json::array(), stale = Json::array();
  for (const hook::HookStatus& hook : status.hooks) hooks.push_back(hook_json(hook));
  for (const hook::StalePins& pins : status.stale)
    stale.push_back({{"hook", pins.hook_id}, {"pins", pins.paths}});
  return {{"hooks", hooks},
          {"foreign", attached_json(status.foreign)},
          {"empty", empty},
          {"stale_pins", stale}};
}

// ---- text ---------------------------------------------------------------------------------------

void print_objects(std::string_view what, const std::vector<hook::PinnedObject>& objects) {
  for (const hook::PinnedObject& object : objects)
    fmt::print("  {} {} (id {}), {}\n", what, object.name, object.id,
               object.pins.empty() ? "not pinned" : fmt::format("{}", fmt::join(object.pins, " ")));
}

void print_counters(const hook::HookStatus& hook) {
  if (!hook.unreadable.empty()) fmt::print("  no counters: {}\n", hook.unreadable);
  if (hook.lines.empty()) return;
  std::vector<report::Row> rows{{"line", {}, ""}};
  for (const hook::LineCounters& line : hook.lines) rows.front().cells.push_back(line.name);
  for (const Counter& counter : kCounters) {
    report::Row& row = rows.emplace_back(report::Row{counter.name, {}, counter.meaning});
    for (const hook::LineCounters& line : hook.lines)
      row.cells.push_back(report::grouped(line.counters.*counter.value));
  }
  fmt::print("\n{}", report::table_text(rows));
}

std::string owner_text(const std::optional<hook::Owner>& owner) {
  if (!owner) return "nobody receives";
  if (owner->pid == 0) return "a receiver owns it";
  return fmt::format("{} (pid {}) receives", owner->command, owner->pid);
}

void print_hook(const hook::HookStatus& hook) {
  fmt::print("hook {}, layout version {}: {}\n", hook.id, hook.layout_version,
             owner_text(hook.owner));
  for (const hook::Attached& attached : hook.attached)
    fmt::print("  on {} in {} mode, {} (id {})\n", attached.interface.name, attached.mode(),
               attached.program.name, attached.program.id);
  print_objects("program", hook.programs);
  print_objects("map", hook.maps);
  print_counters(hook);
}

void print_status(const hook::Status& status, const std::vector<std::string>& empty) {
  for (const hook::HookStatus& hook : status.hooks) print_hook(hook);
  for (const hook::Attached& attached : status.foreign)
    fmt::print("{} has a foreign XDP program ({}, id {}) in {} mode\n", attached.interface.name,
               attached.program.title(), attached.program.id, attached.mode());
  for (const std::string& name : empty) fmt::print("{} has no XDP program\n", name);
  for (const hook::StalePins& stale : status.stale) {
    fmt::print("pins of hook {}, which is attached to nothing; linearb detach removes them\n",
               stale.hook_id);
    for (const std::string& path : stale.paths) fmt::print("  {}\n", path);
  }
  if (status.hooks.empty() && status.foreign.empty() && empty.empty() && status.stale.empty())
    fmt::print("there is no hook; linearb attach, or linearb receive, attaches one\n");
}

int show(CLI::App& command, HookArguments& arguments) {
  apply_receiver_file(command, arguments);
  hook::Status status = hook::look_at_hooks();
  std::vector<std::string> empty;
  if (arguments.lines_given) {
    const std::vector<hook::Interface> interfaces = interfaces_of_lines(arguments, false);
    keep_interfaces(status, interfaces);
    empty = empty_among(interfaces);
  } else {
    status.foreign.clear();
  }
  if (arguments.json)
    report::print_json(stdout, status_json(status, empty));
  else
    print_status(status, empty);
  return kDone;
}

}  // namespace

Command add_status(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "status", "Show the hooks, who receives with them, and what they have counted");
  auto arguments = std::make_shared<HookArguments>();
  add_hook_options(*command, *arguments);
  command->get_option("--line")->default_str("every interface with a hook");
  return {command, [command, arguments] { return show(*command, *arguments); }};
}

}  // namespace linearb::cli
