/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a datagram is as it was sent: the UDP checksum over pseudo header, header and payload.
 * RFC 768; RFC 1071 2 (the sum does not depend on the byte order in which it is taken).
 *
 * What it is bad at: it costs as much as the payload is long, and finds neither swapped 16-bit
 * words nor what a switch has damaged and summed again. A packet that was sent by a socket of this
 * machine and has not left it bears an unfinished checksum, since a NIC would have finished it.
 */
#ifndef LINEARB_CORE_CHECKSUM_H
#define LINEARB_CORE_CHECKSUM_H

#include "core/walk.h"

enum {
  LB_CHECKSUM_BYTES_MAX = 4096, /* more than a frame has room for */
  LB_CHECKSUM_BLOCK = 32,       /* large steps: the verifier follows each of them */
};

/* The compiler must not know where the pointer comes from: it would compare by calculating with
 * the end of the packet, which the verifier forbids. */
#define LB_OPAQUE(pointer) __asm__("" : "+r"(pointer))

/* Two 32-bit halves: their sum folds to the same as that of the four words in them. */
LB_INLINE lb_u64 lb_checksum_of_eight(lb_u64 bytes) {
  return (bytes & 0xffffffff) + (bytes >> 32);
}

/* Adds the words of a datagram, header included, not yet folded. Returns 0 when it reaches beyond
 * `data_end` or is too long. */
LB_INLINE int lb_checksum_add(const lb_u8* cursor, lb_u32 length, const lb_u8* data_end,
                              lb_u64* sum) {
  for (int i = 0; i < LB_CHECKSUM_BYTES_MAX / LB_CHECKSUM_BLOCK; i++) {
    if (length < LB_CHECKSUM_BLOCK) break;
    LB_OPAQUE(cursor);
    if (cursor + LB_CHECKSUM_BLOCK > data_end) return 0;
    for (int j = 0; j < LB_CHECKSUM_BLOCK; j += 8)
      *sum += lb_checksum_of_eight(lb_load_u64_le(cursor + j));
    cursor += LB_CHECKSUM_BLOCK;
    length -= LB_CHECKSUM_BLOCK;
  }
  for (int i = 0; i < LB_CHECKSUM_BLOCK / 8; i++) {
    if (length < 8) break;
    LB_OPAQUE(cursor);
    if (cursor + 8 > data_end) return 0;
    *sum += lb_checksum_of_eight(lb_load_u64_le(cursor));
    cursor += 8;
    length -= 8;
  }
  if (length >= 8) return 0;
  if (length == 0) return 1;
  /* The last bytes, fewer than eight: of the eight that end with them, those in front are shifted
   * out. There are so many, since the header has eight. */
  const lb_u8* end = cursor + length;
  LB_OPAQUE(end);
  if (end > data_end) return 0;
  *sum += lb_checksum_of_eight(lb_load_u64_le(end - 8) >> (64 - 8 * length));
  return 1;
}

/* 1: it is wrong. 0: it is right, or the sender made none. The frame was walked to its datagram;
 * `beyond` is how many bytes its headers have beyond LB_HEADERS_MIN. */
LB_INLINE int lb_checksum_is_wrong(const lb_u8* data, const lb_u8* data_end, lb_u32 ip_offset,
                                   lb_u32 beyond, lb_u32 payload_length) {
  const lb_u8* addresses = data + ip_offset + 12; /* source and destination: RFC 791 3.1 */
  const lb_u8* udp = data + (LB_HEADERS_MIN - LB_UDP_HEADER) + beyond;
  if (addresses + 8 > data_end || udp + LB_UDP_HEADER > data_end) return 1;
  if (lb_load_u16_be(udp + 6) == 0) return 0;
  lb_u32 length = payload_length + LB_UDP_HEADER;
  lb_u64 sum = lb_checksum_of_eight(lb_load_u64_le(addresses));
  sum += (lb_u64)LB_PROTOCOL_UDP << 8;
  sum += (length & 0xff) << 8 | (length >> 8 & 0xff);
  if (!lb_checksum_add(udp, length, data_end, &sum)) return 1;
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum != 0xffff;
}

#endif
