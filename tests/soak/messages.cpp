// SPDX-License-Identifier: Apache-2.0
#include "soak/messages.h"

#include <cstring>

#include "feeder/feeder.h"
#include "feeder/random.h"
#include "framing/encode.h"

namespace linearb::soak {
namespace {

constexpr std::uint32_t kBody = 16;  // two words
constexpr std::uint64_t kNumberBits = 48;
constexpr std::uint64_t kLifeBits = 4;

std::uint64_t word_of(const Identity& message) noexcept {
  return (std::uint64_t{message.channel} << kLifeBits | message.life) << kNumberBits |
         message.number;
}

}  // namespace

Messages::Messages(const Scenario& scenario)
    : framing_(config::builtin_framing(scenario.framing)),
      length_(framing().message_length.width + kBody),
      salt_(feeder::mix64(scenario.seed)) {}

void Messages::write(const Identity& message, std::uint8_t* bytes) const noexcept {
  const std::uint64_t word = word_of(message);
  const std::uint64_t seal = feeder::mix64(word ^ salt_);
  lb_message_encode_length(&framing(), bytes, length_);
  std::uint8_t* const body = bytes + framing().message_length.width;
  std::memcpy(body, &word, sizeof(word));
  std::memcpy(body + sizeof(word), &seal, sizeof(seal));
}

std::optional<Identity> Messages::read(const std::uint8_t* bytes) const noexcept {
  const std::uint8_t* const body = bytes + framing().message_length.width;
  std::uint64_t word = 0, seal = 0;
  std::memcpy(&word, body, sizeof(word));
  std::memcpy(&seal, body + sizeof(word), sizeof(seal));
  if (seal != feeder::mix64(word ^ salt_)) return {};
  return Identity{.channel = static_cast<std::uint32_t>(word >> (kNumberBits + kLifeBits)),
                  .life = static_cast<std::uint32_t>(word >> kNumberBits & ((1 << kLifeBits) - 1)),
                  .number = word & ((1ull << kNumberBits) - 1)};
}

Destination destination_of(std::uint32_t channel) noexcept {
  const Destination first = feeder::kDefaultDestination;
  return {first.address, static_cast<std::uint16_t>(first.port + channel)};
}

PacketWriter::PacketWriter(const Scenario& scenario) : messages_(scenario), lives_(scenario.lives) {
  for (std::uint32_t channel = 0; channel < scenario.channels; ++channel) {
    const Destination destination = destination_of(channel);
    headers_.emplace_back(
        xsk::PacketAddresses{.source_mac = {0x02, 0, 0, 0, 0, 1},
                             .destination_mac = xsk::multicast_mac(destination.address),
                             .source = feeder::kDefaultSource.address,
                             .destination = destination.address,
                             .source_port = feeder::kDefaultSource.port,
                             .destination_port = destination.port});
  }
}

void PacketWriter::write(const Outgoing& packet, lb_live_slot& slot) const noexcept {
  const lb_framing& framing = messages_.framing();
  const std::string& session = lives_[packet.session_life].session;
  const std::uint32_t length = framing.header_length + packet.count * messages_.length();
  std::uint8_t* const payload = slot.bytes + xsk::kHeaderLength;
  const lb_header header{.first = packet.first.number,
                         .count = packet.count,
                         .key = 1,
                         .session = reinterpret_cast<const lb_u8*>(session.data()),
                         .session_length = static_cast<lb_u32>(session.size()),
                         .payload_length = length};
  lb_framing_encode_header(&framing, payload, framing.header_length, &header);
  Identity message = packet.first;
  for (std::uint32_t offset = framing.header_length; offset < length;
       offset += messages_.length()) {
    messages_.write(message, payload + offset);
    ++message.number;
  }
  slot.length = headers_[packet.first.channel].write(slot.bytes, length);
}

}  // namespace linearb::soak
