// SPDX-License-Identifier: Apache-2.0
#include "merge/summing_up.h"

#include <fmt/format.h>

#include "sequencer/figures.h"

namespace linearb::merge {
namespace {

LineSummary sum_up_line(const FinishedMerge& merge, std::size_t line) {
  const LineCounts& counts = merge.counts[line];
  LineSummary summary;
  summary.name = merge.options.lines[line].name;
  summary.repair = merge.options.only_repairs(summary.name);
  summary.packets = counts.packets;
  summary.not_feed = counts.not_feed;
  summary.malformed = counts.malformed;
  sequencer::add_outcomes(merge.sequencer.line(line), summary);
  summary.lost_messages = merge.sequencer.lost_messages(line);
  summary.skew_ns = sequencer::summarize(counts.skew_ns);
  summary.divergent = merge.copies.divergent(line);
  return summary;
}

/// Identifiers have no order: there are no gaps then that anybody knew of.
void sum_up_channels(const FinishedMerge& merge, Summary& summary) {
  const bool has_order = merge.options.dedup == Dedup::window;
  const auto name_of = [&merge](std::size_t place) {
    const Channel& channel = merge.options.channels[merge.places.channel_of(place)];
    return merge.places.name_of(place, channel.name);
  };
  std::uint64_t gap_messages = 0;
  for (std::size_t i = 0; i < merge.options.channels.size(); ++i) {
    const Channel& channel = merge.options.channels[i];
    const std::vector<std::size_t> places = merge.places.places_of(i);
    if (places.empty())  // no stream was seen
      summary.channels.push_back({.name = channel.name, .framing = channel.framing});
    for (const std::size_t place : places) {
      ChannelSummary sums =
          sequencer::summary_of(name_of(place), channel.framing, merge.sequencer.channel(place));
      sums.messages = merge.sequencer.messages(place);
      if (!has_order) sums.gap_messages = 0;
      summary.messages += sums.messages;
      gap_messages += sums.gap_messages;
      summary.channels.push_back(std::move(sums));
    }
  }
  if (!has_order) return;
  summary.gap_messages = gap_messages;
  summary.gaps = sequencer::gaps_of(merge.sequencer.gaps(), name_of);
  summary.gaps_truncated = merge.sequencer.gaps().truncated();
}

void sum_up_file(const FinishedMerge& merge, Summary& summary) {
  if (!merge.sink) return;
  summary.written = merge.sink->stats().records;
  summary.untrimmed = merge.sink->stats().untrimmed;
  summary.write_error = merge.sink->error();
  summary.writer_waits = merge.sink->stats().waits;
}

/// What does not add up, a sentence each.
std::vector<std::string> imbalances(const FinishedMerge& merge, const Summary& summary) {
  std::vector<std::string> sentences;
  const auto equal = [&](std::uint64_t left, std::uint64_t right, const std::string& what) {
    if (left != right) sentences.push_back(fmt::format("{}: {} against {}", what, left, right));
  };
  for (std::size_t i = 0; i < summary.lines.size(); ++i) {
    const LineSummary& line = summary.lines[i];
    std::uint64_t decided = 0;
    for (const std::uint64_t outcome : merge.sequencer.line(i).outcomes) decided += outcome;
    equal(line.packets, line.accounted(),
          fmt::format("line {}: packets, what became of them", line.name));
    equal(merge.counts[i].judged, decided,
          fmt::format("line {}: packets handed to the sequencer, packets decided", line.name));
  }
  equal(summary.packets, merge.delivered.packets,
        "packets decided to be delivered, packets delivered");
  equal(summary.messages, merge.delivered.messages,
        "messages in the sequencer's memory, messages delivered");
  if (merge.sink)
    equal(merge.delivered.packets + merge.delivered.parts,
          merge.sink->stats().packets + merge.sink->stats().lost,
          "packets delivered and parts of them, packets and parts written");
  if (!merge.all_packets_are_back) sentences.push_back("packets that were decided are still kept");
  return sentences;
}

}  // namespace

Summary sum_up(const FinishedMerge& merge) {
  Summary summary;
  for (std::size_t line = 0; line < merge.counts.size(); ++line) {
    summary.lines.push_back(sum_up_line(merge, line));
    const LineSummary& last = summary.lines.back();
    summary.packets += last.won + last.overlap + last.unsequenced;
  }
  sum_up_channels(merge, summary);
  sum_up_file(merge, summary);
  if (merge.order) summary.late_repairs = merge.order->late_repairs();
  summary.seconds = merge.seconds;
  summary.imbalances = imbalances(merge, summary);
  summary.balanced = summary.imbalances.empty();
  return summary;
}

}  // namespace linearb::merge
