/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Skew by sampling: of one number in 1 << LB_SKEW_SAMPLE_SHIFT the winner leaves the time of its
 * arrival; the copy that comes second reads it and knows how far behind it is. Winners take a time
 * stamp anyway; of the duplicates only the sampled ones do.
 *
 * A stamp is one word, so that it cannot be read torn: 16 bits of the number, 48 bits of the time
 * (78 hours; a difference of two times is right whatever the wrap).
 */
#ifndef LINEARB_CORE_SKEW_H
#define LINEARB_CORE_SKEW_H

#include "core/layout.h"

#define LB_STAMP_TIME_MASK ((1ull << 48) - 1)

/* The sampled number in [first, first + count), or 0 if there is none. Number 0 is never sampled.
 */
LB_INLINE lb_u64 lb_skew_sampled(lb_u64 first, lb_u32 count) {
  lb_u64 number = (first + count - 1) >> LB_SKEW_SAMPLE_SHIFT << LB_SKEW_SAMPLE_SHIFT;
  return number >= first ? number : 0;
}

LB_INLINE lb_u64* lb_skew_stamp(lb_u64* stamps, lb_u64 number) {
  return &stamps[number >> LB_SKEW_SAMPLE_SHIFT & (LB_SKEW_STAMPS - 1)];
}

/* 16 bits that tell the numbers of one stamp's place apart. */
LB_INLINE lb_u64 lb_skew_tag(lb_u64 number) {
  return (number >> LB_SKEW_SAMPLE_SHIFT) / LB_SKEW_STAMPS << 48;
}

LB_INLINE void lb_skew_won(lb_u64* stamps, lb_u64 number, lb_u64 now_ns) {
  lb_store_release(lb_skew_stamp(stamps, number),
                   lb_skew_tag(number) | (now_ns & LB_STAMP_TIME_MASK));
}

/* Nanoseconds since the number was won; -1 when its stamp is gone or was never written. A stamp
 * that is ahead counts as 0: the clock of bpf_ktime_get_ns may step back by some nanoseconds from
 * one CPU to another (kernel/time/timekeeping.c, ktime_get_mono_fast_ns). */
LB_INLINE lb_s64 lb_skew_behind(lb_u64* stamps, lb_u64 number, lb_u64 now_ns) {
  lb_u64 stamp = lb_load_acquire(lb_skew_stamp(stamps, number));
  if (stamp == 0 || (stamp & ~LB_STAMP_TIME_MASK) != lb_skew_tag(number)) return -1;
  lb_u64 behind_ns = (now_ns - stamp) & LB_STAMP_TIME_MASK;
  return behind_ns > LB_STAMP_TIME_MASK / 2 ? 0 : (lb_s64)behind_ns;
}

#endif
