// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The hook of linearb as bench/hook_cost.cpp measures it. A winner leaves its metadata in front of
 * the packet, and a credit is out for it; both are taken back, or the next run of the same packet
 * would be another one. What that costs is measured too (take_back).
 */
#include "core/types.h"
#define LB_HOOK_ENTRY LB_INLINE
#include "bench/peers/hook_cost.bpf.h"
#include "bpf/linearb.bpf.c"

lb_u32 slot;

LB_INLINE int take_back(struct xdp_md* context) {
  lb_u32 index = slot;
  struct lb_credit* credit = bpf_map_lookup_elem(&credits, &index);
  if (!credit) return XDP_ABORTED;
  lb_store_release(&credit->returned, credit->returned + 1);
  int length = (int)((void*)(long)context->data - (void*)(long)context->data_meta);
  return bpf_xdp_adjust_meta(context, length) ? XDP_ABORTED : XDP_REDIRECT;
}

SEC("xdp")
int linearb_duplicate(struct xdp_md* context) {
  return move_on(context) ? LB_HOOK_FUNCTION(context) : XDP_ABORTED;
}

SEC("xdp")
int linearb_winner(struct xdp_md* context) {
  if (!move_on(context)) return XDP_ABORTED;
  int action = LB_HOOK_FUNCTION(context);
  return action == XDP_REDIRECT ? take_back(context) : action;
}

/* What the two have around the hook. */
SEC("xdp")
int only_around(struct xdp_md* context) {
  if (!move_on(context)) return XDP_ABORTED;
  if (bpf_xdp_adjust_meta(context, -(int)sizeof(struct lb_metadata))) return XDP_ABORTED;
  return take_back(context);
}
