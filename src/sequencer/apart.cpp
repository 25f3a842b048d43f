// SPDX-License-Identifier: Apache-2.0
#include "sequencer/apart.h"

namespace linearb::sequencer {

void ApartMessages::add(std::uint32_t channel, const Packet& packet, std::uint64_t number,
                        std::uint64_t hash, std::uint64_t epoch) noexcept {
  Message& message = at(number);
  if (!message.used) ++used_;
  message = {.number = number,
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
  const Message& message = at(number);
  return message.is_of(channel, number) && message.session == session && message.hash == hash;
}

bool ApartMessages::may_have(std::uint32_t channel, const Packet& packet) const noexcept {
  if (used_ == 0) return false;
  for (std::uint64_t number = packet.first(); number < packet.end(); ++number)
    if (at(number).is_of(channel, number)) return true;
  return false;
}

bool ApartMessages::is_counted_in(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                                  std::uint64_t number) const noexcept {
  const Message& message = at(number);
  return message.is_of(channel, number) && message.epoch == epoch && message.line == line;
}

std::uint64_t ApartMessages::counted_since_ns(std::uint64_t epoch, std::uint32_t channel,
                                              std::uint64_t number) const noexcept {
  const Message& message = at(number);
  return message.is_of(channel, number) && message.epoch == epoch ? message.since_ns : 0;
}

std::uint64_t ApartMessages::forget(std::uint32_t channel, std::uint64_t session,
                                    std::uint64_t number) noexcept {
  Message& message = at(number);
  if (!message.is_of(channel, number) || message.session != session) return 0;
  forget(message);
  return message.epoch;
}

void ApartMessages::forget_counted(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                                   Range range) noexcept {
  const std::uint64_t places = std::min<std::uint64_t>(range.end - range.first, kMessages);
  for (std::uint64_t i = 0; i < places; ++i) {
    Message& message = at(range.first + i);
    const bool is_in_range = message.number >= range.first && message.number < range.end;
    if (message.used && is_in_range && message.channel == channel && message.epoch == epoch &&
        message.line == line)
      forget(message);
  }
}

void ApartMessages::forget_older_than(std::uint64_t ns) noexcept {
  if (used_ == 0) return;
  for (Message& message : messages_)
    if (message.used && message.since_ns < ns) forget(message);
}

void ApartMessages::forget(Message& message) noexcept {
  message.used = false;
  --used_;
}

}  // namespace linearb::sequencer
