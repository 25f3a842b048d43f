// SPDX-License-Identifier: Apache-2.0
//
// Wiring, while it runs: channels come and go.
#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/check.h"
#include "linearb/error.h"
#include "receiver/remembrance.h"
#include "receiver/wiring.h"

namespace linearb::receiver {
namespace {

/// The options that a running receiver cannot change, as they are called on the command line.
std::vector<std::string_view> other_changes(const ReceiverOptions& runs,
                                            const ReceiverOptions& wanted) {
  std::vector<std::string_view> changes;
  const auto compare = [&](std::string_view option, bool same) {
    if (!same) changes.push_back(option);
  };
  compare("line", runs.lines == wanted.lines);
  compare("repair", runs.repair_lines == wanted.repair_lines);
  compare("dedup", runs.dedup == wanted.dedup);
  compare("checksum", runs.checksum == wanted.checksum);
  compare("order", runs.order == wanted.order);
  compare("mode", runs.mode == wanted.mode);
  compare("zero-copy", runs.zero_copy == wanted.zero_copy);
  compare("wait", runs.wait == wanted.wait);
  compare("threads", runs.threads == wanted.threads);
  compare("cpu", runs.cpus == wanted.cpus);
  compare("frames", runs.frames == wanted.frames);
  compare("hugepages", runs.hugepages == wanted.hugepages);
  compare("keep-hook", runs.keep_hook == wanted.keep_hook);
  compare("packets", runs.packets == wanted.packets);
  compare("idle-exit", runs.idle_exit_seconds == wanted.idle_exit_seconds);
  compare("write", runs.write_path == wanted.write_path);
  return changes;
}

void refuse_other_changes(const ReceiverOptions& runs, const ReceiverOptions& wanted) {
  const std::vector<std::string_view> changes = other_changes(runs, wanted);
  if (!changes.empty())
    throw UsageError(
        fmt::format("{} cannot change while the receiver runs, channels alone can: start it again",
                    fmt::join(changes, ", ")));
}

/// The hook and the sequencer remember identifiers without their channel: what one has seen another
/// would not get.
void refuse_new_identifiers(const ReceiverOptions& wanted, const ChannelPlan& plan) {
  if (wanted.dedup == Dedup::lru && !plan.added.empty())
    throw UsageError(
        fmt::format("channel {}: under --dedup lru another channel needs a memory of its own: "
                    "start the receiver again",
                    plan.added.front().options.name));
}

Reloaded describe(const ChannelPlan& plan, const std::vector<RunningChannel>& before) {
  Reloaded reloaded;
  for (const RunningChannel& channel : plan.added) reloaded.added.push_back(channel.options.name);
  for (const RunningChannel& channel : plan.removed)
    reloaded.removed.push_back(channel.options.name);
  for (const RunningChannel& channel : plan.kept) {
    const auto& old = *std::ranges::find(before, channel.serial, &RunningChannel::serial);
    if (old.options == channel.options)
      ++reloaded.unchanged;
    else
      reloaded.changed.push_back(channel.options.name);
  }
  return reloaded;
}

void request_or_throw(const DataThreads& threads, std::vector<Change>& changes) {
  if (!request(threads, changes)) throw Error("reload: the run is over");
}

}  // namespace

/// Everything that can fail is made first. Then four steps, so that nobody meets what he does not
/// know: the data threads learn where packets may come from; the hook lets go of what is removed,
/// and when all of that has come they end it, all of them before any begins what has its places;
/// the hook learns what is new.
Reloaded Wiring::reload(const ReceiverOptions& options, const DataThreads& threads) {
  validate(options);
  const ReceiverOptions wanted = spelled_out(options);
  refuse_other_changes(options_, wanted);
  const ChannelNumbers next{static_cast<std::uint32_t>(labels_.size()), stream_count_};
  const ChannelPlan plan =
      plan_channels(channels_, wanted.channels, config::load_framings(wanted), next, room());
  refuse_new_identifiers(wanted, plan);
  std::vector<RunningChannel> all = plan.wanted();
  Reloaded reloaded = describe(plan, channels_);
  std::vector<Channel> wanted_channels = wanted.channels;
  labels_.reserve(labels_.size() + plan.added.size());
  removed_.reserve(removed_.size() + plan.removed.size());
  const std::uint32_t spare = hook::spare_flow_table(maps());
  const hook::FlowTable without =
      hook::build_flow_table(flows_of(plan.kept), maps().flow_buckets(), spare);
  auto with = std::make_unique<hook::FlowTable>(
      hook::build_flow_table(flows_of(all), maps().flow_buckets(), spare ^ 1));
  std::vector<std::optional<sys::MulticastJoins>> joins(interfaces_.size());
  for (std::size_t i = 0; i < interfaces_.size(); ++i)
    if (interfaces_[i].known.index != 0) joins[i].emplace(join_groups(interfaces_[i], all));
  std::vector<Change> lookups(threads.size());
  for (Change& lookup : lookups) lookup.flows = with.get();
  std::vector<Change> endings(threads.size());
  std::vector<Change> beginnings(threads.size());
  for (const auto& port : ports_) endings[port->thread].wait_for.emplace_back(port.get(), 0);
  for (const RunningChannel& channel : plan.removed) {
    Change& change = endings[channel.thread];
    for (const Sequence& sequence : sequences_of(channel))
      change.removed.push_back({sequence.place});
    if (!channel.streams.empty()) change.streams_closed.push_back({channel.index});
  }
  for (const RunningChannel& channel : plan.added)
    add_channel(channel, threads[channel.thread]->path(), beginnings[channel.thread]);
  for (const RunningChannel& channel : plan.kept)
    for (const Sequence& sequence : sequences_of(channel))
      beginnings[channel.thread].alarms.emplace_back(sequence.place, alarms_of(channel));

  add_flows(std::move(with));
  request_or_throw(threads, lookups);
  hook::publish_flows(maps(), without);
  for (Change& ending : endings)
    for (auto& [port, redirected] : ending.wait_for)
      redirected = lb_load_acquire(&maps().credit(port->slot).redirected);
  for (const RunningChannel& channel : plan.added)
    maps().framings()[channel.framing_index] = channel.framing.descriptor;
  request_or_throw(threads, endings);
  remember_removed(plan.removed, endings);
  request_or_throw(threads, beginnings);
  hook::publish_flows(maps(), flows());

  for (const RunningChannel& channel : plan.added) {
    labels_.emplace_back(channel);
    stream_count_ += static_cast<std::uint32_t>(channel.streams.size());
  }
  channels_ = std::move(all);
  options_.channels = std::move(wanted_channels);
  for (std::size_t i = 0; i < interfaces_.size(); ++i)
    if (joins[i]) interfaces_[i].joins = std::move(joins[i]);
  return reloaded;
}

void Wiring::remember_removed(const std::vector<RunningChannel>& removed,
                              const std::vector<Change>& endings) {
  std::vector<std::size_t> ended(endings.size());
  std::vector<std::size_t> closed(endings.size());
  for (const RunningChannel& channel : removed) {
    const Change& change = endings[channel.thread];
    const std::size_t first = ended[channel.thread];
    const sequencer::StreamGroup* const group =
        channel.streams.empty() ? nullptr
                                : change.streams_closed[closed[channel.thread]++].group.get();
    const auto sums_of = [&](std::size_t i) -> const sequencer::Channel& {
      return *change.removed[first + i].channel;
    };
    RemovedChannel& entry = removed_.emplace_back(channel, summaries_of(channel, group, sums_of));
    for (ChannelSummary& summary : entry.summaries) summary.removed = true;
    for (const Sequence& sequence : sequences_of(channel)) {
      ++ended[channel.thread];
      for (std::uint32_t line = 0; line < options_.lines.size(); ++line)
        skipped_on_removed_[line] +=
            std::exchange(maps().mark(sequence.place, line).skipped_unseen, 0);
    }
  }
}

}  // namespace linearb::receiver
