// SPDX-License-Identifier: Apache-2.0
#include "config/receiver_tables.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/framing_file.h"
#include "core/layout.h"
#include "linearb/error.h"

namespace linearb::config {
namespace {

constexpr const char* kFramingKey = "framing";
constexpr const char* kDestinationKey = "destination";
constexpr const char* kSourcesKey = "sources";
constexpr const char* kChecksumKey = "checksum";
constexpr const char* kKeysKey = "keys";
constexpr const char* kActivePassiveKey = "active_passive";
constexpr const char* kHoursKey = "hours";
constexpr const char* kSilenceKey = "silence";
constexpr const char* kThreadKey = "thread";
/// In the order in which a message lists them.
constexpr std::array kChannelKeys = {kFramingKey,  kDestinationKey, kSourcesKey,
                                     kChecksumKey, kKeysKey,        kActivePassiveKey,
                                     kHoursKey,    kSilenceKey,     kThreadKey};

void refuse_both(StrictTable& root, std::string_view key, std::string_view table) {
  if (root.has(key) && root.has(table))
    root.refuse(table, fmt::format("is said already at {}, by the key {}: keep one of them",
                                   root.place_of(key), key));
}

/// A line is a key of a channel, beside the channel's own.
void refuse_key_as_name(const StrictTable& lines, const std::string& name) {
  for (const char* key : kChannelKeys) {
    if (name == key)
      lines.refuse(name, "cannot be the name of a line: it is a key of a channel's table");
  }
}

/// Relative to the folder of the file it stands in. The name of a built-in stays as it is.
std::string framing_from(const std::string& file, const std::string& framing) {
  if (!is_framing_path(framing)) return framing;
  return (std::filesystem::path(file).parent_path() / framing).string();
}

Destination destination_at(StrictTable& table, const std::string& key) {
  std::string text = table.text(key);
  try {
    return parse_destination(text);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", table.place_of(key), error.what()));
  }
}

std::vector<std::uint32_t> sources_at(StrictTable& table, const std::string& key) {
  std::vector<std::uint32_t> sources;
  for (const auto& [text, place] : table.texts(key)) {
    try {
      sources.push_back(parse_source(text));
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: {}", place, error.what()));
    }
    if (std::ranges::count(sources, sources.back()) > 1)
      throw UsageError(fmt::format("{}: the source \"{}\" is given twice", place, text));
  }
  return sources;
}

/// One table [channels.NAME].
class ChannelReader {
 public:
  ChannelReader(StrictTable table, const std::vector<Line>& lines, Places& places)
      : table_(std::move(table)), lines_(lines), places_(places) {}

  /// Destinations of lines that are not received are right or wrong all the same.
  void pass_over(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      if (table_.has(line)) destination_at(table_, line);
    }
  }

  Channel read(const std::string& file, std::size_t index) {
    places_.set({"channel", index, ""}, table_.place_of(""));
    places_.set({"channel", index, kFramingKey}, table_.place_of(kFramingKey));
    Channel channel;
    read_destinations(channel, index);
    if (table_.has(kChecksumKey))
      channel.checksum = static_cast<Checksum>(table_.choice(kChecksumKey, {"ignore", "verify"}));
    if (table_.has(kKeysKey)) {
      places_.set({"channel", index, kKeysKey}, table_.place_of(kKeysKey));
      channel.keys = static_cast<std::uint32_t>(
          table_.number(kKeysKey, {.least = 1, .most = LB_CHANNELS_MAX - 1}));
    }
    read_alarms(channel, index);
    if (table_.has(kThreadKey)) {
      places_.set({"channel", index, kThreadKey}, table_.place_of(kThreadKey));
      channel.thread =
          static_cast<unsigned>(table_.number(kThreadKey, {.least = 0, .most = kThreadsMax - 1}));
    }
    table_.finish();
    channel.framing = framing_from(file, table_.text(kFramingKey));
    return channel;
  }

 private:
  void read_alarms(Channel& channel, std::size_t index) {
    for (const char* key : {kHoursKey, kSilenceKey})
      if (table_.has(key)) places_.set({"channel", index, key}, table_.place_of(key));
    channel.active_passive = table_.optional_flag(kActivePassiveKey).value_or(false);
    channel.hours = table_.optional_text(kHoursKey).value_or("");
    channel.silence_seconds = table_.optional_real(kSilenceKey);
  }

  void read_destinations(Channel& channel, std::size_t index) {
    for (const char* key : kChannelKeys) table_.has(key);
    const bool is_common = table_.has(kDestinationKey);
    const std::vector<std::uint32_t> sources = sources_at(table_, kSourcesKey);
    const auto destination = [&](const std::string& key) {
      Destination read = destination_at(table_, key);
      if (read.sources.empty()) read.sources = sources;
      return read;
    };
    if (is_common) channel.destination = destination(kDestinationKey);
    for (const Line& line : lines_) {
      bool is_own = table_.has(line.name);
      if (is_own) channel.line_destinations.emplace_back(line.name, destination(line.name));
      if (is_own || is_common)
        places_.set({"channel", index, line.name},
                    table_.place_of(is_own ? line.name : kDestinationKey));
    }
  }

  StrictTable table_;
  const std::vector<Line>& lines_;
  Places& places_;
};

}  // namespace

ReceiverTables::ReceiverTables(const std::string& path, const toml::table& file)
    : path_(path), root_(path, "", file) {
  refuse_both(root_, "line", kLinesTable);
  refuse_both(root_, "channel", kChannelsTable);
}

void ReceiverTables::read_lines(ReceiverOptions& options, Places& places) {
  std::optional<StrictTable> table = root_.optional_table(kLinesTable);
  if (!table) return;
  options.lines.clear();
  places.set({"line", {}, ""}, table->place_of(""));
  for (const std::string& name : table->keys()) {
    refuse_key_as_name(*table, name);
    places.set({"line", options.lines.size(), ""}, table->place_of(name));
    options.lines.push_back({name, table->text(name)});
  }
}

std::vector<std::string> ReceiverTables::lines_in_file() {
  std::optional<StrictTable> table = root_.optional_table(kLinesTable);
  return table ? table->keys() : std::vector<std::string>{};
}

void ReceiverTables::read_channels(ReceiverOptions& options, Places& places) {
  std::optional<StrictTable> tables = root_.optional_table(kChannelsTable);
  if (!tables) return;
  options.channels.clear();
  places.set({"channel", {}, ""}, tables->place_of(""));
  std::vector<std::string> lines = lines_in_file();
  for (const std::string& name : tables->keys()) {
    ChannelReader reader(tables->table(name), options.lines, places);
    reader.pass_over(lines);
    options.channels.push_back(reader.read(path_, options.channels.size()));
    options.channels.back().name = name;
  }
}

}  // namespace linearb::config
