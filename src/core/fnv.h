/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * FNV-1a, 64 bits (draft-eastlake-fnv, section 5): tells bytes apart where nobody wants to make
 * them look alike. It goes on from a hash, so that several pieces make one.
 */
#ifndef LINEARB_CORE_FNV_H
#define LINEARB_CORE_FNV_H

#include "core/types.h"

#define LB_FNV_BASIS 0xcbf29ce484222325ull
#define LB_FNV_PRIME 0x100000001b3ull

LB_INLINE lb_u64 lb_fnv(lb_u64 hash, const lb_u8* bytes, lb_u64 length) {
  for (lb_u64 i = 0; i < length; i++) hash = (hash ^ bytes[i]) * LB_FNV_PRIME;
  return hash;
}

#endif
