/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hook's own source, unchanged, for this machine. The folder include/ stands in front of the
 * system's headers for this file alone.
 */
#include "support/native_hook/program.h"

#define LB_SCHEDULE_POINT(access, word, value) lb_native_access(access, word, value)

#include "bpf/linearb.bpf.c"

/* libbpf reads the same numbers from the type information of the object. */
#define LB_NATIVE_MAP(map)                                                                  \
  {                                                                                         \
    .name = #map, .declaration = &map, .type = sizeof(*map.type) / sizeof(int),             \
    .max_entries = sizeof(*map.max_entries) / sizeof(int), .value_size = sizeof(*map.value) \
  }

const struct lb_native_map lb_native_maps[LB_NATIVE_MAPS] = {
    LB_NATIVE_MAP(config),     LB_NATIVE_MAP(flows),         LB_NATIVE_MAP(framings),
    LB_NATIVE_MAP(windows),    LB_NATIVE_MAP(marks),         LB_NATIVE_MAP(credits),
    LB_NATIVE_MAP(counters),   LB_NATIVE_MAP(skews),         LB_NATIVE_MAP(xsks_map),
    LB_NATIVE_MAP(interfaces), LB_NATIVE_MAP(seen_sessions), LB_NATIVE_MAP(streams),
};

int lb_native_program(struct lb_native_context* context) {
  return LB_HOOK_FUNCTION(context);
}
