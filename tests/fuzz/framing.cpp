// SPDX-License-Identifier: Apache-2.0
//
// Any payload under any framing: what is decoded fits the payload and the hook's words, messages
// end where it ends, and a header that is written reads back.
#include "framing/framing.h"

#include <vector>

#include "framing/encode.h"
#include "fuzz/any_framing.h"
#include "fuzz/fuzz.h"

namespace linearb::fuzz {
namespace {

using Bytes = std::vector<std::uint8_t>;

lb_kind decode(const lb_framing& framing, const Bytes& payload, lb_datagram& datagram) {
  return lb_framing_decode(&framing, payload.data(), payload.data() + payload.size(),
                           static_cast<lb_u32>(payload.size()), &datagram);
}

void look_at(const lb_framing& framing, lb_kind kind, const lb_datagram& datagram,
             std::size_t length) {
  require(datagram.session >> LB_MARK_BITS == 0, "a session fits beside a generation");
  const bool must_have = kind == LB_KIND_DATA || kind == LB_KIND_UNSEQUENCED;
  require(!must_have || datagram.count > 0, "data has messages");
  require(kind != LB_KIND_HEARTBEAT || datagram.count == 0, "a heartbeat has none");
  require(datagram.count <= length, "a message has a byte at least");
  if (kind != LB_KIND_DATA) return;
  require(datagram.first < framing.sequence_limit, "a number is below the limit");
  require(datagram.first + datagram.count <= 1ull << (LB_MARK_BITS + 1), "no sum overflows");
  const lb_u64 next = lb_framing_next(&framing, datagram.first, datagram.count);
  require(next <= framing.sequence_limit + datagram.count, "the next number is the feed's");
}

void walk_messages(const lb_framing& framing, const lb_datagram& datagram, const Bytes& payload) {
  const auto length = static_cast<lb_u32>(payload.size());
  lb_u32 offset = framing.header_length;
  for (lb_u32 i = 0; i < datagram.count; ++i) {
    const lb_u32 message = lb_message_length(&framing, payload.data(), length, offset);
    if (message == 0) return;
    require(message <= length - offset, "a message ends within the payload");
    offset += message;
  }
}

/// Fields may lie on one another: only a header that says what it said before can be compared.
void renumber(const lb_framing& framing, const lb_datagram& datagram, Bytes payload) {
  const Bytes before = payload;
  const lb_header header{.first = datagram.first,
                         .count = datagram.count,
                         .key = 0,
                         .session = nullptr,
                         .session_length = 0,
                         .payload_length = static_cast<lb_u32>(payload.size())};
  const int fits =
      lb_framing_renumber(&framing, payload.data(), payload.data() + payload.size(), &header);
  require(fits, "what was read can be written");
  require(payload == before, "the same header is the same bytes");
}

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linearb::fuzz;
  Input input(data, size);
  const lb_framing framing = any_framing(input);
  const auto rest = input.rest();
  if (rest.size() > 0xffff) return 0;
  const Bytes payload(rest.begin(), rest.end());
  lb_datagram datagram{};
  const lb_kind kind = decode(framing, payload, datagram);
  if (kind == LB_KIND_MALFORMED) return 0;
  look_at(framing, kind, datagram, payload.size());
  walk_messages(framing, datagram, payload);
  if (kind == LB_KIND_DATA) renumber(framing, datagram, payload);
  return 0;
}
