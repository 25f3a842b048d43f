/* SPDX-License-Identifier: Apache-2.0 */
/* In front of each production file that the simulator compiles: see core/atomic.h. */
#ifndef LINEARB_SIM_SCHEDULE_POINT_H
#define LINEARB_SIM_SCHEDULE_POINT_H

#include "support/native_hook/program.h"

#define LB_SCHEDULE_POINT() lb_native_schedule_point()

/* The rings are shared with the kernel too; their accesses are libxdp's. */
#include <xdp/xsk.h>

#define xsk_ring_prod__submit(...) (lb_native_schedule_point(), xsk_ring_prod__submit(__VA_ARGS__))
#define xsk_ring_cons__release(...) \
  (lb_native_schedule_point(), xsk_ring_cons__release(__VA_ARGS__))
#define xsk_ring_cons__peek(...) (lb_native_schedule_point(), xsk_ring_cons__peek(__VA_ARGS__))
#define xsk_prod_nb_free(...)    (lb_native_schedule_point(), xsk_prod_nb_free(__VA_ARGS__))

#endif
