// SPDX-License-Identifier: Apache-2.0
#include "bpf/rig.h"

#include <algorithm>

#include <fmt/format.h>

#include "hook/takeover.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

/// What the receiver has given back before the test begins: credits are differences.
constexpr std::uint64_t kReturnedBefore = 1'000'000;

std::uint32_t index_of(On line) {
  return sys::interface_index(line == On::elsewhere
                                  ? lab::source_name('A')
                                  : lab::destination_name(line == On::A ? 'A' : 'B'));
}

std::vector<hook::Interface> interfaces() {
  return {{lab::destination_name('A'), index_of(On::A)},
          {lab::destination_name('B'), index_of(On::B)}};
}

std::uint32_t line_of(On line) {
  return line == On::B ? 1 : 0;
}

std::string verdict_name(std::uint8_t verdict) {
  switch (verdict) {
    case LB_VERDICT_CLAIMED:
      return "CLAIMED";
    case LB_VERDICT_LATE:
      return "LATE";
    case LB_VERDICT_CONTENDED:
      return "CONTENDED";
    case LB_VERDICT_SKIP:
      return "SKIP";
    case LB_VERDICT_NOT_DATA:
      return "NOT_DATA";
    case LB_VERDICT_UNPUBLISHED:
      return "UNPUBLISHED";
    case LB_VERDICT_BEHIND:
      return "BEHIND";
    case LB_VERDICT_JUMP:
      return "JUMP";
    case LB_VERDICT_COUNT:
      return "COUNT";
    default:
      return fmt::format("verdict {}", verdict);
  }
}

std::string metadata_in_words(const Result& result) {
  if (result.action != XDP_REDIRECT || result.metadata.empty()) return "";
  const auto metadata = result.hook_metadata();
  if (!metadata) return fmt::format("{} bytes", result.metadata.size());
  const auto verdict = static_cast<std::uint8_t>(metadata->verdict & ~LB_VERDICT_FROM_JUMP);
  if (metadata->place == LB_PLACE_UNKNOWN) return verdict_name(verdict);
  const bool is_from_jump = verdict != metadata->verdict;
  return fmt::format("{} {:+}{}", verdict_name(verdict), metadata->place,
                     is_from_jump ? " from jump" : "");
}

std::string counters_in_words(const Snapshot& before, const Snapshot& after, std::uint32_t own) {
  const std::string others = counters_moved(before, after, own ^ 1);
  return counters_moved(before, after, own) + (others.empty() ? "" : "; other line: " + others);
}

/// What holds of every packet, whatever comes and whatever was there before. Returns the first
/// rule that this one broke.
std::string find_broken_rule(const Snapshot& before, const Snapshot& after, std::uint32_t line,
                             const Outcome& outcome) {
  const auto count = [&](lb_u64 lb_counters::*counter) {
    return moved(before, after, line, counter);
  };
  const std::uint64_t packets = count(&lb_counters::packets);
  std::uint64_t ways_out = 0;
  for (const Counter& counter : kWaysOut) ways_out += count(counter.member);
  const std::uint64_t redirected = count(&lb_counters::claimed) + count(&lb_counters::passed_up);
  const std::uint64_t dropped = count(&lb_counters::duplicate) + count(&lb_counters::no_credit);
  const std::uint32_t action = outcome.result.action;
  if (packets > 1) return "a packet is counted once";
  if (ways_out != packets) return "a packet is in exactly one counter (I6)";
  if (dropped != (action == XDP_DROP)) return "what is dropped is a duplicate or has no credit";
  if (redirected != (action == XDP_REDIRECT)) return "what is redirected is claimed or passed up";
  if (credits_moved(before, after, line) != redirected) return "a redirect holds one credit (I2)";
  if (credits_moved(before, after, line ^ 1) != 0) return "the other line's credits are its own";
  if (action == XDP_PASS && !outcome.in_words.changes.empty())
    return "what is the kernel's changes nothing (I8)";
  if (action != XDP_REDIRECT && outcome.in_words.changes.find("bits") != std::string::npos)
    return "what is claimed goes up (I2)";
  return "";
}

std::string words(const Expected& expected) {
  return fmt::format("{}; counted: {}; changed: {}; metadata: {}", action_name(expected.action),
                     expected.counters, expected.changes, expected.metadata);
}

}  // namespace

lb_flow flow_on(On line, Channel channel, std::string_view group, std::uint16_t port) {
  lb_flow flow{};
  flow.interface_index = index_of(line);
  flow.destination = group.empty() ? 0 : address(group);
  flow.port = port;
  flow.channel = channel;
  flow.line = static_cast<lb_u8>(line_of(line));
  flow.slot_group = static_cast<lb_u8>(line_of(line));
  flow.framing = static_cast<lb_u8>(channel);
  flow.flags = channel == kIdentifiers ? LB_FLOW_LRU : 0;
  return flow;
}

std::vector<lb_framing> framings_by_channel() {
  std::vector<lb_framing> framings;
  for (std::uint16_t channel = 0; channel < kChannels; ++channel)
    framings.push_back(framing_of(static_cast<Channel>(channel)));
  return framings;
}

Rig::Rig()
    : hook_(interfaces(),
            {.channels = kChannels, .flows = kLines * kChannels, .identifiers = LB_SEEN_SESSIONS}),
      umem_({.frames = kLines * kFrames,
             .fill_ring_entries = kFrames,
             .completion_ring_entries = kFrames}) {
  for (const char line : {'A', 'B'})
    sockets_.emplace_back(umem_, xsk::SocketOptions{.interface = lab::destination_name(line),
                                                    .receive_frames = kFrames,
                                                    .zero_copy = ZeroCopy::off});
  take_over();
}

void Rig::take_over() {
  std::vector<lb_flow> flows;
  for (std::uint16_t i = 0; i < kChannels; ++i) {
    const auto channel = static_cast<Channel>(i);
    flows.push_back(flow_on(On::A, channel, kGroups[i].on_a, kGroups[i].port));
    flows.push_back(flow_on(On::B, channel, kGroups[i].on_b, kGroups[i].port));
  }
  take_over(flows, framings_by_channel());
}

void Rig::take_over(std::span<const lb_flow> flows, std::span<const lb_framing> framings) {
  const hook::Setup::InterfaceLine interfaces_of_lines[] = {{index_of(On::A), 0},
                                                            {index_of(On::B), 1}};
  const std::string names[kLines] = {"A", "B"};
  hook::take_over(maps(), {.flows = flows,
                           .framings = framings,
                           .interfaces = interfaces_of_lines,
                           .lines = names,
                           .frame_room = xsk::frame_room(xsk::kFrameSizeSmall)});
}

void Rig::prepare(const Given& given) {
  maps().clear_seen_sessions();
  maps().config().flags = given.metadata ? LB_CONFIG_METADATA : 0;
  publish(given);
  open_slots(given);
}

void Rig::publish(const Given& given) {
  for (std::uint16_t i = 0; i < kChannels; ++i) {
    lb_channel& memory = maps().windows()[i];
    memory = {};
    for (const lb_run& range : given.claimed) {
      lb_u32 lost_races = 0;
      lb_window_claim(memory.words, LB_WINDOW_ORDER, kGeneration, range.first, range.count,
                      &lost_races);
    }
    for (std::uint32_t line = 0; line < kLines; ++line) {
      lb_mark& mark = maps().mark(i, line);
      mark = {};
      mark.shown = lb_mark_word(given.mark_generation, given.mark);
      if (given.jumped) mark.jumped = lb_mark_word(given.jumped_generation, given.jumped);
      mark.jumped_unseen = given.jumped_unseen;
      if (given.published)
        mark.published = lb_mark_word(kGeneration, session_of(static_cast<Channel>(i)));
    }
  }
}

void Rig::open_slots(const Given& given) {
  for (std::uint32_t line = 0; line < kLines; ++line) {
    lb_credit& credit = maps().credit(line * LB_QUEUES_MAX);
    credit.returned = kReturnedBefore;
    credit.redirected = kReturnedBefore + given.credits_out;
    credit.capacity = given.credits;
    maps().set_socket(line * LB_QUEUES_MAX, sockets_[line].fd());
  }
}

std::uint32_t Rig::interface_index(On on) const {
  return index_of(on);
}

bool Rig::holds(Channel channel, const lb_run& range) const {
  return lb_window_holds(maps().windows()[channel].words, LB_WINDOW_ORDER, kGeneration, range.first,
                         range.count) != 0;
}

Outcome Rig::run(const PacketBuilder& packet, const Given& given) {
  return run_bytes(packet.build(), given);
}

Outcome Rig::run_bytes(std::span<const std::uint8_t> packet, const Given& given) {
  const std::uint32_t line = line_of(given.on);
  const Snapshot before(maps());
  Outcome outcome;
  outcome.result = run_program(program_fd(), packet,
                               {.interface_index = index_of(given.on),
                                .queue = given.queue,
                                .earlier_metadata = given.earlier_metadata});
  const Snapshot after(maps());
  outcome.in_words = {.action = outcome.result.action,
                      .counters = counters_in_words(before, after, line),
                      .changes = changes(before, after),
                      .metadata = metadata_in_words(outcome.result)};
  outcome.broken_rule = find_broken_rule(before, after, line, outcome);
  if (!std::ranges::equal(outcome.result.packet, packet))
    outcome.broken_rule = "the packet itself is never written (I3)";
  return outcome;
}

void Rig::check(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    prepare(row.given);
    const Outcome outcome = run(row.packet, row.given);
    EXPECT_EQ(words(outcome.in_words), words(row.expected)) << row.description;
    EXPECT_EQ(outcome.broken_rule, "") << row.description;
  }
}

}  // namespace linearb::test
