// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/framing_file.h"
#include "config/trading_hours.h"
#include "core/layout.h"
#include "linearb/options.h"
#include "linearb/summary.h"
#include "sequencer/figures.h"
#include "sequencer/line_watch.h"
#include "sequencer/streams.h"

namespace linearb::receiver {

/// A channel that a receiver has, and where it stands in the hook's maps.
struct RunningChannel {
  Channel options;
  config::Framing framing;
  std::uint32_t serial = 0;  ///< in the order of configuration; never used twice
  std::uint16_t index = 0;   ///< of its window and marks; used again when it is free
  std::uint8_t framing_index = 0;
  /// Places of its streams, where the framing has a key: then its own is that of its flows alone.
  std::vector<std::uint16_t> streams{};
  std::uint32_t first_stream = 0;     ///< number of its first stream, among all that there were
  std::vector<std::uint64_t> keys{};  ///< of the first streams, known from a receiver before
  bool has_told_of_keys = false;      ///< that there are too many
  unsigned thread = 0;                ///< number of its data thread
  config::TradingHours hours{};       ///< as the options have them
};

/// The streams are counted behind the channels: both are sequences of numbers, and what is said of
/// one names it by its serial.
inline constexpr std::uint32_t kStreamSerials = 1u << 31;

/// What the sequencer has a channel for.
struct Sequence {
  std::uint16_t place = 0;  ///< of its window and marks
  std::uint32_t serial = 0;
};

/// The options with every channel saying all that it may leave to them.
ReceiverOptions spelled_out(ReceiverOptions options);

/// When lines of the channel, which says it itself, are silent.
sequencer::Alarms alarms_of(const RunningChannel& channel) noexcept;

/// What a channel is called, for as long as anything of it is told.
struct ChannelLabel {
  std::string name;
  lb_framing framing{};

  explicit ChannelLabel(const RunningChannel& channel)
      : name(channel.options.name), framing(channel.framing.descriptor) {}
  std::string of_stream(std::uint64_t key) const {
    return sequencer::stream_name(name, framing, key);
  }
};

/// The channel itself, or its streams.
std::vector<Sequence> sequences_of(const RunningChannel& channel);

/// What the channel has come to: it, or its streams in the order in which they were seen; one that
/// has seen none is there all the same. `group` is null where it has none, and `sums_of(i)` is the
/// sequencer's channel of sequence i.
template <class SumsOf>
std::vector<ChannelSummary> summaries_of(const RunningChannel& channel,
                                         const sequencer::StreamGroup* group, SumsOf sums_of) {
  const std::string& name = channel.options.name;
  const std::string& framing = channel.options.framing;
  if (!group) return {sequencer::summary_of(name, framing, sums_of(0))};
  std::vector<ChannelSummary> summaries;
  for (const std::uint64_t key : group->keys())
    summaries.push_back(
        sequencer::summary_of(sequencer::stream_name(name, channel.framing.descriptor, key),
                              framing, sums_of(summaries.size())));
  if (summaries.empty()) summaries.push_back({.name = name, .framing = framing});
  return summaries;
}

/// All that the channel has in the hook's maps.
std::size_t places_of(const RunningChannel& channel) noexcept;

/// How a reload goes from the channels there are to those that are wanted. What is in `kept` goes
/// on as it is, with destinations that may be new.
struct ChannelPlan {
  std::vector<RunningChannel> kept;
  std::vector<RunningChannel> removed;
  std::vector<RunningChannel> added;

  /// kept and added.
  std::vector<RunningChannel> wanted() const;
};

/// How many channels the hook's maps have room for, and who is there to handle them.
struct ChannelRoom {
  std::size_t channels = LB_CHANNELS_MAX;
  std::size_t framings = LB_FRAMINGS_MAX;
  unsigned threads = 1;
};

/// Numbers that nobody has had.
struct ChannelNumbers {
  std::uint32_t serial = 0;
  std::uint32_t stream = 0;
};

/// A channel goes on when name and framing are the same, and the framing file says what it said;
/// destinations may change. Every other channel goes, or comes. `next` are the numbers of the first
/// one that comes. Every wanted one is spelled out. Pure. Throws UsageError when
/// the room is not enough, and when one that goes on is to have another thread.
ChannelPlan plan_channels(const std::vector<RunningChannel>& running,
                          const std::vector<Channel>& wanted,
                          const std::vector<config::Framing>& framings, ChannelNumbers next,
                          const ChannelRoom& room);

}  // namespace linearb::receiver
