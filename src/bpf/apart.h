/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of the hook that loop or branch much, or are seldom needed. Each is a global function,
 * which the verifier checks on its own: its paths add to those of the program instead of
 * multiplying them.
 */
#ifndef LINEARB_BPF_APART_H
#define LINEARB_BPF_APART_H

#include <linux/bpf.h>

#include "bpf/maps.h"
#include "core/checksum.h"
#include "core/walk.h"

__attribute__((noinline)) int claim_range(struct lb_channel* channel, lb_u64 generation,
                                          lb_u64 first, lb_u32 count, lb_u32* lost_races) {
  if (!channel || !lost_races) return LB_CLAIM_CONTENDED;
  return lb_window_claim(channel->words, LB_WINDOW_ORDER, (lb_u32)generation, first, count,
                         lost_races);
}

__attribute__((noinline)) int holds_range(struct lb_channel* channel, lb_u64 generation,
                                          lb_u64 first, lb_u32 count) {
  if (!channel) return 0;
  return lb_window_holds(channel->words, LB_WINDOW_ORDER, (lb_u32)generation, first, count);
}

__attribute__((noinline)) int advance_mark(struct lb_mark* mark, lb_u64 seen, lb_u64 first,
                                           lb_u64 end) {
  return mark ? lb_mark_advance(&mark->shown, seen, first, end) : 0;
}

/* Whether an identifier is remembered under dedup = "lru". */
__attribute__((noinline)) int has_seen(lb_u32 identifier) {
  return bpf_map_lookup_elem(&seen_sessions, &identifier) != 0;
}

__attribute__((noinline)) int claim_identifier(lb_u32 identifier) {
  lb_u8 seen = 1;
  long error = bpf_map_update_elem(&seen_sessions, &identifier, &seen, BPF_NOEXIST);
  return error == 0 ? LB_CLAIM_NEW : error == -17 /* EEXIST */ ? LB_CLAIM_NOTHING : LB_CLAIM_LATE;
}

__attribute__((noinline)) int checksum_is_wrong(struct xdp_md* context, lb_u32 ip_offset,
                                                lb_u32 beyond, lb_u32 payload_length) {
  const lb_u8* data = (void*)(long)context->data;
  const lb_u8* data_end = (void*)(long)context->data_end;
  return lb_checksum_is_wrong(data, data_end, ip_offset & 31, beyond & 127,
                              payload_length & 0xffff);
}

/* Of a flow with LB_FLOW_SOURCES. */
__attribute__((noinline)) int is_from_other_source(struct xdp_md* context, lb_u32 ip_offset,
                                                   lb_u64 flow_index, lb_u32 line, lb_u32 channel) {
  const lb_u8* data = (void*)(long)context->data;
  const lb_u8* data_end = (void*)(long)context->data_end;
  lb_u32 source = lb_walk_source(data, data_end, ip_offset & 31);
  return !find_flow(flow_index, LB_SOURCES_OF_LINE(line), source, (lb_u16)channel);
}

__attribute__((noinline)) int record_skew(struct lb_histogram* skew, lb_u64 behind_ns) {
  if (!skew) return 0;
  lb_histogram_add(skew, behind_ns);
  return 1;
}

#endif
