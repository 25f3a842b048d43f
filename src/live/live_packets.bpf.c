// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends packets as live frames: the kernel hands it a frame as often as it was asked to
 * (BPF_PROG_RUN with BPF_F_TEST_XDP_LIVE_FRAMES), it writes the next packet of the slots into it,
 * and sends it out of the source end of a line. So it arrives at the other end without a socket
 * buffer and without a system call for each packet.
 *
 * A test run has the loopback as its interface; a packet of any other one is a real one, and none
 * of its business. Each sender has a program and slots of its own: nothing in here is atomic.
 */
#include <linux/bpf.h>
/* The helpers take their integers from there. */
#include <bpf/bpf_helpers.h>

#include "live/slots.bpf.h"

enum {
  LOOPBACK_INDEX = 1, /* in every network namespace (include/net/flow.h, LOOPBACK_IFINDEX) */
  ETHERNET_HEADER = 14,
};

/* What the compiler knows of a number: nothing. It would make one comparison of two. */
#define OPAQUE(number) __asm__ volatile("" : "+r"(number))

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, LB_LIVE_SLOTS);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, lb_u32);
  __type(value, struct lb_live_slot);
} slots SEC(".maps");

lb_u32 next_slot;

SEC("xdp")
int live_packets(struct xdp_md* context) {
  if (context->ingress_ifindex != LOOPBACK_INDEX) return XDP_PASS;
  lb_u32 index = next_slot;
  struct lb_live_slot* slot = bpf_map_lookup_elem(&slots, &index);
  if (!slot) return XDP_ABORTED;
  lb_u32 length = slot->length;
  if (length < ETHERNET_HEADER || length > LB_LIVE_PACKET_ROOM) return XDP_ABORTED;
  /* Every frame is as long as what the run was given: the kernel sets that right before each. */
  if (length < LB_LIVE_PACKET_ROOM &&
      bpf_xdp_adjust_tail(context, (int)length - LB_LIVE_PACKET_ROOM))
    return XDP_ABORTED;
  /* The verifier of Linux 6.1 wants both bounds of the number itself, right here. */
  length = *(volatile lb_u32*)&slot->length;
  if (length < ETHERNET_HEADER) return XDP_ABORTED;
  OPAQUE(length);
  if (length > LB_LIVE_PACKET_ROOM) return XDP_ABORTED;
  OPAQUE(length);
  if (bpf_xdp_store_bytes(context, 0, slot->bytes, length)) return XDP_ABORTED;
  next_slot = index + 1;
  return (int)bpf_redirect(slot->interface_index, 0);
}

char license_of_the_source[] SEC("license") = "Dual BSD/GPL";
