/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finding a packet's flow: one multiplication, one cache line. User space chooses a multiplier
 * with which no bucket gets more than four flows, so the hook never probes further; a table that
 * was rebuilt is switched to with one store of the flow index.
 */
#ifndef LINEARB_CORE_FLOW_H
#define LINEARB_CORE_FLOW_H

#include "core/layout.h"

/*
 * A flow with LB_FLOW_SOURCES takes packets from some sources alone. Each of these has a place of
 * its own in the same table, so that what comes from where changes with the same store. It is found
 * under a number that no interface has, as those are positive, with the source for a destination
 * and the channel for a port.
 */
#define LB_SOURCES_OF_LINE(line) (1u << 31 | (line))

/*
 *     63            32 31     16 15        8   7     6       5..0
 *     | multiplier    | unused  | bucket bits | table | shapes |
 */
enum lb_flow_shapes {
  LB_FLOWS_EXACT = 1 << 0, /* some flows name their destination */
  LB_FLOWS_ANY = 1 << 1,   /* some flows take every destination */
};

LB_INLINE lb_u64 lb_flow_index(lb_u32 multiplier, lb_u32 bucket_bits, lb_u32 table, lb_u32 shapes) {
  return (lb_u64)multiplier << 32 | bucket_bits << 8 | table << 7 | shapes;
}

/* 2^64 / golden ratio, odd: widens the multiplier to 64 bits, so that ports and interfaces, which
 * are the low bits of the key, reach the high bits of the product, where the bucket is taken. */
#define LB_FLOW_SPREAD 0x9e3779b97f4a7c15ull

/* So many of them, 0 to 63. */
LB_INLINE lb_u32 lb_high_bits(lb_u64 word, lb_u32 count) {
  return (lb_u32)(word >> 1 >> (63 - count));
}

/* The bucket of a key in the table that the index names; each table has 1 << bucket_bits. */
LB_INLINE lb_u32 lb_flow_bucket_of(lb_u64 index, lb_u32 interface_index, lb_u32 destination,
                                   lb_u16 port) {
  lb_u32 bits = (lb_u32)(index >> 8) & 31;
  lb_u32 table = (lb_u32)(index >> 7) & 1;
  lb_u64 key = ((lb_u64)destination << 32 | (lb_u64)port << 16) ^ interface_index;
  lb_u64 mixed = key * ((index >> 32 | 1) * LB_FLOW_SPREAD);
  return (table << bits) + lb_high_bits(mixed, bits);
}

LB_INLINE const struct lb_flow* lb_bucket_find(const struct lb_flow_bucket* bucket,
                                               lb_u32 interface_index, lb_u32 destination,
                                               lb_u16 port) {
  for (int i = 0; i < LB_BUCKET_FLOWS; i++) {
    const struct lb_flow* flow = &bucket->flows[i];
    if (flow->interface_index == interface_index && flow->destination == destination &&
        flow->port == port)
      return flow;
  }
  return 0;
}

#endif
