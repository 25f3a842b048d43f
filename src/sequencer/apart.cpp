// SPDX-License-Identifier: Apache-2.0
#include "sequencer/apart.h"

namespace linearb::sequencer {

void ApartMessages::add(std::uint32_t channel, const Packet& packet, std::uint64_t number,
                        std::uint64_t hash) noexcept {
  Message& message = at(number);
  if (!message.used) ++used_;
  message = {.number = number,
             .session = packet.datagram.session,
             .hash = hash,
             .since_ns = packet.arrival_ns,
             .channel = channel,
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

void ApartMessages::forget(std::uint32_t channel, std::uint64_t session, lb_run run) noexcept {
  for (std::uint64_t number = run.first; used_ != 0 && number < run.first + run.count; ++number)
    if (at(number).is_of(channel, number) && at(number).session == session) forget(at(number));
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
