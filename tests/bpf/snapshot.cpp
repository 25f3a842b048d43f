// SPDX-License-Identifier: Apache-2.0
#include "bpf/snapshot.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "hook/takeover.h"

namespace linearb::test {
namespace {

using Words = std::vector<std::string>;

char line_name(std::uint32_t line) {
  return static_cast<char>('A' + line);
}

std::uint64_t samples(const lb_histogram& histogram) {
  return std::accumulate(std::begin(histogram.buckets), std::end(histogram.buckets),
                         std::uint64_t{0});
}

/// "1000", or "1000-1002" for a range of several.
std::string range_name(std::uint64_t first, std::uint64_t last) {
  return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

/// The number of a word's first message: the tag has the lap, the place the rest. Modulo 2^40,
/// where laps begin again.
std::uint64_t first_of_word(std::uint64_t word, std::size_t place) {
  const std::uint64_t lap = word >> 32 & ((1u << LB_LAP_BITS) - 1);
  return (lap << LB_WINDOW_ORDER | place) << LB_WORD_SHIFT;
}

/// The numbers that `after` holds and `before` does not, ascending.
std::vector<std::uint64_t> numbers_added(const lb_channel& before, const lb_channel& after) {
  std::vector<std::uint64_t> numbers;
  for (std::size_t place = 0; place < LB_WINDOW_WORDS; ++place) {
    const std::uint64_t word = after.words[place];
    const std::uint64_t old = before.words[place];
    if (word == old) continue;
    const auto added = static_cast<std::uint32_t>(word >> 32 == old >> 32 ? word & ~old : word);
    for (std::uint32_t bit = 0; bit < LB_WORD_MESSAGES; ++bit)
      if (added >> bit & 1) numbers.push_back(first_of_word(word, place) + bit);
  }
  std::ranges::sort(numbers);
  return numbers;
}

void add_bits(const lb_channel& before, const lb_channel& after, Words& words) {
  const std::vector<std::uint64_t> numbers = numbers_added(before, after);
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    words.push_back("bits " + range_name(numbers[i], numbers[last]));
    i = last + 1;
  }
  if (numbers.empty() && !std::ranges::equal(before.words, after.words))
    words.push_back("bits taken away");
}

void add_stamps(const lb_channel& before, const lb_channel& after, Words& words) {
  for (std::size_t place = 0; place < LB_SKEW_STAMPS; ++place) {
    if (before.stamps[place] == after.stamps[place]) continue;
    // Modulo 2^28: a stamp keeps 16 bits of its number.
    const std::uint64_t turns = after.stamps[place] >> 48;
    words.push_back(
        fmt::format("stamp {}", (turns * LB_SKEW_STAMPS + place) << LB_SKEW_SAMPLE_SHIFT));
  }
}

std::string jump_in_words(const lb_mark& mark, std::uint32_t line) {
  if (mark.jumped == 0) return fmt::format("no jump {}", line_name(line));
  const bool is_of_the_mark = lb_mark_generation(mark.jumped) == lb_mark_generation(mark.shown);
  return fmt::format("jumped {} {}{}", line_name(line), lb_mark_value(mark.jumped),
                     is_of_the_mark ? "" : " in another generation");
}

void add_mark(const lb_mark& before, const lb_mark& after, std::uint32_t line, Words& words) {
  if (before.published != after.published)
    words.push_back(fmt::format("published {}", line_name(line)));
  if (before.shown != after.shown)
    words.push_back(fmt::format("mark {} {}", line_name(line), lb_mark_value(after.shown)));
  if (lb_mark_generation(before.shown) != lb_mark_generation(after.shown))
    words.push_back(fmt::format("generation of mark {}", line_name(line)));
  if (before.jumped != after.jumped) words.push_back(jump_in_words(after, line));
  if (before.jumped_unseen != after.jumped_unseen)
    words.push_back(fmt::format("jumped unseen {} {}", line_name(line), after.jumped_unseen));
  if (before.skipped_unseen != after.skipped_unseen)
    words.push_back(fmt::format("skipped unseen {} +{}", line_name(line),
                                after.skipped_unseen - before.skipped_unseen));
}

std::string channel_changes(const Snapshot::OfChannel& before, const Snapshot::OfChannel& after) {
  Words words;
  add_bits(before.memory, after.memory, words);
  add_stamps(before.memory, after.memory, words);
  for (std::uint32_t line = 0; line < kLines; ++line)
    add_mark(before.marks[line], after.marks[line], line, words);
  return fmt::format("{}", fmt::join(words, ", "));
}

void add_counter(const char* name, std::uint64_t by, Words& words) {
  if (by == 1) words.push_back(name);
  if (by > 1) words.push_back(fmt::format("{}+{}", name, by));
}

}  // namespace

Snapshot::Snapshot(const hook::Maps& maps) : channels(kChannels) {
  for (std::uint32_t channel = 0; channel < kChannels; ++channel) {
    channels[channel].memory = maps.windows()[channel];
    for (std::uint32_t line = 0; line < kLines; ++line)
      channels[channel].marks[line] = maps.mark(channel, line);
  }
  for (std::uint32_t line = 0; line < kLines; ++line) {
    for (std::uint32_t bank = 0; bank < LB_COUNTER_BANKS; ++bank) {
      lines[line].counters[bank] = hook::sum_counters(maps, bank, line);
      lines[line].skew_samples[bank] = samples(maps.skew(bank, line));
    }
    lines[line].credits_taken = 0;
    for (std::uint32_t queue = 0; queue < LB_QUEUES_MAX; ++queue)
      lines[line].credits_taken += maps.credit(line * LB_QUEUES_MAX + queue).redirected;
  }
}

std::uint64_t moved(const Snapshot& before, const Snapshot& after, std::uint32_t line,
                    lb_u64 lb_counters::*counter) {
  std::uint64_t sum = 0;
  for (std::uint32_t bank = 0; bank < LB_COUNTER_BANKS; ++bank)
    sum += after.lines[line].counters[bank].*counter - before.lines[line].counters[bank].*counter;
  return sum;
}

std::uint64_t credits_moved(const Snapshot& before, const Snapshot& after, std::uint32_t line) {
  return after.lines[line].credits_taken - before.lines[line].credits_taken;
}

std::string counters_moved(const Snapshot& before, const Snapshot& after, std::uint32_t line) {
  Words words;
  add_counter("packets", moved(before, after, line, &lb_counters::packets), words);
  for (const Counter& counter : kWaysOut)
    add_counter(counter.name, moved(before, after, line, counter.member), words);
  for (const Counter& counter : kDetails)
    add_counter(counter.name, moved(before, after, line, counter.member), words);
  return fmt::format("{}", fmt::join(words, " "));
}

std::string changes(const Snapshot& before, const Snapshot& after) {
  Words parts;
  for (std::uint32_t channel = 0; channel < kChannels; ++channel) {
    const std::string words = channel_changes(before.channels[channel], after.channels[channel]);
    if (!words.empty()) parts.push_back(fmt::format("{}: {}", kChannelNames[channel], words));
  }
  for (std::uint32_t line = 0; line < kLines; ++line)
    if (before.lines[line].skew_samples != after.lines[line].skew_samples)
      parts.push_back(fmt::format("skew {}", line_name(line)));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace linearb::test
