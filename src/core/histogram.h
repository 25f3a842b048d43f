/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A histogram of nanoseconds in buckets that grow with the value: eight to every power of two, so
 * that a bucket is never wider than an eighth of what it holds. Fixed size, no allocation; written
 * by the hook with atomic additions (samples are rare), by user space from one thread.
 */
#ifndef LINEARB_CORE_HISTOGRAM_H
#define LINEARB_CORE_HISTOGRAM_H

#include "core/atomic.h"

enum {
  LB_HISTOGRAM_SUB_SHIFT = 3,
  LB_HISTOGRAM_SUB = 1 << LB_HISTOGRAM_SUB_SHIFT,
  LB_HISTOGRAM_TOP_BIT = 39, /* values from 2^40 ns, 18 minutes, share the last bucket */
  LB_HISTOGRAM_BUCKETS = (LB_HISTOGRAM_TOP_BIT - LB_HISTOGRAM_SUB_SHIFT + 2) * LB_HISTOGRAM_SUB,
};

struct lb_histogram {
  lb_u64 max_ns;
  lb_u64 buckets[LB_HISTOGRAM_BUCKETS];
};

/* The position of the highest bit that is set; value is not 0. Without __builtin_clz, which BPF
 * has no instruction for. */
LB_INLINE lb_u32 lb_highest_bit(lb_u64 value) {
  lb_u32 bit = 0;
  if (value >> 32) bit += 32, value >>= 32;
  if (value >> 16) bit += 16, value >>= 16;
  if (value >> 8) bit += 8, value >>= 8;
  if (value >> 4) bit += 4, value >>= 4;
  if (value >> 2) bit += 2, value >>= 2;
  if (value >> 1) bit += 1;
  return bit;
}

LB_INLINE lb_u32 lb_histogram_bucket(lb_u64 ns) {
  if (ns < LB_HISTOGRAM_SUB) return (lb_u32)ns;
  lb_u32 bit = lb_highest_bit(ns);
  if (bit > LB_HISTOGRAM_TOP_BIT) return LB_HISTOGRAM_BUCKETS - 1;
  lb_u32 sub = (lb_u32)(ns >> (bit - LB_HISTOGRAM_SUB_SHIFT)) & (LB_HISTOGRAM_SUB - 1);
  return (bit - LB_HISTOGRAM_SUB_SHIFT + 1) * LB_HISTOGRAM_SUB + sub;
}

/* The largest value that falls into the bucket. */
LB_INLINE lb_u64 lb_histogram_bucket_top(lb_u32 bucket) {
  if (bucket < LB_HISTOGRAM_SUB) return bucket;
  lb_u32 shift = bucket / LB_HISTOGRAM_SUB - 1;
  lb_u64 base = (lb_u64)(LB_HISTOGRAM_SUB + bucket % LB_HISTOGRAM_SUB) << shift;
  return base + (1ull << shift) - 1;
}

LB_INLINE void lb_histogram_add(struct lb_histogram* histogram, lb_u64 ns) {
  lb_u64 bucket = lb_histogram_bucket(ns);
  /* Cannot be beyond: said for the verifier. The compiler would compare a 32-bit copy of the value
   * that it then uses, and the verifier of Linux 6.1 does not see that they are the same: it must
   * know nothing of the value, and so has one register for both. */
  __asm__("" : "+r"(bucket));
  if (bucket >= LB_HISTOGRAM_BUCKETS) return;
  lb_fetch_add(&histogram->buckets[bucket], 1);
  lb_u64 max_ns = lb_load_acquire(&histogram->max_ns);
  for (int attempt = 0; attempt < 4 && ns > max_ns; attempt++) {
    lb_u64 found = lb_compare_swap(&histogram->max_ns, max_ns, ns);
    if (found == max_ns) return;
    max_ns = found;
  }
}

#endif
