/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loads of packet bytes at any alignment. For BPF a cast, since clang turns memcpy of unknown
 * alignment into single bytes and every machine that linearb runs on loads unaligned words; in
 * user space memcpy, which the compiler turns into the same load without undefined behaviour.
 */
#ifndef LINEARB_CORE_BYTES_H
#define LINEARB_CORE_BYTES_H

#include "core/types.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "linearb is written for little-endian machines"
#endif

#ifdef __bpf__
#define LB_DEFINE_LOAD(name, type)          \
  LB_INLINE type name(const lb_u8* bytes) { \
    return *(const type*)bytes;             \
  }
#else
#define LB_DEFINE_LOAD(name, type)                  \
  LB_INLINE type name(const lb_u8* bytes) {         \
    type value;                                     \
    __builtin_memcpy(&value, bytes, sizeof(value)); \
    return value;                                   \
  }
#endif

LB_DEFINE_LOAD(lb_load_u16_le, lb_u16)
LB_DEFINE_LOAD(lb_load_u32_le, lb_u32)
LB_DEFINE_LOAD(lb_load_u64_le, lb_u64)

LB_INLINE lb_u16 lb_load_u16_be(const lb_u8* bytes) {
  return __builtin_bswap16(lb_load_u16_le(bytes));
}
LB_INLINE lb_u32 lb_load_u32_be(const lb_u8* bytes) {
  return __builtin_bswap32(lb_load_u32_le(bytes));
}
LB_INLINE lb_u64 lb_load_u64_be(const lb_u8* bytes) {
  return __builtin_bswap64(lb_load_u64_le(bytes));
}

#endif
