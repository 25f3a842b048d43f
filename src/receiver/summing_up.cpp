// SPDX-License-Identifier: Apache-2.0
#include "receiver/summing_up.h"

#include <algorithm>

#include <fmt/format.h>

#include "hook/takeover.h"

namespace linearb::receiver {
namespace {

using sequencer::LineCounts;
using sequencer::Outcome;

std::uint64_t kernel_lost_on(const FinishedRun& run, std::uint32_t line) {
  std::uint64_t lost = 0;
  for (const Port& port : run.ports.ports())
    if (port.line == line) lost += port.kernel_lost;
  return lost;
}

std::uint64_t nic_lost_on(const PortInterface& interface) {
  const auto now = sys::find_interface(interface.name);
  if (!now) return 0;  // it was deleted, and its counters with it
  const sys::InterfaceCounters& before = interface.counters_before;
  return now->counters.rx_missed - before.rx_missed + now->counters.rx_dropped - before.rx_dropped;
}

const PortInterface& interface_of(const FinishedRun& run, std::size_t line) {
  return *std::ranges::find(run.interfaces, run.options.lines[line].interface,
                            &PortInterface::name);
}

bool any_socket_is_zero_copy(const FinishedRun& run, std::uint32_t interface_index) {
  return std::ranges::any_of(run.ports.ports(), [&](const Port& port) {
    return port.interface_index == interface_index && port.socket->zero_copy();
  });
}

/// Numbers that the hook saw the line skip, where the receiver could not.
std::uint64_t skipped_unseen(const FinishedRun& run, std::uint32_t line) {
  std::uint64_t skipped = 0;
  for (std::uint32_t channel = 0; channel < run.options.channels.size(); ++channel)
    skipped += run.hook.maps().mark(channel, line).skipped_unseen;
  return skipped;
}

LineSummary sum_up_line(const FinishedRun& run, std::uint32_t line) {
  const lb_counters hook = hook::sum_counters(run.hook.maps(), run.bank, line);
  const LineCounts& judged = run.data_path.sequencer().line(line);
  const PortInterface& interface = interface_of(run, line);
  LineSummary summary;
  summary.name = run.options.lines[line].name;
  summary.packets = hook.packets;
  summary.won = judged.of(Outcome::won);
  summary.duplicate = hook.duplicate + judged.of(Outcome::duplicate);
  summary.overlap = judged.of(Outcome::overlap);
  summary.unsequenced = judged.of(Outcome::unsequenced);
  summary.late = judged.of(Outcome::late);
  summary.old_epoch = judged.of(Outcome::old_epoch);
  summary.control = judged.of(Outcome::control);
  summary.unconfirmed = judged.of(Outcome::unconfirmed);
  summary.no_credit = hook.no_credit;
  summary.no_receiver = hook.no_receiver;
  summary.malformed = hook.malformed + judged.of(Outcome::malformed);
  summary.not_feed = hook.not_feed;
  summary.kernel_lost = kernel_lost_on(run, line);
  summary.passed_up = hook.passed_up;
  summary.nic_lost = nic_lost_on(interface);
  summary.lost_messages = run.data_path.sequencer().lost_messages(line) + skipped_unseen(run, line);
  const auto place = static_cast<std::size_t>(&interface - run.interfaces.data());
  summary.mode = run.hook.is_native(place) ? "native" : "generic";
  summary.bind = any_socket_is_zero_copy(run, interface.index) ? "zero-copy" : "copy";
  summary.skew_ns = summarize(run.hook.maps().skew(run.bank, line));
  return summary;
}

void sum_up_channels(const FinishedRun& run, Summary& summary) {
  const sequencer::Sequencer& sequencer = run.data_path.sequencer();
  const bool has_order = run.options.dedup == Dedup::window;
  std::uint64_t gap_messages = 0;
  for (std::size_t i = 0; i < run.options.channels.size(); ++i) {
    const sequencer::Channel& channel = sequencer.channel(i);
    const std::uint64_t missing = has_order ? channel.gap_messages() : 0;
    summary.channels.push_back({.name = run.options.channels[i].name,
                                .framing = run.options.channels[i].framing,
                                .messages = sequencer.messages(i),
                                .gap_messages = missing,
                                .epoch = channel.newest_epoch()});
    gap_messages += missing;
  }
  if (!has_order) return;
  summary.gap_messages = gap_messages;
  summary.gaps.emplace();
  for (const auto& [origin, range] : sequencer.gaps().gaps())
    summary.gaps->push_back({run.options.channels[origin.channel].name, origin.epoch, range.first,
                             range.end - range.first});
  summary.gaps_truncated = sequencer.gaps().truncated();
}

}  // namespace

SkewSummary summarize(const lb_histogram& histogram) noexcept {
  SkewSummary summary;
  summary.max = histogram.max_ns;
  for (const std::uint64_t samples : histogram.buckets) summary.count += samples;
  std::uint64_t below = 0;
  for (std::uint32_t bucket = 0; bucket < LB_HISTOGRAM_BUCKETS; ++bucket) {
    const std::uint64_t before = below;
    below += histogram.buckets[bucket];
    const std::uint64_t top = std::min(lb_histogram_bucket_top(bucket), summary.max);
    if (before * 2 < summary.count && below * 2 >= summary.count) summary.p50 = top;
    if (before * 100 < summary.count * 99 && below * 100 >= summary.count * 99) summary.p99 = top;
  }
  return summary;
}

Ledger ledger_of(const FinishedRun& run) {
  Ledger ledger;
  const sequencer::Sequencer& sequencer = run.data_path.sequencer();
  for (std::uint32_t line = 0; line < run.options.lines.size(); ++line) {
    const LineCounts& counts = sequencer.line(line);
    Ledger::Line entry{.name = run.options.lines[line].name,
                       .hook = hook::sum_counters(run.hook.maps(), run.bank, line),
                       .judged = run.data_path.judged(line),
                       .kernel_lost = kernel_lost_on(run, line)};
    for (const std::uint64_t outcome : counts.outcomes) entry.decided += outcome;
    for (const Outcome outcome : {Outcome::won, Outcome::overlap, Outcome::unsequenced})
      ledger.won_overlap_unsequenced += counts.of(outcome);
    ledger.lines.push_back(entry);
  }
  for (const Port& port : run.ports.ports())
    ledger.sockets.push_back(
        {.name = fmt::format("{} queue {}", port.socket->options().interface,
                             port.socket->options().queue),
         .redirected = run.hook.maps().credit(port.slot).redirected - port.redirected_before,
         .received = port.received,
         .kernel_lost = port.kernel_lost,
         .frames_conserved = port.socket->conserved(run.data_path.held_on(port))});
  ledger.delivered = run.data_path.delivered();
  ledger.delivered_messages = run.data_path.delivered_messages();
  for (std::size_t i = 0; i < run.options.channels.size(); ++i)
    ledger.sequencer_messages += sequencer.messages(i);
  ledger.writes = run.sink != nullptr;
  if (run.sink) ledger.written = run.sink->stats().packets;
  return ledger;
}

Summary sum_up(const FinishedRun& run) {
  Summary summary;
  const auto lines = static_cast<std::uint32_t>(run.options.lines.size());
  for (std::uint32_t line = 0; line < lines; ++line) {
    summary.lines.push_back(sum_up_line(run, line));
    const LineSummary& last = summary.lines.back();
    summary.packets += last.won + last.overlap + last.unsequenced;
    summary.lost_races += hook::sum_counters(run.hook.maps(), run.bank, line).lost_races;
  }
  sum_up_channels(run, summary);
  for (const ChannelSummary& channel : summary.channels) summary.messages += channel.messages;
  summary.imbalances = imbalances(ledger_of(run));
  for (const LineSummary& line : summary.lines)
    if (line.accounted() != line.packets)
      summary.imbalances.push_back(
          fmt::format("line {}: packets, what became of them: {} against "
                      "{}",
                      line.name, line.packets, line.accounted()));
  summary.balanced = summary.imbalances.empty();
  summary.seconds = run.seconds;
  summary.hook_cpus = hook::cpus_in_hook(run.hook.maps(), run.bank, lines);
  if (run.sink) {
    summary.written = run.sink->stats().records;
    summary.untrimmed = run.sink->stats().untrimmed;
    summary.writer_waits = run.sink->stats().waits;
  }
  return summary;
}

}  // namespace linearb::receiver
