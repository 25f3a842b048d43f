/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory of a channel: what was delivered of it. It is plain memory, on the heap of a receiver
 * or, where the hook outlives its receivers (--keep-hook), in a map of the hook: then the next
 * receiver goes on from it, however this one ended.
 *
 * A process may be killed between any two stores. What it had stored by then stays, in the order of
 * its program; the compiler is kept from changing that order by lb_memory_store, which commits what
 * was stored before it. What is plain between two commits may be there in part. So that the next
 * receiver finds its way from every such state:
 *
 *   stream    key | is_stream (commit)
 *   begin     epoch 0 (commit) | everything | epoch (commit): a bank with epoch 0 is empty
 *   slide     missing ranges of the step that is left (ranges, then commit of their count)
 *             | sliding_to (commit) | words and time of the step cleared | base (commit).
 *             Ranges at or behind base do not count yet; a slide that has sliding_to is finished
 *   missing   the spare list whole | list (commit). Only appending is done in place
 *   take      end, first | in_hand: the words as they are | in_hand.count (commit) | list, bits.
 *             What is in hand was not delivered: words and list go back to what they were
 *   deliver   the application, which may be killed | in_hand.count 0 (commit)
 *
 * One writer: the data thread of the channel. Nobody reads it meanwhile, the next receiver reads it
 * when the one before it is gone. What it is bad at: it costs 75 KiB for each channel.
 */
#ifndef LINEARB_CORE_MEMORY_H
#define LINEARB_CORE_MEMORY_H

#include "core/window.h"

enum {
  /* Twice the hook's window: what the hook calls late is still known here. */
  LB_MEMORY_MESSAGES = 2 * LB_WINDOW_MESSAGES,
  LB_MEMORY_WORD_MESSAGES = 64,
  LB_MEMORY_WORDS = LB_MEMORY_MESSAGES / LB_MEMORY_WORD_MESSAGES,
  LB_MEMORY_STEP = 512, /* messages: the bitmap moves in steps, and a step has one time */
  LB_MEMORY_STEPS = LB_MEMORY_MESSAGES / LB_MEMORY_STEP,
  LB_MEMORY_FORGOTTEN = 256,                       /* missing ranges, when there are too many */
  LB_MEMORY_MISSING = 2 * LB_MEMORY_FORGOTTEN + 1, /* filling one in its middle makes two of it */
  LB_MEMORY_HAND_WORDS = 65536 / LB_MEMORY_WORD_MESSAGES + 1, /* of the largest count, anywhere */
  LB_MEMORY_EPOCHS = 2,
  LB_MEMORY_LINES = 8, /* LB_LINES_MAX */
  LB_MEMORY_APART = 2, /* packets that a line may bring before they are doubted no longer */
};
LB_STATIC_ASSERT((LB_MEMORY_WORDS & (LB_MEMORY_WORDS - 1)) == 0, "words are found by a remainder");
LB_STATIC_ASSERT((LB_MEMORY_STEPS & (LB_MEMORY_STEPS - 1)) == 0, "so are steps");
/* One step leaves less behind than is forgotten at once: what is forgotten is behind the bitmap. */
LB_STATIC_ASSERT(LB_MEMORY_STEP / 2 <= LB_MEMORY_FORGOTTEN, "a slide that is cut off is redone");

/* Numbers [first, end). */
struct lb_range {
  lb_u64 first;
  lb_u64 end;
};

/* What is missing behind the bitmap, ascending. */
struct lb_missing {
  lb_u64 count;
  lb_u64 has_forgotten; /* older ranges were given up */
  lb_u64 forgotten;     /* numbers in them that no receiver has reported yet */
  lb_u64 unused;
  struct lb_range ranges[LB_MEMORY_MISSING];
};

/* What was delivered in one epoch. */
struct lb_delivered {
  lb_u64 epoch; /* 0: nothing is here */
  lb_u64 session;
  lb_u64 began_ns; /* CLOCK_MONOTONIC, as all times here */
  lb_u64 first;
  lb_u64 end;        /* after the highest number that is known to exist, delivered or announced */
  lb_u64 base;       /* of the bitmap: a multiple of LB_MEMORY_STEP */
  lb_u64 sliding_to; /* above base: the bitmap is on its way there */
  lb_u64 list;       /* which of the two counts */
  struct lb_range answered; /* what is missing in it was reported by a receiver that has ended */
  lb_u64 unused[6];
  struct lb_missing missing[2];
  lb_u64 bits[LB_MEMORY_WORDS];     /* number n: bit n % 64 of word n / 64 */
  lb_u32 times_ms[LB_MEMORY_STEPS]; /* when the last of a step was delivered; 0: not known */
};

/* The packet that the application has, and what the bitmap was before it. */
struct lb_in_hand {
  lb_u64 count; /* 0: none */
  lb_u64 epoch;
  lb_u64 first;
  lb_u64 list; /* as in lb_delivered */
  lb_u64 words[LB_MEMORY_HAND_WORDS];
  lb_u64 unused[3];
};

/* Where a line is; no more than user space knows, the hook's mark may be ahead of it. */
struct lb_memory_line {
  lb_u64 epoch; /* 0: not known */
  lb_u64 end;
  lb_u64 last_ns;
  lb_u64 unused;
  /* Delivered as a jump that nothing has confirmed yet: in no epoch, so in none of the banks. */
  struct lb_range apart[LB_MEMORY_APART];
};

struct lb_memory {
  lb_u64 identity;  /* whose it is: of name and framing of the channel. 0: nobody's */
  lb_u64 is_stream; /* of one of those that share the channel's destination, with this key */
  lb_u64 key;
  lb_u64 unused[5];
  struct lb_memory_line lines[LB_MEMORY_LINES]; /* their names: lb_config.line_names */
  struct lb_in_hand in_hand;
  struct lb_delivered banks[LB_MEMORY_EPOCHS];
};
LB_STATIC_ASSERT(sizeof(struct lb_memory_line) == 64, "one cache line");
LB_STATIC_ASSERT(sizeof(struct lb_delivered) == 128 + 2 * 8240 + 16384 + 1024, "no padding");
LB_STATIC_ASSERT(sizeof(struct lb_in_hand) == 8256, "no padding");
LB_STATIC_ASSERT(sizeof(struct lb_memory) == 64 + 512 + 8256 + 2 * 34016, "75 KiB a channel");

/* For a test that looks at what a process leaves when it is killed here. */
#ifndef LB_CUT_POINT
#define LB_CUT_POINT() ((void)0)
#endif

#ifndef __bpf__
/* A store that stays between those before it and those after it. Only the order of one thread's
 * stores matters: an interrupted process has done all of them up to one place, and none behind. */
LB_INLINE void lb_memory_store(lb_u64* word, lb_u64 value) {
  LB_CUT_POINT();
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  LB_CUT_POINT();
}
#endif

#endif
