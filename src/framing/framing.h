/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the bytes of a UDP payload to the range of messages that it carries, by descriptor.
 *
 * A framing is data: a short TOML file (framings/) that config/framing_file.h compiles into struct
 * lb_framing. The hook reads the descriptor from a map, the sequencer and the capture tools from
 * memory; both call lb_framing_decode, so they cannot disagree.
 *
 * What it is for: fixed binary headers. What it is bad at: text and FAST encodings, and numbers
 * that stand behind something of variable length. The hook does not walk messages: what has to be
 * counted that way it passes up.
 */
#ifndef LINEARB_FRAMING_FRAMING_H
#define LINEARB_FRAMING_FRAMING_H

#include "core/bytes.h"
#include "core/mark.h"

enum {
  LB_GUARDS_MAX = 4,
  LB_RULES_MAX = 8,
  LB_HEADER_SPAN = 1024, /* fields begin below this offset: bounds the packet pointer for the
                            verifier; no known feed has its numbers further in */
  LB_SESSION_MAX = 16,   /* bytes of a session identifier */
  LB_KEY_FIELDS_MAX = 3, /* fields of a key */
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
  lb_u32 other; /* or this one; the same as `value` where there is none */
};

enum lb_framing_flags {
  LB_FRAMING_ZERO_UNSEQUENCED = 1 << 0, /* sequence 0: the messages carry no number (Cboe) */
  LB_FRAMING_HAS_END_COUNT = 1 << 1,    /* end_count is valid */
  LB_FRAMING_COUNT_BY_WALK = 1 << 2,    /* messages follow each other to the end (MIAX) */
  LB_FRAMING_SESSIONS_RISE = 1 << 3,    /* of two sessions the higher one is the newer */
};

/* What the sequence of a packet says. */
enum lb_number {
  LB_NUMBER_OWN,   /* the number of the first of its messages */
  LB_NUMBER_NEXT,  /* the number that the next message will have */
  LB_NUMBER_LAST,  /* the number that the last message had */
  LB_NUMBER_NONE,  /* nothing */
  LB_NUMBER_FIELD, /* nothing: the number of the next message stands elsewhere, in `next` */
};

enum lb_kind {
  LB_KIND_DATA,
  LB_KIND_HEARTBEAT,
  LB_KIND_END_OF_SESSION,
  LB_KIND_RESET, /* the numbers begin anew */
  LB_KIND_UNSEQUENCED,
  LB_KIND_RETRANSMISSION, /* fills holes, and says nothing about where its line is */
  LB_KIND_MALFORMED,
};

/* What a packet is, by some of its bytes: where they are not in the packet, another rule decides.
 */
struct lb_rule {
  struct lb_field field;
  lb_u32 mask;
  lb_u32 least, most; /* both included; of the value under the mask */
  lb_u8 kind;         /* enum lb_kind */
  lb_u8 number;       /* enum lb_number */
  lb_u16 unused;
  struct lb_field next;
};

struct lb_framing {
  lb_u16 header_length;    /* bytes before the first message */
  lb_u16 least_length;     /* bytes of the shortest payload: all fields but those of rules and of
                              the count lie in it */
  lb_u16 smallest_message; /* bytes, its length field included; at least 1 */
  lb_u8 flags;             /* enum lb_framing_flags */
  lb_u8 heartbeat_number;  /* enum lb_number, of a packet of count 0 that no rule names */
  lb_u8 guard_count;
  lb_u8 rule_count;
  lb_u8 message_length_extra; /* added to the message_length field: whole length of the message */
  lb_u8 payload_length_extra; /* added to the payload_length field: length of the UDP payload */
  lb_u8 sequence_high_shift;  /* from the bits of sequence_high_mask to those of the number */
  lb_u8 sequence_high_place;
  lb_u8 session_bits; /* of the session, where sessions rise: they go round */
  lb_u8 unused;
  struct lb_field session;
  /* Tell the sequences apart that share one destination: 8 bytes in all, the first field is the
   * high part of the key; the first of width 0 ends them. */
  struct lb_field keys[LB_KEY_FIELDS_MAX];
  struct lb_field sequence;
  struct lb_field sequence_high;  /* more bits of it, somewhere else (Euronext) */
  struct lb_field count;          /* width 0: every packet is one message */
  struct lb_field payload_length; /* must equal the length of the UDP payload */
  struct lb_field message_length; /* width 0: messages cannot be walked */
  struct lb_field opaque;         /* any of opaque_mask: messages of this packet cannot be walked */
  lb_u32 sequence_high_mask;
  lb_u32 opaque_mask;
  lb_u64 session_ignored; /* bits of a session of up to 8 bytes */
  struct lb_guard guards[LB_GUARDS_MAX];
  struct lb_rule rules[LB_RULES_MAX]; /* the first that fits */
  lb_u64 end_count;                   /* the count that marks the end of a session, never a count */
  lb_u64 sequence_limit; /* the number after the largest: 2^32 for 32 bits; at most 2^56 */
  lb_u64 wrap_to;        /* the number that comes after the largest */
};
LB_STATIC_ASSERT(sizeof(struct lb_framing) == 336, "shared with the hook");

struct lb_datagram {
  lb_u64 first;    /* number of the first message; in control packets the next number expected */
  lb_u64 session;  /* folded to 56 bits; 0 where a feed has none */
  lb_u32 count;    /* messages that have a number; 0 in most control packets */
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

/* Reads a field, which has 1 to 8 bytes. Returns 0 when it does not lie before `end`. */
LB_INLINE int lb_field_read(const struct lb_field* field, const lb_u8* payload, const lb_u8* end,
                            lb_u64* value) {
  lb_u32 width = field->width;
  const lb_u8* field_end = payload + ((field->offset & (LB_HEADER_SPAN - 1)) + width);
  if (field_end > end) return 0;
  lb_u64 raw = lb_load_ending_at(field_end, width);
  lb_u32 shift = (64 - 8 * width) & 63;
  if (field->big_endian) raw = __builtin_bswap64(raw) << shift;
  *value = raw >> shift;
  return 1;
}

#define LB_FOLD_MULTIPLIER 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio, odd */

/*
 * Folds an identifier of up to LB_SESSION_MAX bytes to 56 bits; some bits of the first eight bytes
 * can be ignored. One of up to four bytes is kept as it is; a longer one is mixed, so two sessions
 * are taken for one with probability 2^-56.
 */
LB_INLINE int lb_session_read(const struct lb_field* field, lb_u64 ignored, const lb_u8* payload,
                              const lb_u8* end, lb_u64* session) {
  lb_u64 low, high = 0;
  struct lb_field head = *field;
  if (field->width > 8) {
    struct lb_field rest = {(lb_u16)(field->offset + 8), (lb_u8)(field->width - 8), 0};
    if (!lb_field_read(&rest, payload, end, &high)) return 0;
    head.width = 8;
  }
  if (!lb_field_read(&head, payload, end, &low)) return 0;
  low &= ~ignored;
  *session = low;
  if (field->width <= 4) return 1;
  low = (low ^ high << 31 ^ high >> 33) * LB_FOLD_MULTIPLIER;
  *session = ((low ^ low >> 29) * LB_FOLD_MULTIPLIER) >> (64 - LB_MARK_BITS);
  return 1;
}

/* Guards and lengths: whether the packet is the feed's at all. */
LB_INLINE int lb_framing_admits(const struct lb_framing* framing, const lb_u8* payload,
                                const lb_u8* end, lb_u32 length) {
  lb_u64 value;
  if (length < framing->least_length) return 0;
  for (int i = 0; i < LB_GUARDS_MAX; i++) {
    if (i >= framing->guard_count) break;
    if (!lb_field_read(&framing->guards[i].field, payload, end, &value)) return 0;
    if (value != framing->guards[i].value && value != framing->guards[i].other) return 0;
  }
  if (!framing->payload_length.width) return 1;
  return lb_field_read(&framing->payload_length, payload, end, &value) &&
         value + framing->payload_length_extra == length;
}

LB_INLINE int lb_framing_session(const struct lb_framing* framing, const lb_u8* payload,
                                 const lb_u8* end, lb_u64* session) {
  *session = 0;
  return !framing->session.width ||
         lb_session_read(&framing->session, framing->session_ignored, payload, end, session);
}

LB_INLINE int lb_framing_sequence(const struct lb_framing* framing, const lb_u8* payload,
                                  const lb_u8* end, lb_u64* sequence) {
  lb_u64 high;
  if (!lb_field_read(&framing->sequence, payload, end, sequence)) return 0;
  if (!framing->sequence_high.width) return 1;
  if (!lb_field_read(&framing->sequence_high, payload, end, &high)) return 0;
  high = (high & framing->sequence_high_mask) >> (framing->sequence_high_shift & 31);
  *sequence |= high << (framing->sequence_high_place & 63);
  return 1;
}

/* Bytes behind the payload are the frame's, and say nothing. */
LB_INLINE int lb_rule_fits(const struct lb_rule* rule, const lb_u8* payload, const lb_u8* end,
                           lb_u32 length) {
  lb_u64 value;
  if ((lb_u32)rule->field.offset + rule->field.width > length) return 0;
  if (!lb_field_read(&rule->field, payload, end, &value)) return 0;
  value &= rule->mask;
  return value >= rule->least && value <= rule->most;
}

/* A packet whose messages have no numbers of their own here: all that its number can say is which
 * one comes next. */
LB_INLINE enum lb_kind lb_rule_read_number(const struct lb_rule* rule, const lb_u8* payload,
                                           const lb_u8* end, lb_u32 length,
                                           struct lb_datagram* datagram) {
  if (rule->number == LB_NUMBER_NONE) {
    datagram->numbered = 0;
  } else if (rule->number == LB_NUMBER_LAST) {
    datagram->first++;
    datagram->numbered = 1;
  } else if (rule->number == LB_NUMBER_FIELD) {
    if ((lb_u32)rule->next.offset + rule->next.width > length) return LB_KIND_MALFORMED;
    if (!lb_field_read(&rule->next, payload, end, &datagram->first)) return LB_KIND_MALFORMED;
    datagram->numbered = 1;
  }
  return (enum lb_kind)rule->kind;
}

/* The first rule that fits; null where none does. */
LB_SELDOM const struct lb_rule* lb_framing_rule(const struct lb_framing* framing,
                                                const lb_u8* payload, const lb_u8* end,
                                                lb_u32 length) {
  for (int i = 0; i < LB_RULES_MAX; i++) {
    if (i >= framing->rule_count) break;
    if (lb_rule_fits(&framing->rules[i], payload, end, length)) return &framing->rules[i];
  }
  return 0;
}

#define LB_COUNT_UNKNOWN 0xffffffffu

/*
 * Decodes one payload. `end` is the end of the readable bytes, at or behind payload + length; the
 * length is that of the UDP payload. Returns what the packet is and fills `datagram`; of a
 * malformed one nothing in it is valid. Where messages have to be walked to be counted, the count
 * is LB_COUNT_UNKNOWN.
 */
LB_INLINE enum lb_kind lb_framing_decode_header(const struct lb_framing* framing,
                                                const lb_u8* payload, const lb_u8* end,
                                                lb_u32 length, struct lb_datagram* datagram) {
  const struct lb_rule* rule = 0;
  lb_u64 count = 1;
  if (!lb_framing_admits(framing, payload, end, length)) return LB_KIND_MALFORMED;
  if (!lb_framing_session(framing, payload, end, &datagram->session)) return LB_KIND_MALFORMED;
  if (!lb_framing_sequence(framing, payload, end, &datagram->first)) return LB_KIND_MALFORMED;
  datagram->count = 0;
  datagram->numbered = !(datagram->first == 0 && framing->flags & LB_FRAMING_ZERO_UNSEQUENCED);
  if (LB_UNLIKELY(framing->rule_count)) rule = lb_framing_rule(framing, payload, end, length);
  if (LB_UNLIKELY(rule != 0) && rule->number != LB_NUMBER_OWN)
    return lb_rule_read_number(rule, payload, end, length, datagram);

  if (length < framing->header_length) return LB_KIND_MALFORMED;
  if (framing->count.width && !lb_field_read(&framing->count, payload, end, &count))
    return LB_KIND_MALFORMED;
  if (framing->flags & LB_FRAMING_HAS_END_COUNT && count == framing->end_count)
    return LB_KIND_END_OF_SESSION;
  if (count == 0) {
    if (framing->heartbeat_number == LB_NUMBER_LAST) datagram->first++;
    return LB_KIND_HEARTBEAT;
  }
  /* A payload has at most 65,535 bytes and a message at least one: the product cannot overflow. */
  if (count > length || count * framing->smallest_message > length - framing->header_length)
    return LB_KIND_MALFORMED;
  datagram->count = framing->flags & LB_FRAMING_COUNT_BY_WALK ? LB_COUNT_UNKNOWN : (lb_u32)count;
  if (rule && rule->kind == LB_KIND_UNSEQUENCED) datagram->numbered = 0;
  if (!datagram->numbered) return LB_KIND_UNSEQUENCED;
  if (datagram->first >= framing->sequence_limit) return LB_KIND_MALFORMED;
  return rule ? (enum lb_kind)rule->kind : LB_KIND_DATA;
}

LB_INLINE int lb_framing_has_key(const struct lb_framing* framing) {
  return framing->keys[0].width != 0;
}

/* The key of the stream that a payload belongs to, if it is not malformed; 0 where a destination
 * has one stream. */
LB_INLINE lb_u64 lb_framing_key(const struct lb_framing* framing, const lb_u8* payload,
                                const lb_u8* end) {
  lb_u64 key = 0, part = 0;
  for (int i = 0; i < LB_KEY_FIELDS_MAX; i++) {
    const struct lb_field* field = &framing->keys[i];
    if (!field->width || !lb_field_read(field, payload, end, &part)) break;
    key = key << (8 * field->width & 63) | part;
  }
  return key;
}

/* What a packet is on a line that only repairs: its messages fill holes, and nothing in it says
 * where the feed is. */
LB_INLINE enum lb_kind lb_as_repair(enum lb_kind kind, struct lb_datagram* datagram) {
  if (kind == LB_KIND_MALFORMED || !datagram->numbered) return kind;
  if (datagram->count > 0) return LB_KIND_RETRANSMISSION;
  datagram->numbered = 0;
  return kind;
}

/* The number after [first, first + count), by the feed's own rule for the wrap. */
LB_INLINE lb_u64 lb_framing_next(const struct lb_framing* framing, lb_u64 first, lb_u32 count) {
  lb_u64 next = first + count;
  return next < framing->sequence_limit ? next : framing->wrap_to + next - framing->sequence_limit;
}

/* A packet that is one message ends with it. */
LB_INLINE int lb_framing_is_one_message(const struct lb_framing* framing) {
  return framing->count.width == 0 && !(framing->flags & LB_FRAMING_COUNT_BY_WALK);
}

/* Whether one message of this packet can be told from the next. */
LB_INLINE int lb_messages_can_be_walked(const struct lb_framing* framing, const lb_u8* payload,
                                        lb_u32 length) {
  lb_u64 value;
  if (framing->message_length.width == 0) return 0;
  if (framing->opaque.width == 0) return 1;
  return lb_field_read(&framing->opaque, payload, payload + length, &value) &&
         !(value & framing->opaque_mask);
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
  if (lb_framing_is_one_message(framing)) return length - offset;
  if (!lb_messages_can_be_walked(framing, payload, length)) return 0;
  if (!lb_field_read(&framing->message_length, payload + offset, payload + length, &value))
    return 0;
  value += framing->message_length_extra;
  if (value < framing->smallest_message || value > length - offset) return 0;
  return (lb_u32)value;
}

/* The same as lb_framing_decode_header, with every count: for user space, which can walk. A packet
 * of which a message is cut off is malformed then. */
LB_INLINE enum lb_kind lb_framing_decode(const struct lb_framing* framing, const lb_u8* payload,
                                         const lb_u8* end, lb_u32 length,
                                         struct lb_datagram* datagram) {
  lb_u32 offset = framing->header_length;
  enum lb_kind kind = lb_framing_decode_header(framing, payload, end, length, datagram);
  if (kind == LB_KIND_MALFORMED || datagram->count != LB_COUNT_UNKNOWN) return kind;
  for (datagram->count = 0; offset < length; datagram->count++) {
    lb_u32 message = lb_message_length(framing, payload, length, offset);
    if (message == 0) return LB_KIND_MALFORMED;
    offset += message;
  }
  return datagram->count ? kind : LB_KIND_MALFORMED;
}

#endif
