// SPDX-License-Identifier: Apache-2.0
#include "receiver/remembrance.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "core/fnv.h"

namespace linearb::receiver {
namespace {

/// With a zero at its end: "a" and "bc" are not "ab" and "c".
std::uint64_t hash(std::uint64_t start, std::string_view bytes) noexcept {
  constexpr std::uint8_t kEnd = 0;
  start = lb_fnv(start, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return lb_fnv(start, &kEnd, 1);
}

bool holds(const lb_range& range) noexcept {
  return range.end != 0;
}

std::string_view line_name(const lb_config& config, std::size_t line) noexcept {
  const char* const name = config.line_names[line];
  return {name, ::strnlen(name, LB_LINE_NAME_ROOM)};
}

/// For each line of this receiver, the place that a line of its name had.
std::array<std::size_t, LB_LINES_MAX> places_before(const lb_config& config,
                                                    std::span<const std::string> lines) noexcept {
  std::array<std::size_t, LB_LINES_MAX> places;
  places.fill(LB_LINES_MAX);
  for (std::size_t line = 0; line < lines.size(); ++line)
    for (std::size_t before = 0; before < LB_LINES_MAX; ++before)
      if (line_name(config, before) == lines[line]) places[line] = before;
  return places;
}

void move_lines(lb_memory& memory, std::span<const std::size_t, LB_LINES_MAX> places) noexcept {
  std::array<lb_memory_line, LB_LINES_MAX> before;
  std::ranges::copy(memory.lines, before.begin());
  for (std::size_t line = 0; line < LB_LINES_MAX; ++line)
    memory.lines[line] = places[line] < LB_LINES_MAX ? before[places[line]] : lb_memory_line{};
}

void forget_apart(lb_memory_line& line) noexcept {
  for (lb_range& range : line.apart) lb_memory_store(&range.end, 0);
}

}  // namespace

std::uint64_t identity_of(const RunningChannel& channel) noexcept {
  const auto* const descriptor = reinterpret_cast<const char*>(&channel.framing.descriptor);
  std::uint64_t identity = hash(LB_FNV_BASIS, channel.options.name);
  identity = hash(identity, channel.options.framing);
  identity = hash(identity, {descriptor, sizeof(lb_framing)});
  return identity == 0 ? 1 : identity;
}

void take_remembered_places(std::vector<RunningChannel>& channels,
                            std::span<const lb_memory> memories) {
  if (memories.empty()) return;
  std::unordered_multimap<std::uint64_t, std::uint16_t> by_identity;
  for (std::size_t place = 0; place < memories.size(); ++place)
    by_identity.emplace(memories[place].identity, static_cast<std::uint16_t>(place));
  std::vector<bool> taken(memories.size());
  std::vector<std::uint16_t*> others;
  for (RunningChannel& channel : channels) {
    const bool has_streams = !channel.streams.empty();
    const std::span<std::uint16_t> wanted =
        has_streams ? std::span(channel.streams) : std::span(&channel.index, 1);
    std::size_t found = 0;
    const auto [begin, end] = by_identity.equal_range(identity_of(channel));
    for (auto each = begin; each != end && found < wanted.size(); ++each) {
      const lb_memory& memory = memories[each->second];
      if ((memory.is_stream != 0) != has_streams) continue;
      if (has_streams) channel.keys.push_back(memory.key);
      wanted[found++] = each->second;
      taken[each->second] = true;
    }
    if (has_streams) others.push_back(&channel.index);
    for (std::uint16_t& place : wanted.subspan(found)) others.push_back(&place);
  }
  for (std::uint16_t* const place : others) {
    if (taken[*place])
      *place = static_cast<std::uint16_t>(std::ranges::find(taken, false) - taken.begin());
    taken[*place] = true;
  }
}

void remember_marks(const hook::Maps& maps) noexcept {
  std::uint32_t place = 0;
  for (lb_memory& memory : maps.memories()) {
    for (std::uint32_t i = 0; i < LB_LINES_MAX; ++i) {
      const lb_mark& mark = maps.mark(place, i);
      lb_memory_line& line = memory.lines[i];
      // A line is published in the epoch that it is in, and is told out of it before it leaves it.
      if (line.epoch != 0 && mark.published != 0)
        line.end = std::max(line.end, lb_mark_value(lb_load_acquire(&mark.shown)));
    }
    ++place;
  }
}

void claim_memories(std::span<lb_memory> memories, const lb_config& before,
                    std::span<const RunningChannel> channels, std::span<const std::string> lines) {
  if (memories.empty()) return;
  const std::array<std::size_t, LB_LINES_MAX> places = places_before(before, lines);
  std::vector<std::uint64_t> wanted(memories.size());
  for (const RunningChannel& channel : channels) {
    if (channel.streams.empty()) wanted[channel.index] = identity_of(channel);
    for (std::size_t i = 0; i < channel.keys.size(); ++i)
      wanted[channel.streams[i]] = identity_of(channel);
  }
  for (std::size_t place = 0; place < wanted.size(); ++place) {
    lb_memory& memory = memories[place];
    if (memory.identity == 0) continue;
    if (memory.identity == wanted[place])
      move_lines(memory, places);
    else
      begin_memory(memory, 0);
  }
}

void begin_memory(lb_memory& memory, std::uint64_t identity) noexcept {
  lb_memory_store(&memory.identity, 0);
  settle_doubts(memory);
  lb_memory_store(&memory.is_stream, 0);
  for (lb_delivered& bank : memory.banks) lb_memory_store(&bank.epoch, 0);
  for (lb_memory_line& line : memory.lines) line = {};
  lb_memory_store(&memory.identity, identity);
}

void remember_line(lb_memory& memory, const sequencer::Channel& channel, std::uint32_t line,
                   std::uint64_t arrival_ns) noexcept {
  lb_memory_line& remembered = memory.lines[line];
  const std::uint64_t epoch = channel.line_epoch(line);
  // The end of one epoch says nothing in another.
  if (remembered.epoch != epoch) lb_memory_store(&remembered.epoch, 0);
  remembered.end = channel.line_end(line);
  remembered.last_ns = arrival_ns;
  if (remembered.epoch != epoch) lb_memory_store(&remembered.epoch, epoch);
  for (std::uint32_t i = 0; i < LB_LINES_MAX; ++i)
    if (holds(memory.lines[i].apart[0]) && !channel.line_is_apart(i)) forget_apart(memory.lines[i]);
}

void remember_apart(lb_memory_line& line, std::uint64_t first, std::uint32_t count) noexcept {
  lb_range& range = holds(line.apart[0]) ? line.apart[1] : line.apart[0];
  lb_memory_store(&range.end, 0);
  range.first = first;
  lb_memory_store(&range.end, first + count);
}

std::vector<lb_range> doubtful(const lb_memory& memory) {
  std::vector<lb_range> ranges;
  const lb_in_hand& in_hand = memory.in_hand;
  if (in_hand.count != 0) ranges.push_back({in_hand.first, in_hand.first + in_hand.count});
  for (const lb_memory_line& line : memory.lines)
    std::ranges::copy_if(line.apart, std::back_inserter(ranges), holds);
  return ranges;
}

void settle_doubts(lb_memory& memory) noexcept {
  lb_memory_store(&memory.in_hand.count, 0);
  for (lb_memory_line& line : memory.lines) forget_apart(line);
}

void answer(const hook::Maps& maps) noexcept {
  for (lb_memory& memory : maps.memories()) {
    settle_doubts(memory);
    for (lb_delivered& bank : memory.banks) {
      if (bank.epoch == 0) continue;
      bank.missing[bank.list].forgotten = 0;
      bank.answered.first = bank.first;
      lb_memory_store(&bank.answered.end, bank.end);
    }
  }
}

}  // namespace linearb::receiver
