// SPDX-License-Identifier: Apache-2.0
#include "hook/status.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "hook/maps.h"
#include "hook/takeover.h"
#include "linearb/error.h"

namespace linearb::hook {
namespace {

/// A hook without a config map is its program.
bool is_of(const HookStatus& hook, const Attached& attached) {
  return hook.id != 0 ? hook.id == attached.hook_id()
                      : hook.attached.front().program.id == attached.program.id;
}

std::vector<std::string> paths_of(std::span<const Pin> pins, std::uint32_t Pin::*id,
                                  std::uint32_t wanted) {
  std::vector<std::string> paths;
  for (const Pin& pin : pins)
    if (pin.*id == wanted) paths.push_back(pin.path);
  return paths;
}

std::vector<PinnedObject> programs_of(const HookStatus& hook, std::span<const Pin> pins) {
  std::vector<PinnedObject> programs;
  for (const auto& [interface, native, program, maps] : hook.attached) {
    if (std::ranges::find(programs, program.id, &PinnedObject::id) != programs.end()) continue;
    programs.push_back({program.name, program.id, paths_of(pins, &Pin::program_id, program.id)});
  }
  return programs;
}

std::vector<PinnedObject> maps_of(const HookStatus& hook, std::span<const Pin> pins) {
  std::vector<PinnedObject> maps;
  for (const MapInfo& map : hook.attached.front().maps) {
    PinnedObject& object = maps.emplace_back(PinnedObject{map.name, map.id, {}});
    for (const Pin& pin : pins)
      if (pin.map.id == map.id) object.pins.push_back(pin.path);
  }
  std::ranges::sort(maps, {}, &PinnedObject::name);
  return maps;
}

std::vector<LineCounters> counters_of(const Maps& maps) {
  std::vector<LineCounters> lines;
  const auto bank = static_cast<std::uint32_t>(maps.config().bank & 1);
  for (std::uint32_t line = 0; line < LB_LINES_MAX; ++line) {
    const char* name = maps.config().line_names[line];
    const std::string text(name, ::strnlen(name, LB_LINE_NAME_ROOM));
    if (!text.empty()) lines.push_back({text, sum_counters(maps, bank, line)});
  }
  return lines;
}

void read_counters(HookStatus& hook) {
  if (hook.layout_version != LB_LAYOUT_VERSION) {
    hook.unreadable = fmt::format("this linearb reads layout version {}", LB_LAYOUT_VERSION);
    return;
  }
  try {
    hook.lines = counters_of(Maps(open_maps(hook.attached.front().program.map_ids)));
  } catch (const Error& error) {
    hook.unreadable = error.what();
  }
}

void complete(HookStatus& hook, std::span<const Pin> pins) {
  if (hook.id != 0) hook.owner = owner_of(hook.id);
  hook.programs = programs_of(hook, pins);
  hook.maps = maps_of(hook, pins);
  read_counters(hook);
}

}  // namespace

Status look_at_hooks() {
  Status status;
  std::vector<Attached> all = all_attached();
  const std::vector<Pin> pins = find_pins();
  status.stale = stale_pins(all, pins);
  for (Attached& attached : all) {
    if (!attached.is_ours()) {
      status.foreign.push_back(std::move(attached));
      continue;
    }
    auto hook = std::ranges::find_if(status.hooks,
                                     [&](const HookStatus& one) { return is_of(one, attached); });
    if (hook == status.hooks.end()) {
      status.hooks.push_back({.id = attached.hook_id(),
                              .layout_version = *attached.program.layout_version(),
                              .attached = {},
                              .owner = {},
                              .programs = {},
                              .maps = {},
                              .lines = {},
                              .unreadable = {}});
      hook = std::prev(status.hooks.end());
    }
    hook->attached.push_back(std::move(attached));
  }
  for (HookStatus& hook : status.hooks) complete(hook, pins);
  return status;
}

}  // namespace linearb::hook
