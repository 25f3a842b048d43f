/* SPDX-License-Identifier: Apache-2.0 */
/* In front of each production file that the simulator compiles: see core/atomic.h. */
#ifndef LINEARB_SIM_SCHEDULE_POINT_H
#define LINEARB_SIM_SCHEDULE_POINT_H

#include "support/native_hook/program.h"

#define LB_SCHEDULE_POINT() lb_native_schedule_point()

#endif
