/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every atomic of linearb that two sides of the kernel boundary share is spelled here and nowhere
 * else.
 *
 *   for BPF        volatile loads and stores (clang 14 and 19 crash on __atomic_load_n for BPF) and
 *                  the __sync family, which becomes the BPF atomics of kernel 5.12 (-mcpu=v3)
 *   in user space  the __atomic family, which ThreadSanitizer understands
 *   in a simulator the same as in user space, with a scheduling point before each access: define
 *                  LB_SCHEDULE_POINT(access, word, value) before including any header of core;
 *                  `value` is what is stored, expected or added
 *
 * A read-modify-write is a full barrier in all three. A BPF load is ordered as an acquire on
 * x86-64; the program relies on nothing stronger.
 */
#ifndef LINEARB_CORE_ATOMIC_H
#define LINEARB_CORE_ATOMIC_H

#include "core/types.h"

#ifndef LB_SCHEDULE_POINT
#define LB_SCHEDULE_POINT(access, word, value) ((void)0)
#endif

enum lb_access {
  LB_ACCESS_LOAD,
  LB_ACCESS_STORE,
  LB_ACCESS_SWAP,
  LB_ACCESS_ADD,
};

LB_INLINE lb_u64 lb_load_acquire(const lb_u64* word) {
  LB_SCHEDULE_POINT(LB_ACCESS_LOAD, word, 0);
#ifdef __bpf__
  return *(const volatile lb_u64*)word;
#else
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
#endif
}

LB_INLINE void lb_store_release(lb_u64* word, lb_u64 value) {
  LB_SCHEDULE_POINT(LB_ACCESS_STORE, word, value);
#ifdef __bpf__
  *(volatile lb_u64*)word = value;
#else
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
#endif
}

/* Returns the value that was there: the swap took place if it equals `expected`. */
LB_INLINE lb_u64 lb_compare_swap(lb_u64* word, lb_u64 expected, lb_u64 desired) {
  LB_SCHEDULE_POINT(LB_ACCESS_SWAP, word, expected);
#ifdef __bpf__
  return __sync_val_compare_and_swap(word, expected, desired);
#else
  __atomic_compare_exchange_n(word, &expected, desired, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
  return expected;
#endif
}

/* Returns the value before the addition. */
LB_INLINE lb_u64 lb_fetch_add(lb_u64* word, lb_u64 summand) {
  LB_SCHEDULE_POINT(LB_ACCESS_ADD, word, summand);
#ifdef __bpf__
  return __sync_fetch_and_add(word, summand);
#else
  return __atomic_fetch_add(word, summand, __ATOMIC_SEQ_CST);
#endif
}

/* For a counter that has one writer: a plain addition whose store a reader never sees torn. */
LB_INLINE void lb_count(lb_u64* counter, lb_u64 summand) {
#ifdef __bpf__
  *(volatile lb_u64*)counter = *(volatile lb_u64*)counter + summand;
#else
  __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + summand, __ATOMIC_RELAXED);
#endif
}

#endif
