// SPDX-License-Identifier: Apache-2.0
#include "hook/takeover.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "sys/grace.h"

namespace linearb::hook {
namespace {

constexpr std::size_t kCounterWords = sizeof(lb_counters) / sizeof(lb_u64);

void clear_bank(const Maps& maps, std::uint32_t bank, std::uint32_t lines) noexcept {
  for (std::uint32_t line = 0; line < lines; ++line) {
    for (std::uint32_t cpu = 0; cpu < LB_CPUS_MAX; ++cpu) maps.counters(bank, line, cpu) = {};
    maps.skew(bank, line) = {};
  }
}

void unpublish(const Maps& maps) noexcept {
  for (std::uint32_t channel = 0; channel < maps.windows().size(); ++channel)
    for (std::uint32_t line = 0; line < LB_LINES_MAX; ++line)
      lb_store_release(&maps.mark(channel, line).published, 0);
}

void clear_channels(const Maps& maps) noexcept {
  for (lb_channel& channel : maps.windows()) channel = {};
  for (std::uint32_t channel = 0; channel < maps.windows().size(); ++channel)
    for (std::uint32_t line = 0; line < LB_LINES_MAX; ++line) maps.mark(channel, line) = {};
  maps.clear_seen_sessions();
}

void clear_slots(const Maps& maps) {
  for (std::uint32_t slot = 0; slot < LB_SLOTS_MAX; ++slot) maps.clear_socket(slot);
  sys::wait_for_grace_period();
}

/// Nothing is outstanding, and nothing may be taken: a slot has no socket yet.
void close_credits(const Maps& maps) noexcept {
  for (std::uint32_t slot = 0; slot < LB_SLOTS_MAX; ++slot) {
    lb_credit& credit = maps.credit(slot);
    lb_store_release(&credit.capacity, 0);
    lb_store_release(&credit.returned, lb_load_acquire(&credit.redirected));
  }
}

/// Names without the closing zero are cut: options.h allows fifteen letters.
void name_lines(lb_config& config, std::span<const std::string> names) noexcept {
  std::memset(config.line_names, 0, sizeof(config.line_names));
  for (std::size_t line = 0; line < std::min<std::size_t>(names.size(), LB_LINES_MAX); ++line)
    names[line].copy(config.line_names[line], LB_LINE_NAME_ROOM - 1);
}

}  // namespace

std::uint32_t spare_flow_table(const Maps& maps) noexcept {
  return static_cast<std::uint32_t>(lb_load_acquire(&maps.config().flow_index) >> 7 & 1) ^ 1;
}

/// Into the table that is not read, then one store.
void publish_flows(const Maps& maps, const FlowTable& table) {
  const std::uint32_t place = static_cast<std::uint32_t>(table.index >> 7) & 1;
  std::ranges::copy(table.buckets, maps.flows().begin() + place * maps.flow_buckets());
  lb_store_release(&maps.config().flow_index, table.index);
  sys::wait_for_grace_period();
}

FlowTable take_over(const Maps& maps, const Setup& setup) {
  unpublish(maps);
  clear_slots(maps);  // and with the grace period nobody acts on what was published
  clear_channels(maps);
  close_credits(maps);
  for (lb_stream_bucket& bucket : maps.streams()) bucket = {};
  maps.clear_interfaces();
  for (const auto& [index, line] : setup.interfaces) maps.set_interface(index, line);
  std::ranges::copy(setup.framings, maps.framings().begin());
  lb_config& config = maps.config();
  lb_store_release(&config.ahead, LB_AHEAD_DEFAULT);
  lb_store_release(&config.frame_room, setup.frame_room);
  lb_store_release(&config.stream_bits,
                   static_cast<std::uint64_t>(std::bit_width(maps.streams().size())) - 1);
  lb_store_release(&config.flags, setup.metadata ? LB_CONFIG_METADATA : 0);
  name_lines(config, setup.lines);
  FlowTable table = build_flow_table(setup.flows, maps.flow_buckets(), spare_flow_table(maps));
  publish_flows(maps, table);
  change_bank(maps, static_cast<std::uint32_t>(setup.lines.size()));
  return table;
}

void publish_identifiers(const Maps& maps, std::uint32_t channel, std::uint32_t lines) noexcept {
  for (std::uint32_t line = 0; line < lines; ++line)
    lb_store_release(&maps.mark(channel, line).published, lb_mark_word(1, 0));
}

void empty_slots(const Maps& maps) {
  unpublish(maps);
  sys::wait_for_grace_period();
  clear_slots(maps);
}

std::uint32_t change_bank(const Maps& maps, std::uint32_t lines) {
  const auto left = static_cast<std::uint32_t>(maps.config().bank & 1);
  clear_bank(maps, left ^ 1, lines);
  lb_store_release(&maps.config().bank, left ^ 1);
  sys::wait_for_grace_period();
  return left;
}

lb_counters sum_counters(const Maps& maps, std::uint32_t bank, std::uint32_t line) noexcept {
  std::uint64_t sums[kCounterWords] = {};
  for (std::uint32_t cpu = 0; cpu < LB_CPUS_MAX; ++cpu) {
    std::uint64_t words[kCounterWords];
    std::memcpy(words, &maps.counters(bank, line, cpu), sizeof(words));
    for (std::size_t i = 0; i < kCounterWords; ++i) sums[i] += words[i];
  }
  lb_counters result;
  std::memcpy(&result, sums, sizeof(result));
  return result;
}

std::uint64_t feed_packets(const lb_counters& counters) noexcept {
  return counters.duplicate + counters.claimed + counters.passed_up + counters.no_credit +
         counters.malformed + counters.no_receiver;
}

std::uint32_t cpus_in_hook(const Maps& maps, std::uint32_t bank, std::uint32_t lines) noexcept {
  std::uint32_t cpus = 0;
  for (std::uint32_t cpu = 0; cpu < LB_CPUS_MAX; ++cpu) {
    for (std::uint32_t line = 0; line < lines; ++line) {
      if (maps.counters(bank, line, cpu).packets == 0) continue;
      ++cpus;
      break;
    }
  }
  return cpus;
}

}  // namespace linearb::hook
