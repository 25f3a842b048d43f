/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the hook's C, compiled for this machine (program.c), and native_hook.cpp, which plays the
 * kernel for it: the context, the maps that the program declares, and the helpers that it calls.
 */
#ifndef LINEARB_SUPPORT_NATIVE_HOOK_PROGRAM_H
#define LINEARB_SUPPORT_NATIVE_HOOK_PROGRAM_H

#include "core/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the program knows as struct xdp_md: the kernel's has 32 bits where a pointer goes, which it
 * rewrites while it loads a program. */
struct lb_native_context {
  lb_u64 data;
  lb_u64 data_end;
  lb_u64 data_meta;
  lb_u32 ingress_ifindex;
  lb_u32 rx_queue_index;
};

/* A map as the program declares it. */
struct lb_native_map {
  const char* name;
  const void* declaration; /* its address: what the program hands to a helper */
  lb_u32 type;             /* enum bpf_map_type */
  lb_u32 max_entries;
  lb_u32 value_size; /* bytes. Keys have four */
};

enum {
  LB_NATIVE_MAPS = 12
};
extern const struct lb_native_map lb_native_maps[LB_NATIVE_MAPS];

/* The program. */
int lb_native_program(struct lb_native_context* context);

/* The helpers, for the packet that the calling thread or fiber has in the program. */
void* lb_native_lookup(const void* map, const void* key);
long lb_native_update(const void* map, const void* key, const void* value, lb_u64 flags);
long lb_native_redirect(const void* map, lb_u32 key, lb_u64 flags);
long lb_native_adjust_meta(struct lb_native_context* context, int delta);
lb_u64 lb_native_time_ns(void);
lb_u32 lb_native_cpu(void);

/* Before each access to memory that is shared: one of core/atomic.h (enum lb_access), or any other.
 */
void lb_native_access(lb_u32 access, const lb_u64* word, lb_u64 value);
void lb_native_schedule_point(void);

#ifdef __cplusplus
}
#endif

#endif
