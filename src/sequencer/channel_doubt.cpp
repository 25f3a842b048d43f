// SPDX-License-Identifier: Apache-2.0
//
// What stands apart from where its line was: how long it is doubted, and what becomes of it.
#include <algorithm>

#include "sequencer/channel.h"

namespace linearb::sequencer {

/// What was delivered apart has found its place: it begins no epoch any more. Its line is known to
/// have come there, unless it brought something from behind, or of another epoch.
void Channel::end_explained(Epoch& epoch, const Packet& packet) noexcept {
  for (LineState& line : lines_) {
    if (!line.candidate.delivered || !line.candidate.is_near(packet, 0)) continue;
    if (is_ahead(epoch, line))
      settle(epoch, line);
    else
      line.candidate.active = false;
  }
}

/// The line goes where another has gone before.
bool Channel::newest_explains(const LineState& line, const Packet& packet) const noexcept {
  const std::uint64_t ahead = shared_.settings.ahead;
  return line.epoch != 0 && line.epoch < newest_->number &&
         packet.datagram.session == newest_->session &&
         packet.first() <= newest_->delivered.end() + ahead &&
         packet.end() + ahead >= newest_->delivered.first();
}

/// Something that stands apart: confirmed by this packet, or remembered until one does.
void Channel::doubt(LineState& line, const Packet& packet, bool is_new) noexcept {
  if (newest_explains(line, packet)) {
    follow(line, packet);
    if (packet.datagram.count) accept(*newest_, line, packet.without_place());
    return;
  }
  const std::uint64_t line_end = line.epoch ? own_end_in_its_epoch(line, packet) : 0;
  if (line.candidate.has(packet, line_end)) return decide(packet, Outcome::duplicate, 0, 0);
  const bool continues = this->continues(line.candidate, packet, line_end);
  const std::uint32_t packets = continues ? line.candidate.packets + 1 : 1;
  if (packets >= packets_needed(line, packet, is_new) || other_line_showing(line, packet))
    return confirm(line, packet);
  if (!continues) end_doubt(line);
  line.candidate.own_end = line_end;
  remember(line, packet, is_new);
}

/// The line has restarted too: from the packet on it is in the newest epoch.
void Channel::follow(LineState& line, const Packet& packet) noexcept {
  settle_revived(*newest_, line, packet);
  if (stands_near(line.candidate, packet)) settle(*newest_, line);
  end_doubt(line);
  if (line.epoch != newest_->number) move_line(*newest_, line, packet);
}

/// The numbers went over their top, by the feed's own rule.
bool Channel::wraps(const LineState& line, const Packet& packet) const noexcept {
  return line.end + shared_.settings.ahead >= framing_.sequence_limit &&
         packet.first() >= framing_.wrap_to &&
         packet.first() <= framing_.wrap_to + shared_.settings.ahead;
}

std::uint32_t Channel::packets_needed(const LineState& line, const Packet& packet,
                                      bool is_new) const noexcept {
  if (wraps(line, packet)) return 1;
  const bool is_new_too = line.candidate.active && line.candidate.delivered;
  const bool is_far = line.end > packet.first() + near(packet);
  return is_new || is_new_too || is_far ? 2 : Candidate::kHeld + 1;
}

const LineState* Channel::other_line_showing(const LineState& line,
                                             const Packet& packet) const noexcept {
  for (std::uint32_t i = 0; i < shared_.settings.lines; ++i)
    if (&lines_[i] != &line && lines_[i].candidate.is_near(packet, 0)) return &lines_[i];
  return nullptr;
}

void Channel::remember(LineState& line, const Packet& packet, bool is_new) noexcept {
  Candidate& candidate = line.candidate;
  if (!candidate.active) {
    candidate.active = true;
    candidate.session = packet.datagram.session;
    candidate.range = {packet.first(), packet.end()};
    candidate.packets = 0;
    candidate.since_ns = packet.arrival_ns;
    candidate.delivered = is_new;
    candidate.kept_count = 0;
  }
  ++candidate.packets;
  candidate.range.first = std::min(candidate.range.first, packet.first());
  candidate.range.end = std::max(candidate.range.end, packet.end());
  if (packet.datagram.count == 0) return;
  candidate.kept[candidate.kept_count++] = packet;
  if (candidate.delivered) return deliver_apart(packet);
  ++shared_.held;
}

/// Nothing confirmed it. What was delivered stays delivered. What was held belongs to the line's
/// own epoch, or to the one of its session where the line has left that: a copy if it is near to
/// where the line was, else something that nobody can explain; but if a message in it is new it is
/// delivered.
void Channel::end_doubt(LineState& line) noexcept {
  Candidate& candidate = line.candidate;
  const std::uint32_t held = candidate.held_count();
  candidate.active = false;
  shared_.held -= held;
  Epoch* const epoch = epoch_of_doubt(line);
  const bool is_far = candidate.own_end > candidate.range.first + shared_.settings.near;
  for (std::uint32_t i = 0; i < held; ++i) {
    const Packet& packet = candidate.kept[i];
    if (epoch == nullptr) {
      decide(packet, Outcome::unconfirmed, 0, 0);
      continue;
    }
    if (epoch->number >= line.epoch) show(*epoch, line, packet);
    take(*epoch, packet, 0, is_far ? Outcome::unconfirmed : outcome_of_nothing_new(*epoch, packet),
         passed_long_ago(line, packet) ? &line : nullptr);
  }
}

Channel::Epoch* Channel::epoch_of_doubt(const LineState& line) noexcept {
  Epoch* const own = epoch_numbered(line.epoch);
  if (own && own->session == line.candidate.session) return own;
  for (Epoch* const epoch : {newest_, previous_})
    if (epoch->number != 0 && epoch->session == line.candidate.session) return epoch;
  return nullptr;
}

/// The line has said nothing since. What is held is delivered, lest the first messages of a slow
/// feed be lost; the next can still confirm it. Where the hook drops what the line says, nobody
/// knows that it is silent.
void Channel::end_wait(LineState& line) noexcept {
  Candidate& candidate = line.candidate;
  const std::uint32_t held = candidate.held_count();
  const bool went_on = std::max(line.end, line.marked_end) > candidate.own_end;
  if (held == 0 || went_on) return end_doubt(line);
  if (newest_explains(line, candidate.kept[0])) return follow(line, Packet(candidate.kept[0]));
  candidate.delivered = true;
  shared_.held -= held;
  for (std::uint32_t i = 0; i < held; ++i) deliver_apart(candidate.kept[i]);
}

/// From where on numbers of the epoch go ahead for this line, wherever others have come to.
std::uint64_t Channel::came_to(const Epoch& epoch, const LineState& line,
                               const Packet& packet) const noexcept {
  const std::uint64_t end =
      line.epoch == epoch.number ? own_end(epoch, line, packet) : epoch.delivered.first();
  return std::min(end, epoch.delivered.end());
}

void Channel::confirm(LineState& line, const Packet& packet) noexcept {
  const bool is_in_previous = previous_->number != 0 && line.epoch == previous_->number;
  Epoch& own = is_in_previous ? *previous_ : *newest_;
  const bool goes_ahead =
      packet.datagram.session == own.session && packet.first() >= came_to(own, line, packet);
  const LineState* const other = other_line_showing(line, packet);
  std::uint64_t first = packet.first();
  if (stands_near(line.candidate, packet)) first = std::min(first, line.candidate.range.first);
  if (other) first = std::min(first, other->candidate.range.first);
  Epoch& epoch = goes_ahead ? own : begin_epoch(packet.datagram.session, first, packet.arrival_ns);
  if (!goes_ahead) settle_revived(epoch, line, packet);
  for (std::uint32_t i = 0; i < shared_.settings.lines; ++i)
    if (stands_near(lines_[i].candidate, packet)) settle(epoch, lines_[i]);
  end_doubt(line);
  const Packet& confirming = goes_ahead ? packet : packet.without_place();
  if (packet.datagram.count)
    accept(epoch, line, confirming);
  else
    announcement(confirming);
}

/// The line's candidate was the beginning of what is now known to be the epoch.
void Channel::settle(Epoch& epoch, LineState& line) noexcept {
  Candidate& candidate = line.candidate;
  const bool moves = line.epoch != epoch.number;
  shared_.held -= candidate.held_count();
  candidate.active = false;
  if (candidate.kept_count == 0) {
    Packet heartbeat;
    heartbeat.datagram = {
        .first = candidate.range.first, .session = candidate.session, .count = 0, .numbered = 1};
    return show(epoch, line, heartbeat);
  }
  for (std::uint32_t i = 0; i < candidate.kept_count; ++i) {
    const Packet packet = moves ? candidate.kept[i].without_place() : candidate.kept[i];
    if (!candidate.delivered) {
      accept(epoch, line, packet);
      continue;
    }
    show(epoch, line, packet);
    settle_apart(epoch, {packet.first(), packet.end()}, Delivered::to_ms(packet.arrival_ns));
  }
}

std::uint64_t Channel::oldest_doubt_ns() const noexcept {
  std::uint64_t oldest = ~0ull;
  for (const LineState& line : lines_)
    if (line.candidate.held_count() > 0) oldest = std::min(oldest, line.candidate.since_ns);
  return oldest;
}

bool Channel::end_oldest_doubt() noexcept {
  const std::uint64_t oldest = oldest_doubt_ns();
  for (LineState& line : lines_) {
    if (line.candidate.held_count() == 0 || line.candidate.since_ns != oldest) continue;
    end_wait(line);
    return true;
  }
  return false;
}

void Channel::expire(std::uint64_t now_ns) noexcept {
  for (LineState& line : lines_)
    if (line.candidate.held_count() > 0 &&
        now_ns >= line.candidate.since_ns + shared_.settings.hold_ns)
      end_wait(line);
}

}  // namespace linearb::sequencer
