// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/framing_file.h"
#include "core/layout.h"
#include "linearb/options.h"

namespace linearb::receiver {

/// A channel that a receiver has, and where it stands in the hook's maps.
struct RunningChannel {
  Channel options;
  config::Framing framing;
  std::uint32_t serial = 0;  ///< in the order of configuration; never used twice
  std::uint16_t index = 0;   ///< of its window and marks; used again when it is free
  std::uint8_t framing_index = 0;
};

/// How a reload goes from the channels there are to those that are wanted. What is in `kept` goes
/// on as it is, with destinations that may be new.
struct ChannelPlan {
  std::vector<RunningChannel> kept;
  std::vector<RunningChannel> removed;
  std::vector<RunningChannel> added;

  /// kept and added.
  std::vector<RunningChannel> wanted() const;
};

/// How many channels the hook's maps have room for.
struct ChannelRoom {
  std::size_t channels = LB_CHANNELS_MAX;
  std::size_t framings = LB_FRAMINGS_MAX;
};

/// A channel goes on when name and framing are the same, and the framing file says what it said;
/// destinations may change. Every other channel goes, or comes. `next_serial` is that of the first
/// one that comes. Pure. Throws UsageError when the room is not enough.
ChannelPlan plan_channels(const std::vector<RunningChannel>& running,
                          const std::vector<Channel>& wanted,
                          const std::vector<config::Framing>& framings, std::uint32_t next_serial,
                          const ChannelRoom& room);

}  // namespace linearb::receiver
