// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"

#include <cstddef>
#include <map>
#include <string>

#include <fmt/format.h>

#include "core/layout.h"
#include "linearb/error.h"

namespace linearb::config {
namespace {

Framing load_for(const std::string& name_or_path, const Subject& subject) {
  try {
    return load_framing(name_or_path);
  } catch (const UsageError& error) {
    throw InvalidOption(subject, error.what());
  }
}

void refuse_lru_with_count(const Channel& channel, const Framing& framing, const Subject& subject) {
  if (framing.descriptor.count.width == 0) return;
  throw InvalidOption(subject,
                      fmt::format("channel {}: --dedup lru is for framings with one identifier in "
                                  "a packet; {} counts messages",
                                  channel.name, channel.framing));
}

void refuse_lru_with_key(const Channel& channel, const Framing& framing, const Subject& subject) {
  if (!lb_framing_has_key(&framing.descriptor)) return;
  throw InvalidOption(subject,
                      fmt::format("channel {}: --dedup lru remembers identifiers without their "
                                  "stream; {} has several on one destination",
                                  channel.name, channel.framing));
}

/// Channels and streams, of which each has a window in the hook.
void refuse_too_many_places(const ReceiverOptions& options, const std::vector<Framing>& framings) {
  std::size_t places = 0;
  for (std::size_t i = 0; i < framings.size(); ++i) {
    const Channel& channel = options.channels[i];
    const bool has_key = lb_framing_has_key(&framings[i].descriptor);
    places += 1 + (has_key ? channel.keys.value_or(options.keys) : 0);
    if (places > LB_CHANNELS_MAX)
      throw InvalidOption({"channel", i, ""},
                          fmt::format("channel {}: with their keys that is more than {} channels; "
                                      "allow fewer keys (--keys, or keys in a channel's table)",
                                      channel.name, +LB_CHANNELS_MAX));
  }
}

}  // namespace

std::uint32_t repair_mask(const ReceiverOptions& options) noexcept {
  std::uint32_t mask = 0;
  for (std::size_t line = 0; line < options.lines.size(); ++line)
    if (options.only_repairs(options.lines[line].name)) mask |= 1u << line;
  return mask;
}

std::vector<Framing> load_framings(const ReceiverOptions& options) {
  std::map<std::string, Framing> loaded;
  std::vector<Framing> framings;
  for (std::size_t i = 0; i < options.channels.size(); i++) {
    const Channel& channel = options.channels[i];
    Subject subject{"channel", i, "framing"};
    if (!loaded.contains(channel.framing))
      loaded.emplace(channel.framing, load_for(channel.framing, subject));
    if (loaded.size() > LB_FRAMINGS_MAX)
      throw InvalidOption(subject,
                          fmt::format("channel {}: {} is one framing too many; there can be {}",
                                      channel.name, channel.framing, +LB_FRAMINGS_MAX));
    framings.push_back(loaded.at(channel.framing));
    if (options.dedup == Dedup::lru) refuse_lru_with_count(channel, framings.back(), subject);
    if (options.dedup == Dedup::lru) refuse_lru_with_key(channel, framings.back(), subject);
  }
  refuse_too_many_places(options, framings);
  return framings;
}

void check(const ReceiverOptions& options, const Places& places) {
  try {
    validate(options);
    load_framings(options);
  } catch (const InvalidOption& invalid) {
    std::optional<std::string> place = places.find(invalid.subject());
    if (!place) throw;
    throw UsageError(fmt::format("{}: {}", *place, invalid.what()));
  }
}

}  // namespace linearb::config
