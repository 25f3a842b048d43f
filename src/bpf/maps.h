/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of the hook. The values are described in core/layout.h. All are pinned by name, so that
 * loads of the object by hand, one for each line, share them. The sizes here are those of an object
 * loaded by hand; the receiver's own loader sizes them by its configuration.
 */
#ifndef LINEARB_BPF_MAPS_H
#define LINEARB_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "core/flow.h"
#include "core/layout.h"
#include "core/stream.h"
#include "framing/framing.h"

#define LB_ARRAY(name, value_type, entries, map_flag_bits) \
  struct {                                                 \
    __uint(type, BPF_MAP_TYPE_ARRAY);                      \
    __uint(max_entries, entries);                          \
    __uint(map_flags, map_flag_bits);                      \
    __uint(pinning, LIBBPF_PIN_BY_NAME);                   \
    __type(key, lb_u32);                                   \
    __type(value, value_type);                             \
  } name SEC(".maps")

LB_ARRAY(config, struct lb_config, 1, BPF_F_MMAPABLE);
LB_ARRAY(flows, struct lb_flow_bucket, LB_FLOW_TABLES* LB_FLOW_BUCKETS_DEFAULT, BPF_F_MMAPABLE);
LB_ARRAY(streams, struct lb_stream_bucket, LB_STREAM_BUCKETS_DEFAULT, BPF_F_MMAPABLE);
LB_ARRAY(framings, struct lb_framing, LB_FRAMINGS_MAX, BPF_F_MMAPABLE);
LB_ARRAY(windows, struct lb_channel, LB_CHANNELS_DEFAULT, BPF_F_MMAPABLE);
LB_ARRAY(marks, struct lb_mark, LB_CHANNELS_DEFAULT* LB_LINES_MAX, BPF_F_MMAPABLE);
LB_ARRAY(credits, struct lb_credit, LB_SLOTS_MAX, BPF_F_MMAPABLE);
LB_ARRAY(counters, struct lb_counters, LB_COUNTER_BANKS* LB_LINES_MAX* LB_CPUS_MAX, BPF_F_MMAPABLE);
LB_ARRAY(skews, struct lb_histogram, LB_COUNTER_BANKS* LB_LINES_MAX, BPF_F_MMAPABLE);

struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, LB_SLOTS_MAX);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, lb_u32);
  __type(value, lb_u32);
} xsks_map SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, LB_LINES_MAX);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, lb_u32);
  __type(value, struct lb_interface);
} interfaces SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, LB_SEEN_SESSIONS);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, lb_u32); /* session_id */
  __type(value, lb_u8);
} seen_sessions SEC(".maps");

/* ---- finding in them ------------------------------------------------------------------------ */

LB_INLINE struct lb_counters* counters_of(lb_u64 bank, lb_u32 line) {
  lb_u32 cpu = bpf_get_smp_processor_id();
  lb_u32 index = ((lb_u32)(bank & 1) * LB_LINES_MAX + line) * LB_CPUS_MAX + cpu;
  return cpu < LB_CPUS_MAX ? bpf_map_lookup_elem(&counters, &index) : 0;
}

LB_INLINE const struct lb_flow* find_flow(lb_u64 index, lb_u32 interface_index, lb_u32 destination,
                                          lb_u16 port) {
  lb_u32 key = lb_flow_bucket_of(index, interface_index, destination, port);
  const struct lb_flow_bucket* bucket = bpf_map_lookup_elem(&flows, &key);
  return bucket ? lb_bucket_find(bucket, interface_index, destination, port) : 0;
}

LB_INLINE lb_u32 find_stream(lb_u64 bits, lb_u32 destination_channel, lb_u64 key) {
  lb_u32 index = lb_stream_bucket_of((lb_u32)bits, destination_channel, key);
  const struct lb_stream_bucket* bucket = bpf_map_lookup_elem(&streams, &index);
  return bucket ? lb_stream_find(bucket, destination_channel, key) : destination_channel;
}

#endif
