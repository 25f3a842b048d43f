/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a hook costs by itself, by BPF_PROG_RUN with repeat: each time the packet gets the next
 * number, which is new or has been there, and goes through the very same functions.
 */
#ifndef LINEARB_BENCH_HOOK_COST_H
#define LINEARB_BENCH_HOOK_COST_H

#include <linux/bpf.h>

#include "bench/optiq.bpf.h"
#include "core/walk.h"

lb_u32 next_number;

LB_INLINE int move_on(struct xdp_md* context) {
  lb_u8* message = (lb_u8*)(long)context->data + LB_HEADERS_MIN;
  if (message + OPTIQ_MESSAGE_LENGTH > (lb_u8*)(long)context->data_end) return 0;
  *(lb_u32*)(message + OPTIQ_SESSION_ID) = next_number;
  *(lb_u32*)(message + OPTIQ_SEQUENCE_NUMBER) = next_number;
  next_number++;
  return 1;
}

#endif
