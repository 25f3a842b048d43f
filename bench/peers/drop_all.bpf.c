// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The upper bound of every hook: drops what comes, and counts it. What is measured over it is the
 * cost of bringing a packet to a hook.
 */
#include <linux/bpf.h>
/* The helpers take their integers from there. */
#include <bpf/bpf_helpers.h>

#include "core/types.h"

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, lb_u32);
  __type(value, lb_u64);
} packets SEC(".maps");

SEC("xdp")
int drop_all(struct xdp_md* context) {
  (void)context;
  lb_u32 only = 0;
  lb_u64* count = bpf_map_lookup_elem(&packets, &only);
  if (count) ++*count;
  return XDP_DROP;
}

char license_of_the_peer[] SEC("license") = "Dual BSD/GPL";
