// SPDX-License-Identifier: Apache-2.0
#include "receiver/injections.h"

#include <algorithm>

#include "core/walk.h"
#include "xsk/packet_header.h"

namespace linearb::receiver {
namespace {

/// From nobody, to the destination.
xsk::PacketHeader header_to(const Destination& destination) noexcept {
  return xsk::PacketHeader({.source_mac = {},
                            .destination_mac = lb_is_multicast(destination.address)
                                                   ? xsk::multicast_mac(destination.address)
                                                   : xsk::kBroadcastMac,
                            .source = 0,
                            .destination = destination.address,
                            .source_port = 0,
                            .destination_port = destination.port});
}

}  // namespace

Injections::Injections() : memory_(kPackets * kSlotBytes) {
  static_assert(xsk::kHeaderLength + kPayloadMax <= kSlotBytes);
  for (std::uint32_t slot = 0; slot < kPackets; ++slot) free_.push(slot);
}

bool Injections::push(std::uint32_t serial, std::uint16_t place, const Destination& destination,
                      std::span<const std::uint8_t> payload) {
  const std::lock_guard lock(mutex_);
  const auto slot = is_closed_ ? std::nullopt : free_.pop();
  if (!slot) return false;
  std::uint8_t* const frame = memory_.data() + *slot * kSlotBytes;
  std::ranges::copy(payload, frame + xsk::kHeaderLength);
  slots_[*slot] = {serial, place,
                   header_to(destination).write(frame, static_cast<std::uint32_t>(payload.size()))};
  taken_.push(*slot);
  return true;
}

void Injections::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

std::optional<Injected> Injections::pop() noexcept {
  const auto slot = taken_.pop();
  if (!slot) return std::nullopt;
  return Injected{*slot, slots_[*slot].serial, slots_[*slot].place, frame(*slot),
                  xsk::kHeaderLength};
}

}  // namespace linearb::receiver
