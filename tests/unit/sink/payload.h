// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framing/encode.h"
#include "support/packet.h"

namespace linearb::test {

/// A payload of these messages; each has its length field written over its first bytes.
inline Bytes payload_of(const lb_framing& framing, std::uint64_t first,
                        std::vector<Bytes> messages) {
  const std::string session = "SESSION01";
  Bytes payload(framing.header_length);
  for (Bytes& message : messages) {
    lb_message_encode_length(&framing, message.data(), static_cast<lb_u32>(message.size()));
    payload.insert(payload.end(), message.begin(), message.end());
  }
  lb_header header{.first = first,
                   .count = messages.size(),
                   .key = 7,
                   .session = reinterpret_cast<const lb_u8*>(session.data()),
                   .session_length = static_cast<lb_u32>(session.size()),
                   .payload_length = static_cast<lb_u32>(payload.size())};
  lb_framing_encode_header(&framing, payload.data(), header.payload_length, &header);
  return payload;
}

/// Such a payload in a frame.
inline Bytes frame_of(const lb_framing& framing, std::uint64_t first, std::vector<Bytes> messages) {
  return udp_packet().payload(payload_of(framing, first, std::move(messages))).build();
}

}  // namespace linearb::test
