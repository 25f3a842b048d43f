// SPDX-License-Identifier: Apache-2.0
#include "receiver/summing_up.h"

#include <algorithm>

#include <fmt/format.h>

#include "hook/takeover.h"
#include "sequencer/figures.h"

namespace linearb::receiver {
namespace {

using sequencer::LineCounts;
using sequencer::Outcome;

/// What the data paths have counted, together.
template <class Count>
std::uint64_t sum(const FinishedRun& run, Count count) {
  std::uint64_t all = 0;
  for (const auto& thread : run.threads) all += count(thread->path());
  return all;
}

LineCounts counts_of(const FinishedRun& run, std::uint32_t line) {
  LineCounts all;
  for (const auto& thread : run.threads) all += thread->path().sequencer().line(line);
  return all;
}

const DataPath& path_of(const FinishedRun& run, const RunningChannel& channel) {
  return run.threads[channel.thread]->path();
}

std::uint64_t kernel_lost_on(const FinishedRun& run, std::uint32_t line) {
  std::uint64_t lost = 0;
  for (const auto& port : run.wiring.ports())
    if (port->line == line) lost += port->kernel_lost;
  for (const ClosedPort& port : run.wiring.closed_ports())
    if (port.line == line) lost += port.kernel_lost;
  return lost;
}

LineSummary sum_up_line(const FinishedRun& run, std::uint32_t line) {
  const lb_counters hook = hook::sum_counters(run.wiring.maps(), run.bank, line);
  const LineInterface& interface = run.wiring.interface_of(line);
  LineSummary summary;
  summary.name = run.wiring.options().lines[line].name;
  summary.repair = run.wiring.options().only_repairs(summary.name);
  summary.packets = hook.packets;
  sequencer::add_outcomes(counts_of(run, line), summary);
  summary.duplicate += hook.duplicate;
  summary.no_credit = hook.no_credit;
  summary.no_receiver = hook.no_receiver;
  summary.malformed += hook.malformed;
  summary.not_feed += hook.not_feed;
  summary.kernel_lost = kernel_lost_on(run, line);
  summary.passed_up = hook.passed_up;
  summary.nic_lost = interface.nic_lost();
  summary.lost_messages = run.wiring.skipped_unseen(line) + sum(run, [line](const DataPath& path) {
                            return path.sequencer().lost_messages(line);
                          });
  summary.divergent = sum(run, [line](const DataPath& path) { return path.divergent(line); });
  summary.mode = interface.native ? "native" : "generic";
  summary.bind = interface.zero_copy ? "zero-copy" : "copy";
  summary.skew_ns = sequencer::summarize(run.wiring.maps().skew(run.bank, line));
  return summary;
}

/// In the order of configuration: those that a reload has removed stand among the others.
std::vector<ChannelSummary> channels_of(const FinishedRun& run) {
  const bool has_order = run.wiring.options().dedup == Dedup::window;
  std::vector<std::vector<ChannelSummary>> by_serial(run.wiring.channel_count());
  for (const RunningChannel& running : run.wiring.channels()) {
    const std::vector<Sequence> sequences = sequences_of(running);
    const DataPath& path = path_of(run, running);
    by_serial[running.serial] = summaries_of(running, path.streams()[running.index].get(),
                                             [&](std::size_t i) -> const sequencer::Channel& {
                                               return path.sequencer().channel(sequences[i].place);
                                             });
    if (has_order) continue;
    ChannelSummary& identifiers = by_serial[running.serial].front();
    identifiers.messages = path.sequencer().messages(running.index);
    identifiers.gap_messages = identifiers.adopted = 0;
  }
  for (const RemovedChannel& removed : run.wiring.removed_channels())
    by_serial[removed.channel.serial] = removed.summaries;
  std::vector<ChannelSummary> channels;
  for (const std::vector<ChannelSummary>& of_one : by_serial)
    channels.insert(channels.end(), of_one.begin(), of_one.end());
  return channels;
}

/// Of each thread the first, then of each the second, until there are so many.
void sum_up_gaps(const FinishedRun& run, Summary& summary) {
  const auto name_of = [&run](std::uint32_t serial) {
    return run.wiring.name_of(serial, run.threads);
  };
  std::vector<std::vector<Gap>> by_thread;
  std::size_t most = 0;
  for (const auto& thread : run.threads) {
    const sequencer::GapList& gaps = thread->path().sequencer().gaps();
    summary.gaps_truncated |= gaps.truncated();
    most = std::max(most, by_thread.emplace_back(sequencer::gaps_of(gaps, name_of)).size());
  }
  summary.gaps.emplace();
  for (std::size_t i = 0; i < most; ++i)
    for (std::vector<Gap>& gaps : by_thread)
      if (i < gaps.size()) summary.gaps->push_back(std::move(gaps[i]));
  if (summary.gaps->size() <= sequencer::GapList::kReported) return;
  summary.gaps->resize(sequencer::GapList::kReported);
  summary.gaps_truncated = true;
}

/// From the first packet to the last, of all.
double seconds_of(const FinishedRun& run) {
  std::uint64_t first_ns = ~std::uint64_t{0};
  std::uint64_t last_ns = 0;
  for (const auto& thread : run.threads) {
    const DataPath& path = thread->path();
    if (path.first_arrival_ns() == 0) continue;
    first_ns = std::min(first_ns, path.first_arrival_ns());
    last_ns = std::max(last_ns, path.last_arrival_ns());
  }
  return last_ns < first_ns ? 0 : static_cast<double>(last_ns - first_ns) / 1e9;
}

void sum_up_channels(const FinishedRun& run, Summary& summary) {
  summary.channels = channels_of(run);
  if (run.wiring.options().dedup != Dedup::window) return;
  summary.gap_messages = 0;
  for (const ChannelSummary& channel : summary.channels)
    *summary.gap_messages += channel.gap_messages;
  sum_up_gaps(run, summary);
  summary.late_repairs = sum(run, [](const DataPath& path) { return path.late_repairs(); });
}

std::uint64_t injected_into(const FinishedRun& run) {
  return sum(run, [](const DataPath& path) { return path.judged(kInjectedLine); });
}

constexpr Outcome kDelivers[] = {Outcome::won, Outcome::overlap, Outcome::unsequenced};

std::uint64_t delivered_of(const LineCounts& counts) {
  std::uint64_t delivered = 0;
  for (const Outcome outcome : kDelivers) delivered += counts.of(outcome);
  return delivered;
}

}  // namespace

Ledger ledger_of(const FinishedRun& run) {
  Ledger ledger;
  const hook::Maps& maps = run.wiring.maps();
  const std::vector<Line>& lines = run.wiring.options().lines;
  for (std::uint32_t line = 0; line < lines.size(); ++line) {
    const LineCounts counts = counts_of(run, line);
    Ledger::Line entry{
        .name = lines[line].name,
        .hook = hook::sum_counters(maps, run.bank, line),
        .judged = sum(run, [line](const DataPath& path) { return path.judged(line); }),
        .kernel_lost = kernel_lost_on(run, line)};
    for (const std::uint64_t outcome : counts.outcomes) entry.decided += outcome;
    ledger.won_overlap_unsequenced += delivered_of(counts);
    ledger.lines.push_back(entry);
  }
  const LineCounts injected = counts_of(run, kInjectedLine);
  ledger.injected = injected_into(run);
  for (const std::uint64_t outcome : injected.outcomes) ledger.injected_decided += outcome;
  ledger.won_overlap_unsequenced += delivered_of(injected);
  for (const auto& port : run.wiring.ports())
    ledger.sockets.push_back(
        {.name = port->name,
         .redirected = maps.credit(port->slot).redirected - port->redirected_before,
         .received = port->received,
         .kernel_lost = port->kernel_lost,
         .frames_conserved = port->socket->conserved(port->held)});
  for (const ClosedPort& port : run.wiring.closed_ports())
    ledger.sockets.push_back(
        {port.name, port.redirected, port.received, port.kernel_lost, port.frames_conserved});
  ledger.delivered = sum(run, [](const DataPath& path) { return path.delivered(); });
  ledger.delivered_messages =
      sum(run, [](const DataPath& path) { return path.delivered_messages(); });
  for (const RunningChannel& channel : run.wiring.channels())
    for (const Sequence& sequence : sequences_of(channel))
      ledger.sequencer_messages += path_of(run, channel).sequencer().messages(sequence.place);
  for (const RemovedChannel& removed : run.wiring.removed_channels())
    for (const ChannelSummary& summary : removed.summaries)
      ledger.sequencer_messages += summary.messages;
  ledger.writes = run.sink != nullptr;
  if (run.sink)
    ledger.written = run.sink->stats().packets + run.sink->stats().lost -
                     sum(run, [](const DataPath& path) { return path.parts(); });
  return ledger;
}

Summary sum_up(const FinishedRun& run) {
  Summary summary;
  const auto lines = static_cast<std::uint32_t>(run.wiring.options().lines.size());
  for (std::uint32_t line = 0; line < lines; ++line) {
    summary.lines.push_back(sum_up_line(run, line));
    const LineSummary& last = summary.lines.back();
    summary.packets += last.won + last.overlap + last.unsequenced;
    summary.lost_races += hook::sum_counters(run.wiring.maps(), run.bank, line).lost_races;
  }
  summary.injected = injected_into(run);
  summary.injected_delivered = delivered_of(counts_of(run, kInjectedLine));
  summary.packets += summary.injected_delivered;
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
  summary.seconds = seconds_of(run);
  summary.hook_cpus = hook::cpus_in_hook(run.wiring.maps(), run.bank, lines);
  if (run.sink) {
    summary.written = run.sink->stats().records;
    summary.untrimmed = run.sink->stats().untrimmed;
    summary.write_error = run.sink->error();
    summary.writer_waits = run.sink->stats().waits;
  }
  return summary;
}

}  // namespace linearb::receiver
