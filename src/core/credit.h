/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Credit: the receiver's promise that a redirect to one socket cannot fail.
 *
 * The kernel tells an XDP program nothing about a full RX ring or an empty fill ring. So the
 * receiver publishes how many frames it has `returned` to the fill ring, and the hook counts how
 * many it has `redirected`. While redirected - returned < capacity there is one frame in the fill
 * ring and one entry in the RX ring for the next packet, because capacity is the number of the
 * socket's frames and the RX ring has at least as many entries.
 *
 * Sockets of several threads share the fill ring of a queue. Each has a capacity of its own, and
 * there are as many frames as all of these together: so each is still promised one.
 *
 * Order on the receiver's side: submit to the fill ring, release the RX ring, then store
 * `returned` (release). It pairs with the load (acquire) in lb_credit_take.
 *
 * A packet that is passed up may take a credit only while less than half of them are out, so that
 * what the sequencer has to judge never starves what the hook has claimed.
 */
#ifndef LINEARB_CORE_CREDIT_H
#define LINEARB_CORE_CREDIT_H

#include "core/atomic.h"

struct lb_credit {
  lb_u64 redirected; /* writer: hook, atomically */
  lb_u64 unused[7];
  lb_u64 returned; /* writer: data thread, after the frame is back in the fill ring */
  lb_u64 capacity; /* writer: receiver. 0 closes the socket to the hook */
  lb_u64 unused_too[6];
};
LB_STATIC_ASSERT(sizeof(struct lb_credit) == 128, "two cache lines, one for each side");

enum lb_credit_share {
  LB_CREDIT_CLAIM = 0,   /* the whole capacity */
  LB_CREDIT_PASS_UP = 1, /* half of it: a shift */
};

/* Returns 1 when a credit is held. It is spent by a redirect, or given back. */
LB_INLINE int lb_credit_take(struct lb_credit* credit, enum lb_credit_share share) {
  /* `returned` before `redirected`: the difference can then only come out too large, never
   * negative, and a packet is refused rather than lost. */
  lb_u64 returned = lb_load_acquire(&credit->returned);
  lb_u64 limit = lb_load_acquire(&credit->capacity) >> share;
  if (lb_load_acquire(&credit->redirected) - returned >= limit) return 0;
  if (lb_fetch_add(&credit->redirected, 1) - returned < limit) return 1;
  lb_fetch_add(&credit->redirected, (lb_u64)-1);
  return 0;
}

/* Gives back a credit that was taken and not spent. */
LB_INLINE void lb_credit_give_back(struct lb_credit* credit) {
  lb_fetch_add(&credit->redirected, (lb_u64)-1);
}

#endif
