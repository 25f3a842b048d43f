// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The hook of the first design as bench/hook_cost.cpp measures it. */
#include "core/types.h"
#define FIRST_DESIGN_ENTRY LB_INLINE
#include "bench/peers/first_design.bpf.c"
#include "bench/peers/hook_cost.bpf.h"

SEC("xdp")
int first_design_moving_on(struct xdp_md* context) {
  return move_on(context) ? first_design(context) : XDP_ABORTED;
}
