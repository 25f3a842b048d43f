/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LINEARB_BENCH_LIVE_SOURCE_H
#define LINEARB_BENCH_LIVE_SOURCE_H

enum {
  LIVE_SOURCE_LINES = 8, /* that a packet can go out of; a power of two */
};

#endif
