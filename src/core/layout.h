/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What crosses the kernel boundary: the values of the maps that the hook and the receiver share,
 * and the metadata in front of a redirected packet. It stands once, here, with its sizes asserted.
 * Whoever changes a byte of it raises LB_LAYOUT_VERSION: a receiver refuses a hook of another one.
 */
#ifndef LINEARB_CORE_LAYOUT_H
#define LINEARB_CORE_LAYOUT_H

#include "core/credit.h"
#include "core/histogram.h"
#include "core/mark.h"
#include "core/memory.h"
#include "core/window.h"

/*
 * The version stands in the name of the hook's function, linearb_v<N>: so it is known of a hook
 * that no receiver ever took over, also to a linearb that knows nothing else of it. Whatever has
 * the prefix and a number is linearb's.
 */
#define LB_LAYOUT_VERSION   11
#define LB_HOOK_PREFIX      linearb_v
#define LB_JOIN_WORDS(a, b) a##b
#define LB_JOIN(a, b)       LB_JOIN_WORDS(a, b)
#define LB_TEXT_OF(a)       #a
#define LB_TEXT(a)          LB_TEXT_OF(a)
#define LB_HOOK_FUNCTION    LB_JOIN(LB_HOOK_PREFIX, LB_LAYOUT_VERSION)

enum {
  LB_LINES_MAX = 8,       /* Cboe has five lines; a channel's marks then fill eight cache lines */
  LB_LINE_NAME_ROOM = 16, /* with a closing zero */
  LB_QUEUES_MAX = 64,     /* RX queues of one interface that can hold a socket */
  LB_THREADS_MAX = 8,     /* data threads of one receiver */
  LB_SLOT_GROUPS_MAX = LB_LINES_MAX * LB_THREADS_MAX,
  LB_SLOTS_MAX = LB_SLOT_GROUPS_MAX * LB_QUEUES_MAX,
  LB_CPUS_MAX = 256,
  LB_CHANNELS_DEFAULT = 64, /* of a hook loaded by hand; linearb sizes the maps by its channels */
  LB_CHANNELS_MAX = 4096,
  LB_FRAMINGS_MAX = 64,
  LB_BUCKET_FLOWS = 4, /* flows in one cache line */
  LB_FLOW_BUCKETS_DEFAULT = 256,
  LB_BUCKET_STREAMS = 4, /* streams in one cache line */
  LB_STREAM_BUCKETS_DEFAULT = 128,
  LB_FLOW_TABLES = 2,   /* one is read while the other is written */
  LB_COUNTER_BANKS = 2, /* one is counted in while the other is read or cleared */
  LB_AHEAD_DEFAULT = 4096,
  LB_SKEW_SAMPLE_SHIFT = 4, /* one number in 16 */
  LB_SKEW_STAMPS = 256,
  LB_SEEN_SESSIONS = 1 << 20, /* identifiers that dedup = "lru" remembers */
};

/* ---- config: array of one ------------------------------------------------------------------ */

enum lb_config_flags {
  LB_CONFIG_METADATA = 1 << 0, /* write metadata where the driver has room for it */
};

/* Writer: the receiver, most of it when it takes the hook over. */
struct lb_config {
  lb_u64 flow_index;  /* lb_flow_index: which table of flows, and how to find a bucket in it */
  lb_u64 bank;        /* the bank of counters that is counted in */
  lb_u64 flags;       /* enum lb_config_flags */
  lb_u64 ahead;       /* how far beyond its line's mark a range may begin, in messages */
  lb_u64 frame_room;  /* the largest packet in bytes that fits a frame behind the headroom */
  lb_u64 stream_bits; /* 1 << stream_bits buckets of streams */
  lb_u64 unused[2];
  /* Not read by the hook: for those who look at its counters. Empty: there is no such line. */
  char line_names[LB_LINES_MAX][LB_LINE_NAME_ROOM];
};
LB_STATIC_ASSERT(sizeof(struct lb_config) == 192, "the hook reads one cache line of three");

/* ---- flows: array of buckets, LB_FLOW_TABLES tables behind each other ------------------------ */

enum lb_flow_flags {
  LB_FLOW_LRU = 1 << 0,      /* dedup = "lru": identifiers without order */
  LB_FLOW_CHECKSUM = 1 << 1, /* checksum = "verify": one that is there and wrong is malformed */
  LB_FLOW_SOURCES = 1 << 2,  /* from some sources alone: core/flow.h says where they stand */
  LB_FLOW_REPAIR = 1 << 3,   /* of a line that only repairs: lb_as_repair() */
};

/* A destination on an interface, and what it belongs to. The interface is part of the key: the
 * lines of a channel may share group and port. */
struct lb_flow {
  lb_u32 interface_index; /* 0: an empty place */
  lb_u32 destination;     /* host byte order; 0 takes every address */
  lb_u16 port;            /* host byte order */
  lb_u16 channel;
  lb_u8 slot_group; /* of interface and thread: lb_slot_of() gives credit and place in xsks_map */
  lb_u8 line;
  lb_u8 framing;
  lb_u8 flags; /* enum lb_flow_flags */
};
LB_STATIC_ASSERT(sizeof(struct lb_flow) == 16, "four in a cache line");

/* Each data thread that receives from an interface has a group of its own there. */
LB_INLINE lb_u32 lb_slot_group_of(lb_u32 interface, lb_u32 thread) {
  return thread * LB_LINES_MAX + interface;
}

/* The slots of a group are LB_QUEUES_MAX in a row. */
LB_INLINE lb_u32 lb_slot_of(lb_u32 slot_group, lb_u32 rx_queue) {
  return slot_group * LB_QUEUES_MAX + rx_queue;
}

struct lb_flow_bucket {
  struct lb_flow flows[LB_BUCKET_FLOWS];
};
LB_STATIC_ASSERT(sizeof(struct lb_flow_bucket) == 64, "one cache line");

/* ---- streams: array of buckets (core/stream.h) ---------------------------------------------- */

/* A sequence among several that share a destination, by the key in its packets. */
struct lb_stream {
  lb_u64 channels; /* that of the flow, plus one, << 16 | that of the stream; 0: an empty place */
  lb_u64 key;
};

struct lb_stream_bucket {
  struct lb_stream streams[LB_BUCKET_STREAMS];
};
LB_STATIC_ASSERT(sizeof(struct lb_stream_bucket) == 64, "one cache line");

/* ---- interfaces: hash, key lb_u32 interface index ------------------------------------------- */

struct lb_interface {
  lb_u32 line; /* the first line on it: what is no flow is counted there */
};

/* ---- windows: array, one value a channel ---------------------------------------------------- */

struct lb_channel {
  lb_u64 words[LB_WINDOW_WORDS];
  lb_u64 stamps[LB_SKEW_STAMPS]; /* when a sampled number was won: see core/skew.h */
};
LB_STATIC_ASSERT(sizeof(struct lb_channel) == 18 * 1024, "18 KiB a channel");

/* marks: array of struct lb_mark, index channel * LB_LINES_MAX + line.
 * credits: array of struct lb_credit, index slot.
 * skews: array of struct lb_histogram, index bank * LB_LINES_MAX + line.
 * framings: array of struct lb_framing (framing/framing.h).
 * memories: array of struct lb_memory, one value a channel. The hook does not read it, it only
 * keeps it: a loader makes it for a hook that is to outlive its receivers, others have none. */
LB_STATIC_ASSERT((int)LB_MEMORY_LINES == (int)LB_LINES_MAX, "a line of the memory for each line");

/* ---- counters: array, index (bank * LB_LINES_MAX + line) * LB_CPUS_MAX + cpu ----------------- */

/*
 * One writer each: a CPU runs one XDP program at a time. `packets` is counted when the line is
 * known, one of the others when the packet leaves: they must agree, and `balanced` says so.
 */
struct lb_counters {
  lb_u64 packets;
  lb_u64 duplicate;
  lb_u64 claimed;   /* redirected with at least one message of its own */
  lb_u64 passed_up; /* redirected unclaimed, for the sequencer to judge */
  lb_u64 no_credit;
  lb_u64 not_feed;
  lb_u64 malformed;
  lb_u64 no_receiver;
  /* Second cache line: details of the above, rare, not part of the sum. */
  lb_u64 no_metadata;  /* of claimed and passed_up: the driver gave no room for metadata */
  lb_u64 oversized;    /* of malformed: larger than a frame */
  lb_u64 lost_races;   /* compare-and-swaps on the window that another CPU won */
  lb_u64 late;         /* of passed_up: behind the window */
  lb_u64 contended;    /* of passed_up: gave up on a word of the window */
  lb_u64 bad_checksum; /* of malformed: the UDP checksum was verified, and is wrong */
  lb_u64 unused[2];
};
LB_STATIC_ASSERT(sizeof(struct lb_counters) == 128, "two cache lines");

/* ---- metadata: in front of every redirected packet ------------------------------------------ */

/* 0 is no verdict: the receiver clears the byte before a frame goes back to the fill ring, and so
 * knows a frame that came without metadata. */
enum lb_verdict {
  /* Ordinary packets: they move their line's mark. */
  LB_VERDICT_CLAIMED = 1,
  LB_VERDICT_LATE,      /* behind the window; bits may be claimed */
  LB_VERDICT_CONTENDED, /* bits may be claimed */
  LB_VERDICT_SKIP,      /* nothing new, but its line skipped numbers before it */
  LB_VERDICT_ORDINARY_LAST = LB_VERDICT_SKIP,
  LB_VERDICT_NOT_DATA,    /* heartbeat, reset, end of session, unsequenced, retransmission */
  LB_VERDICT_UNPUBLISHED, /* channel not published to this line, or another session */
  LB_VERDICT_BEHIND,      /* begins behind its own line's mark */
  LB_VERDICT_JUMP,        /* begins too far ahead of it */
  LB_VERDICT_COUNT,       /* a count that the hook does not claim */
};
/* Added to that of an ordinary packet that goes on from a jump, which it confirms: `place` is where
 * it stands to the end of that jump. */
#define LB_VERDICT_FROM_JUMP 0x80

struct lb_metadata {
  lb_u64 arrival_ns; /* CLOCK_MONOTONIC when the hook saw it */
  lb_u64 first;
  lb_s32 place; /* lb_mark_place */
  lb_u16 count;
  lb_u16 channel;
  lb_u16 payload_offset; /* from the first byte of the packet */
  lb_u16 payload_length;
  lb_u8 line;
  lb_u8 verdict; /* enum lb_verdict | LB_VERDICT_FROM_JUMP */
  lb_u8 kind;    /* enum lb_kind (framing/framing.h) */
  lb_u8 generation;
};
LB_STATIC_ASSERT(sizeof(struct lb_metadata) == 32, "the most that bpf_xdp_adjust_meta gives");

#endif
