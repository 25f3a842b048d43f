// SPDX-License-Identifier: Apache-2.0
#include "receiver/channel_table.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "linearb/error.h"

namespace linearb::receiver {
namespace {

std::size_t stream_count(const Channel& options, const config::Framing& framing) {
  return lb_framing_has_key(&framing.descriptor) ? options.keys.value() : 0;
}

bool same_framing(const RunningChannel& channel, const Channel& options,
                  const config::Framing& framing) {
  return channel.options.framing == options.framing &&
         std::memcmp(&channel.framing.descriptor, &framing.descriptor, sizeof(lb_framing)) == 0;
}

/// Places of the maps that nobody has.
class Places {
 public:
  explicit Places(std::size_t room) : taken_(room) {}
  void take(std::size_t place) { taken_[place] = true; }
  /// The lowest free one that `avoided` does not have either; if there is none, the lowest free
  /// one; if there is none, as many as there are places.
  std::size_t take_free(const Places& avoided) {
    std::size_t found =
        lowest([&](std::size_t place) { return taken_[place] || avoided.taken_[place]; });
    if (found == taken_.size()) found = lowest([&](std::size_t place) { return taken_[place]; });
    if (found < taken_.size()) taken_[found] = true;
    return found;
  }

 private:
  template <class Unusable>
  std::size_t lowest(Unusable unusable) const {
    std::size_t place = 0;
    while (place < taken_.size() && unusable(place)) ++place;
    return place;
  }

  std::vector<bool> taken_;
};

/// The places in the maps of what is kept, and of what goes: the hook may still be reading those.
struct Occupied {
  Places kept;
  Places removed;
};

template <class Take>
Occupied occupied(const ChannelPlan& plan, std::size_t room, Take take) {
  Occupied result{Places(room), Places(room)};
  for (const RunningChannel& channel : plan.kept) take(result.kept, channel);
  for (const RunningChannel& channel : plan.removed) take(result.removed, channel);
  return result;
}

void take_places(Places& places, const RunningChannel& channel) {
  places.take(channel.index);
  for (const std::uint16_t stream : channel.streams) places.take(stream);
}

[[noreturn]] void throw_no_room(const ChannelPlan& plan, std::size_t room) {
  std::size_t channels = 0;
  std::size_t streams = 0;
  for (const auto* part : {&plan.kept, &plan.added}) {
    channels += part->size();
    for (const RunningChannel& channel : *part) streams += channel.streams.size();
  }
  const std::string with_streams =
      streams == 0 ? "" : fmt::format(" with up to {} streams", streams);
  throw UsageError(
      fmt::format("{} channels{}; the hook that is attached has room for {}: linearb detach, "
                  "and start again",
                  channels, with_streams, room));
}

void place_channels(ChannelPlan& plan, std::size_t room) {
  Occupied places = occupied(plan, room, take_places);
  const auto take = [&](std::uint16_t& place) {
    const std::size_t free = places.kept.take_free(places.removed);
    if (free == room) throw_no_room(plan, room);
    place = static_cast<std::uint16_t>(free);
  };
  for (RunningChannel& channel : plan.added) {
    take(channel.index);
    for (std::uint16_t& stream : channel.streams) take(stream);
  }
}

/// Channels of one framing share its descriptor.
void place_framings(ChannelPlan& plan, std::size_t room) {
  Occupied places = occupied(plan, room, [](Places& taken, const RunningChannel& channel) {
    taken.take(channel.framing_index);
  });
  std::vector<const RunningChannel*> placed;
  for (const RunningChannel& channel : plan.kept) placed.push_back(&channel);
  for (RunningChannel& channel : plan.added) {
    const auto twin = std::ranges::find_if(placed, [&](const RunningChannel* other) {
      return same_framing(*other, channel.options, channel.framing);
    });
    const std::size_t place =
        twin != placed.end() ? (*twin)->framing_index : places.kept.take_free(places.removed);
    if (place == room)
      throw UsageError(
          fmt::format("more than {} framings among the channels; the hook takes {}", room, room));
    channel.framing_index = static_cast<std::uint8_t>(place);
    placed.push_back(&channel);
  }
}

void require_same_thread(const RunningChannel& running, const Channel& wanted) {
  if (wanted.thread.value_or(running.thread) != running.thread)
    throw UsageError(
        fmt::format("channel {}: it is thread {}'s, and cannot go to thread {} while the receiver "
                    "runs: start it again",
                    wanted.name, running.thread, *wanted.thread));
}

/// First those that say which, then each to one that has the fewest.
void place_threads(ChannelPlan& plan, unsigned threads) {
  std::vector<std::size_t> channels(threads);
  for (const RunningChannel& channel : plan.kept) ++channels[channel.thread];
  for (RunningChannel& channel : plan.added)
    if (channel.options.thread) ++channels[channel.thread = *channel.options.thread];
  for (RunningChannel& channel : plan.added) {
    if (channel.options.thread) continue;
    const auto fewest = std::ranges::min_element(channels);
    channel.thread = static_cast<unsigned>(fewest - channels.begin());
    ++*fewest;
  }
}

}  // namespace

ReceiverOptions spelled_out(ReceiverOptions options) {
  for (Channel& channel : options.channels) {
    channel.keys = channel.keys.value_or(options.keys);
    channel.silence_seconds = channel.silence_seconds.value_or(options.silence_seconds);
  }
  return options;
}

sequencer::Alarms alarms_of(const RunningChannel& channel) noexcept {
  return {.silence_ns = static_cast<std::uint64_t>(*channel.options.silence_seconds * 1e9),
          .active_passive = channel.options.active_passive,
          .expects_feed = channel.hours.are_limited(),
          .in_hours = channel.hours.contain_now(),
          .only_once_seen = !channel.streams.empty()};
}

std::vector<Sequence> sequences_of(const RunningChannel& channel) {
  if (!lb_framing_has_key(&channel.framing.descriptor)) return {{channel.index, channel.serial}};
  std::vector<Sequence> sequences;
  std::uint32_t serial = kStreamSerials + channel.first_stream;
  for (const std::uint16_t place : channel.streams) sequences.push_back({place, serial++});
  return sequences;
}

std::size_t places_of(const RunningChannel& channel) noexcept {
  return 1 + channel.streams.size();
}

std::vector<RunningChannel> ChannelPlan::wanted() const {
  std::vector<RunningChannel> all = kept;
  all.insert(all.end(), added.begin(), added.end());
  return all;
}

ChannelPlan plan_channels(const std::vector<RunningChannel>& running,
                          const std::vector<Channel>& wanted,
                          const std::vector<config::Framing>& framings, ChannelNumbers next,
                          const ChannelRoom& room) {
  ChannelPlan plan;
  std::vector<bool> goes_on(running.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::ranges::find_if(running, [&](const RunningChannel& channel) {
      return channel.options.name == wanted[i].name &&
             channel.streams.size() == stream_count(wanted[i], framings[i]) &&
             same_framing(channel, wanted[i], framings[i]);
    });
    if (found == running.end()) {
      RunningChannel& added = plan.added.emplace_back();
      added.options = wanted[i];
      added.framing = framings[i];
      added.hours = config::TradingHours::parse(wanted[i].hours);
      added.serial = next.serial++;
      added.streams.resize(stream_count(wanted[i], framings[i]));
      added.first_stream = next.stream;
      next.stream += static_cast<std::uint32_t>(added.streams.size());
      continue;
    }
    require_same_thread(*found, wanted[i]);
    goes_on[static_cast<std::size_t>(found - running.begin())] = true;
    plan.kept.push_back(*found);
    plan.kept.back().options = wanted[i];
    plan.kept.back().hours = config::TradingHours::parse(wanted[i].hours);
  }
  for (std::size_t i = 0; i < running.size(); ++i)
    if (!goes_on[i]) plan.removed.push_back(running[i]);
  place_channels(plan, room.channels);
  place_framings(plan, room.framings);
  place_threads(plan, room.threads);
  return plan;
}

}  // namespace linearb::receiver
