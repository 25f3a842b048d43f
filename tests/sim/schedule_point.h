/* SPDX-License-Identifier: Apache-2.0 */
/* In front of each production file that the simulator compiles: see core/atomic.h. */
#ifndef LINEARB_SIM_SCHEDULE_POINT_H
#define LINEARB_SIM_SCHEDULE_POINT_H

#include "support/native_hook/program.h"

#define LB_SCHEDULE_POINT(access, word, value) lb_native_access(access, word, value)

/* The rings are shared with the kernel too; their accesses are libxdp's. */
#include <xdp/xsk.h>

extern "C" void lb_sim_ring_access(const char* step, const lb_u32* producer);

#define LB_SIM_RING(step, access, ring, ...) \
  (lb_sim_ring_access(step, (ring)->producer), access(ring, __VA_ARGS__))
#define xsk_ring_prod__submit(...)  LB_SIM_RING("fill", xsk_ring_prod__submit, __VA_ARGS__)
#define xsk_ring_cons__release(...) LB_SIM_RING("release", xsk_ring_cons__release, __VA_ARGS__)
#define xsk_ring_cons__peek(...)    LB_SIM_RING("peek", xsk_ring_cons__peek, __VA_ARGS__)
#define xsk_prod_nb_free(...)       (lb_native_schedule_point(), xsk_prod_nb_free(__VA_ARGS__))

#endif
