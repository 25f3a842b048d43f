// SPDX-License-Identifier: Apache-2.0
#include "inspect/verdicts.h"

#include <algorithm>
#include <utility>

namespace linearb::inspect {
namespace {

std::vector<lb_framing> descriptors_of(const std::vector<config::Framing>& framings) {
  std::vector<lb_framing> descriptors;
  for (const config::Framing& framing : framings) descriptors.push_back(framing.descriptor);
  return descriptors;
}

sequencer::ChannelPlaces places_of(const ReceiverOptions& options,
                                   const std::vector<lb_framing>& framings) {
  std::vector<sequencer::ChannelPlaces::Configured> configured;
  for (std::size_t i = 0; i < framings.size(); ++i)
    configured.push_back({&framings[i], options.channels[i].keys.value_or(options.keys)});
  return sequencer::ChannelPlaces(configured);
}

sequencer::Settings settings_for(std::uint32_t lines) {
  sequencer::Settings settings;
  settings.lines = lines;
  return settings;
}

bool takes(const Destination& wanted, const Datagram& datagram) noexcept {
  const Destination& found = *datagram.destination;
  return wanted.port == found.port && (wanted.address == 0 || wanted.address == found.address) &&
         (wanted.sources.empty() ||
          std::ranges::find(wanted.sources, datagram.source) != wanted.sources.end());
}

}  // namespace

Verdicts::Verdicts(const ReceiverOptions& options, const std::vector<config::Framing>& framings,
                   std::function<void(const Explained&)> tell)
    : channels_(options.channels),
      repair_lines_(options.repair_lines),
      framings_(descriptors_of(framings)),
      tell_(std::move(tell)),
      places_(places_of(options, framings_)),
      sequencer_(places_.framings(), settings_for(lines_of(channels_)),
                 sequencer::Sequencer::Dedup::window, *this) {}

std::uint32_t Verdicts::lines_of(const std::vector<Channel>& channels) noexcept {
  std::size_t most = 1;
  for (const Channel& channel : channels) most = std::max(most, channel.line_destinations.size());
  return static_cast<std::uint32_t>(std::min(most, kLinesMax));
}

void Verdicts::take(const Datagram& datagram) {
  now_ns_ = std::max(now_ns_, datagram.time_ns.value_or(now_ns_ + kStepNs));
  sequencer_.tick(now_ns_);
  rows_.emplace_back().explained.time_ns = datagram.time_ns;
  const std::optional<Place> place = place_of(datagram);
  if (place) {
    take_of_channel(datagram, *place);
  } else {
    rows_.back().explained.kind = rows_.back().explained.verdict = "not_feed";
    rows_.back().is_decided = true;
  }
  tell_decided();
}

bool Verdicts::only_repairs(const std::string& line) const noexcept {
  return std::ranges::find(repair_lines_, line) != repair_lines_.end();
}

/// A file of payloads is of the first channel.
std::optional<Verdicts::Place> Verdicts::place_of(const Datagram& datagram) const noexcept {
  if (!datagram.time_ns) return Place{0, 0, false};
  if (!datagram.destination) return std::nullopt;
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const auto& of_lines = channels_[i].line_destinations;
    for (std::size_t line = 0; line < std::min(of_lines.size(), kLinesMax); ++line)
      if (takes(of_lines[line].second, datagram))
        return Place{i, static_cast<std::uint8_t>(line), only_repairs(of_lines[line].first)};
    if (channels_[i].destination.port != 0 && takes(channels_[i].destination, datagram))
      return Place{i, 0, false};
  }
  return std::nullopt;
}

void Verdicts::take_of_channel(const Datagram& datagram, Place place) {
  Row& row = rows_.back();
  row.payload.assign(datagram.payload.begin(), datagram.payload.end());
  const lb_framing& framing = framings_[place.channel];
  Decoded decoded = datagram.is_whole ? decode(framing, row.payload) : Decoded{};
  if (place.only_repairs) decoded.kind = lb_as_repair(decoded.kind, &decoded.datagram);
  Explained& explained = row.explained;
  explained.channel = &channels_[place.channel];
  explained.kind = kind_name(decoded.kind);
  explained.is_malformed = decoded.kind == LB_KIND_MALFORMED;
  if (explained.is_malformed) {
    explained.reason = datagram.is_whole ? why_malformed(framing, row.payload)
                                         : "the lengths of its headers contradict each other, or "
                                           "it is cut off";
  } else {
    explained.session = session_text(framing, row.payload);
    explained.key = key_of(framing, row.payload);
    explained.datagram = decoded.datagram;
  }
  sequencer::Packet packet;
  packet.channel = static_cast<std::uint16_t>(place.channel);
  packet.line = place.line;
  packet.kind = decoded.kind;
  packet.datagram = decoded.datagram;
  packet.arrival_ns = now_ns_;
  packet.payload = row.payload;
  packet.handle = told_ + rows_.size() - 1;
  packet.key =
      lb_framing_key(&framing, row.payload.data(), row.payload.data() + row.payload.size());
  places_.assign(packet);
  sequencer_.push(packet);
}

void Verdicts::decided(const sequencer::Packet& packet,
                       const sequencer::Decision& decision) noexcept {
  Row& row = rows_[packet.handle - told_];
  row.explained.verdict = outcome_name(decision.outcome);
  row.is_decided = true;
}

void Verdicts::tell_decided() {
  for (; !rows_.empty() && rows_.front().is_decided; ++told_) {
    tell_(rows_.front().explained);
    rows_.pop_front();
  }
}

void Verdicts::finish() {
  sequencer_.finish();
  tell_decided();
}

}  // namespace linearb::inspect
