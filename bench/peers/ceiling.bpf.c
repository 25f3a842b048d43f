// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The upper bound of every arbiter: hands all of line A up and drops all of the other lines,
 * without a look at a packet. What is measured over it is the cost of bringing packets to a hook,
 * and a half of them to user space.
 */
#include <linux/bpf.h>
/* The helpers take their integers from there. */
#include <bpf/bpf_helpers.h>

#include "core/types.h"

struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 1);
  __type(key, lb_u32);
  __type(value, lb_u32);
} xsks_map SEC(".maps");

SEC("xdp")
int redirect_all(struct xdp_md* context) {
  (void)context;
  return (int)bpf_redirect_map(&xsks_map, 0, XDP_PASS);
}

SEC("xdp")
int drop_all(struct xdp_md* context) {
  (void)context;
  return XDP_DROP;
}

char license_of_the_peer[] SEC("license") = "Dual BSD/GPL";
