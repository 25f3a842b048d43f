// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "framing/framing.h"
#include "fuzz/fuzz.h"

namespace linearb::fuzz {

/// A field of the header, or none.
inline lb_field any_field(Input& input, std::uint32_t header_length, std::uint32_t widest) {
  const std::uint32_t width = std::min(input.below(widest + 1), header_length);
  return {.offset = static_cast<lb_u16>(input.below(header_length - width + 1)),
          .width = static_cast<lb_u8>(width),
          .big_endian = input.flag()};
}

/// Any descriptor that config/framing_file.cpp can make of a file.
inline lb_framing any_framing(Input& input) {
  lb_framing framing{};
  const std::uint32_t header = 1 + input.below(LB_HEADER_SPAN);
  framing.header_length = static_cast<lb_u16>(header);
  framing.sequence = any_field(input, header, 8);
  framing.sequence.width = std::max<lb_u8>(framing.sequence.width, 1);
  framing.sequence.offset = static_cast<lb_u16>(
      std::min<std::uint32_t>(framing.sequence.offset, header - framing.sequence.width));
  framing.count = any_field(input, header, 8);
  framing.session = any_field(input, header, LB_SESSION_MAX);
  framing.key = any_field(input, header, 4);
  framing.payload_length = any_field(input, header, 8);
  framing.smallest_message = static_cast<lb_u16>(std::max(input.below(1 << 16), 1u));
  if (framing.count.width) {
    framing.message_length =
        any_field(input, std::min<std::uint32_t>(framing.smallest_message, LB_HEADER_SPAN), 8);
    framing.message_length_extra =
        static_cast<lb_u8>(std::min<std::uint32_t>(input.byte(), framing.smallest_message));
  }
  framing.guard_count = static_cast<lb_u8>(input.below(LB_GUARDS_MAX + 1));
  for (lb_u8 i = 0; i < framing.guard_count; ++i) {
    framing.guards[i].field = any_field(input, header, 4);
    framing.guards[i].value = input.take<lb_u32>();
  }
  framing.flags = static_cast<lb_u8>(input.below(4));
  framing.heartbeat_number = input.flag() ? LB_HEARTBEAT_LAST : LB_HEARTBEAT_NEXT;
  framing.end_count = input.take<lb_u16>();
  const lb_u64 widest =
      framing.sequence.width < 7 ? 1ull << 8 * framing.sequence.width : 1ull << LB_MARK_BITS;
  framing.sequence_limit = input.flag() ? 2 + input.take<lb_u64>() % (widest - 1) : widest;
  framing.wrap_to = input.below(2);
  return framing;
}

}  // namespace linearb::fuzz
