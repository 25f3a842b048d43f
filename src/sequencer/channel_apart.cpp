// SPDX-License-Identifier: Apache-2.0
//
// What was delivered before it was known where it belongs, and what was taken for an epoch's that
// the line had left: known by its bytes until it has found its place.
#include <algorithm>
#include <span>
#include <utility>

#include "sequencer/channel.h"

namespace linearb::sequencer {

void Channel::deliver_apart(const Packet& packet) noexcept {
  std::size_t runs = 0;
  std::uint32_t messages = 0;
  for_each_message(framing_, packet, [&](std::uint64_t number, std::uint64_t hash) {
    if (shared_.apart.has(serial_, packet.datagram.session, number, hash)) return;
    shared_.apart.add(serial_, packet, number, hash, 0);
    lb_run* const last = runs > 0 ? &shared_.news[runs - 1] : nullptr;
    if (last && last->first + last->count == number)
      ++last->count;
    else
      shared_.news[runs++] = {number, 1};
    ++messages;
  });
  apart_messages_ += messages;
  decide(packet, outcome_of_news(packet, runs, Outcome::duplicate), 0, runs);
}

/// What was delivered apart, or in another epoch, belongs to this one.
void Channel::settle_apart(Epoch& epoch, Range range, std::uint32_t now_ms) noexcept {
  for (std::uint64_t number = range.first; number < range.end; ++number) {
    const auto [counted_in, brought_by] = shared_.apart.forget(serial_, epoch.session, number);
    if (epoch.delivered.take(number, 1, now_ms, shared_.news.data()) == 0) continue;
    shared_.gaps.note_settled({serial_, epoch.number}, number);
    // The line went on since, and this was taken for lost.
    if (brought_by < lines_.size() && lines_[brought_by].epoch == epoch.number)
      lines_[brought_by].lost_messages -= lines_[brought_by].holes.fill({number, number + 1});
    Epoch* const other = epoch_numbered(counted_in);
    if (other && other->delivered.give_back(number))
      shared_.gaps.note_reopened({serial_, other->number}, number);
    else
      --(counted_in == 0 ? apart_messages_ : closed_messages_);
  }
}

/// What was delivered apart while the epoch was the newest, with a number that is missing in it,
/// was the epoch's: a packet that stood alone between two jumps. Nothing more comes of the epoch
/// that could say otherwise.
void Channel::settle_what_is_in_range(Epoch& epoch) noexcept {
  shared_.apart.for_each_uncounted(
      serial_, epoch.session, epoch.began_ns, next_began_ns(epoch),
      [&](std::uint64_t number) { settle_if_in_range(epoch, number); });
}

void Channel::settle_old(std::uint64_t session, std::uint64_t number,
                         std::uint64_t since_ns) noexcept {
  for (Epoch& epoch : epochs_)
    if (epoch.number != 0 && epoch.session == session && since_ns >= epoch.began_ns &&
        since_ns < next_began_ns(epoch))
      settle_if_in_range(epoch, number);
}

void Channel::settle_if_in_range(Epoch& epoch, std::uint64_t number) noexcept {
  if (number < epoch.delivered.first() || number >= epoch.delivered.end()) return;
  if (is_of_a_candidate(epoch.session, number)) return;
  settle_apart(epoch, {number, number + 1}, 0);
  lb_memory_store(&memory_.in_hand.count, 0);  // it was delivered long ago
}

/// When the epoch was no longer the newest.
std::uint64_t Channel::next_began_ns(const Epoch& epoch) const noexcept {
  const Epoch& other = &epoch == newest_ ? *previous_ : *newest_;
  return other.number > epoch.number ? other.began_ns : ~0ull;
}

/// It may be the beginning of another epoch.
bool Channel::is_of_a_candidate(std::uint64_t session, std::uint64_t number) const noexcept {
  return std::ranges::any_of(lines_, [=](const LineState& line) {
    const Candidate& candidate = line.candidate;
    return candidate.active && candidate.session == session && number >= candidate.range.first &&
           number < candidate.range.end;
  });
}

/// The news at hand come from where the line was long ago.
void Channel::revive(const Epoch& epoch, LineState& line, const Packet& packet,
                     std::size_t runs) noexcept {
  const std::span<const lb_run> news(shared_.news.data(), runs);
  for_each_message(framing_, packet, [&](std::uint64_t number, std::uint64_t hash) {
    if (std::ranges::any_of(news, [=](lb_run run) { return number - run.first < run.count; }))
      shared_.apart.add(serial_, packet, number, hash, epoch.number);
  });
  if (!is_near(line.revived, packet)) line.revived = {packet.first(), packet.end()};
  line.revived = {std::min(line.revived.first, packet.first()),
                  std::max(line.revived.end, packet.end())};
}

/// The line has restarted: what it brought just before did not fill a hole of the epoch before.
void Channel::settle_revived(Epoch& epoch, LineState& line, const Packet& packet) noexcept {
  if (!is_near(line.revived, packet)) return forget_revived(line);
  const Range revived = std::exchange(line.revived, {});
  for (std::uint64_t number = revived.first; number < revived.end; ++number)
    if (shared_.apart.is_counted_in(line.epoch, serial_, packet.line, number))
      settle_apart(epoch, {number, number + 1}, Delivered::to_ms(packet.arrival_ns));
}

/// They filled a hole. In the next epoch a message with the same number and bytes is another one.
void Channel::forget_revived(LineState& line) noexcept {
  const Range revived = std::exchange(line.revived, {});
  if (revived.end == 0) return;
  shared_.apart.forget_counted(line.epoch, serial_,
                               static_cast<std::uint8_t>(&line - lines_.data()), revived);
}

bool Channel::is_near(Range range, const Packet& packet) const noexcept {
  return range.end != 0 && packet.first() <= range.end + near(packet) &&
         packet.end() + near(packet) >= range.first;
}

}  // namespace linearb::sequencer
