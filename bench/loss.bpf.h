/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which packets a line loses, the same for what sends them in the kernel and what expects them in
 * user space. */
#ifndef LINEARB_BENCH_LOSS_H
#define LINEARB_BENCH_LOSS_H

#include "core/types.h"

/* Of 2^32. Lines lose packets of their own. */
LB_INLINE int loss_takes(lb_u32 packet, lb_u32 line, lb_u32 of_2_32) {
  lb_u32 mixed = (packet ^ line * 0x85ebca6bu) * 0x9e3779b1u;
  mixed = (mixed ^ mixed >> 15) * 0x2c1b3c6du;
  return (mixed ^ mixed >> 13) < of_2_32;
}

#endif
