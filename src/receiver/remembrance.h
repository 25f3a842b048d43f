// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What one receiver leaves for the next in the memories of a hook (core/memory.h), beside what the
/// sequencer keeps there itself: whose a memory is, where the lines are, what was answered for.
///
/// A memory belongs to a channel by name and framing. It goes on as long as every receiver has that
/// channel; the first one that does not have it forgets it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hook/maps.h"
#include "receiver/channel_table.h"
#include "sequencer/channel.h"

namespace linearb::receiver {

/// Of name and framing, what the framing's file says included. Never 0.
std::uint64_t identity_of(const RunningChannel& channel) noexcept;

/// Gives each channel the place where its memory is; the others keep theirs as far as they can, or
/// take the lowest that is free. There are as many memories as places.
void take_remembered_places(std::vector<RunningChannel>& channels,
                            std::span<const lb_memory> memories);

/// The hook's marks say how far the lines came whose copies it dropped. As long as they stand.
void remember_marks(const hook::Maps& maps) noexcept;

/// Puts the lines of each memory where this receiver has lines of the same names, and forgets the
/// memories that are of none of its channels. `before` still has the names of the receiver before.
void claim_memories(std::span<lb_memory> memories, const lb_config& before,
                    std::span<const RunningChannel> channels, std::span<const std::string> lines);

/// Nothing is remembered from here on but whose it is. 0: nobody's.
void begin_memory(lb_memory& memory, std::uint64_t identity) noexcept;

/// After a packet of the line.
void remember_line(lb_memory& memory, const sequencer::Channel& channel, std::uint32_t line,
                   std::uint64_t arrival_ns) noexcept;
/// Before the application gets a packet that is in no epoch yet.
void remember_apart(lb_memory_line& line, std::uint64_t first, std::uint32_t count) noexcept;

/// What the one before may or may not have delivered: what was in hand when it died, and what is in
/// no epoch.
std::vector<lb_range> doubtful(const lb_memory& memory);
/// They were said. Before the first packet: what is in hand is of a bitmap that has not moved.
void settle_doubts(lb_memory& memory) noexcept;

/// The gaps there are were reported: the next receiver does not report them again.
void answer(const hook::Maps& maps) noexcept;

}  // namespace linearb::receiver
