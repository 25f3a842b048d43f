/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finding the channel of a stream, where several share a destination and are told apart by a key in
 * their packets: one multiplication, one cache line. The receiver adds a stream when it first sees
 * it; what the hook looks for is stored last. One for which its bucket has no place is not added,
 * and user space arbitrates it alone.
 */
#ifndef LINEARB_CORE_STREAM_H
#define LINEARB_CORE_STREAM_H

#include "core/flow.h"

/* There are 1 << bits buckets. */
LB_INLINE lb_u32 lb_stream_bucket_of(lb_u32 bits, lb_u32 destination_channel, lb_u64 key) {
  lb_u64 mixed = (key ^ (lb_u64)destination_channel << 40) * LB_FLOW_SPREAD;
  return lb_high_bits(mixed, bits & 31);
}

/* The channel of the stream; that of its destination when it is not there. */
LB_INLINE lb_u32 lb_stream_find(const struct lb_stream_bucket* bucket, lb_u32 destination_channel,
                                lb_u64 key) {
  for (int i = 0; i < LB_BUCKET_STREAMS; i++) {
    const struct lb_stream* stream = &bucket->streams[i];
    lb_u64 channels = lb_load_acquire(&stream->channels);
    if (channels >> 16 == destination_channel + 1 && stream->key == key)
      return (lb_u32)channels & 0xffff;
  }
  return destination_channel;
}

#ifndef __bpf__
/* In the place of `channels`, while the key is written: of no destination. */
#define LB_STREAM_TAKEN 1

/* Returns 0 when the bucket is full. Each stream has one thread that adds and removes it; those of
 * others may be added to the same bucket at the same time. */
LB_INLINE int lb_stream_add(struct lb_stream_bucket* bucket, lb_u32 destination_channel, lb_u64 key,
                            lb_u32 channel) {
  for (int i = 0; i < LB_BUCKET_STREAMS; i++) {
    struct lb_stream* stream = &bucket->streams[i];
    if (lb_load_acquire(&stream->channels) != 0) continue;
    if (lb_compare_swap(&stream->channels, 0, LB_STREAM_TAKEN) != 0) continue;
    stream->key = key;
    lb_store_release(&stream->channels, (lb_u64)(destination_channel + 1) << 16 | channel);
    return 1;
  }
  return 0;
}

/* One that is not there is no error. No hook may be looking for it any more: its place is used
 * again. */
LB_INLINE void lb_stream_remove(struct lb_stream_bucket* bucket, lb_u32 destination_channel,
                                lb_u64 key) {
  for (int i = 0; i < LB_BUCKET_STREAMS; i++) {
    struct lb_stream* stream = &bucket->streams[i];
    if (lb_load_acquire(&stream->channels) >> 16 == destination_channel + 1 && stream->key == key)
      lb_store_release(&stream->channels, 0);
  }
}
#endif

#endif
