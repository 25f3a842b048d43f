// SPDX-License-Identifier: Apache-2.0
#include "bpf/feeds.h"

#include "config/framing_file.h"
#include "framing/encode.h"

namespace linearb::test {
namespace {

/// The smallest messages that the framing has, so that a count of 256 fits a packet.
void append_messages(const lb_framing& framing, std::size_t messages, Bytes& payload) {
  for (std::size_t i = 0; i < messages; ++i) {
    const std::size_t begin = payload.size();
    payload.resize(begin + framing.smallest_message);
    lb_message_encode_length(&framing, payload.data() + begin, framing.smallest_message);
  }
}

Bytes payload_of(const lb_framing& framing, const Header& header) {
  Bytes payload(framing.header_length);
  const std::uint64_t said = framing.count.width ? header.count : 1;
  append_messages(framing, header.messages.value_or(said), payload);
  const lb_header words{.first = header.first,
                        .count = header.count,
                        .key = header.unit,
                        .session = reinterpret_cast<const lb_u8*>(header.session.data()),
                        .session_length = static_cast<lb_u32>(header.session.size()),
                        .payload_length = static_cast<lb_u32>(payload.size())};
  if (lb_framing_encode_header(&framing, payload.data(), framing.header_length, &words) == 0)
    throw std::invalid_argument("the header of a test's packet does not fit its framing");
  return payload;
}

}  // namespace

const lb_framing& framing_of(Channel channel) {
  static const lb_framing optiq = config::builtin_framing("optiq").descriptor;
  static const lb_framing mold = config::builtin_framing("moldudp64").descriptor;
  static const lb_framing pitch = config::builtin_framing("cboe-pitch").descriptor;
  return channel == kMold ? mold : channel == kPitch ? pitch : optiq;
}

PacketBuilder feed_packet(Channel channel, const Header& header) {
  const Group& group = kGroups[channel];
  return udp_packet()
      .to(group.on_a.empty() ? "239.192.30.1" : group.on_a, group.port)
      .payload(payload_of(framing_of(channel), header));
}

std::uint64_t session_of(Channel channel) {
  const lb_framing& framing = framing_of(channel);
  const Bytes payload = payload_of(framing, {.first = 1});
  lb_datagram datagram{};
  lb_framing_decode(&framing, payload.data(), payload.data() + payload.size(),
                    static_cast<lb_u32>(payload.size()), &datagram);
  return datagram.session;
}

}  // namespace linearb::test
