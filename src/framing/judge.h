/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Step 3 of the hook: is a packet ordinary, so that it may be claimed or dropped without asking the
 * sequencer? A pure function of the packet and of three words that were read once.
 */
#ifndef LINEARB_FRAMING_JUDGE_H
#define LINEARB_FRAMING_JUDGE_H

#include "core/layout.h"
#include "framing/framing.h"

/*
 * Returns LB_VERDICT_CLAIMED for an ordinary packet, else why it goes up unclaimed. `published`,
 * `shown` and `jumped` are the words of its channel and line (core/mark.h); `*place` becomes where
 * it stands to its line's mark, LB_PLACE_UNKNOWN if there is none to compare with. Of an ordinary
 * packet that confirms a jump it is where the packet stands to the end of that jump, as if the mark
 * were there: lb_confirms_jump().
 */
LB_INLINE enum lb_verdict lb_judge(enum lb_kind kind, const struct lb_datagram* datagram,
                                   const struct lb_framing* framing, lb_u64 published, lb_u64 shown,
                                   lb_u64 jumped, lb_u64 ahead, lb_s32* place) {
  *place = LB_PLACE_UNKNOWN;
  lb_u32 generation = lb_mark_generation(published);
  int is_published = generation != 0 && generation == lb_mark_generation(shown) &&
                     lb_mark_value(published) == datagram->session;
  if (is_published && datagram->numbered) *place = lb_mark_place(shown, datagram->first);
  if (kind != LB_KIND_DATA) return LB_VERDICT_NOT_DATA;
  if (!is_published) return LB_VERDICT_UNPUBLISHED;
  /* LB_COUNT_UNKNOWN is one of them. A range that reaches the limit goes up: what follows it is the
   * framing's rule for the wrap. */
  if (datagram->count > LB_CLAIM_MAX ||
      datagram->first + datagram->count >= framing->sequence_limit)
    return LB_VERDICT_COUNT;
  if (*place < 0) return LB_VERDICT_BEHIND;
  if ((lb_u64)*place <= ahead) return LB_VERDICT_CLAIMED;
  if (lb_mark_generation(jumped) != generation || datagram->first - lb_mark_value(jumped) > ahead)
    return LB_VERDICT_JUMP;
  *place = lb_mark_place(jumped, datagram->first);
  return LB_VERDICT_CLAIMED;
}

/* Of an ordinary packet. */
LB_INLINE int lb_confirms_jump(lb_u64 shown, lb_u64 first, lb_s32 place) {
  return first - lb_mark_value(shown) != (lb_u64)(lb_s64)place;
}

/* The same under dedup = "lru": an identifier without order is ordinary whatever its value, as long
 * as anything is published. */
LB_INLINE enum lb_verdict lb_judge_identifier(enum lb_kind kind, lb_u64 published, lb_s32* place) {
  *place = LB_PLACE_UNKNOWN;
  if (kind != LB_KIND_DATA) return LB_VERDICT_NOT_DATA;
  return published ? LB_VERDICT_CLAIMED : LB_VERDICT_UNPUBLISHED;
}

#endif
