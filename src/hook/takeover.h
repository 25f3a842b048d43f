// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "hook/flow_table.h"
#include "hook/maps.h"

namespace linearb::hook {

/// What a receiver tells the hook when it takes it over.
struct Setup {
  std::span<const lb_flow> flows;
  std::span<const lb_framing> framings;
  struct InterfaceLine {
    std::uint32_t interface_index;
    std::uint32_t first_line;
  };
  std::span<const InterfaceLine> interfaces;
  std::span<const std::string> lines;  ///< their names
  std::uint64_t frame_room = 0;        ///< bytes
  bool metadata = true;
};

/// Begins a new life of the hook: whatever an earlier receiver left is gone, nothing is published,
/// no slot has a socket, and counting begins at zero. Traffic may go on meanwhile; it is the
/// kernel's until sockets enter the map. Waits two grace periods. Returns the table of flows that
/// the hook uses now. Throws Error. The caller owns the hook (Ownership).
FlowTable take_over(const Maps& maps, const Setup& setup);

/// Which of the map's tables of flows the hook does not use: build_flow_table() for this one.
std::uint32_t spare_flow_table(const Maps& maps) noexcept;
/// Makes the hook use a table that was built for the place of the spare one. Returns when no hook
/// uses the other one any more. Throws Error.
void publish_flows(const Maps& maps, const FlowTable& table);

/// Lets the hook judge a channel of identifiers without order (dedup = "lru"), which have neither
/// epoch nor mark. Until then they go up, and again from empty_slots() on. Before its slots open.
void publish_identifiers(const Maps& maps, std::uint32_t channel, std::uint32_t lines) noexcept;

/// Ends what sockets receive: from here on the feed is the kernel's. Returns when no hook is on its
/// way to a socket any more. Before a slot is emptied nothing is published, and no hook still
/// claims: a claim that finds its slot empty would make a duplicate of the other line's copy. Waits
/// two grace periods.
void empty_slots(const Maps& maps);

/// Makes the hook count in the other bank, cleared, and returns the bank that it has left, when
/// nobody writes it any more: its figures are exact, although traffic goes on.
std::uint32_t change_bank(const Maps& maps, std::uint32_t lines);

/// The counters of a line over all CPUs.
lb_counters sum_counters(const Maps& maps, std::uint32_t bank, std::uint32_t line) noexcept;
/// The packets of the feed among them: by what became of them, so that a look while the hook counts
/// is never more than what there was.
std::uint64_t feed_packets(const lb_counters& counters) noexcept;
/// How many CPUs were in the hook for a line of the bank.
std::uint32_t cpus_in_hook(const Maps& maps, std::uint32_t bank, std::uint32_t lines) noexcept;

}  // namespace linearb::hook
