/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The window: which messages of a channel were already claimed, by any line.
 *
 * One bit for each message, not one number for each packet: lines of the same feed may carry the
 * same messages in different packets. The window is a ring of 64-bit words. The lower half of a
 * word holds the bits of 32 consecutive messages, the upper half is a tag that says which 32:
 *
 *      63      56 55                   32 31                            0
 *     | generation |         lap         |  bit i: message 32 * k + i    |
 *
 * lap counts how often the ring was gone round, generation whose life of the numbering it is. A
 * word whose tag is an older lap is taken over whole, in the same compare-and-swap that claims;
 * so there is no eviction, no sweep, no lock and no time-out.
 *
 * What it is bad at: numbers that do not count up. A word that a newer lap has taken over says
 * nothing any more about the older one: such a packet is late and goes up to the sequencer.
 *
 * A claim may set bits and then find that a later word is late or contended. Whoever gets
 * LB_CLAIM_LATE or LB_CLAIM_CONTENDED must hand the packet up: bits that it set are its own, and
 * no other line will bring these messages again.
 */
#ifndef LINEARB_CORE_WINDOW_H
#define LINEARB_CORE_WINDOW_H

#include "core/atomic.h"

enum {
  LB_WORD_SHIFT = 5, /* 32 messages in a word: the other half is the tag */
  LB_WORD_MESSAGES = 1 << LB_WORD_SHIFT,
  LB_WINDOW_ORDER = 11, /* log2 of the words of a channel: 16 KiB remember 65,536 messages */
  LB_WINDOW_WORDS = 1 << LB_WINDOW_ORDER,
  LB_WINDOW_MESSAGES = LB_WINDOW_WORDS * LB_WORD_MESSAGES,
  LB_CLAIM_MAX = 256, /* messages that one packet may claim: bounds the loop for the verifier */
  LB_CLAIM_WORDS = 9, /* 256 messages that begin in mid-word touch nine words */
  /* Lost races before a word is contended; each is another line's success. The hook has had one
   * before these at a range in one word. */
  LB_CLAIM_ATTEMPTS = 4,
  LB_LAP_BITS = 24, /* 2^24 laps of 65,536: a trillion messages before a lap number returns */
  LB_GENERATION_MAX = 255, /* generation 0 is never claimed for: an empty word has it */
};
LB_STATIC_ASSERT(LB_CLAIM_MAX == (LB_CLAIM_WORDS - 1) * LB_WORD_MESSAGES, "claim loop bound");

/* Ordered by how much they weigh when the words of one packet differ. */
enum lb_claim {
  LB_CLAIM_NOTHING,   /* every message was claimed before: a duplicate */
  LB_CLAIM_NEW,       /* at least one bit is ours now */
  LB_CLAIM_LATE,      /* a newer lap holds a word */
  LB_CLAIM_CONTENDED, /* the race for a word was lost in every attempt */
};

LB_INLINE lb_u32 lb_window_tag(lb_u32 generation, lb_u64 number, lb_u32 order) {
  lb_u32 lap = (lb_u32)(number >> (order + LB_WORD_SHIFT)) & ((1u << LB_LAP_BITS) - 1);
  return generation << LB_LAP_BITS | lap;
}

/* True when `seen` is a lap before `tag` of the same generation. Laps are compared as serial
 * numbers, so that the one after 2^24 - 1 is newer than it. */
LB_INLINE int lb_tag_is_older(lb_u32 seen, lb_u32 tag) {
  return seen >> LB_LAP_BITS == tag >> LB_LAP_BITS &&
         (lb_s32)((tag - seen) << (32 - LB_LAP_BITS)) > 0;
}

/* The bits in word `word_number` that the range [first, first + count) covers. */
LB_INLINE lb_u32 lb_word_bits(lb_u64 word_number, lb_u64 first, lb_u32 count) {
  lb_u64 start = word_number << LB_WORD_SHIFT;
  lb_u32 low = first > start ? (lb_u32)(first - start) : 0;
  lb_u64 end = first + count - start;
  lb_u32 bits = ~0u << (low & 31);
  return end < LB_WORD_MESSAGES ? bits & ((1u << (end & 31)) - 1) : bits;
}

/* LB_CLAIM_CONTENDED: another CPU won. */
LB_INLINE enum lb_claim lb_word_claim_once(lb_u64* word, lb_u32 tag, lb_u32 bits) {
  lb_u64 seen = lb_load_acquire(word);
  lb_u32 seen_tag = (lb_u32)(seen >> 32);
  lb_u64 claimed = (lb_u64)tag << 32 | bits;
  if (seen_tag == tag) {
    if ((bits & ~(lb_u32)seen) == 0) return LB_CLAIM_NOTHING;
    claimed |= seen;
  } else if (seen != 0 && !lb_tag_is_older(seen_tag, tag)) {
    return LB_CLAIM_LATE;
  }
  return lb_compare_swap(word, seen, claimed) == seen ? LB_CLAIM_NEW : LB_CLAIM_CONTENDED;
}

LB_INLINE enum lb_claim lb_word_claim(lb_u64* word, lb_u32 tag, lb_u32 bits, lb_u32* lost_races) {
  for (int attempt = 0; attempt < LB_CLAIM_ATTEMPTS; attempt++) {
    enum lb_claim claim = lb_word_claim_once(word, tag, bits);
    if (claim != LB_CLAIM_CONTENDED) return claim;
    ++*lost_races;
  }
  return LB_CLAIM_CONTENDED;
}

/*
 * Claims [first, first + count) for the caller. `words` has 1 << order words; count is 1 to
 * LB_CLAIM_MAX and first + count does not overflow (the caller has checked). Adds to *lost_races
 * the compare-and-swaps that another CPU won.
 */
LB_INLINE enum lb_claim lb_window_claim(lb_u64* words, lb_u32 order, lb_u32 generation,
                                        lb_u64 first, lb_u32 count, lb_u32* lost_races) {
  lb_u64 last_word = (first + count - 1) >> LB_WORD_SHIFT;
  enum lb_claim result = LB_CLAIM_NOTHING;
  lb_u64 word = first >> LB_WORD_SHIFT;
  for (int i = 0; i < LB_CLAIM_WORDS; i++, word++) {
    if (word > last_word) break;
    enum lb_claim claim = lb_word_claim(&words[word & ((1u << order) - 1)],
                                        lb_window_tag(generation, word << LB_WORD_SHIFT, order),
                                        lb_word_bits(word, first, count), lost_races);
    if (claim > LB_CLAIM_NEW) return claim;
    if (claim == LB_CLAIM_NEW) result = claim;
  }
  return result;
}

/* As that of a packet with one message always is. */
LB_INLINE int lb_is_in_one_word(lb_u64 first, lb_u32 count) {
  return (first & (LB_WORD_MESSAGES - 1)) + count <= LB_WORD_MESSAGES;
}

/* The bits of such a range in its word. */
LB_INLINE lb_u32 lb_bits_in_one_word(lb_u64 first, lb_u32 count) {
  return (lb_u32)(((1ull << (count & 63)) - 1) << (first & (LB_WORD_MESSAGES - 1)));
}

/* lb_window_claim of such a range, with one attempt: LB_CLAIM_CONTENDED says that it was lost. */
LB_INLINE enum lb_claim lb_window_claim_in_one_word(lb_u64* words, lb_u32 order, lb_u32 generation,
                                                    lb_u64 first, lb_u32 count) {
  return lb_word_claim_once(&words[first >> LB_WORD_SHIFT & ((1u << order) - 1)],
                            lb_window_tag(generation, first, order),
                            lb_bits_in_one_word(first, count));
}

/* lb_window_holds of such a range. */
LB_INLINE int lb_window_holds_in_one_word(const lb_u64* words, lb_u32 order, lb_u32 generation,
                                          lb_u64 first, lb_u32 count) {
  lb_u64 seen = lb_load_acquire(&words[first >> LB_WORD_SHIFT & ((1u << order) - 1)]);
  if ((lb_u32)(seen >> 32) != lb_window_tag(generation, first, order)) return 0;
  return (lb_bits_in_one_word(first, count) & ~(lb_u32)seen) == 0;
}

/* True when every message of the range is claimed. Writes nothing: what it sees set stays set
 * until a newer lap takes the word over. Same conditions as lb_window_claim. */
LB_INLINE int lb_window_holds(const lb_u64* words, lb_u32 order, lb_u32 generation, lb_u64 first,
                              lb_u32 count) {
  lb_u64 last_word = (first + count - 1) >> LB_WORD_SHIFT;
  lb_u64 word = first >> LB_WORD_SHIFT;
  for (int i = 0; i < LB_CLAIM_WORDS; i++, word++) {
    if (word > last_word) break;
    lb_u64 seen = lb_load_acquire(&words[word & ((1u << order) - 1)]);
    if ((lb_u32)(seen >> 32) != lb_window_tag(generation, word << LB_WORD_SHIFT, order)) return 0;
    if (lb_word_bits(word, first, count) & ~(lb_u32)seen) return 0;
  }
  return 1;
}

/* Undoes a claim that turned out to be undeliverable, so that another line's copy can still win.
 * Words that a newer lap has taken over are left alone. Same conditions as lb_window_claim. */
LB_INLINE void lb_window_release(lb_u64* words, lb_u32 order, lb_u32 generation, lb_u64 first,
                                 lb_u32 count) {
  lb_u64 last_word = (first + count - 1) >> LB_WORD_SHIFT;
  for (lb_u64 word = first >> LB_WORD_SHIFT; word <= last_word; word++) {
    lb_u64* slot = &words[word & ((1u << order) - 1)];
    lb_u64 bits = lb_word_bits(word, first, count);
    lb_u64 seen = lb_load_acquire(slot);
    while ((lb_u32)(seen >> 32) == lb_window_tag(generation, word << LB_WORD_SHIFT, order)) {
      lb_u64 found = lb_compare_swap(slot, seen, seen & ~bits);
      if (found == seen) break;
      seen = found;
    }
  }
}

#endif
