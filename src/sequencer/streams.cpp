// SPDX-License-Identifier: Apache-2.0
#include "sequencer/streams.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace linearb::sequencer {

StreamGroup::StreamGroup(const lb_framing& framing, std::vector<std::uint16_t> places,
                         std::span<const std::uint64_t> keys)
    : framing_(framing), places_(std::move(places)) {
  keys_.reserve(places_.size());
  keys_.assign(keys.begin(), keys.end());
}

bool StreamGroup::assign(Packet& packet) noexcept {
  packet.channel = places_.front();
  if (packet.kind == LB_KIND_MALFORMED) return false;
  const std::uint64_t key = packet.key;
  const auto found = std::ranges::find(keys_, key);
  if (found != keys_.end()) {
    packet.channel = places_[static_cast<std::size_t>(found - keys_.begin())];
    return false;
  }
  if (keys_.size() == places_.size()) {
    packet.is_of_no_channel = true;
    refuse(key);
    return false;
  }
  packet.channel = places_[keys_.size()];
  keys_.push_back(key);
  return true;
}

void StreamGroup::refuse(std::uint64_t key) noexcept {
  if (has_refused_.load(std::memory_order_relaxed)) return;
  refused_key_.store(key, std::memory_order_relaxed);
  has_refused_.store(true, std::memory_order_release);
}

ChannelPlaces::ChannelPlaces(std::span<const Configured> channels) : groups_(channels.size()) {
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const lb_framing* const framing = channels[i].framing;
    framings_.push_back(lb_framing_has_key(framing) ? nullptr : framing);
    origins_.push_back(i);
  }
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const auto& [framing, keys] = channels[i];
    if (!lb_framing_has_key(framing)) continue;
    std::vector<std::uint16_t> places;
    for (std::uint32_t key = 0; key < keys; ++key) {
      places.push_back(static_cast<std::uint16_t>(framings_.size()));
      framings_.push_back(framing);
      origins_.push_back(i);
    }
    groups_[i] = std::make_unique<StreamGroup>(*framing, std::move(places));
  }
}

std::vector<std::size_t> ChannelPlaces::places_of(std::size_t channel) const {
  const StreamGroup* const group = groups_[channel].get();
  if (!group) return {channel};
  const auto seen = group->places().first(group->keys().size());
  return {seen.begin(), seen.end()};
}

std::uint64_t ChannelPlaces::key_of(std::size_t place) const noexcept {
  const StreamGroup* const group = groups_[channel_of(place)].get();
  return group ? group->keys()[place - group->places().front()] : 0;
}

std::string ChannelPlaces::name_of(std::size_t place, std::string_view channel) const {
  const StreamGroup* const group = groups_[channel_of(place)].get();
  return group ? stream_name(channel, group->framing(), key_of(place)) : std::string(channel);
}

std::string key_text(const lb_framing& framing, std::uint64_t key) {
  std::string text;
  for (std::size_t i = std::size(framing.keys); i-- > 0;) {
    const unsigned bits = 8u * framing.keys[i].width;
    if (bits == 0) continue;
    const std::uint64_t part = bits < 64 ? key & ((1ull << bits) - 1) : key;
    text = text.empty() ? fmt::format("{}", part) : fmt::format("{}.{}", part, text);
    key = bits < 64 ? key >> bits : 0;
  }
  return text;
}

std::string stream_name(std::string_view channel, const lb_framing& framing, std::uint64_t key) {
  return fmt::format("{}/{}", channel, key_text(framing, key));
}

}  // namespace linearb::sequencer
