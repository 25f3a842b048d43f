// SPDX-License-Identifier: Apache-2.0
#include "bench/traffic.h"

#include <algorithm>
#include <string_view>

#include "bench/loss.bpf.h"
#include "bench/optiq_packet.h"
#include "bench/peers/peer.h"
#include "core/bytes.h"

namespace linearb::bench {
namespace {

/// Three bytes, of which two are its length.
constexpr std::uint32_t kMoldMessage = 3;
constexpr std::uint32_t kMoldHeader = 20;
constexpr std::string_view kMoldSession = "BENCH00001";

std::vector<std::uint8_t> mold_packet(std::uint32_t messages) {
  std::vector<std::uint8_t> packet = optiq_packet();
  packet.resize(kHeadersLength + kMoldHeader + messages * kMoldMessage);
  std::uint8_t* const payload = packet.data() + kHeadersLength;
  std::ranges::copy(kMoldSession, payload);
  payload[18] = static_cast<std::uint8_t>(messages >> 8);
  payload[19] = static_cast<std::uint8_t>(messages);
  for (std::uint32_t i = 0; i < messages; ++i) {
    payload[kMoldHeader + i * kMoldMessage] = 0;
    payload[kMoldHeader + i * kMoldMessage + 1] = kMoldMessage - 2;
    payload[kMoldHeader + i * kMoldMessage + 2] = 'x';
  }
  return packet;
}

}  // namespace

std::uint32_t Traffic::loss_of_2_32() const noexcept {
  return static_cast<std::uint32_t>(loss * 0xffffffffu);
}

std::vector<std::uint8_t> Traffic::packet() const {
  std::vector<std::uint8_t> packet = messages != 0 ? mold_packet(messages) : optiq_packet();
  packet.resize(std::max<std::size_t>(packet.size(), frame_bytes));
  write_headers(packet);
  return packet;
}

bool Expected::any_line_brings(std::uint64_t packet) const noexcept {
  for (std::uint32_t line = 0; line < lines_; ++line)
    if (!loss_takes(static_cast<std::uint32_t>(packet), line, traffic_.loss_of_2_32())) return true;
  return false;
}

std::uint64_t Expected::messages_of(std::uint64_t packets) noexcept {
  if (traffic_.loss == 0) return packets * traffic_.messages_in_packet();
  for (; packets_ < packets; ++packets_)
    if (any_line_brings(packets_)) messages_ += traffic_.messages_in_packet();
  return messages_;
}

Digest Expected::digest_of(std::uint64_t packets) const noexcept {
  Digest digest;
  const std::uint32_t in_packet = traffic_.messages_in_packet();
  for (std::uint64_t packet = 0; packet < packets; ++packet) {
    if (!any_line_brings(packet)) continue;
    const std::uint64_t channel = packet % traffic_.channels + 1;
    const std::uint64_t first = 1 + packet / traffic_.channels * in_packet;
    for (std::uint32_t i = 0; i < in_packet; ++i) digest.add(channel << 32 | (first + i));
  }
  return digest;
}

}  // namespace linearb::bench
