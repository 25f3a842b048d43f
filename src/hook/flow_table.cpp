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

std::uint32_t shapes_of(std::span<const lb_flow> flows) {
  std::uint32_t shapes = 0;
  for (const lb_flow& flow : flows) shapes |= flow.destination ? LB_FLOWS_EXACT : LB_FLOWS_ANY;
  return shapes;
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
      fmt::format("{} flows do not fit into {} buckets; detach the hook, so that it "
                  "is loaded with a larger table",
                  flows.size(), buckets));
}

const lb_flow* find_flow(const FlowTable& table, std::uint32_t interface_index,
                         std::uint32_t destination, std::uint16_t port) noexcept {
  const std::uint32_t mask = static_cast<std::uint32_t>(table.buckets.size()) - 1;
  for (const std::uint32_t address : {destination, 0u}) {
    const std::uint32_t bucket =
        lb_flow_bucket_of(table.index, interface_index, address, port) & mask;
    const lb_flow* flow = lb_bucket_find(&table.buckets[bucket], interface_index, address, port);
    if (flow) return flow;
  }
  return nullptr;
}

}  // namespace linearb::hook
