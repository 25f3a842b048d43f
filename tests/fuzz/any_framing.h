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

inline lb_rule any_rule(Input& input) {
  lb_rule rule{};
  rule.field = any_field(input, LB_HEADER_SPAN, 4);
  rule.field.width = std::max<lb_u8>(rule.field.width, 1);
  rule.mask = input.take<lb_u32>();
  rule.least = input.flag() ? 0 : input.byte();
  rule.most = rule.least + (input.flag() ? 0u : input.byte());
  rule.kind = static_cast<lb_u8>(input.below(LB_KIND_MALFORMED + 1));
  rule.number = static_cast<lb_u8>(input.below(LB_NUMBER_FIELD + 1));
  const bool is_control = rule.kind == LB_KIND_HEARTBEAT || rule.kind == LB_KIND_END_OF_SESSION ||
                          rule.kind == LB_KIND_RESET;
  if (!is_control) rule.number = LB_NUMBER_OWN;
  if (rule.kind == LB_KIND_HEARTBEAT && rule.number == LB_NUMBER_OWN) rule.number = LB_NUMBER_NEXT;
  if (rule.kind == LB_KIND_MALFORMED) rule.number = LB_NUMBER_NONE;
  if (rule.number == LB_NUMBER_FIELD) rule.next = any_field(input, LB_HEADER_SPAN - 8, 8);
  rule.next.width = std::max<lb_u8>(rule.next.width, 1);
  return rule;
}

/// At the end, so that what was learned before keeps its meaning.
inline void add_the_rest(Input& input, lb_framing& framing) {
  framing.least_length = framing.header_length;
  if (input.byte() == 0) return;
  framing.rule_count = static_cast<lb_u8>(input.below(LB_RULES_MAX + 1));
  for (lb_u8 i = 0; i < framing.rule_count; ++i) framing.rules[i] = any_rule(input);
  framing.payload_length_extra = input.byte();
  framing.session_ignored = input.take<lb_u32>();
  if (framing.message_length.width && input.flag()) {
    framing.opaque = any_field(input, framing.header_length, 4);
    framing.opaque_mask = input.take<lb_u32>();
  }
  if (framing.message_length.width && input.flag()) {
    framing.count.width = 0;
    framing.flags |= LB_FRAMING_COUNT_BY_WALK;
  }
  if (framing.sequence.width <= 4 && input.flag()) {
    framing.sequence_high = any_field(input, framing.header_length, 2);
    framing.sequence_high_shift = static_cast<lb_u8>(input.below(8));
    framing.sequence_high_place = static_cast<lb_u8>(8 * framing.sequence.width);
    framing.sequence_high_mask = 7u << framing.sequence_high_shift;
    framing.sequence_limit = 8ull << framing.sequence_high_place;
  }
  if (input.flag()) framing.guards[0].other = input.take<lb_u32>();
  for (int i = 1; i < LB_KEY_FIELDS_MAX && framing.keys[i - 1].width; ++i)
    framing.keys[i] = any_field(input, framing.header_length, 2);
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
  framing.keys[0] = any_field(input, header, 4);
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
    framing.guards[i].value = framing.guards[i].other = input.take<lb_u32>();
  }
  framing.flags = static_cast<lb_u8>(input.below(4));
  framing.heartbeat_number = input.flag() ? LB_NUMBER_LAST : LB_NUMBER_NEXT;
  framing.end_count = input.take<lb_u16>();
  const lb_u64 widest =
      framing.sequence.width < 7 ? 1ull << 8 * framing.sequence.width : 1ull << LB_MARK_BITS;
  framing.sequence_limit = input.flag() ? 2 + input.take<lb_u64>() % (widest - 1) : widest;
  framing.wrap_to = input.below(2);
  add_the_rest(input, framing);
  return framing;
}

}  // namespace linearb::fuzz
