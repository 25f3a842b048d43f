/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A run: messages of one channel whose numbers follow each other without a hole. What is new in a
 * packet is a list of runs; so is a gap.
 */
#ifndef LINEARB_CORE_RUN_H
#define LINEARB_CORE_RUN_H

#include "core/types.h"

struct lb_run {
  lb_u64 first; /* number of the first message */
  lb_u32 count;
};

#endif
