// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/flow.h"

namespace linearb::hook {

/// A table of flows in which no bucket overflows, and the index that finds a flow in it.
struct FlowTable {
  std::vector<lb_flow_bucket> buckets;
  std::uint64_t index = 0;  ///< for lb_config::flow_index
};

/// How many buckets a table needs so that a multiplier is found quickly: a power of two, at least
/// four for each flow.
std::uint32_t buckets_for(std::size_t flows);

/// Adds a flow that takes packets from these sources (host byte order), or without any from
/// everywhere. Each source has a place in the table too: see core/flow.h.
void add_flow(std::vector<lb_flow>& flows, lb_flow flow, std::span<const std::uint32_t> sources);

/// Searches a multiplier with which each of the `buckets` (a power of two) gets at most
/// LB_BUCKET_FLOWS flows. `table` is which of the map's LB_FLOW_TABLES the result is for. Throws
/// UsageError when two flows have the same key or none of the multipliers serves.
FlowTable build_flow_table(std::span<const lb_flow> flows, std::uint32_t buckets,
                           std::uint32_t table);

/// Finds a flow as the hook does: the exact destination first, then any. Null if there is none.
const lb_flow* find_flow(const FlowTable& table, std::uint32_t interface_index,
                         std::uint32_t destination, std::uint16_t port) noexcept;

/// Whether a flow of the table takes what comes from the source, as the hook decides it.
bool takes_source(const FlowTable& table, const lb_flow& flow, std::uint32_t source) noexcept;

}  // namespace linearb::hook
