/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk from the first byte of a frame to its UDP payload: Ethernet II, up to two VLAN tags,
 * IPv4 with options, UDP. Every length is checked before it is believed.
 *
 * A fragment is never the feed, not even the first one, whose UDP header is there: the rest of the
 * datagram is elsewhere. UDP checksums are not looked at.
 *
 * Sources: IEEE 802.3 and 802.1Q (tag 0x8100, outer tag 0x88a8), RFC 791 3.1, RFC 768.
 */
#ifndef LINEARB_CORE_WALK_H
#define LINEARB_CORE_WALK_H

#include "core/bytes.h"

enum {
  LB_ETHERNET_HEADER = 14,
  LB_VLAN_TAG = 4,
  LB_VLAN_TAGS_MAX = 2,
  LB_IPV4_HEADER = 20,
  LB_UDP_HEADER = 8,
  LB_HEADERS_MIN = LB_ETHERNET_HEADER + LB_IPV4_HEADER + LB_UDP_HEADER,
  LB_ETHERTYPE_IPV4 = 0x0800,
  LB_ETHERTYPE_VLAN = 0x8100,
  LB_ETHERTYPE_QINQ = 0x88a8,
  LB_IPV4_MORE_FRAGMENTS = 0x2000,
  LB_IPV4_FRAGMENT_OFFSET = 0x1fff,
  LB_PROTOCOL_UDP = 17,
};

enum lb_walk_result {
  LB_WALK_DATAGRAM,     /* all fields of struct lb_walk are set */
  LB_WALK_NOT_UDP,      /* something else, or too short to say where it goes */
  LB_WALK_INCONSISTENT, /* destination and port are set, but the lengths contradict each other */
};

struct lb_walk {
  lb_u32 destination;    /* host byte order */
  lb_u16 port;           /* host byte order */
  lb_u16 ip_offset;      /* of the IPv4 header, from the first byte of the frame */
  lb_u16 payload_offset; /* of the UDP payload, from the first byte of the frame */
  lb_u16 payload_length;
};

/* `data` to `data_end` is the frame, without frame check sequence; bytes behind the IPv4 packet
 * (Ethernet padding, a capture trailer) are ignored. */
LB_INLINE enum lb_walk_result lb_walk_frame(const lb_u8* data, const lb_u8* data_end,
                                            struct lb_walk* walk) {
  const lb_u8* cursor = data + LB_ETHERNET_HEADER;
  if (cursor > data_end) return LB_WALK_NOT_UDP;
  lb_u16 type = lb_load_u16_be(cursor - 2);
  for (int tag = 0; tag < LB_VLAN_TAGS_MAX; tag++) {
    if (type != LB_ETHERTYPE_VLAN && type != LB_ETHERTYPE_QINQ) break;
    cursor += LB_VLAN_TAG;
    if (cursor > data_end) return LB_WALK_NOT_UDP;
    type = lb_load_u16_be(cursor - 2);
  }
  if (type != LB_ETHERTYPE_IPV4) return LB_WALK_NOT_UDP;

  const lb_u8* ip = cursor;
  if (ip + LB_IPV4_HEADER > data_end) return LB_WALK_NOT_UDP;
  if (ip[0] >> 4 != 4) return LB_WALK_NOT_UDP;
  lb_u32 ip_header = (ip[0] & 0x0f) * 4u;
  lb_u32 ip_length = lb_load_u16_be(ip + 2);
  if (ip_header < LB_IPV4_HEADER) return LB_WALK_NOT_UDP;
  if (lb_load_u16_be(ip + 6) & (LB_IPV4_MORE_FRAGMENTS | LB_IPV4_FRAGMENT_OFFSET))
    return LB_WALK_NOT_UDP;
  if (ip[9] != LB_PROTOCOL_UDP) return LB_WALK_NOT_UDP;

  const lb_u8* udp = ip + ip_header;
  const lb_u8* payload = udp + LB_UDP_HEADER;
  if (payload > data_end) return LB_WALK_NOT_UDP;
  lb_u32 udp_length = lb_load_u16_be(udp + 4);
  walk->destination = lb_load_u32_be(ip + 16);
  walk->port = lb_load_u16_be(udp + 2);
  walk->ip_offset = (lb_u16)(ip - data);
  walk->payload_offset = (lb_u16)(payload - data);
  walk->payload_length = (lb_u16)(udp_length - LB_UDP_HEADER);
  if (udp_length < LB_UDP_HEADER) return LB_WALK_INCONSISTENT;
  if (ip_header + udp_length > ip_length) return LB_WALK_INCONSISTENT;
  if (udp + udp_length > data_end) return LB_WALK_INCONSISTENT;
  return LB_WALK_DATAGRAM;
}

LB_INLINE int lb_is_multicast(lb_u32 address) {
  return address >> 28 == 0xe; /* RFC 5771: 224/4 */
}

/* The source address of a packet that was walked, in host byte order. By itself, because most flows
 * take every source. 0, which is none, where the packet has got shorter meanwhile. */
LB_INLINE lb_u32 lb_walk_source(const lb_u8* data, const lb_u8* data_end, lb_u32 ip_offset) {
  const lb_u8* ip = data + ip_offset;
  return ip + LB_IPV4_HEADER <= data_end ? lb_load_u32_be(ip + 12) : 0;
}

#endif
