// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The source of live frames: the kernel hands it a template packet as often as it was asked to
 * (BPF_PROG_RUN with BPF_F_TEST_XDP_LIVE_FRAMES), it writes the next number of the feed into it,
 * which is optiq or MoldUDP64, and sends it out of the source end of a line. So it arrives in the
 * native hook of the other end, without a socket buffer and without a system call for each packet.
 * Where there are several channels, on ports in a row, they take turns: number 1 of each, then
 * number 2 of each. Where there are several lines, each packet goes out of all, one after the
 * other.
 *
 * It can keep time: then it holds a packet back until it is due, and writes into the copy for each
 * line when that left.
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
#include "core/layout.h"
#include "core/walk.h"

enum {
  LOOPBACK_INDEX = 1, /* in every network namespace (include/net/flow.h, LOOPBACK_IFINDEX) */
  DESTINATION_PORT = LB_HEADERS_MIN - 6,
  MOLD_SEQUENCE = 10,
  LOOKS_AT_THE_CLOCK_MAX = 1 << 20,
};

lb_u32 next_number;
lb_u32 next_channel; /* from 0 */
lb_u32 channels;
lb_u32 sent;
lb_u32 lines = 1;
lb_u32 source_interface_indexes[LB_LINES_MAX];
lb_u32 next_line;
lb_u64 period_ns; /* between two packets; 0: as fast as can be, and without a time */
lb_u64 due_ns;    /* 0: it is the first of a run */
int has_time;
lb_u32 mold_messages; /* in a packet; 0: it is one of optiq */
lb_u32 next_packet;   /* over all channels */
lb_u32 first_line;    /* of those above, to what it loses */
lb_u32 loss_of_2_32;

static long is_due(lb_u32 look, void* unused) {
  (void)look, (void)unused;
  return bpf_ktime_get_ns() >= due_ns;
}

LB_INLINE void wait_until_due(void) {
  has_time = due_ns != 0;
  due_ns = due_ns ? due_ns + period_ns : bpf_ktime_get_ns();
  bpf_loop(LOOKS_AT_THE_CLOCK_MAX, is_due, 0, 0);
}

LB_INLINE int write_mold(lb_u8* packet, const lb_u8* end) {
  lb_u8* message = packet + LB_HEADERS_MIN;
  if (message + MOLD_SEQUENCE + 8 > end) return 0;
  *(lb_u64*)(message + MOLD_SEQUENCE) = __builtin_bswap64(next_number);
  return 1;
}

LB_INLINE int write_optiq(lb_u8* packet, const lb_u8* end) {
  lb_u8* message = packet + LB_HEADERS_MIN;
  if (message + OPTIQ_MESSAGE_LENGTH > end) return 0;
  *(lb_u16*)(packet + DESTINATION_PORT) =
      __builtin_bswap16((lb_u16)(OPTIQ_FIRST_PORT + next_channel));
  *(lb_u16*)(message + OPTIQ_SERVICE_ID) = (lb_u16)(next_channel + 1);
  *(lb_u32*)(message + OPTIQ_SESSION_ID) = next_number;
  *(lb_u32*)(message + OPTIQ_SEQUENCE_NUMBER) = next_number;
  *(lb_u64*)(message + OPTIQ_TIMESTAMP) = period_ns && has_time ? bpf_ktime_get_ns() : 0;
  return 1;
}

/* All lines have the packet. */
LB_INLINE void go_on(void) {
  next_line = 0;
  next_packet++;
  if (mold_messages) {
    next_number += mold_messages;
  } else if (++next_channel >= channels) {
    next_channel = 0;
    next_number++;
  }
}

SEC("xdp")
int live_source(struct xdp_md* context) {
  if (context->ingress_ifindex != LOOPBACK_INDEX) return XDP_PASS;
  lb_u8* packet = (lb_u8*)(long)context->data;
  const lb_u8* end = (lb_u8*)(long)context->data_end;
  lb_u32 line = next_line & (LB_LINES_MAX - 1);
  if (period_ns && line == 0) wait_until_due();
  if (!(mold_messages ? write_mold(packet, end) : write_optiq(packet, end))) return XDP_ABORTED;
  lb_u32 interface_index = source_interface_indexes[line];
  int is_lost = loss_of_2_32 && loss_takes(next_packet, first_line + line, loss_of_2_32);
  next_line = line + 1;
  if (next_line >= lines) go_on();
  sent++;
  return is_lost ? XDP_DROP : (int)bpf_redirect(interface_index, 0);
}

char license_of_the_peer[] SEC("license") = "Dual BSD/GPL";
