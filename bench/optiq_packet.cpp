// SPDX-License-Identifier: Apache-2.0
#include "bench/optiq_packet.h"

#include <algorithm>
#include <cstring>

#include "bench/peers/peer.h"
#include "feeder/generator.h"
#include "xsk/packet_header.h"

namespace linearb::bench {
namespace {

constexpr std::size_t kUdpChecksum = xsk::kHeaderLength - 2;

}  // namespace

std::vector<std::uint8_t> optiq_packet() {
  const auto message = feeder::optiq_message(1, 0);
  std::vector<std::uint8_t> packet(xsk::kHeaderLength + message.size());
  std::ranges::copy(message, packet.begin() + xsk::kHeaderLength);
  write_headers(packet);
  return packet;
}

std::uint32_t write_optiq_packet(std::uint8_t* packet, std::uint32_t number) {
  static const std::vector<std::uint8_t> kTemplate = optiq_packet();
  std::ranges::copy(kTemplate, packet);
  std::memcpy(packet + xsk::kHeaderLength + OPTIQ_SESSION_ID, &number, sizeof(number));
  std::memcpy(packet + xsk::kHeaderLength + OPTIQ_SEQUENCE_NUMBER, &number, sizeof(number));
  return static_cast<std::uint32_t>(kTemplate.size());
}

void write_headers(std::span<std::uint8_t> packet) {
  const xsk::PacketHeader header({.source_mac = {0x02, 0, 0, 0, 0, 1},
                                  .destination_mac = xsk::multicast_mac(kFeedGroup),
                                  .source = 0xc0000201,  // 192.0.2.1: TEST-NET-1, RFC 5737
                                  .destination = kFeedGroup,
                                  .source_port = OPTIQ_FIRST_PORT,
                                  .destination_port = OPTIQ_FIRST_PORT});
  header.write(packet.data(), static_cast<std::uint32_t>(packet.size() - xsk::kHeaderLength));
  packet[kUdpChecksum] = packet[kUdpChecksum + 1] = 0;  // none
}

}  // namespace linearb::bench
