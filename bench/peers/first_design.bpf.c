// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The hook of the first design, to be compared with. It keeps the faults that design.md lists, and
 * they are not to be repaired here:
 *
 *   lookup, then update    A and B on two CPUs can both pass
 *   seen, then redirected  what the redirect loses is then dropped on the other line as well
 *   one socket, on line A  the kernel refuses what line B redirects to it, and says nothing
 *   an LRU hash            evicts in batches, also when it is not full
 */
#include <linux/bpf.h>
/* The helpers take their integers from there. */
#include <bpf/bpf_helpers.h>

#include "bench/optiq.bpf.h"
#include "core/walk.h"

enum {
  SESSIONS_REMEMBERED = 1 << 20,
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, SESSIONS_REMEMBERED);
  __type(key, lb_u32);
  __type(value, lb_u8);
} seen_sessions SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 1);
  __type(key, lb_u32);
  __type(value, lb_u32);
} xsks_map SEC(".maps");

#ifndef FIRST_DESIGN_ENTRY
#define FIRST_DESIGN_ENTRY SEC("xdp")
#endif

FIRST_DESIGN_ENTRY
int first_design(struct xdp_md* context) {
  const lb_u8* packet = (const lb_u8*)(long)context->data;
  const lb_u8* end = (const lb_u8*)(long)context->data_end;
  const lb_u8* ip = packet + LB_ETHERNET_HEADER;
  const lb_u8* udp = ip + LB_IPV4_HEADER;
  if (packet + LB_HEADERS_MIN + OPTIQ_MESSAGE_LENGTH > end) return XDP_PASS;
  if (lb_load_u16_be(ip - 2) != LB_ETHERTYPE_IPV4) return XDP_PASS;
  if (ip[0] != 0x45 || ip[9] != LB_PROTOCOL_UDP) return XDP_PASS;
  if (lb_load_u16_be(udp + 2) != OPTIQ_FIRST_PORT) return XDP_PASS;

  lb_u32 session_id = lb_load_u32_le(packet + LB_HEADERS_MIN + OPTIQ_SESSION_ID);
  if (bpf_map_lookup_elem(&seen_sessions, &session_id)) return XDP_DROP;
  lb_u8 seen = 1;
  bpf_map_update_elem(&seen_sessions, &session_id, &seen, BPF_ANY);
  return (int)bpf_redirect_map(&xsks_map, 0, XDP_PASS);
}

char license_of_the_peer[] SEC("license") = "Dual BSD/GPL";
