/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a range of messages to the bytes of a header: the way back from framing.h, by the same
 * descriptor. The feeder generates packets of any feed with it, and the file sink gives a packet
 * of which only some messages are new the number, count and length of what is left.
 *
 * For user space only. What it writes, lb_framing_decode reads back. What it is bad at: bytes of
 * the header that the framing says nothing about (time stamps, flags): a new header has zeros
 * there, a header that is renumbered keeps what it had.
 */
#ifndef LINEARB_FRAMING_ENCODE_H
#define LINEARB_FRAMING_ENCODE_H

#include "framing/framing.h"

/* What a header is to say. Fields that the framing does not have are ignored. */
struct lb_header {
  lb_u64 first;          /* number of the first message, or what the heartbeat is to say */
  lb_u64 count;          /* messages; 0: heartbeat; the framing's end_count: end of session */
  lb_u64 key;            /* of the sequence, where several share one destination: its fields as
                            lb_framing_key() joins them */
  const lb_u8* session;  /* opaque bytes, as they stand in the packet; may be null */
  lb_u32 session_length; /* bytes; a shorter session than the field is filled up with zeros */
  lb_u32 payload_length; /* bytes of the whole UDP payload: header and messages */
};

/* Writes a field of 1 to 8 bytes. Returns 0, and writes nothing, when the field does not lie before
 * `end`, has another width, or is too narrow for the value. */
LB_INLINE int lb_field_write(struct lb_field field, lb_u8* payload, const lb_u8* end,
                             lb_u64 value) {
  lb_u32 width = field.width;
  if (width == 0 || width > 8) return 0;
  if ((lb_u64)(end - payload) < (lb_u64)field.offset + width) return 0;
  if (width < 8 && value >> (8 * width)) return 0;
  for (lb_u32 i = 0; i < width; i++) {
    lb_u32 shift = 8 * (field.big_endian ? width - 1 - i : i);
    payload[field.offset + i] = (lb_u8)(value >> shift);
  }
  return 1;
}

/* Whether messages have numbers of their own, behind the header. */
LB_INLINE int lb_framing_numbers_messages(const struct lb_framing* framing) {
  return framing->least_length > framing->header_length ||
         framing->flags & LB_FRAMING_COUNT_BY_WALK;
}

/* Whether packets can be made of nothing but a header and messages that say how long they are. */
LB_INLINE int lb_framing_can_encode(const struct lb_framing* framing) {
  return !lb_framing_numbers_messages(framing) &&
         (lb_framing_is_one_message(framing) || framing->message_length.width != 0);
}

/* The number of a packet, with the bits that stand elsewhere. */
LB_INLINE int lb_sequence_write(const struct lb_framing* framing, lb_u8* payload, const lb_u8* end,
                                lb_u64 value) {
  lb_u64 there, high;
  if (!framing->sequence_high.width) return lb_field_write(framing->sequence, payload, end, value);
  if (!lb_field_read(&framing->sequence_high, payload, end, &there)) return 0;
  high = value >> framing->sequence_high_place << framing->sequence_high_shift;
  if (high & ~(lb_u64)framing->sequence_high_mask) return 0;
  there = (there & ~(lb_u64)framing->sequence_high_mask) | high;
  return lb_field_write(framing->sequence_high, payload, end, there) &&
         lb_field_write(framing->sequence, payload, end,
                        value & ((1ull << framing->sequence_high_place) - 1));
}

/* Gives the header at `payload` another range and another length; the rest of it stays. Returns 0
 * when a value does not fit its field: the header is then half written. */
LB_INLINE int lb_framing_renumber(const struct lb_framing* framing, lb_u8* payload,
                                  const lb_u8* end, const struct lb_header* header) {
  if (!lb_sequence_write(framing, payload, end, header->first)) return 0;
  if (framing->count.width && !lb_field_write(framing->count, payload, end, header->count))
    return 0;
  if (framing->payload_length.width &&
      (header->payload_length < framing->payload_length_extra ||
       !lb_field_write(framing->payload_length, payload, end,
                       header->payload_length - framing->payload_length_extra)))
    return 0;
  return 1;
}

/* The first field is the high part of the key, and the last takes what is left of it. */
LB_INLINE int lb_key_write(const struct lb_framing* framing, lb_u8* payload, const lb_u8* end,
                           lb_u64 key) {
  for (int i = LB_KEY_FIELDS_MAX - 1; i >= 0; i--) {
    struct lb_field field = framing->keys[i];
    if (!field.width) continue;
    lb_u64 mask = i && field.width < 8 ? (1ull << 8 * field.width) - 1 : ~0ull;
    if (!lb_field_write(field, payload, end, key & mask)) return 0;
    key = field.width < 8 ? key >> 8 * field.width : 0;
  }
  return 1;
}

LB_INLINE int lb_session_write(struct lb_field field, lb_u8* payload, const lb_u8* end,
                               const struct lb_header* header) {
  if ((lb_u64)(end - payload) < (lb_u64)field.offset + field.width) return 0;
  if (header->session_length > field.width) return 0;
  if (header->session_length)
    __builtin_memcpy(payload + field.offset, header->session, header->session_length);
  return 1;
}

/* The bytes by which a packet is known to be data, if it takes any. A packet that is known as data
 * because its messages are opaque is none that is made here. */
LB_INLINE int lb_rules_write(const struct lb_framing* framing, lb_u8* payload, const lb_u8* end) {
  for (int i = 0; i < framing->rule_count && i < LB_RULES_MAX; i++) {
    const struct lb_rule* rule = &framing->rules[i];
    if (rule->kind != LB_KIND_DATA) continue;
    if (framing->opaque.width && rule->field.offset == framing->opaque.offset) continue;
    return lb_field_write(rule->field, payload, end, rule->least);
  }
  return 1;
}

/*
 * Writes a whole header, guards included; the messages go behind it. Returns its length, or 0 when
 * it does not fit into `capacity` bytes or a value does not fit its field.
 */
LB_INLINE lb_u32 lb_framing_encode_header(const struct lb_framing* framing, lb_u8* payload,
                                          lb_u32 capacity, const struct lb_header* header) {
  const lb_u8* end = payload + framing->header_length;
  if (capacity < framing->header_length || !lb_framing_can_encode(framing)) return 0;
  __builtin_memset(payload, 0, framing->header_length);
  if (framing->session.width && !lb_session_write(framing->session, payload, end, header)) return 0;
  if (!lb_key_write(framing, payload, end, header->key)) return 0;
  if (!lb_rules_write(framing, payload, end)) return 0;
  if (!lb_framing_renumber(framing, payload, end, header)) return 0;
  for (int i = 0; i < framing->guard_count && i < LB_GUARDS_MAX; i++) {
    if (!lb_field_write(framing->guards[i].field, payload, end, framing->guards[i].value)) return 0;
  }
  return framing->header_length;
}

/*
 * Writes the length field of a message of `length` bytes, the field included, that begins at
 * `message`. Returns 0 when the framing's messages cannot have that length; a framing whose
 * packets are one message has no such field, and any length will do.
 */
LB_INLINE int lb_message_encode_length(const struct lb_framing* framing, lb_u8* message,
                                       lb_u32 length) {
  if (lb_framing_is_one_message(framing)) return length != 0;
  if (length < framing->smallest_message || length < framing->message_length_extra) return 0;
  return lb_field_write(framing->message_length, message, message + length,
                        length - framing->message_length_extra);
}

#endif
