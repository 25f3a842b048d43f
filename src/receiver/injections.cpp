// SPDX-License-Identifier: Apache-2.0
#include "receiver/injections.h"

#include <algorithm>

namespace linearb::receiver {
namespace {

constexpr std::size_t kEthernet = 14, kIp = 20, kUdp = 8;
constexpr std::size_t kHeaders = kEthernet + kIp + kUdp;

void store_u16(std::uint8_t* bytes, std::size_t value) noexcept {
  bytes[0] = static_cast<std::uint8_t>(value >> 8);
  bytes[1] = static_cast<std::uint8_t>(value);
}

/// RFC 1071.
std::uint16_t checksum_of(std::span<const std::uint8_t> header) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < header.size(); i += 2) sum += header[i] * 256u + header[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// From nobody, to the destination: RFC 791, and RFC 768 without a checksum.
void write_headers(std::uint8_t* frame, const Destination& destination, std::size_t payload) {
  std::fill_n(frame, kHeaders, std::uint8_t{0});
  store_u16(frame + 12, 0x0800);
  std::uint8_t* const ip = frame + kEthernet;
  ip[0] = 0x45;
  store_u16(ip + 2, kIp + kUdp + payload);
  ip[8] = 64;
  ip[9] = 17;
  store_u16(ip + 16, destination.address >> 16);
  store_u16(ip + 18, destination.address & 0xffff);
  store_u16(ip + 10, checksum_of({ip, kIp}));
  std::uint8_t* const udp = ip + kIp;
  store_u16(udp + 2, destination.port);
  store_u16(udp + 4, kUdp + payload);
}

}  // namespace

Injections::Injections() : memory_(kPackets * kSlotBytes) {
  static_assert(kHeaders + kPayloadMax <= kSlotBytes);
  for (std::uint32_t slot = 0; slot < kPackets; ++slot) free_.push(slot);
}

bool Injections::push(std::uint32_t serial, std::uint16_t place, const Destination& destination,
                      std::span<const std::uint8_t> payload) {
  const std::lock_guard lock(mutex_);
  const auto slot = is_closed_ ? std::nullopt : free_.pop();
  if (!slot) return false;
  std::uint8_t* const frame = memory_.data() + *slot * kSlotBytes;
  write_headers(frame, destination, payload.size());
  std::ranges::copy(payload, frame + kHeaders);
  slots_[*slot] = {serial, place, static_cast<std::uint32_t>(kHeaders + payload.size())};
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
  return Injected{*slot, slots_[*slot].serial, slots_[*slot].place, frame(*slot), kHeaders};
}

}  // namespace linearb::receiver
