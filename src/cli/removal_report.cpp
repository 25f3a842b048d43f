// SPDX-License-Identifier: Apache-2.0
#include "cli/removal_report.h"

#include <fmt/format.h>

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;

Json list_json(const std::vector<hook::Attached>& list) {
  Json array = Json::array();
  for (const hook::Attached& attached : list) array.push_back(to_json(attached));
  return array;
}

}  // namespace

std::vector<std::string> sentences(const hook::Removal& removal) {
  std::vector<std::string> said;
  for (const auto& [interface, native, program, maps] : removal.programs)
    said.push_back(fmt::format("removed {} (id {}, {}) from {}", program.name, program.id,
                               native ? "native" : "generic", interface.name));
  for (const std::string& pin : removal.pins) said.push_back(fmt::format("removed pin {}", pin));
  for (const std::string& directory : removal.directories)
    said.push_back(fmt::format("removed directory {}", directory));
  for (const hook::Attached& attached : removal.remaining)
    said.push_back(
        fmt::format("the hook stays on {}, and so do its pins; linearb detach --line "
                    "NAME={} removes them",
                    attached.interface.name, attached.interface.name));
  for (const auto& [interface, native, program, maps] : removal.foreign)
    said.push_back(fmt::format("{} has a foreign XDP program ({}, id {}), which stays",
                               interface.name, program.title(), program.id));
  return said;
}

Json to_json(const hook::Attached& attached) {
  return {{"interface", attached.interface.name},
          {"mode", attached.mode()},
          {"id", attached.program.id},
          {"name", attached.program.name}};
}

Json to_json(const hook::Removal& removal) {
  return {{"programs", list_json(removal.programs)},
          {"pins", removal.pins},
          {"directories", removal.directories},
          {"foreign", list_json(removal.foreign)},
          {"remaining", list_json(removal.remaining)}};
}

}  // namespace linearb::cli
