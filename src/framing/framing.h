/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the bytes of a UDP payload to the range of messages that it carries, by descriptor.
 *
 * A framing is data: a short TOML file (framings/) that config/framing_file.h compiles into struct
 * lb_framing. The hook reads the descriptor from a map, the sequencer and the capture tools from
 * memory; both call lb_framing_decode, so they cannot disagree.
 *
 * What it is for: fixed binary headers. What it is bad at: text and FAST encodings, and numbers
 * that stand behind something of variable length.
 */
#ifndef LINEARB_FRAMING_FRAMING_H
#define LINEARB_FRAMING_FRAMING_H

#include "core/bytes.h"
#include "core/mark.h"

enum {
  LB_GUARDS_MAX = 4,
  LB_HEADER_SPAN = 1024, /* fields begin below this offset: bounds the packet pointer for the
                            verifier; no known feed has its numbers further in */
  LB_SESSION_MAX = 16,   /* bytes of a session identifier */
};

/* An unsigned integer, or opaque bytes, at a fixed place. width 0: the feed has no such field. */
struct lb_field {
  lb_u16 offset; /* from the first byte of the UDP payload (of the message, for message_length) */
  lb_u8 width;   /* bytes: 1 to 8; session: 1 to LB_SESSION_MAX */
  lb_u8 big_endian;
};

/* Bytes that every packet of the feed has: what differs is malformed. */
struct lb_guard {
  struct lb_field field;
  lb_u32 value;
};

enum lb_framing_flags {
  LB_FRAMING_ZERO_UNSEQUENCED = 1 << 0, /* sequence 0: the messages carry no number (Cboe) */
  LB_FRAMING_HAS_END_COUNT = 1 << 1,    /* end_count is valid */
};

/* What the number in a heartbeat (count 0) says. */
enum lb_heartbeat_number {
  LB_HEARTBEAT_NEXT, /* the number that the next message will have */
  LB_HEARTBEAT_LAST, /* the number that the last message had */
};

struct lb_framing {
  lb_u16 header_length;    /* bytes before the first message: the shortest payload there is */
  lb_u16 smallest_message; /* bytes, its length field included; at least 1 */
  lb_u8 flags;             /* enum lb_framing_flags */
  lb_u8 heartbeat_number;  /* enum lb_heartbeat_number */
  lb_u8 guard_count;
  lb_u8 message_length_extra; /* added to the message_length field: whole length of the message */
  struct lb_field session;
  struct lb_field key; /* tells the sequences apart that share one destination */
  struct lb_field sequence;
  struct lb_field count;          /* width 0: every packet is one message */
  struct lb_field payload_length; /* must equal the length of the UDP payload */
  struct lb_field message_length; /* width 0: messages cannot be walked */
  struct lb_guard guards[LB_GUARDS_MAX];
  lb_u64 end_count;      /* the count that marks the end of a session, never a count */
  lb_u64 sequence_limit; /* the number after the largest: 2^32 for 32 bits; at most 2^56 */
  lb_u64 wrap_to;        /* the number that comes after the largest */
};
LB_STATIC_ASSERT(sizeof(struct lb_framing) == 88, "shared with the hook");

enum lb_kind {
  LB_KIND_DATA,
  LB_KIND_HEARTBEAT,
  LB_KIND_END_OF_SESSION,
  LB_KIND_RESET,
  LB_KIND_UNSEQUENCED,
  LB_KIND_RETRANSMISSION,
  LB_KIND_MALFORMED,
};

struct lb_datagram {
  lb_u64 first;    /* number of the first message; in control packets the next number expected */
  lb_u64 session;  /* session and key, folded to 56 bits; 0 where a feed has neither */
  lb_u32 count;    /* messages; 0 in control packets */
  lb_u32 numbered; /* 0: `first` says nothing (unsequenced, or a heartbeat without number) */
};

/*
 * The word whose last `width` bytes end at `field_end`. For BPF one load of eight bytes, whatever
 * the width: what it reads in front of the field lies in the payload or in the UDP header before
 * it. In user space, where a payload may stand alone, only the field is read.
 */
LB_INLINE lb_u64 lb_load_ending_at(const lb_u8* field_end, lb_u32 width) {
#ifdef __bpf__
  (void)width;
  return lb_load_u64_le(field_end - 8);
#else
  lb_u64 word = 0;
  __builtin_memcpy((lb_u8*)&word + (8 - width), field_end - width, width);
  return word;
#endif
}

/* Reads a field of 1 to 8 bytes; a wider one is cut to its first eight. Returns 0 when it does not
 * lie before `end`. Without branches on width or byte order: they would multiply the paths that
 * the verifier has to follow. */
LB_INLINE int lb_field_read(struct lb_field field, const lb_u8* payload, const lb_u8* end,
                            lb_u64* value) {
  lb_u32 width = field.width < 8 ? field.width : 8;
  const lb_u8* field_end = payload + ((field.offset & (LB_HEADER_SPAN - 1)) + width);
  if (field_end > end) return 0;
  lb_u64 raw = lb_load_ending_at(field_end, width);
  lb_u64 swapped = __builtin_bswap64(raw);
  lb_u32 shift = (64 - 8 * width) & 63;
  lb_u64 is_big = 0 - (lb_u64)(field.big_endian & 1);
  *value = (raw ^ ((raw ^ swapped) & is_big)) << (shift & is_big) >> shift;
  return 1;
}

#define LB_FOLD_MULTIPLIER 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio, odd */

/*
 * Folds an identifier of up to LB_SESSION_MAX bytes to 56 bits. One of up to four bytes is kept
 * as it is; a longer one is mixed, so two sessions are taken for one with probability 2^-56.
 */
LB_INLINE int lb_session_read(struct lb_field field, const lb_u8* payload, const lb_u8* end,
                              lb_u64* session) {
  lb_u64 low, high = 0;
  if (!lb_field_read(field, payload, end, &low)) return 0;
  *session = low;
  if (field.width <= 4) return 1;
  if (field.width > 8) {
    struct lb_field rest = {(lb_u16)(field.offset + 8), (lb_u8)(field.width - 8), 0};
    if (!lb_field_read(rest, payload, end, &high)) return 0;
  }
  low = (low ^ high << 31 ^ high >> 33) * LB_FOLD_MULTIPLIER;
  *session = ((low ^ low >> 29) * LB_FOLD_MULTIPLIER) >> (64 - LB_MARK_BITS);
  return 1;
}

/*
 * Decodes one payload. `end` is the end of the readable bytes, at or behind payload + length; the
 * length is that of the UDP payload. Returns what the packet is and fills `datagram`; of a
 * malformed one nothing in it is valid.
 */
LB_INLINE enum lb_kind lb_framing_decode(const struct lb_framing* framing, const lb_u8* payload,
                                         const lb_u8* end, lb_u32 length,
                                         struct lb_datagram* datagram) {
  lb_u64 value, count = 1, session = 0;
  if (length < framing->header_length) return LB_KIND_MALFORMED;
  for (int i = 0; i < LB_GUARDS_MAX; i++) {
    if (i >= framing->guard_count) break;
    if (!lb_field_read(framing->guards[i].field, payload, end, &value)) return LB_KIND_MALFORMED;
    if (value != framing->guards[i].value) return LB_KIND_MALFORMED;
  }
  if (framing->payload_length.width) {
    if (!lb_field_read(framing->payload_length, payload, end, &value)) return LB_KIND_MALFORMED;
    if (value != length) return LB_KIND_MALFORMED;
  }
  if (framing->session.width && !lb_session_read(framing->session, payload, end, &session))
    return LB_KIND_MALFORMED;
  if (framing->key.width) {
    if (!lb_field_read(framing->key, payload, end, &value)) return LB_KIND_MALFORMED;
    session = framing->session.width
                  ? ((session ^ value << 24) * LB_FOLD_MULTIPLIER) >> (64 - LB_MARK_BITS)
                  : value;
  }
  if (framing->count.width && !lb_field_read(framing->count, payload, end, &count))
    return LB_KIND_MALFORMED;
  if (!lb_field_read(framing->sequence, payload, end, &value)) return LB_KIND_MALFORMED;

  datagram->session = session;
  datagram->first = value;
  datagram->count = 0;
  datagram->numbered = !(value == 0 && framing->flags & LB_FRAMING_ZERO_UNSEQUENCED);
  if (framing->flags & LB_FRAMING_HAS_END_COUNT && count == framing->end_count)
    return LB_KIND_END_OF_SESSION;
  if (count == 0) {
    if (framing->heartbeat_number == LB_HEARTBEAT_LAST) datagram->first = value + 1;
    return LB_KIND_HEARTBEAT;
  }
  /* A payload has at most 65,535 bytes and a message at least one: the product cannot overflow. */
  if (count > length || count * framing->smallest_message > length - framing->header_length)
    return LB_KIND_MALFORMED;
  datagram->count = (lb_u32)count;
  if (!datagram->numbered) return LB_KIND_UNSEQUENCED;
  if (value >= framing->sequence_limit) return LB_KIND_MALFORMED;
  return LB_KIND_DATA;
}

/* The number after [first, first + count), by the feed's own rule for the wrap. */
LB_INLINE lb_u64 lb_framing_next(const struct lb_framing* framing, lb_u64 first, lb_u32 count) {
  lb_u64 next = first + count;
  return next < framing->sequence_limit ? next : framing->wrap_to + next - framing->sequence_limit;
}

/*
 * The whole length in bytes of the message that begins at `offset` of the payload, its length
 * field included; 0 when it does not fit, is shorter than the smallest, or cannot be walked. A
 * packet that is one message reaches to the end of the payload.
 */
LB_INLINE lb_u32 lb_message_length(const struct lb_framing* framing, const lb_u8* payload,
                                   lb_u32 length, lb_u32 offset) {
  lb_u64 value;
  if (offset >= length) return 0;
  if (framing->count.width == 0) return length - offset;
  if (framing->message_length.width == 0) return 0;
  if (!lb_field_read(framing->message_length, payload + offset, payload + length, &value)) return 0;
  value += framing->message_length_extra;
  if (value < framing->smallest_message || value > length - offset) return 0;
  return (lb_u32)value;
}

#endif
