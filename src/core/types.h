/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The integers of core and framing. They come from the compiler, not from a header, so that the
 * same lines compile for BPF, for C and for C++ without a libc.
 */
#ifndef LINEARB_CORE_TYPES_H
#define LINEARB_CORE_TYPES_H

typedef __UINT8_TYPE__ lb_u8;
typedef __UINT16_TYPE__ lb_u16;
typedef __UINT32_TYPE__ lb_u32;
typedef __UINT64_TYPE__ lb_u64;
typedef __INT32_TYPE__ lb_s32;
typedef __INT64_TYPE__ lb_s64;

/* A function of core is part of its caller: the verifier then follows one piece of code. */
#define LB_INLINE static inline __attribute__((always_inline, unused))

/* But not what is seldom needed, in BPF: it would stand between what always is, in the way of the
 * instruction cache. The verifier still follows it as if it were part of its caller. */
#ifdef __bpf__
#define LB_SELDOM static __attribute__((noinline, unused))
#else
#define LB_SELDOM LB_INLINE
#endif

#ifdef __cplusplus
#define LB_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define LB_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define LB_LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define LB_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#endif
