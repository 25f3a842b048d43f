// SPDX-License-Identifier: Apache-2.0
#include "sequencer/sequencer.h"

#include <algorithm>

namespace linearb::sequencer {
namespace {

/// A datagram has at most 65,535 messages; every second of them new makes the most runs.
constexpr std::size_t kRunsMax = 32'768;

}  // namespace

Sequencer::Sequencer(std::span<const lb_framing* const> framings, const Settings& settings,
                     Dedup dedup, Decisions& decisions, std::size_t room)
    : channels_(std::max(room, framings.size())), decisions_(decisions) {
  shared_.settings = settings;
  shared_.news.resize(kRunsMax);
  shared_.decisions = this;
  for (std::size_t i = 0; i < framings.size(); ++i)
    if (framings[i]) channels_[i] = make_channel(static_cast<std::uint32_t>(i), *framings[i]);
  if (dedup == Dedup::identifiers) seen_ = std::make_unique<SeenIdentifiers>();
}

void Sequencer::install(std::size_t index, std::unique_ptr<Channel> channel) noexcept {
  channels_[index] = std::move(channel);
}

std::unique_ptr<Channel> Sequencer::remove(std::size_t index) noexcept {
  Channel& channel = *channels_[index];
  channel.finish();
  for (std::uint32_t line = 0; line < LB_LINES_MAX; ++line)
    lost_on_removed_[line] += channel.lost_messages(line);
  return std::move(channels_[index]);
}

void Sequencer::push(const Packet& packet) noexcept {
  ++counts_[packet.line].packets;
  if (packet.is_of_no_channel) return decided(packet, {Outcome::not_feed, 0, {}});
  if (!has(packet.channel)) return decided(packet, {Outcome::old_epoch, 0, {}});
  if (!channels_[packet.channel]->only_repairs(packet.line)) return push_by_kind(packet);
  Packet repair = packet;
  repair.kind = lb_as_repair(repair.kind, &repair.datagram);
  push_by_kind(repair);
}

void Sequencer::push_by_kind(const Packet& packet) noexcept {
  switch (packet.kind) {
    case LB_KIND_DATA:
    case LB_KIND_RETRANSMISSION:
    case LB_KIND_UNSEQUENCED:
      return push_data(packet);
    case LB_KIND_HEARTBEAT:
    case LB_KIND_END_OF_SESSION:
      return push_control(packet);
    case LB_KIND_RESET:
      return push_reset(packet);
    case LB_KIND_MALFORMED:
      return decided(packet, {Outcome::malformed, 0, {}});
  }
}

void Sequencer::push_reset(const Packet& packet) noexcept {
  if (!packet.datagram.numbered || seen_) return push_control(packet);
  Channel& channel = *channels_[packet.channel];
  const Channel::Reset reset = channel.reset(packet);
  if (reset == Channel::Reset::moved) return push_control(packet.without_place());
  if (reset == Channel::Reset::known || packet.datagram.count == 0) return push_control(packet);
  // Taken for data it would look as if the numbers began anew: it is from their beginning.
  Packet again = packet;
  again.kind = LB_KIND_RETRANSMISSION;
  push_data(again);
}

/// Some of it has messages with numbers all the same.
void Sequencer::push_control(const Packet& packet) noexcept {
  if (packet.datagram.count > 0) return push_data(packet);
  if (packet.datagram.numbered && !seen_) channels_[packet.channel]->announcement(packet);
  decided(packet, {Outcome::control, 0, {}});
}

void Sequencer::push_data(const Packet& packet) noexcept {
  if (!messages_fit(channels_[packet.channel]->framing(), packet))
    return decided(packet, {Outcome::malformed, 0, {}});
  if (packet.kind == LB_KIND_UNSEQUENCED) return decided(packet, {Outcome::unsequenced, 0, {}});
  if (packet.kind == LB_KIND_RETRANSMISSION && !seen_)
    return channels_[packet.channel]->repair(packet);
  if (!seen_) {
    const std::uint64_t held_before = shared_.held;
    channels_[packet.channel]->data(packet);
    if (shared_.held > held_before) note_doubt(packet.channel);
    if (shared_.held > kHeldMax) end_oldest_doubt();
    return;
  }
  if (!seen_->insert(static_cast<std::uint32_t>(packet.first())))
    return decided(packet, {Outcome::duplicate, 0, {}});
  ++identifiers_;
  const lb_run whole{packet.first(), packet.datagram.count};
  decided(packet, {Outcome::won, 0, {&whole, 1}});
}

/// Each of them holds a packet at least, so with those that do not any more dropped there is room.
void Sequencer::note_doubt(std::uint16_t index) noexcept {
  const auto begin = doubting_.begin();
  if (std::find(begin, begin + doubting_count_, index) != begin + doubting_count_) return;
  if (static_cast<std::size_t>(doubting_count_) == doubting_.size()) drop_doubtless();
  doubting_[static_cast<std::size_t>(doubting_count_++)] = index;
}

void Sequencer::drop_doubtless() noexcept {
  const auto begin = doubting_.begin();
  doubting_count_ = std::remove_if(begin, begin + doubting_count_,
                                   [this](std::uint16_t index) { return !is_doubting(index); }) -
                    begin;
}

bool Sequencer::is_doubting(std::uint16_t index) const noexcept {
  return has(index) && channels_[index]->oldest_doubt_ns() != ~0ull;
}

void Sequencer::end_oldest_doubt() noexcept {
  drop_doubtless();
  const auto begin = doubting_.begin();
  const auto oldest = std::min_element(
      begin, begin + doubting_count_, [this](std::uint16_t one, std::uint16_t other) {
        return channels_[one]->oldest_doubt_ns() < channels_[other]->oldest_doubt_ns();
      });
  channels_[*oldest]->end_oldest_doubt();
}

void Sequencer::tick(std::uint64_t now_ns) noexcept {
  const std::uint64_t lag_ns = shared_.settings.lag_ns;
  if (now_ns > lag_ns) forget_apart_older_than(now_ns - lag_ns);
  if (shared_.held == 0) return;
  drop_doubtless();
  for (std::ptrdiff_t i = 0; i < doubting_count_; ++i)
    channels_[doubting_[static_cast<std::size_t>(i)]]->expire(now_ns);
}

void Sequencer::forget_apart_older_than(std::uint64_t ns) noexcept {
  shared_.apart.forget_older_than(ns, [this](std::uint32_t serial, std::uint64_t session,
                                             std::uint64_t number, std::uint64_t since_ns) {
    for (const auto& channel : channels_)
      if (channel && channel->serial() == serial) channel->settle_old(session, number, since_ns);
  });
}

void Sequencer::finish() noexcept {
  for (const auto& channel : channels_)
    if (channel) channel->finish();
}

void Sequencer::decided(const Packet& packet, const Decision& decision) noexcept {
  ++counts_[packet.line].outcomes[static_cast<std::size_t>(decision.outcome)];
  decisions_.decided(packet, decision);
}

std::uint64_t Sequencer::lost_messages(std::size_t line) const noexcept {
  std::uint64_t lost = lost_on_removed_[line];
  for (const auto& channel : channels_)
    if (channel) lost += channel->lost_messages(static_cast<std::uint32_t>(line));
  return lost;
}

std::uint64_t Sequencer::messages(std::size_t channel) const noexcept {
  return seen_ ? identifiers_ : channels_[channel]->messages();
}

bool messages_fit(const lb_framing& framing, const Packet& packet) noexcept {
  const auto length = static_cast<std::uint32_t>(packet.payload.size());
  if (lb_framing_is_one_message(&framing) ||
      !lb_messages_can_be_walked(&framing, packet.payload.data(), length))
    return true;
  std::uint32_t offset = framing.header_length;
  for (std::uint32_t i = 1; i < packet.datagram.count; ++i) {
    const std::uint32_t message =
        lb_message_length(&framing, packet.payload.data(), length, offset);
    if (message == 0) return false;
    offset += message;
  }
  return offset + framing.message_length.offset + framing.message_length.width <= length;
}

}  // namespace linearb::sequencer
