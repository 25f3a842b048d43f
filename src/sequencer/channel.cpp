// SPDX-License-Identifier: Apache-2.0
#include "sequencer/channel.h"

#include <algorithm>
#include <span>
#include <utility>

namespace linearb::sequencer {

Channel::Channel(std::uint32_t serial, const lb_framing& framing, Shared& shared, lb_memory* memory)
    : serial_(serial),
      framing_(framing),
      shared_(shared),
      own_memory_(memory ? nullptr : std::make_unique<lb_memory>()),
      memory_(memory ? *memory : *own_memory_),
      // Nobody asks what was in hand in memory that goes with the process.
      epochs_{Epoch(shared.gaps, memory_.banks[0], memory ? &memory_.in_hand : nullptr),
              Epoch(shared.gaps, memory_.banks[1], memory ? &memory_.in_hand : nullptr)} {}

bool Channel::adopt() noexcept {
  for (std::size_t i = 0; i < epochs_.size(); ++i) {
    const lb_delivered& bank = memory_.banks[i];
    if (!epochs_[i].delivered.adopt({serial_, bank.epoch})) continue;
    epochs_[i].number = bank.epoch;
    epochs_[i].session = bank.session;
    epochs_[i].began_ns = bank.began_ns;
    epochs_[i].packets = bank.end - bank.first;
  }
  if (previous_->number > newest_->number) std::swap(newest_, previous_);
  epochs_begun_ = newest_->number;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const lb_memory_line& line = memory_.lines[i];
    const Epoch* const epoch = epoch_numbered(line.epoch);
    if (!epoch) continue;
    lines_[i].epoch = line.epoch;
    lines_[i].session = epoch->session;
    lines_[i].end = line.end;
    lines_[i].last_ns = line.last_ns;
    lines_[i].trail.note(line.last_ns, line.end, shared_.settings.reorder_ns / 2);
  }
  return newest_->number != 0;
}

/// Almost every packet that wins: its line goes on where it was, in the newest epoch, and there is
/// nothing else to be told or remembered. What data() does with it otherwise comes to the same.
bool Channel::is_in_turn(const LineState& line, const Packet& packet) const noexcept {
  return line.epoch != 0 && line.epoch == newest_->number &&
         own_end_in_its_epoch(line, packet) == packet.first() &&
         packet.datagram.session == newest_->session && line.trail.end() <= packet.first() &&
         !line.candidate.active && line.revived.end == 0 && !packet.is_from_jump &&
         shared_.apart.empty();
}

/// False, and nothing is done, where it is no news that is easily taken.
bool Channel::take_in_turn(LineState& line, const Packet& packet) noexcept {
  const std::uint32_t now_ms = Delivered::to_ms(packet.arrival_ns);
  if (!newest_->delivered.take_next(packet.first(), packet.datagram.count, now_ms)) return false;
  ++newest_->packets;
  line.end = packet.end();
  line.trail.note(packet.arrival_ns, line.end, shared_.settings.reorder_ns / 2);
  line.last_ns = packet.arrival_ns;
  shared_.news[0] = {packet.first(), packet.datagram.count};
  decide(packet, Outcome::won, newest_->number, 1);
  return true;
}

void Channel::data(const Packet& packet) noexcept {
  LineState& line = lines_[packet.line];
  if (is_in_turn(line, packet) && take_in_turn(line, packet)) return;
  if (newest_->number == 0) begin_epoch(packet.datagram.session, packet.first(), packet.arrival_ns);
  if (continues_forgotten_epoch(line, packet)) {
    line.end = std::max(line.end, packet.end());
    line.trail.note(packet.arrival_ns, line.end, shared_.settings.reorder_ns / 2);
    decide(packet, Outcome::old_epoch, 0, 0);
  } else if (Epoch* epoch = epoch_of(line, packet)) {
    data_in(*epoch, line, packet);
  } else if (is_over(packet.datagram.session) || is_of_older_session(packet)) {
    decide(packet, Outcome::old_epoch, 0, 0);
  } else {
    doubt(line, packet, true);
  }
  line.last_ns = packet.arrival_ns;
}

/// The line is so far behind the others that its epoch is neither of the two that are remembered.
/// Beyond the end of that epoch it is somewhere else.
bool Channel::continues_forgotten_epoch(const LineState& line,
                                        const Packet& packet) const noexcept {
  const std::uint64_t oldest = previous_->number ? previous_->number : newest_->number;
  const bool settled = packet.arrival_ns >= newest_->began_ns + shared_.settings.settle_ns;
  if (settled && is_back(line, packet)) return false;
  if (line.epoch == 0 || line.epoch >= oldest || packet.datagram.session != line.session)
    return false;
  if (packet.first() < line.end)
    return !passed_long_ago(line, packet) || is_just_behind(line, packet);
  return packet.first() - line.end <= shared_.settings.ahead && packet.first() < line.forgotten_end;
}

/// As a copy or a reordering is, and not where numbers begin.
bool Channel::is_just_behind(const LineState& line, const Packet& packet) const noexcept {
  return packet.first() + near(packet) >= line.end && packet.first() > near(packet);
}

/// The epoch that the packet belongs to; null when its session is in none that is remembered.
Channel::Epoch* Channel::epoch_of(LineState& line, const Packet& packet) noexcept {
  const std::uint64_t session = packet.datagram.session;
  const bool in_newest = session == newest_->session;
  const bool in_previous = previous_->number != 0 && session == previous_->session;
  if (!in_newest) return in_previous ? previous_ : nullptr;
  if (!in_previous) return newest_;
  // The numbers restarted under one session: the line itself knows where it is.
  if (line.epoch != newest_->number && line.epoch != previous_->number)
    place_new_line(line, packet);
  if (line.epoch == previous_->number && is_back(line, packet)) {
    if (packet.arrival_ns >= newest_->began_ns + shared_.settings.settle_ns)
      move_line(*newest_, line, packet);
    else
      line.epoch_is_guess = true;
  }
  if (line.epoch_is_guess && line.epoch == previous_->number &&
      packet.first() >= previous_->delivered.end() && packet.first() < newest_->delivered.end())
    move_line(*newest_, line, packet);
  if (is_from_before_wrap(line, packet)) return previous_;
  if (line.epoch == newest_->number && line.end_before != 0 &&
      packet.first() - line.end_before <= shared_.settings.ahead &&
      packet.first() > newest_->delivered.end() + shared_.settings.ahead)
    take_back(line, packet);
  return line.epoch == newest_->number || previous_->number == 0 ? newest_ : previous_;
}

/// Numbers go on over their top without a pause, so what was overtaken there comes behind it.
bool Channel::is_from_before_wrap(const LineState& line, const Packet& packet) const noexcept {
  const std::uint64_t top = framing_.sequence_limit - shared_.settings.ahead;
  return line.epoch == newest_->number && line.end_before >= top && packet.first() >= top &&
         packet.first() > newest_->delivered.end() + shared_.settings.ahead &&
         packet.arrival_ns < newest_->began_ns + shared_.settings.reorder_ns;
}

/// It was silent when the newest epoch began, and for long enough to have missed it.
bool Channel::is_back(const LineState& line, const Packet& packet) const noexcept {
  const std::uint64_t last_ns = std::max(line.last_ns, line.trail.last_ns());
  return last_ns != 0 && last_ns < newest_->began_ns &&
         packet.arrival_ns >= last_ns + shared_.settings.silent_ns;
}

/// The line had not restarted: it goes on where it was. An epoch that no line is in any more was
/// none.
void Channel::take_back(LineState& line, const Packet& packet) noexcept {
  const std::uint64_t mistaken = newest_->number;
  move_line(*previous_, line, packet);
  for (const LineState& other : lines_)
    if (other.epoch == mistaken) return;
  close(*newest_);
  newest_->delivered.disown();
  std::swap(newest_, previous_);
}

void Channel::place_new_line(LineState& line, const Packet& packet) noexcept {
  const bool settled = packet.arrival_ns >= newest_->began_ns + shared_.settings.settle_ns;
  const bool beyond_previous = packet.first() >= previous_->delivered.end();
  const bool before_previous = packet.end() <= previous_->delivered.first() &&
                               packet.first() <= newest_->delivered.end() + shared_.settings.ahead;
  move_line(settled || beyond_previous || before_previous ? *newest_ : *previous_, line, packet);
  line.epoch_is_guess = line.epoch == previous_->number;
}

void Channel::data_in(Epoch& epoch, LineState& line, const Packet& packet) noexcept {
  switch (stand_of(epoch, line, packet)) {
    case Stand::fits:
      if (accept(epoch, line, packet)) end_explained(epoch, packet);
      return;
    case Stand::new_but_apart:
      return doubt(line, packet, true);
    case Stand::doubted:
      return doubt(line, packet, false);
  }
}

/// Where the line had come before this packet: what user space saw of it, or the hook's mark.
std::uint64_t Channel::own_end(const Epoch& epoch, const LineState& line,
                               const Packet& packet) const noexcept {
  return line.epoch == epoch.number ? own_end_in_its_epoch(line, packet) : packet.first();
}

std::uint64_t Channel::own_end_in_its_epoch(const LineState& line,
                                            const Packet& packet) const noexcept {
  if (packet.place == LB_PLACE_UNKNOWN) return line.end;
  if (packet.place == LB_PLACE_MAX) return std::max(line.end, line.marked_end);  // that or more
  const auto mark = packet.first() - static_cast<std::uint64_t>(std::int64_t{packet.place});
  return std::max(line.end, mark);
}

Channel::Stand Channel::stand_of(const Epoch& epoch, const LineState& line,
                                 const Packet& packet) const noexcept {
  const Settings& settings = shared_.settings;
  const Delivered& delivered = epoch.delivered;
  const bool has_shown = line.epoch == epoch.number;
  const std::uint64_t end = own_end(epoch, line, packet);
  if (packet.first() >= end && has_shown) {
    const std::uint64_t reach = std::max(end, delivered.end()) + settings.ahead;
    return packet.first() > reach ? Stand::new_but_apart : Stand::fits;
  }
  if (packet.first() > delivered.end() + settings.ahead) return Stand::new_but_apart;

  const auto knowledge = delivered.knowledge(packet.first(), packet.datagram.count);
  if (knowledge == Delivered::Knowledge::missing) {
    const bool before_all = packet.end() <= delivered.first();
    const bool is_restart = before_all && has_shown && end - packet.first() > near(packet) &&
                            passed_long_ago(line, packet);
    // A line that shows nothing yet is behind, unless it begins where numbers do.
    const bool is_far = before_all && packet.first() <= settings.ahead &&
                        delivered.first() - packet.first() > Delivered::kBack / 2;
    // The very first packet is believed, but not against what its own line brings next.
    const bool was_poison = before_all && has_shown && epoch.packets <= 1 &&
                            delivered.first() - packet.end() > settings.ahead;
    // After a restart a number may be new because the epoch before has a hole there.
    if (is_restart || is_far || was_poison || continues(line.candidate, packet, end))
      return Stand::new_but_apart;
    return passed_long_ago(line, packet) && newest_explains(line, packet) ? Stand::doubted
                                                                          : Stand::fits;
  }
  return may_be_restart(epoch, line, packet) ? Stand::doubted : Stand::fits;
}

/// Longer than a reordering takes.
bool Channel::passed_long_ago(const LineState& line, const Packet& packet) const noexcept {
  const std::uint64_t reorder_ns = shared_.settings.reorder_ns;
  return packet.arrival_ns >= reorder_ns &&
         line.trail.had_come_to(packet.end(), packet.arrival_ns - reorder_ns);
}

/// Somebody brought these numbers before. Is it a copy or a reordering, or do the numbers restart?
/// They do so after a pause, and at their beginning; what networks do to packets is over sooner.
bool Channel::may_be_restart(const Epoch& epoch, const LineState& line,
                             const Packet& packet) const noexcept {
  const Settings& settings = shared_.settings;
  // What another line has revived meanwhile is no copy for one that is doubted itself.
  const std::uint64_t end = own_end(epoch, line, packet);
  const bool is_doubted = line.candidate.held_count() > 0 && continues(line.candidate, packet, end);
  const std::uint64_t revived_ns =
      is_doubted ? 0 : shared_.apart.counted_since_ns(epoch.number, serial_, packet.first());
  const std::uint32_t then_ms =
      revived_ns ? Delivered::to_ms(revived_ns) : epoch.delivered.time_ms(packet.first());
  // The rings of two lines are read one after the other: a copy can have arrived before.
  const auto age_ms = static_cast<std::int32_t>(Delivered::to_ms(packet.arrival_ns) - then_ms);
  const std::uint64_t age_ns =
      then_ms ? static_cast<std::uint64_t>(std::max(age_ms, 0)) * 1'000'000 : ~0ull;
  if (line.epoch != epoch.number) return then_ms != 0 && age_ns >= settings.lag_ns;

  if (!passed_long_ago(line, packet)) return false;
  const bool is_near = end - packet.first() <= near(packet);
  if (is_near && packet.first() > near(packet) && !is_doubted) return false;
  const bool at_beginning = packet.first() <= settings.ahead ||
                            packet.first() <= epoch.delivered.first() + settings.ahead;
  return age_ns >= (at_beginning ? settings.reorder_ns : settings.settle_ns);
}

/// True when messages of it had been delivered apart.
bool Channel::accept(Epoch& epoch, LineState& line, const Packet& packet) noexcept {
  const std::uint64_t end = own_end(epoch, line, packet);
  if (packet.is_from_jump && is_on_the_way(epoch, line, end)) settle(epoch, line);
  // What fills a hole from far behind, or long after the line passed it, says nothing about the age
  // of the numbers around it.
  const bool is_far_behind = end > packet.first() + near(packet);
  const bool revives = epoch.number == line.epoch && passed_long_ago(line, packet);
  const std::uint32_t now_ms = is_far_behind || revives ? 0 : Delivered::to_ms(packet.arrival_ns);
  if (epoch.number >= line.epoch) {
    show(epoch, line, packet);
    // What was delivered apart is remembered until the line goes on where it was: a straggler from
    // before does not say that it will.
    if (line.candidate.held_count() > 0 || packet.first() >= end) end_doubt(line);
  }
  return take(epoch, packet, now_ms, outcome_of_nothing_new(epoch, packet),
              revives ? &line : nullptr);
}

/// What was delivered apart of the line lies beyond where it was in this epoch.
bool Channel::is_ahead(const Epoch& epoch, const LineState& line) const noexcept {
  const Candidate& candidate = line.candidate;
  return candidate.active && candidate.delivered && line.epoch == epoch.number &&
         candidate.session == epoch.session && candidate.range.first >= line.end;
}

/// And before `end`, where the line is known to have come by itself: that was no garbage.
bool Channel::is_on_the_way(const Epoch& epoch, const LineState& line,
                            std::uint64_t end) const noexcept {
  return is_ahead(epoch, line) && line.candidate.range.end <= end;
}

Outcome Channel::outcome_of_nothing_new(const Epoch& epoch, const Packet& packet) const noexcept {
  if (&epoch == previous_) return Outcome::old_epoch;
  const bool is_behind_window = packet.end() + LB_WINDOW_MESSAGES <= epoch.delivered.end();
  return is_behind_window ? Outcome::late : Outcome::duplicate;
}

bool Channel::take(Epoch& epoch, const Packet& packet, std::uint32_t now_ms, Outcome nothing_new,
                   LineState* revives) noexcept {
  bool was_apart = false;
  if (shared_.apart.may_have(serial_, packet))
    for_each_message(framing_, packet, [&](std::uint64_t number, std::uint64_t hash) {
      if (!shared_.apart.has(serial_, packet.datagram.session, number, hash)) return;
      // What a line repeats does not say where it belongs.
      if (revives && shared_.apart.is_counted_in(epoch.number, serial_, packet.line, number))
        return;
      settle_apart(epoch, {number, number + 1}, now_ms);
      was_apart = true;
    });
  const std::size_t runs =
      epoch.delivered.take(packet.first(), packet.datagram.count, now_ms, shared_.news.data());
  if (runs > 0) ++epoch.packets;
  if (revives && runs > 0) revive(epoch, *revives, packet, runs);
  decide(packet, outcome_of_news(packet, runs, nothing_new), epoch.number, runs);
  return was_apart;
}

Outcome Channel::outcome_of_news(const Packet& packet, std::size_t runs,
                                 Outcome nothing_new) const noexcept {
  if (runs == 0) return nothing_new;
  const bool is_whole = runs == 1 && shared_.news[0].count == packet.datagram.count;
  return is_whole ? Outcome::won : Outcome::overlap;
}

/// The line has come to the packet, in this epoch.
void Channel::show(Epoch& epoch, LineState& line, const Packet& packet) noexcept {
  const std::uint64_t end = own_end(epoch, line, packet);
  if (line.epoch != epoch.number) move_line(epoch, line, packet);
  if (packet.first() > end && packet.counts_skips) {
    line.lost_messages += packet.first() - end;
    line.holes.add({end, packet.first()});
  }
  if (packet.first() >= end) forget_revived(line);
  if (packet.first() < end) line.lost_messages -= line.holes.fill({packet.first(), packet.end()});
  line.end = std::max(std::max(line.end, end), packet.end());
  line.trail.note(packet.arrival_ns, line.end, shared_.settings.reorder_ns / 2);
}

/// The line is in this epoch from the packet on.
void Channel::move_line(Epoch& epoch, LineState& line, const Packet& packet) noexcept {
  const bool moves_on = &epoch == newest_ && line.epoch == previous_->number;
  line.end_before = moves_on && !line.epoch_is_guess ? line.end : 0;
  line.epoch_is_guess = false;
  line.epoch = epoch.number;
  line.session = epoch.session;
  line.end = packet.first();
  line.marked_end = 0;
  line.trail.clear();
  line.holes.clear();
}

/// Null when it is forgotten.
Channel::Epoch* Channel::epoch_numbered(std::uint64_t number) noexcept {
  for (Epoch& epoch : epochs_)
    if (number != 0 && epoch.number == number) return &epoch;
  return nullptr;
}

Channel::Epoch& Channel::begin_epoch(std::uint64_t session, std::uint64_t first,
                                     std::uint64_t now_ns) noexcept {
  const std::uint64_t number = ++epochs_begun_;
  if (number == 1) first_ns_ = now_ns;
  if (newest_->number != 0) {
    if (newest_->session != session) over_[over_count_++ % over_.size()] = newest_->session;
    std::swap(newest_, previous_);
    close(*newest_);
  }
  newest_->number = number;
  newest_->session = session;
  newest_->began_ns = now_ns;
  newest_->packets = 0;
  newest_->reset_hash = 0;
  newest_->delivered.begin(first, {serial_, number}, session, now_ns);
  return *newest_;
}

/// What is not delivered by now never will be.
void Channel::close(Epoch& epoch) noexcept {
  if (epoch.number == 0) return;
  settle_what_is_in_range(epoch);
  closed_messages_ += epoch.delivered.messages();
  closed_gap_messages_ += epoch.delivered.gap_messages();
  closed_adopted_ += epoch.delivered.adopted();
  epoch.delivered.report_gaps();
  for (LineState& line : lines_)
    if (line.epoch == epoch.number) line.forgotten_end = epoch.delivered.end();
  epoch.number = 0;
}

bool Channel::is_over(std::uint64_t session) const noexcept {
  const auto known = std::span(over_).first(std::min(over_count_, over_.size()));
  return std::ranges::find(known, session) != known.end();
}

/// Where the feed numbers its sessions. They go round, and begin anew now and then, so this is
/// believed for as long as a line can be behind.
bool Channel::is_of_older_session(const Packet& packet) const noexcept {
  if (!(framing_.flags & LB_FRAMING_SESSIONS_RISE)) return false;
  if (packet.arrival_ns >= newest_->began_ns + shared_.settings.lag_ns) return false;
  const std::uint64_t all = ~0ull >> (64 - framing_.session_bits);
  return ((newest_->session - packet.datagram.session) & all) <= all / 2;
}

void Channel::decide(const Packet& packet, Outcome outcome, std::uint64_t epoch,
                     std::size_t runs) noexcept {
  shared_.decisions->decided(packet, {outcome, epoch, {shared_.news.data(), runs}});
}

void Channel::finish() noexcept {
  for (LineState& line : lines_) end_wait(line);
  for (LineState& line : lines_)
    if (line.candidate.range.first >= line.candidate.own_end) line.candidate.active = false;
  close(*previous_);
  if (newest_->number == 0) return;
  settle_what_is_in_range(*newest_);
  newest_->delivered.report_gaps();
}

std::uint64_t Channel::messages() const noexcept {
  std::uint64_t messages = closed_messages_ + apart_messages_;
  for (const Epoch& epoch : epochs_)
    if (epoch.number != 0) messages += epoch.delivered.messages();
  return messages;
}

std::uint64_t Channel::gap_messages() const noexcept {
  std::uint64_t messages = closed_gap_messages_;
  for (const Epoch& epoch : epochs_)
    if (epoch.number != 0) messages += epoch.delivered.gap_messages();
  return messages;
}

std::uint64_t Channel::adopted() const noexcept {
  std::uint64_t messages = closed_adopted_;
  for (const Epoch& epoch : epochs_)
    if (epoch.number != 0) messages += epoch.delivered.adopted();
  return messages;
}

void Channel::line_marked(std::uint32_t line, std::uint64_t epoch, std::uint64_t end,
                          std::uint64_t then_ns, std::uint64_t now_ns) noexcept {
  LineState& state = lines_[line];
  if (state.epoch != epoch) return;
  if (end > state.marked_end) state.seen_ns = now_ns;
  state.marked_end = end;
  state.trail.note(then_ns, end, shared_.settings.reorder_ns / 2);
}

void Channel::line_shown(std::uint32_t line, std::uint64_t epoch, std::uint64_t end) noexcept {
  LineState& state = lines_[line];
  if (state.epoch != epoch) return;
  // Since it was looked at last the line went on: it was not silent when the newest epoch began.
  if (end > std::max(state.end, state.marked_end))
    state.last_ns = std::max(state.last_ns, newest_->began_ns);
  state.end = std::max(state.end, end);
  if (Epoch* const shown = epoch_numbered(epoch)) shown->delivered.announce(end);
}

}  // namespace linearb::sequencer
