/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The mark: per channel and line, how far that line has come, and what of the channel is
 * published to it.
 *
 * Each is one 64-bit word, so that no reader meets half of a change:
 *
 *     published   generation (8 bits) | session, folded to 56 bits    0: not published
 *     shown       generation (8 bits) | end of the highest range that the line has shown
 *     jumped      generation (8 bits) | end of the last range that lay too far ahead of it
 *
 * `published` is written by the receiver's data thread only: 0 to send the channel up whole, then,
 * once the window is clear, mark first and `published` last. (Under dedup = "lru" anything but 0
 * stands there from start to end: hook/takeover.h.) `shown` is moved by the hook, by
 * compare-and-swap, since several CPUs can be in it for one line; it only moves forward within
 * a generation.
 *
 * One range that lies too far ahead may be garbage: it goes up, and the mark stays. A second one
 * that goes on from it, with nothing ordinary between them, says that the line has jumped: the mark
 * goes there, and the packet goes up to tell the receiver. Else a line that lost more than `ahead`,
 * for want of credit above all, would never be judged again: the receiver, which moves the mark as
 * well, is behind by what waits in its rings.
 *
 * What begins behind its own line's mark is never dropped: a repeat, a reordering and a restart of
 * the numbers look alike there, and only the sequencer can tell them apart.
 */
#ifndef LINEARB_CORE_MARK_H
#define LINEARB_CORE_MARK_H

#include "core/atomic.h"

enum {
  LB_MARK_BITS = 56,
  LB_MARK_ATTEMPTS = 4, /* lost races before the packet goes up instead */
};
#define LB_MARK_MASK ((1ull << LB_MARK_BITS) - 1)

struct lb_mark {
  lb_u64 published; /* writer: data thread. reader: hook */
  lb_u64 shown;     /* writers: hook, and the data thread when it publishes or accepts a jump */
  lb_u64 skipped_unseen; /* writer: hook. numbers that the line skipped before a packet that
                            the receiver does not see, or sees without metadata */
  lb_u64 jumped;         /* writer: hook */
  lb_u64 jumped_unseen;  /* writer: hook. what the line skipped before that and the receiver
                            cannot count, since it did not see the packet */
  lb_u64 unused[3];      /* a cache line of its own for each line */
};
LB_STATIC_ASSERT(sizeof(struct lb_mark) == 64, "one cache line");

LB_INLINE lb_u64 lb_mark_word(lb_u32 generation, lb_u64 value) {
  return (lb_u64)generation << LB_MARK_BITS | (value & LB_MARK_MASK);
}
LB_INLINE lb_u32 lb_mark_generation(lb_u64 word) {
  return (lb_u32)(word >> LB_MARK_BITS);
}
LB_INLINE lb_u64 lb_mark_value(lb_u64 word) {
  return word & LB_MARK_MASK;
}

/*
 * Where a range stands to its own line's mark, in messages: 0 continues it, positive is what was
 * skipped, negative is how far behind it begins. LB_PLACE_UNKNOWN: the line is not published.
 */
enum {
  LB_PLACE_MAX = 0x7fffffff
};
#define LB_PLACE_UNKNOWN ((lb_s32)(-LB_PLACE_MAX - 1))

LB_INLINE lb_s32 lb_mark_place(lb_u64 shown, lb_u64 first) {
  lb_s64 place = (lb_s64)(first - lb_mark_value(shown));
  if (place > LB_PLACE_MAX) return LB_PLACE_MAX;
  if (place < -LB_PLACE_MAX) return -LB_PLACE_MAX;
  return (lb_s32)place;
}

/*
 * Moves the mark from `seen`, which the caller has judged, to the end of the range. Returns 1 when
 * this packet moved it. 0 means that another CPU moved it past `first` meanwhile, or to another
 * generation, or that the race was lost too often: the packet no longer stands beyond the mark,
 * and must not be dropped as a duplicate.
 */
LB_INLINE int lb_mark_advance(lb_u64* shown, lb_u64 seen, lb_u64 first, lb_u64 end) {
  lb_u64 moved = lb_mark_word(lb_mark_generation(seen), end);
  for (int attempt = 0; attempt < LB_MARK_ATTEMPTS; attempt++) {
    lb_u64 found = lb_compare_swap(shown, seen, moved);
    if (found == seen) return 1;
    if (lb_mark_generation(found) != lb_mark_generation(seen)) return 0;
    if (lb_mark_value(found) > first) return 0;
    seen = found;
  }
  return 0;
}

/* The first attempt, which hardly ever fails: the caller goes on with lb_mark_advance(), from the
 * mark as it was judged, and that finds out why. */
LB_INLINE int lb_mark_advance_at_once(lb_u64* shown, lb_u64 seen, lb_u64 end) {
  return lb_compare_swap(shown, seen, lb_mark_word(lb_mark_generation(seen), end)) == seen;
}

#endif
