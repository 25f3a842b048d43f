// SPDX-License-Identifier: Apache-2.0
#include "sim/script.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

#include "sim/steps.h"

namespace linearb::sim {
namespace {

constexpr std::uint64_t kEpochsMax = 100;
constexpr std::uint64_t kMessagesMax = 128;  ///< of a packet: they fit a frame
constexpr std::uint64_t kFramesMax = 4096;

/// What is no step of the production code: a choice that the model has, or the time between two.
struct Command {
  std::string_view process;
  std::string_view step;
  std::size_t values;
};
constexpr auto kCommands = std::to_array<Command>({
    {"hook-A", "packet", 3},
    {"hook-B", "packet", 3},
    {"receiver", "stops", 0},
    {"receiver", "dies", 0},
    {"everybody", "quiet", 0},
    {"everybody", "pause", 1},
});
constexpr auto kProcesses =
    std::to_array<std::string_view>({"hook-A", "hook-B", "receiver", "clearing", "gaps"});

bool is_setting(Script& script, const Script::Line& line) {
  const std::size_t count = line.values.size();
  const std::string& what = line.process;
  const bool is_named = line.step.empty();
  if (what == "frames" && is_named && count == 1 && line.values[0] <= kFramesMax)
    script.frames = static_cast<std::uint32_t>(line.values[0]);
  else if (what == "asked" && is_named && count == 2)
    script.asked = {line.values[0], line.values[1]};
  else if (what == "one-session" && is_named && count == 0)
    script.one_session = true;
  else if (what == "no-metadata" && is_named && count == 0)
    script.metadata = false;
  else
    return false;
  return true;
}

/// Empty: nothing is wrong with it.
std::string complaint_about(const Script::Line& line) {
  const auto command = std::ranges::find_if(kCommands, [&](const Command& one) {
    return one.process == line.process && one.step == line.step;
  });
  const std::size_t count = line.values.size();
  if (command != kCommands.end()) {
    if (count != command->values)
      return fmt::format("`{} {}` wants {} numbers", line.process, line.step, command->values);
    const bool is_packet = line.step == "packet";
    const auto is_in = [&](std::size_t value, std::uint64_t most) {
      return line.values[value] >= 1 && line.values[value] <= most;
    };
    if (is_packet && !(is_in(0, kEpochsMax) && is_in(2, kMessagesMax)))
      return fmt::format("a packet is of an epoch from 1 to {}, and has 1 to {} messages",
                         kEpochsMax, kMessagesMax);
    return {};
  }
  if (std::ranges::find(kProcesses, line.process) == kProcesses.end())
    return fmt::format("there is no process and no setting `{}`; README.md lists them",
                       line.process);
  if (!has_step(line.process, line.step))
    return fmt::format("`{}` has no step `{}`; steps.cpp lists them", line.process, line.step);
  return count > 1 ? "a step has one number at most: its line, word of the window, or packet" : "";
}

Script::Line parse(const std::string& text, std::size_t number) {
  Script::Line line{.number = number, .process = {}, .step = {}, .values = {}};
  std::istringstream words(text.substr(0, text.find('#')));
  words >> line.process;
  for (std::string word; words >> word;) {
    const bool is_number = std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number && word.size() <= 18)
      line.values.push_back(std::stoull(word));
    else if (line.step.empty() && line.values.empty())
      line.step = word;
    else
      line.step = fmt::format("{} {}", line.step, word);  // which there is not
  }
  return line;
}

}  // namespace

std::string to_string(const Script::Line& line) {
  std::string text = fmt::format("{} {}", line.process, line.step);
  for (const std::uint64_t value : line.values) text += fmt::format(" {}", value);
  return text;
}

Script read_script(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw ScriptError(fmt::format("open {}: {}", path, std::strerror(errno)));
  Script script;
  std::size_t number = 0;
  for (std::string text; std::getline(file, text);) {
    Script::Line line = parse(text, ++number);
    if (line.process.empty() || is_setting(script, line)) continue;
    if (const std::string complaint = complaint_about(line); !complaint.empty())
      throw ScriptError(fmt::format("{}:{}: {}", path, number, complaint));
    script.lines.push_back(std::move(line));
  }
  const auto is_gaps = [](const Script::Line& line) { return line.process == "gaps"; };
  if (!script.asked && std::ranges::any_of(script.lines, is_gaps))
    throw ScriptError(fmt::format("{}: `gaps` wants to know for what: asked EPOCH NUMBER", path));
  if (script.lines.empty()) throw ScriptError(fmt::format("{}: there is no step in it", path));
  return script;
}

}  // namespace linearb::sim
