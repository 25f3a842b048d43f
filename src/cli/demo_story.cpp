// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_story.h"

#include <algorithm>
#include <cassert>
#include <string>

#include <fmt/format.h>

#include "report/numbers.h"
#include "report/text.h"

namespace linearb::cli {
namespace {

/// As many gaps as a summary lists.
constexpr std::size_t kGapsListed = 1'000;

/// The feeder counts the messages of its ledger from 0, the feed numbers them from 1.
constexpr std::uint64_t kFirstNumber = 1;

std::uint64_t messages_in(std::span<const lb_run> runs) {
  std::uint64_t messages = 0;
  for (const lb_run& run : runs) messages += run.count;
  return messages;
}

/// Of the messages that no line carried, those that were delivered all the same.
std::uint64_t invented(std::span<const lb_run> on_no_line, const DeliveredNumbers& delivered) {
  std::uint64_t messages = 0;
  for (const lb_run& run : on_no_line) {
    for (std::uint64_t i = 0; i < run.count; i++)
      messages += delivered.contains(run.first + kFirstNumber + i);
  }
  return messages;
}

/// Packets that the kernel took from the feeder and the hook never saw.
std::uint64_t packets_lost_before_hook(const feeder::FeederResult& fed, const Summary& summary) {
  std::uint64_t packets = 0;
  for (std::size_t i = 0; i < fed.lines.size(); i++) {
    std::uint64_t seen = summary.lines[i].packets - summary.lines[i].not_feed;
    packets += fed.lines[i].sent - std::min(fed.lines[i].sent, seen);
  }
  return packets;
}

void replace_gaps(Summary& summary, std::span<const lb_run> missing) {
  assert(summary.channels.size() == 1);
  ChannelSummary& channel = summary.channels[0];
  channel.gap_messages = messages_in(missing);
  summary.gap_messages = channel.gap_messages;
  summary.gaps_truncated = missing.size() > kGapsListed;
  summary.gaps.emplace();
  for (const lb_run& run : missing.first(std::min(missing.size(), kGapsListed)))
    summary.gaps->push_back({channel.name, channel.epoch, run.first, run.count});
}

}  // namespace

void DeliveredNumbers::add(std::uint64_t number) noexcept {
  if (number < kFirstNumber || number > count_) return add_wrong();
  std::uint64_t bit = 1ull << (number % 64);
  std::uint64_t& word = words_[number / 64];
  if (word & bit) {
    ++twice_;
    return;
  }
  word |= bit;
  ++delivered_;
}

bool DeliveredNumbers::contains(std::uint64_t number) const noexcept {
  return number <= count_ && (words_[number / 64] >> (number % 64) & 1);
}

std::vector<lb_run> DeliveredNumbers::missing(std::uint64_t sent) const {
  std::vector<lb_run> runs;
  for (std::uint64_t number = kFirstNumber; number <= std::min(sent, count_); number++) {
    if (contains(number)) continue;
    if (!runs.empty() && runs.back().first + runs.back().count == number)
      ++runs.back().count;
    else
      runs.push_back({number, 1});
  }
  return runs;
}

Story tell_story(const feeder::FeederResult& fed, const DeliveredNumbers& delivered,
                 Summary& summary) {
  std::vector<lb_run> missing = delivered.missing(fed.units);
  std::vector<lb_run> on_no_line = feeder::lost_on_every_line(fed.lines);
  Story story;
  story.generated = fed.units;
  story.delivered = delivered.delivered();
  story.twice = delivered.twice();
  story.on_no_line = messages_in(on_no_line);
  std::uint64_t invented_messages = invented(on_no_line, delivered);
  story.wrong = delivered.wrong() + invented_messages;
  std::uint64_t sent_and_missing = messages_in(missing) + invented_messages - story.on_no_line;
  story.lost_before_hook = std::min(sent_and_missing, packets_lost_before_hook(fed, summary));
  story.lost = sent_and_missing - story.lost_before_hook;
  for (const feeder::LineResult& line : fed.lines)
    story.lines.push_back({line.name, line.ledger.dropped, line.ledger.dropped - story.on_no_line});
  replace_gaps(summary, missing);
  return story;
}

nlohmann::ordered_json to_json(const Story& story) {
  return {{"generated", story.generated},
          {"delivered", story.delivered},
          {"on_no_line", story.on_no_line},
          {"lost_before_hook", story.lost_before_hook},
          {"lost", story.lost},
          {"twice", story.twice},
          {"wrong", story.wrong}};
}

void print_story(std::FILE* stream, const Story& story) {
  using report::grouped;
  std::vector<report::Row> lines{{"", {}, ""},
                                 {"lost", {}, "each line loses packets on its own"},
                                 {"share", {}, ""},
                                 {"repaired", {}, "another line brought them"}};
  for (const Story::OfLine& line : story.lines) {
    lines[0].cells.push_back("line " + line.name);
    lines[1].cells.push_back(grouped(line.lost));
    lines[2].cells.push_back(report::share_text(line.lost, story.generated));
    lines[3].cells.push_back(grouped(line.repaired));
  }
  fmt::print(stream, "{}\n", report::table_text(lines));
  std::vector<report::Row> ends{
      {"generated", {grouped(story.generated)}, "messages, each sent on every line"},
      {"delivered", {grouped(story.delivered)}, "each once, every byte as it was sent"},
      {"on no line", {grouped(story.on_no_line)}, "lost on every line: nobody can repair them"},
      {"lost by linearb", {grouped(story.lost)}, ""}};
  if (story.lost_before_hook)
    ends.push_back({"lost before",
                    {grouped(story.lost_before_hook)},
                    "the interfaces had no room: --rate was too high for this host"});
  if (story.twice) ends.push_back({"twice", {grouped(story.twice)}, "delivered more than once"});
  if (story.wrong) ends.push_back({"wrong", {grouped(story.wrong)}, "delivered, never sent so"});
  fmt::print(stream, "{}\n", report::table_text(ends));
}

}  // namespace linearb::cli
