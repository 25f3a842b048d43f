// SPDX-License-Identifier: Apache-2.0
//
// What a feed says of its numbers: which one comes next, that they begin anew, that some are sent
// once more.
#include <algorithm>

#include "core/fnv.h"
#include "sequencer/channel.h"

namespace linearb::sequencer {
namespace {

/// Tells one reset from the next: copies of one have the same bytes.
std::uint64_t hash_of(const Packet& packet) noexcept {
  return lb_fnv(LB_FNV_BASIS, packet.payload.data(),
                static_cast<std::uint32_t>(packet.payload.size()));
}

}  // namespace

void Channel::announcement(const Packet& packet) noexcept {
  LineState& line = lines_[packet.line];
  const std::uint64_t next = packet.first();
  if (next > framing_.sequence_limit) return;  // no number of this feed
  if (newest_->number == 0) begin_epoch(packet.datagram.session, next, packet.arrival_ns);
  Epoch* const epoch = epoch_of(line, packet);
  line.last_ns = packet.arrival_ns;
  if (!epoch) {
    if (!is_over(packet.datagram.session)) doubt(line, packet, true);
    return;
  }
  if (epoch->number < line.epoch) return;
  const std::uint64_t end = own_end(*epoch, line, packet);
  if ((next + near(packet) < end && may_be_restart(*epoch, line, packet)) ||
      next > std::max(end, epoch->delivered.end()) + shared_.settings.ahead)
    return doubt(line, packet, true);
  show(*epoch, line, packet);
  epoch->delivered.announce(next);
}

/// The first line to show a reset begins the epoch. Another line's is the same one, and so is what
/// a line says again before it goes on: some venues repeat a reset for seconds.
Channel::Reset Channel::reset(const Packet& packet) noexcept {
  LineState& line = lines_[packet.line];
  const bool is_repeated = is_still_at_reset(line, packet);
  const bool moves = follow_reset(line, packet);
  line.reset_end = packet.end();
  if (moves) return Reset::moved;
  if (!is_repeated) return Reset::known;
  line.last_ns = packet.arrival_ns;
  return Reset::repeated;
}

bool Channel::is_still_at_reset(const LineState& line, const Packet& packet) const noexcept {
  return line.epoch != 0 && line.epoch == newest_->number && line.end == line.reset_end &&
         packet.datagram.session == newest_->session && packet.end() <= line.end;
}

bool Channel::follow_reset(LineState& line, const Packet& packet) noexcept {
  const std::uint64_t session = packet.datagram.session;
  if (is_of_the_last_reset(line, packet)) return false;
  if (newest_->number == 0 || packet.first() >= framing_.sequence_limit) return false;
  if (session != newest_->session) {
    const bool is_known = previous_->number != 0 && session == previous_->session;
    if (is_known || is_over(session) || is_of_older_session(packet)) return false;
  } else if (Epoch* const epoch = epoch_of_reset(line, packet)) {
    if (line.epoch >= epoch->number) return false;
    end_doubt(line);
    move_line(*epoch, line, packet);
    return true;
  }
  end_doubt(line);
  Epoch& epoch = begin_epoch(session, packet.first(), packet.arrival_ns);
  epoch.reset_hash = hash_of(packet);
  move_line(epoch, line, packet);
  return true;
}

/// Eurex says it in the first few packets, each with a number of its own: what is missing between
/// them was lost.
bool Channel::is_of_the_last_reset(const LineState& line, const Packet& packet) const noexcept {
  return packet.datagram.count > 0 && line.epoch != 0 && line.end == line.reset_end &&
         packet.datagram.session == line.session && packet.first() >= line.end &&
         packet.first() <= line.end + near(packet);
}

/// Null when none has begun with it.
Channel::Epoch* Channel::epoch_of_reset(const LineState& line, const Packet& packet) noexcept {
  const std::uint64_t hash = hash_of(packet);
  if (hash == newest_->reset_hash) return newest_;
  if (previous_->number != 0 && hash == previous_->reset_hash) return previous_;
  if (line.epoch == newest_->number) return begins_anew(line, packet) ? nullptr : newest_;
  return line.epoch == previous_->number || previous_->number == 0 ? newest_ : previous_;
}

/// The line has gone beyond it, or it goes where no line has been.
bool Channel::begins_anew(const LineState& line, const Packet& packet) const noexcept {
  if (packet.first() > std::max(line.end, newest_->delivered.end())) return true;
  // What the line brought last has the number of it, and is no reset.
  const bool is_behind =
      packet.end() < line.end ||
      (packet.datagram.count > 0 && packet.end() == line.end && line.end != line.reset_end);
  return is_behind && passed_long_ago(line, packet);
}

/// It fills holes, and says nothing about where its line is.
void Channel::repair(const Packet& packet) noexcept {
  if (Epoch* const epoch = epoch_to_repair(packet)) {
    take(*epoch, packet, 0, outcome_of_nothing_new(*epoch, packet));
  } else if (is_over(packet.datagram.session)) {
    decide(packet, Outcome::old_epoch, 0, 0);
  } else {
    deliver_apart(packet);
  }
}

/// Mostly the newest; but what that has not come to yet, and was missed before it, is of the other.
Channel::Epoch* Channel::epoch_to_repair(const Packet& packet) noexcept {
  const std::uint64_t session = packet.datagram.session;
  const bool in_newest = newest_->number != 0 && newest_->session == session &&
                         packet.first() <= newest_->delivered.end() + shared_.settings.ahead;
  // Under a session of its own the end of it may have been missed; else that is the newest's.
  const std::uint64_t beyond = session == newest_->session ? 0 : shared_.settings.ahead;
  const bool in_previous = previous_->number != 0 && previous_->session == session &&
                           packet.first() < previous_->delivered.end() + beyond;
  if (in_newest && in_previous && packet.first() >= newest_->delivered.end() &&
      packet.first() >= previous_->delivered.first()) {
    const auto knowledge = previous_->delivered.knowledge(packet.first(), packet.datagram.count);
    return knowledge == Delivered::Knowledge::missing ? previous_ : newest_;
  }
  return in_newest ? newest_ : in_previous ? previous_ : nullptr;
}

}  // namespace linearb::sequencer
