// SPDX-License-Identifier: Apache-2.0
#include "sequencer/copy_check.h"

#include <algorithm>

#include "sequencer/apart.h"

namespace linearb::sequencer {
namespace {

/// A multiplier of MurmurHash3's finalizer; for each hash a bijection of the values.
std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) noexcept {
  hash = (hash ^ value) * 0xff51afd7ed558ccdull;
  return hash ^ hash >> 32;
}

}  // namespace

CopyCheck::CopyCheck(Decisions& next, Notices* notices)
    : next_(next), notices_(notices), messages_(kMessages) {}

void CopyCheck::decided(const Packet& packet, const Decision& decision) noexcept {
  if (!packet.is_claimed && decision.epoch != 0 && packet.datagram.count > 0 &&
      decision.outcome != Outcome::malformed)
    compare(packet, decision);
  next_.decided(packet, decision);
}

void CopyCheck::compare(const Packet& packet, const Decision& decision) noexcept {
  const Channel& channel = sequencer_->channel(packet.channel);
  const lb_framing& framing = channel.framing();
  const bool tells_messages = messages_are_told_apart(framing, packet);
  const std::uint64_t whole = tells_messages ? 0 : mixed(packet.first(), packet.datagram.count);
  const std::uint64_t origin = mixed(mixed(channel.serial() + 1, decision.epoch), whole);
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  for_each_message(framing, packet, [&](std::uint64_t number, std::uint64_t hash) {
    const std::uint64_t key = mixed(origin, number) | 1;
    Message& message = messages_[(origin + number) % kMessages];  // what follows is beside it
    const bool is_new = std::ranges::any_of(
        decision.news, [=](const lb_run& run) { return number - run.first < run.count; });
    if (is_new) {
      message = {key, hash};
    } else if (message.key == key && message.hash != hash) {
      if (count++ == 0) first = number;
    }
  });
  if (count == 0) return;
  ++divergent_[packet.line];
  if (!notices_) return;
  notices_->tell({.kind = Notice::Kind::divergent,
                  .line = packet.line,
                  .place = packet.channel,
                  .epoch = decision.epoch,
                  .first = first,
                  .count = count,
                  .ns = packet.arrival_ns});
}

}  // namespace linearb::sequencer
