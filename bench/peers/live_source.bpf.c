// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The source of live frames: the kernel hands it a template packet as often as it was asked to
 * (BPF_PROG_RUN with BPF_F_TEST_XDP_LIVE_FRAMES), it writes the next number of the feed into it,
 * which is optiq or MoldUDP64, and sends it out of the source end of a line. So it arrives in the
 * native hook of the other end, without a socket buffer and without a system call for each packet.
 * Where there are several channels, on ports in a row, they take turns: number 1 of each, then
 * number 2 of each.
 *
 * A frame comes back from the page pool with what was in it before (net/bpf/test_run.c,
 * xdp_test_run_init_page is called once for each page), so every run writes all that differs.
 *
 * It runs on one CPU at a time: the numbers need no atomic. A test run has the loopback as its
 * interface; a packet of any other one is a real one, and none of its business.
 */
#include <linux/bpf.h>
/* The helpers take their integers from there. */
#include <bpf/bpf_helpers.h>

#include "bench/loss.bpf.h"
#include "bench/optiq.bpf.h"
#include "core/walk.h"

enum {
  LOOPBACK_INDEX = 1, /* in every network namespace (include/net/flow.h, LOOPBACK_IFINDEX) */
  DESTINATION_PORT = LB_HEADERS_MIN - 6,
  MOLD_SEQUENCE = 10,
};

lb_u32 next_number;
lb_u32 next_channel; /* from 0 */
lb_u32 channels;
lb_u32 sent;
lb_u32 source_interface_index;
lb_u32 mold_messages; /* in a packet; 0: it is one of optiq */
lb_u32 next_packet;   /* over all channels */
lb_u32 line;
lb_u32 loss_of_2_32;

SEC("xdp")
int live_source(struct xdp_md* context) {
  if (context->ingress_ifindex != LOOPBACK_INDEX) return XDP_PASS;
  lb_u8* packet = (lb_u8*)(long)context->data;
  lb_u8* message = packet + LB_HEADERS_MIN;
  if (message + MOLD_SEQUENCE + 8 > (lb_u8*)(long)context->data_end) return XDP_ABORTED;
  lb_u32 packet_number = next_packet++;
  if (mold_messages) {
    *(lb_u64*)(message + MOLD_SEQUENCE) = __builtin_bswap64(next_number);
    next_number += mold_messages;
  } else {
    if (message + OPTIQ_MESSAGE_LENGTH > (lb_u8*)(long)context->data_end) return XDP_ABORTED;
    *(lb_u16*)(packet + DESTINATION_PORT) =
        __builtin_bswap16((lb_u16)(OPTIQ_FIRST_PORT + next_channel));
    *(lb_u16*)(message + OPTIQ_SERVICE_ID) = (lb_u16)(next_channel + 1);
    *(lb_u32*)(message + OPTIQ_SESSION_ID) = next_number;
    *(lb_u32*)(message + OPTIQ_SEQUENCE_NUMBER) = next_number;
    if (++next_channel >= channels) {
      next_channel = 0;
      next_number++;
    }
  }
  sent++;
  if (loss_of_2_32 && loss_takes(packet_number, line, loss_of_2_32)) return XDP_DROP;
  return (int)bpf_redirect(source_interface_index, 0);
}

char license_of_the_peer[] SEC("license") = "Dual BSD/GPL";
