/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packets that one run of live frames sends: written by user space, read by the program that
 * the kernel hands empty frames to (live_packets.bpf.c).
 */
#ifndef LINEARB_TESTS_SOAK_SLOTS_H
#define LINEARB_TESTS_SOAK_SLOTS_H

#include "core/types.h"

enum {
  SOAK_SLOTS = 256,       /* packets of one run: what the queue of a veth has room for */
  SOAK_PACKET_ROOM = 504, /* bytes of a packet, and of the frames that it is written into */
};

struct soak_slot {
  lb_u32 interface_index; /* of the source end that it leaves by */
  lb_u32 length;          /* bytes of the packet */
  lb_u8 bytes[SOAK_PACKET_ROOM];
};
LB_STATIC_ASSERT(sizeof(struct soak_slot) == 512, "eight cache lines");

#endif
