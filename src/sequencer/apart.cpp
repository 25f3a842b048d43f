// SPDX-License-Identifier: Apache-2.0
#include "sequencer/apart.h"

#include <algorithm>

namespace linearb::sequencer {

/// A number that is there already is replaced, else a free place is taken, else the oldest.
void ApartMessages::add(std::uint32_t channel, const Packet& packet, std::uint64_t number,
                        std::uint64_t hash, std::uint64_t epoch) noexcept {
  Message* place = find(channel, number);
  if (!place)
    place = &*std::ranges::min_element(set_of(number), {}, [](const Message& message) {
      return message.used ? message.since_ns + 1 : 0;
    });
  if (!place->used) ++used_;
  oldest_ns_ = std::min(oldest_ns_, packet.arrival_ns);
  *place = {.number = number,
            .session = packet.datagram.session,
            .hash = hash,
            .since_ns = packet.arrival_ns,
            .epoch = epoch,
            .channel = channel,
            .line = packet.line,
            .used = true};
}

bool ApartMessages::has(std::uint32_t channel, std::uint64_t session, std::uint64_t number,
                        std::uint64_t hash) const noexcept {
  const Message* const message = find(channel, number);
  return message && message->session == session && message->hash == hash;
}

bool ApartMessages::may_have(std::uint32_t channel, const Packet& packet) const noexcept {
  if (used_ == 0) return false;
  for (std::uint64_t number = packet.first(); number < packet.end(); ++number)
    if (find(channel, number)) return true;
  return false;
}

bool ApartMessages::is_counted_in(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                                  std::uint64_t number) const noexcept {
  const Message* const message = find(channel, number);
  return message && message->epoch == epoch && message->line == line;
}

std::uint64_t ApartMessages::counted_since_ns(std::uint64_t epoch, std::uint32_t channel,
                                              std::uint64_t number) const noexcept {
  const Message* const message = find(channel, number);
  return message && message->epoch == epoch ? message->since_ns : 0;
}

ApartMessages::Origin ApartMessages::forget(std::uint32_t channel, std::uint64_t session,
                                            std::uint64_t number) noexcept {
  Message* const message = find(channel, number);
  if (!message || message->session != session) return {};
  forget(*message);
  return {message->epoch, message->line};
}

void ApartMessages::forget_counted(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                                   Range range) noexcept {
  if (used_ == 0) return;
  const std::uint64_t sets = std::min<std::uint64_t>(range.end - range.first, kSets);
  for (std::uint64_t i = 0; i < sets; ++i)
    for (Message& message : set_of(range.first + i)) {
      const bool is_in_range = message.number >= range.first && message.number < range.end;
      if (message.used && is_in_range && message.channel == channel && message.epoch == epoch &&
          message.line == line)
        forget(message);
    }
}

void ApartMessages::forget(Message& message) noexcept {
  message.used = false;
  --used_;
}

}  // namespace linearb::sequencer
