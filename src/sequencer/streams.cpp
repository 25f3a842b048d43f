// SPDX-License-Identifier: Apache-2.0
#include "sequencer/streams.h"

#include <algorithm>
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
    refused_.store(refused_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    refused_key_.store(key, std::memory_order_relaxed);
    return false;
  }
  packet.channel = places_[keys_.size()];
  keys_.push_back(key);
  return true;
}

namespace {

std::size_t places_for(std::span<const ChannelPlaces::Configured> channels) noexcept {
  std::size_t places = channels.size();
  for (const auto& [framing, keys] : channels)
    if (framing->key.width != 0) places += keys;
  return places;
}

}  // namespace

ChannelPlaces::ChannelPlaces(std::span<const Configured> channels)
    : framings_(channels.size()), origins_(channels.size()), streams_(places_for(channels)) {
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const auto& [framing, keys] = channels[i];
    origins_[i] = i;
    if (framing->key.width == 0) {
      framings_[i] = framing;
      continue;
    }
    std::vector<std::uint16_t> places;
    for (std::uint32_t key = 0; key < keys; ++key) {
      places.push_back(static_cast<std::uint16_t>(framings_.size()));
      framings_.push_back(framing);
      origins_.push_back(i);
    }
    streams_.open(static_cast<std::uint16_t>(i),
                  std::make_unique<StreamGroup>(*framing, std::move(places)));
  }
}

std::vector<std::uint16_t> ChannelPlaces::used() const {
  std::vector<std::uint16_t> places;
  for (std::uint16_t i = 0; i < framings_.size() && origins_[i] == i; ++i) {
    const StreamGroup* const group = streams_.at(i);
    if (!group) places.push_back(i);
    for (std::size_t key = 0; group && key < group->keys().size(); ++key)
      places.push_back(group->places()[key]);
  }
  return places;
}

std::string ChannelPlaces::name_of(std::size_t place, std::string_view channel) const {
  const StreamGroup* const group = streams_.at(static_cast<std::uint16_t>(channel_of(place)));
  if (!group) return std::string(channel);
  return stream_name(channel, group->keys()[place - group->places().front()]);
}

std::string stream_name(std::string_view channel, std::uint64_t key) {
  return fmt::format("{}/{}", channel, key);
}

}  // namespace linearb::sequencer
