// SPDX-License-Identifier: Apache-2.0
#include "lab/lab.h"

#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/removal_report.h"
#include "hook/removal.h"
#include "report/json.h"
#include "report/text.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;

struct LabArguments {
  lab::LabOptions options;
  bool json = false;
};

std::string end_text(const std::optional<sys::Interface>& end) {
  if (!end) return "missing";
  return fmt::format("{} {}", end->name, end->up ? "up" : "down");
}

Json end_json(const std::optional<sys::Interface>& end) {
  if (!end) return {};
  return {{"interface", end->name}, {"up", end->up}, {"mtu", end->mtu}};
}

Json lines_json(const std::vector<lab::LineStatus>& lines) {
  Json array = Json::array();
  for (const lab::LineStatus& line : lines) {
    array.push_back({{"name", std::string(1, line.line)},
                     {"ready", line.ready()},
                     {"queues", line.queues},
                     {"source", end_json(line.source)},
                     {"destination", end_json(line.destination)}});
  }
  return {{"lines", array}};
}

void print_lines(const std::vector<lab::LineStatus>& lines) {
  if (lines.empty()) {
    fmt::print("there are no lines; linearb lab up makes them\n");
    return;
  }
  std::vector<report::Row> rows{{"line", {"source", "destination", "queues", ""}, ""}};
  for (const lab::LineStatus& line : lines)
    rows.push_back({std::string(1, line.line),
                    {end_text(line.source), end_text(line.destination),
                     fmt::format("{}", line.queues), line.ready() ? "ready" : "not ready"},
                    ""});
  fmt::print("{}", report::table_text(rows));
}

int show_status(bool json) {
  std::vector<lab::LineStatus> lines = lab::status();
  if (json)
    report::print_json(stdout, lines_json(lines));
  else
    print_lines(lines);
  return kDone;
}

std::vector<hook::Interface> ends_of_lines() {
  std::vector<hook::Interface> ends;
  for (const lab::LineStatus& line : lab::status()) {
    for (const auto& end : {line.source, line.destination})
      if (end) ends.push_back({end->name, end->index});
  }
  return ends;
}

int take_down(bool json) {
  // The hooks first, while there are interfaces to find them by. A receiver that runs on the lines
  // loses them in any case.
  const hook::Removal hooks = hook::remove_hooks(ends_of_lines(), hook::WhenOwned::remove);
  const std::vector<std::string> removed = lab::down();
  if (json) {
    Json object = {{"removed", removed}};
    object.update(to_json(hooks));
    report::print_json(stdout, object);
    return kDone;
  }
  for (const std::string& sentence : sentences(hooks)) fmt::print("{}\n", sentence);
  for (const std::string& interface : removed) fmt::print("removed {}\n", interface);
  if (removed.empty() && hooks.is_nothing()) fmt::print("there was nothing to remove\n");
  return kDone;
}

}  // namespace

Command add_lab(CLI::App& app) {
  CLI::App* command = app.add_subcommand("lab", "Lines without a NIC: veth pairs on this host");
  command->require_subcommand(1);
  auto arguments = std::make_shared<LabArguments>();
  CLI::App* up =
      command->add_subcommand("up", "Make vethA_src-vethA_dst, vethB_src-vethB_dst, ...");
  up->add_option("--lines", arguments->options.lines, "Lines, 1 to 8")
      ->type_name("N")
      ->capture_default_str();
  up->add_option("--queues", arguments->options.queues, "RX and TX queues of each end")
      ->type_name("N")
      ->capture_default_str();
  up->add_option("--mtu", arguments->options.mtu,
                 "Largest packet in bytes, without Ethernet header")
      ->type_name("BYTES")
      ->capture_default_str();
  CLI::App* down = command->add_subcommand("down", "Remove them");
  CLI::App* status = command->add_subcommand("status", "Show them");
  for (CLI::App* action : {up, down, status}) add_json_option(*action, arguments->json);
  return {command, [up, down, arguments] {
            if (down->parsed()) return take_down(arguments->json);
            if (up->parsed()) lab::up(arguments->options);
            return show_status(arguments->json);
          }};
}

}  // namespace linearb::cli
