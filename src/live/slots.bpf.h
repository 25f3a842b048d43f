/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packets that one run of live frames sends: written by user space, read by the program that
 * the kernel hands empty frames to (live_packets.bpf.c).
 */
#ifndef LINEARB_LIVE_SLOTS_H
#define LINEARB_LIVE_SLOTS_H

#include "core/types.h"

enum {
  LB_LIVE_SLOTS = 256,        /* packets of one run: what the queue of a veth has room for */
  LB_LIVE_PACKET_ROOM = 1528, /* bytes of a packet, and of the frames that it is written into: an
                                 Ethernet frame of 1,500 bytes with VLAN tags */
};

struct lb_live_slot {
  lb_u32 interface_index; /* of the source end that it leaves by */
  lb_u32 length;          /* bytes of the packet */
  lb_u8 bytes[LB_LIVE_PACKET_ROOM];
};
LB_STATIC_ASSERT(sizeof(struct lb_live_slot) == 1536, "24 cache lines");

#endif
