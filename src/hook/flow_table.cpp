// SPDX-License-Identifier: Apache-2.0
#include "hook/flow_table.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include <fmt/format.h>

#include "linearb/error.h"

namespace linearb::hook {
namespace {

/// With four buckets for each flow a multiplier fails about once in ten thousand flows.
constexpr std::uint32_t kMultipliersTried = 1024;

auto key_of(const lb_flow& flow) {
  return std::tuple(flow.interface_index, flow.destination, flow.port);
}

std::uint32_t bucket_of(std::uint64_t index, const lb_flow& flow) {
  return lb_flow_bucket_of(index, flow.interface_index, flow.destination, flow.port);
}

void refuse_twins(std::span<const lb_flow> flows) {
  std::vector<lb_flow> sorted(flows.begin(), flows.end());
  std::ranges::sort(sorted, {}, key_of);
  const auto twin = std::ranges::adjacent_find(sorted, {}, key_of);
  if (twin == sorted.end()) return;
  throw UsageError(
      fmt::format("two channels have the same destination {}.{}.{}.{}:{} on one interface; give "
                  "each channel of a line a group and port of its own",
                  twin->destination >> 24, twin->destination >> 16 & 255,
                  twin->destination >> 8 & 255, twin->destination & 255, twin->port));
}

/// A source is looked for when its flow was found, and an exact one has that.
std::uint32_t shapes_of(std::span<const lb_flow> flows) {
  std::uint32_t shapes = 0;
  for (const lb_flow& flow : flows) shapes |= flow.destination ? LB_FLOWS_EXACT : LB_FLOWS_ANY;
  return shapes;
}

const lb_flow* find_exact(const FlowTable& table, std::uint32_t interface_index,
                          std::uint32_t destination, std::uint16_t port) noexcept {
  const std::uint32_t mask = static_cast<std::uint32_t>(table.buckets.size()) - 1;
  const std::uint32_t bucket =
      lb_flow_bucket_of(table.index, interface_index, destination, port) & mask;
  return lb_bucket_find(&table.buckets[bucket], interface_index, destination, port);
}

bool try_fill(FlowTable& table, std::span<const lb_flow> flows) {
  std::ranges::fill(table.buckets, lb_flow_bucket{});
  const std::uint32_t mask = static_cast<std::uint32_t>(table.buckets.size()) - 1;
  for (const lb_flow& flow : flows) {
    auto& places = table.buckets[bucket_of(table.index, flow) & mask].flows;
    auto* free = std::ranges::find(places, 0u, &lb_flow::interface_index);
    if (free == std::end(places)) return false;
    *free = flow;
  }
  return true;
}

}  // namespace

std::uint32_t buckets_for(std::size_t flows) {
  const std::size_t wanted = std::max<std::size_t>(4 * flows, LB_FLOW_BUCKETS_DEFAULT);
  return static_cast<std::uint32_t>(std::bit_ceil(wanted));
}

void add_flow(std::vector<lb_flow>& flows, lb_flow flow, std::span<const std::uint32_t> sources) {
  if (!sources.empty()) flow.flags |= LB_FLOW_SOURCES;
  flows.push_back(flow);
  for (const std::uint32_t source : sources) {
    lb_flow& place = flows.emplace_back();
    place.interface_index = LB_SOURCES_OF_LINE(flow.line);
    place.destination = source;
    place.port = flow.channel;
  }
}

FlowTable build_flow_table(std::span<const lb_flow> flows, std::uint32_t buckets,
                           std::uint32_t table) {
  refuse_twins(flows);
  FlowTable result;
  result.buckets.resize(buckets);
  const auto bits = static_cast<std::uint32_t>(std::countr_zero(buckets));
  for (std::uint32_t attempt = 1; attempt <= kMultipliersTried; ++attempt) {
    const std::uint32_t multiplier = attempt * 0x9e3779b1u | 1u;  // 2^32 / golden ratio
    result.index = lb_flow_index(multiplier, bits, table, shapes_of(flows));
    if (try_fill(result, flows)) return result;
  }
  throw UsageError(
      fmt::format("{} flows and sources do not fit into {} buckets; detach the hook, so that it "
                  "is loaded with a larger table",
                  flows.size(), buckets));
}

const lb_flow* find_flow(const FlowTable& table, std::uint32_t interface_index,
                         std::uint32_t destination, std::uint16_t port) noexcept {
  const lb_flow* const exact = find_exact(table, interface_index, destination, port);
  return exact ? exact : find_exact(table, interface_index, 0, port);
}

bool takes_source(const FlowTable& table, const lb_flow& flow, std::uint32_t source) noexcept {
  return !(flow.flags & LB_FLOW_SOURCES) ||
         find_exact(table, LB_SOURCES_OF_LINE(flow.line), source, flow.channel);
}

}  // namespace linearb::hook
