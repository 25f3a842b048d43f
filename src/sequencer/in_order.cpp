// SPDX-License-Identifier: Apache-2.0
#include "sequencer/in_order.h"

#include <algorithm>

namespace linearb::sequencer {
namespace {

std::uint64_t end_of(lb_run run) noexcept {
  return run.first + run.count;
}

}  // namespace

InOrder::InOrder(const Limits& limits, Decisions& decisions)
    : limits_(limits),
      decisions_(decisions),
      channels_(limits.channels),
      held_(limits.packets),
      pieces_(2 * limits.packets) {
  waiting_.reserve(limits.channels);
  for (std::uint32_t i = 0; i < held_.size(); ++i) {
    held_[i].next_free = std::exchange(free_held_, i);
  }
  for (std::uint32_t i = 0; i < pieces_.size(); ++i) {
    pieces_[i].after = std::exchange(free_piece_, i);
    ++free_pieces_;
  }
}

void InOrder::decided(const Packet& packet, const Decision& decision) noexcept {
  if (decision.news.empty() || decision.epoch == 0) return decisions_.decided(packet, decision);
  Channel& channel = channels_[packet.channel];
  if (channel.epoch == 0) go_on_at(channel, decision.epoch, decision.news.front().first);
  std::span<const lb_run> news = decision.news;
  while (!news.empty()) {
    if (is_due(channel, decision.epoch, news.front())) {
      deliver_now(channel, packet, decision, news);
      news = news.subspan(1);
    } else if (has_room_for(news.size())) {
      return hold(channel, packet, decision, news);
    } else if (!end_oldest()) {
      go_on_at(channel, decision.epoch, news.front().first);
    }
  }
}

bool InOrder::is_due(const Channel& channel, std::uint64_t epoch, lb_run run) const noexcept {
  return epoch < channel.epoch || (epoch == channel.epoch && run.first <= channel.next);
}

/// The first of the runs; what comes right behind it was held perhaps.
void InOrder::deliver_now(Channel& channel, const Packet& packet, const Decision& decision,
                          std::span<const lb_run> news) noexcept {
  tell(packet, {decision.outcome, decision.epoch, news.first(1)}, news.size() == 1);
  count_if_late(channel, decision.epoch, news.front());
  if (decision.epoch < channel.epoch) return;
  channel.next = std::max(channel.next, end_of(news.front()));
  release_what_is_due(channel);
}

void InOrder::count_if_late(const Channel& channel, std::uint64_t epoch, lb_run run) noexcept {
  if (epoch < channel.epoch || run.first < channel.next) late_repairs_ += run.count;
}

void InOrder::tell(const Packet& packet, const Decision& decision, bool is_last) noexcept {
  if (is_last)
    decisions_.decided(packet, decision);
  else
    decisions_.part(packet, decision);
}

bool InOrder::has_room_for(std::size_t pieces) const noexcept {
  return free_held_ != kNone && pieces <= free_pieces_;
}

void InOrder::hold(Channel& channel, const Packet& packet, const Decision& decision,
                   std::span<const lb_run> news) noexcept {
  const std::uint32_t place = free_held_;
  Held& held = held_[place];
  free_held_ = held.next_free;
  held.packet = packet;
  held.outcome = decision.outcome;
  held.epoch = decision.epoch;
  held.pieces = static_cast<std::uint32_t>(news.size());
  ++held_count_;
  if (channel.first == kNone) begin_waiting(channel, packet);
  for (const lb_run& run : news) {
    const std::uint32_t piece = free_piece_;
    free_piece_ = pieces_[piece].after;
    --free_pieces_;
    pieces_[piece].run = run;
    pieces_[piece].held = place;
    insert(channel, piece);
  }
}

/// From behind: mostly it is the last.
void InOrder::insert(Channel& channel, std::uint32_t index) noexcept {
  Piece& piece = pieces_[index];
  piece.before = channel.last;
  piece.after = kNone;
  while (piece.before != kNone && is_before(piece, pieces_[piece.before])) {
    piece.after = piece.before;
    piece.before = pieces_[piece.before].before;
  }
  (piece.before == kNone ? channel.first : pieces_[piece.before].after) = index;
  (piece.after == kNone ? channel.last : pieces_[piece.after].before) = index;
}

bool InOrder::is_before(const Piece& piece, const Piece& other) const noexcept {
  const std::uint64_t epoch = epoch_of(piece);
  const std::uint64_t other_epoch = epoch_of(other);
  return epoch < other_epoch || (epoch == other_epoch && piece.run.first < other.run.first);
}

void InOrder::begin_waiting(Channel& channel, const Packet& packet) noexcept {
  channel.since_ns = packet.arrival_ns;
  waiting_.push_back(static_cast<std::uint16_t>(&channel - channels_.data()));
}

void InOrder::release_what_is_due(Channel& channel) noexcept {
  if (channel.first == kNone) return;
  while (channel.first != kNone) {
    const Piece& front = pieces_[channel.first];
    if (!is_due(channel, epoch_of(front), front.run)) break;
    release_front(channel);
  }
  if (channel.first == kNone)
    std::erase(waiting_, static_cast<std::uint16_t>(&channel - channels_.data()));
  else
    channel.since_ns = held_[pieces_[channel.first].held].packet.arrival_ns;
}

void InOrder::release_front(Channel& channel) noexcept {
  const std::uint32_t index = channel.first;
  Piece& piece = pieces_[index];
  Held& held = held_[piece.held];
  channel.first = piece.after;
  (channel.first == kNone ? channel.last : pieces_[channel.first].before) = kNone;
  // Also of what waited: where a number turned out to be free again, a second message may have it.
  count_if_late(channel, held.epoch, piece.run);
  if (held.epoch == channel.epoch) channel.next = std::max(channel.next, end_of(piece.run));
  const bool is_last = --held.pieces == 0;
  tell(held.packet, {held.outcome, held.epoch, {&piece.run, 1}}, is_last);
  if (is_last) {
    held.next_free = std::exchange(free_held_, piece.held);
    --held_count_;
  }
  piece.after = std::exchange(free_piece_, index);
  ++free_pieces_;
}

void InOrder::go_on_at(Channel& channel, std::uint64_t epoch, std::uint64_t number) noexcept {
  channel.epoch = epoch;
  channel.next = number;
}

/// Nobody waits for what is missing before the first that is held.
void InOrder::end_hold(Channel& channel) noexcept {
  const Piece& front = pieces_[channel.first];
  go_on_at(channel, epoch_of(front), front.run.first);
  release_what_is_due(channel);
}

void InOrder::passed(std::uint16_t index, std::uint64_t epoch, std::uint64_t end) noexcept {
  Channel& channel = channels_[index];
  while (channel.first != kNone && channel.epoch == epoch && channel.next < end) {
    const Piece& front = pieces_[channel.first];
    if (epoch_of(front) == epoch && front.run.first <= end) {
      end_hold(channel);
      continue;
    }
    channel.next = end;
  }
}

void InOrder::left(std::uint16_t index, std::uint64_t epoch) noexcept {
  Channel& channel = channels_[index];
  while (channel.first != kNone && channel.epoch < epoch &&
         epoch_of(pieces_[channel.first]) <= epoch)
    end_hold(channel);
}

void InOrder::tick(std::uint64_t now_ns) noexcept {
  for (std::size_t i = waiting_.size(); i > 0; --i) {
    Channel& channel = channels_[waiting_[i - 1]];
    while (channel.first != kNone && now_ns >= channel.since_ns + limits_.hold_ns)
      end_hold(channel);
  }
}

bool InOrder::end_oldest() noexcept {
  if (waiting_.empty()) return false;
  end_hold(channels_[*std::ranges::min_element(
      waiting_, {}, [this](std::uint16_t index) { return channels_[index].since_ns; })]);
  return true;
}

void InOrder::end(std::uint16_t index) noexcept {
  Channel& channel = channels_[index];
  while (channel.first != kNone) end_hold(channel);
  channel = {};
}

void InOrder::finish() noexcept {
  while (end_oldest()) {
  }
}

InOrder::Wait InOrder::wait_of(std::uint16_t index) const noexcept {
  const Channel& channel = channels_[index];
  const std::uint64_t epoch = epoch_of(pieces_[channel.first]);
  return {index, channel.epoch, channel.next, epoch};
}

}  // namespace linearb::sequencer
