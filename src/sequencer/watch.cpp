// SPDX-License-Identifier: Apache-2.0
#include "sequencer/watch.h"

#include <algorithm>

namespace linearb::sequencer {
namespace {

bool is_empty(Range range) noexcept {
  return range.first >= range.end;
}

Range both(Range a, Range b) noexcept {
  return {std::max(a.first, b.first), std::min(a.end, b.end)};
}

}  // namespace

Watch::Watch(std::size_t places, std::uint32_t lines, Decisions& next, Notices& notices)
    : lines_(lines), next_(next), notices_(notices), channels_(places) {
  targets_.reserve(places * Channel::kEpochs);
}

void Watch::follow(Sequencer& sequencer) noexcept {
  sequencer_ = &sequencer;
  sequencer.set_gap_observer(this);
}

void Watch::begin_channel(std::uint16_t place, const Alarms& alarms) noexcept {
  OfChannel& channel = channels_[place];
  channel.told = {};
  channel.alarms = alarms;
  channel.in_hours.store(alarms.in_hours, std::memory_order_relaxed);
  channel.lines = {};
}

void Watch::decided(const Packet& packet, const Decision& decision) noexcept {
  now_ns_ = std::max(now_ns_, packet.arrival_ns);
  if (decision.epoch != 0 && !decision.news.empty()) note_news(packet, decision);
  next_.decided(packet, decision);
}

void Watch::note_news(const Packet& packet, const Decision& decision) noexcept {
  const Told* const told = told_of(packet.channel, decision.epoch);
  if (!told || decision.news.front().first >= told->range.end) return;
  for (const lb_run& run : decision.news) {
    const Range late = both({run.first, run.first + run.count}, told->range);
    if (is_empty(late)) continue;
    notices_.tell({.kind = Notice::Kind::late_repair,
                   .line = packet.line,
                   .place = packet.channel,
                   .epoch = decision.epoch,
                   .first = late.first,
                   .count = late.end - late.first,
                   .ns = packet.arrival_ns});
  }
}

/// Null when the epoch is older than those that are remembered.
Watch::Told* Watch::told_of(std::uint16_t place, std::uint64_t epoch) noexcept {
  auto& [newest, before] = channels_[place].told;
  if (newest.epoch == epoch) return &newest;
  if (before.epoch == epoch) return &before;
  if (epoch < before.epoch) return nullptr;
  if (epoch < newest.epoch) return &(before = begin_epoch(place, epoch));
  before = newest;
  newest = begin_epoch(place, epoch);
  notices_.tell({.kind = Notice::Kind::epoch,
                 .place = place,
                 .epoch = epoch,
                 .first = newest.range.first,
                 .ns = now_ns_});
  return &newest;
}

Watch::Told Watch::begin_epoch(std::uint16_t place, std::uint64_t epoch) const noexcept {
  Told told;
  told.epoch = epoch;
  for (std::size_t age = 0; age < Channel::kEpochs; ++age) {
    const Channel::EpochRange there = sequencer_->channel(place).epoch_of_age(age);
    if (there.number == epoch) told.range = {there.range.first, there.range.first};
  }
  return told;
}

/// What was there a hold time ago, and is missing still, is not waited for.
std::uint64_t Watch::end_of_hold(Told& told, Range range, std::uint64_t now_ns) noexcept {
  if (told.held_ns != 0 && now_ns < told.held_ns + kHoldNs) return 0;
  const std::uint64_t end = told.held_ns != 0 ? told.held_end : 0;
  told.held_ns = now_ns;
  told.held_end = range.end;
  return end;
}

void Watch::look_at_line(std::uint16_t place, std::uint32_t line, std::uint64_t skipped,
                         std::uint64_t now_ns) noexcept {
  const Channel& channel = sequencer_->channel(place);
  OfChannel& watched = channels_[place];
  if (watched.alarms.only_once_seen && channel.newest_epoch() == 0) return;
  if (channel.only_repairs(line)) return;
  LineSight sight{.seen_ns = channel.line_seen_ns(line),
                  .lost = channel.lost_messages(line) + skipped,
                  .is_down = lines_down_[line].load(std::memory_order_relaxed),
                  .in_hours = watched.in_hours.load(std::memory_order_relaxed)};
  for (std::uint32_t other = 0; other < lines_; ++other)
    if (other != line)
      sight.others_seen_ns = std::max(sight.others_seen_ns, channel.line_seen_ns(other));
  if (!watched.lines[line].look(sight, watched.alarms, now_ns)) return;
  notices_.tell({.kind = Notice::Kind::line,
                 .condition = watched.lines[line].condition(),
                 .line = static_cast<std::uint8_t>(line),
                 .place = place,
                 .ns = now_ns});
}

void Watch::tell() noexcept {
  has_begun_ = false;
  for (const Target& target : targets_) {
    if (!sequencer_->has(target.place)) continue;
    const Channel& channel = sequencer_->channel(target.place);
    for (std::size_t age = 0; age < Channel::kEpochs; ++age)
      if (channel.epoch_of_age(age).number == target.epoch) tell_gaps(target, age);
  }
  targets_.clear();
}

/// What is before all that was told, because a slower line has begun earlier, and what is behind.
void Watch::tell_gaps(const Target& target, std::size_t age) noexcept {
  const Channel& channel = sequencer_->channel(target.place);
  const std::uint64_t first = channel.epoch_of_age(age).range.first;
  Told* const told = told_of(target.place, target.epoch);
  if (!told) return;
  const auto next_gap = [&](std::uint64_t number, std::uint64_t end) {
    return number < end ? channel.next_gap(age, {number, end}) : Range{};
  };
  const std::uint64_t before = told->range.first;
  for (Range gap = next_gap(first, before); !is_empty(gap); gap = next_gap(gap.end, before))
    tell_gap(target.place, target.epoch, gap);
  told->range.first = std::min(first, before);
  for (Range gap = next_gap(told->range.end, target.end); !is_empty(gap);
       gap = next_gap(gap.end, target.end)) {
    told->range.end = gap.first;
    if (!notices_.has_room()) return;
    tell_gap(target.place, target.epoch, gap);
    told->range.end = gap.end;
  }
  told->range.end = std::max(told->range.end, target.end);
}

void Watch::tell_gap(std::uint16_t place, std::uint64_t epoch, Range range) noexcept {
  notices_.tell({.kind = Notice::Kind::gap,
                 .place = place,
                 .epoch = epoch,
                 .first = range.first,
                 .count = range.end - range.first,
                 .ns = now_ns_});
}

/// An epoch is forgotten, or the run is over. What was told of it is not told again.
void Watch::gap(GapOrigin origin, Range range) noexcept {
  const std::uint16_t place = place_of(origin.channel);
  const Range told = range_told(place, origin.epoch);
  if (is_empty(both(range, told))) return tell_gap(place, origin.epoch, range);
  if (range.first < told.first) tell_gap(place, origin.epoch, {range.first, told.first});
  if (told.end < range.end) tell_gap(place, origin.epoch, {told.end, range.end});
}

void Watch::settled(GapOrigin origin, std::uint64_t number) noexcept {
  const std::uint16_t place = place_of(origin.channel);
  if (is_empty(both({number, number + 1}, range_told(place, origin.epoch)))) return;
  notices_.tell({.kind = Notice::Kind::late_repair,
                 .place = place,
                 .epoch = origin.epoch,
                 .first = number,
                 .count = 1,
                 .ns = now_ns_});
}

void Watch::reopened(GapOrigin origin, std::uint64_t number) noexcept {
  const std::uint16_t place = place_of(origin.channel);
  const Range range{number, number + 1};
  if (!is_empty(both(range, range_told(place, origin.epoch)))) tell_gap(place, origin.epoch, range);
}

Range Watch::range_told(std::uint16_t place, std::uint64_t epoch) const noexcept {
  for (const Told& told : channels_[place].told)
    if (told.epoch == epoch) return told.range;
  return {};
}

/// Gaps of one channel come one behind the other.
std::uint16_t Watch::place_of(std::uint32_t serial) noexcept {
  const auto is_there = [&](std::uint16_t place) {
    return sequencer_->has(place) && sequencer_->channel(place).serial() == serial;
  };
  if (is_there(gap_place_)) return gap_place_;
  for (std::uint16_t place = 0; place < channels_.size(); ++place)
    if (is_there(place)) return gap_place_ = place;
  return gap_place_;
}

}  // namespace linearb::sequencer
