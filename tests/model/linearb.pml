/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linearb, as far as its promise hangs on the order of steps: the hook on two lines, the kernel's
 * rings, the receiver's data thread, the thread that clears windows, and a receiver's start and end.
 * spin goes through every interleaving of them.
 *
 * One transition is one access to memory that somebody else also accesses, no more; what a process
 * does by itself between two accesses belongs to the one before. Each transition prints its name,
 * and README.md says which line of the program it is. check.py runs the cases and the broken orders:
 * CASE_... chooses packets and what happens to the receiver, BROKEN_... turns one order round.
 */

/* ---- cases ------------------------------------------------------------------------------------ */

/* A packet of the script: the epoch that it is of, its first number and how many. The hook sees the
 * session in place of the epoch. */
#define P(epoch, first, count) ((epoch) * 64 + (first) * 4 + (count))
#define EPOCH(p)               ((p) / 64)
#define FIRST(p)               (((p) / 4) % 16)
#define COUNT(p)               ((p) % 4)
#define END(p)                 (FIRST(p) + COUNT(p))
#define PICK3(i, a, b, c)      ((i) == 0 -> (a) : ((i) == 1 -> (b) : (c)))
#define PICK5(i, a, b, c, d, e) ((i) < 2 -> ((i) == 0 -> (a) : (b)) : PICK3((i) - 2, c, d, e))

#if defined(CASE_PACKETS)
/* The lines put the same messages into different packets, and go round the window once. */
#if defined(FULL)
#define PACKETS_A 3
#define PACKETS_B 5
#define PACKET_A(i) PICK3(i, P(1, 0, 2), P(1, 2, 2), P(1, 4, 2))
#define PACKET_B(i) PICK5(i, P(1, 0, 1), P(1, 1, 2), P(1, 3, 1), P(1, 4, 1), P(1, 5, 1))
#define FRAMES 3
#else
#define PACKETS_A 3
#define PACKETS_B 3
#define PACKET_A(i) PICK3(i, P(1, 0, 2), P(1, 2, 2), P(1, 4, 1))
#define PACKET_B(i) PICK3(i, P(1, 0, 1), P(1, 1, 2), P(1, 3, 2))
#endif
#define STARTS_PUBLISHED

#elif defined(CASE_LAST_FRAME)
/* Credits run out. */
#define PACKETS_A 3
#define PACKETS_B 3
#define PACKET_A(i) P(1, i, 1)
#define PACKET_B(i) P(1, i, 1)
#define STARTS_PUBLISHED

#elif defined(CASE_SESSIONS)
/* A start without anything published, and then a new session. */
#if defined(FULL)
#define PACKETS_A 3
#else
#define PACKETS_A 2
#endif
#define PACKETS_B 3
#define PACKET_A(i) PICK3(i, P(1, 0, 1), P(2, 0, 1), P(2, 1, 1))
#define PACKET_B(i) PICK3(i, P(1, 1, 1), P(2, 0, 1), P(2, 1, 1))
#define CLEARS

#elif defined(CASE_WRAP)
/* A line stands still while two sessions begin on the other, and the generation comes round. */
#define PACKETS_A 1
#if defined(FULL)
#define PACKETS_B 5
#define PACKET_A(i) P(1, 2, 1)
#define PACKET_B(i) PICK5(i, P(2, 0, 1), P(3, 0, 1), P(3, 1, 1), P(3, 2, 1), P(3, 3, 1))
#else
#define PACKETS_B 4
#define PACKET_A(i) P(1, 2, 1)
#define PACKET_B(i) PICK5(i, P(2, 0, 1), P(3, 0, 1), P(3, 1, 1), P(3, 2, 1), 0)
#endif
#define STARTS_PUBLISHED
#define CLEARS

#elif defined(CASE_RESTART)
/* The numbers restart under one session: only the sequencer can tell that from a repeat. Both lines
 * have brought number 0 before. */
#if defined(LIMIT_SHORT_EPOCH)
#define PACKETS_A 3
#define PACKETS_B 3
#else
#define PACKETS_A 2
#define PACKETS_B 2
#endif
#define PACKET_A(i) PICK3(i, P(1, 1, 1), P(2, 0, 1), P(2, 1, 1))
#define PACKET_B(i) PICK3(i, P(1, 1, 1), P(2, 0, 1), P(2, 1, 1))
#define ONE_SESSION
#define STARTS_PUBLISHED
#define STARTS_AT 1
#define CLEARS

#elif defined(CASE_CPUS)
/* Two CPUs are in the hook for line A, which repeats itself. */
#define PACKETS_A 3
#if defined(FULL)
#define PACKETS_B 2
#else
#define PACKETS_B 1
#endif
#define PACKET_A(i) PICK3(i, P(1, 0, 1), P(1, 1, 1), P(1, 0, 1))
#define PACKET_B(i) P(1, i, 1)
#define TWO_CPUS
#define STARTS_PUBLISHED

#elif defined(CASE_STOP)
/* The receiver ends while the lines go on. */
#define PACKETS_A 2
#define PACKETS_B 2
#define PACKET_A(i) P(1, i, 1)
#define PACKET_B(i) P(1, i, 1)
#define STARTS_PUBLISHED
#define STOPS

#elif defined(CASE_TAKEOVER)
/* The receiver dies while the lines go on, and the next one takes over. */
#if defined(FULL)
#define PACKETS_A 3
#define PACKETS_B 3
#else
#define PACKETS_A 2
#define PACKETS_B 2
#endif
#define PACKET_A(i) P(1, i, 1)
#define PACKET_B(i) P(1, i, 1)
#define STARTS_PUBLISHED
#define CLEARS
#define DIES

#elif defined(CASE_CORRUPT)
/* Line A's copy has a good header, and its messages are not there: the claim is undone. */
#define PACKETS_A 2
#define PACKETS_B 2
#define PACKET_A(i) P(1, i, 1)
#define PACKET_B(i) P(1, i, 1)
#define IS_MALFORMED (line == 0 && FIRST(packet) == 0)
#define STARTS_PUBLISHED

#elif defined(CASE_GAPS)
/* What no line brought is declared missing while the lines go on. */
#if defined(FULL)
#define PACKETS_A 3
#define PACKETS_B 3
#else
#define PACKETS_A 2
#define PACKETS_B 2
#endif
#define PACKET_A(i) P(1, i, 1)
#define PACKET_B(i) P(1, i, 1)
#define STARTS_PUBLISHED
#define DECLARES
#endif

#define PACKETS(line)   ((line) == 0 -> PACKETS_A : PACKETS_B)
#define PACKET(line, i) ((line) == 0 -> PACKET_A(i) : PACKET_B(i))

#if defined(ONE_SESSION)
#define SESSION(p) 1
#else
#define SESSION(p) EPOCH(p)
#endif

/* ---- bounds ----------------------------------------------------------------------------------- */

#if !defined(FRAMES)
#define FRAMES 2 /* of a socket; its RX ring has as many entries. What is passed up may have half */
#endif
#if !defined(STARTS_AT)
#define STARTS_AT 0
#endif
#define WORDS          2 /* of the window */
#define WORD_MESSAGES  2
#define CLAIM_ATTEMPTS 1 /* one lost race and a word is contended */
#define MARK_ATTEMPTS  2
#define GENERATION_MAX 2
#if defined(TWO_CPUS)
#define HOOKS 3
#else
#define HOOKS 2
#endif
#define LINE_OF(cpu) ((cpu) % 2)

/* ---- what hook and receiver share ------------------------------------------------------------- */

#define WORD_OF(number)         (((number) / WORD_MESSAGES) % WORDS)
#define LAP_OF(number)          ((number) / (WORD_MESSAGES * WORDS))
#define TAG(generation, number) ((generation) * 4 + LAP_OF(number))
#define MARK(generation, end)   ((generation) * 16 + (end))
#define MARK_GENERATION(mark)   ((mark) / 16)
#define MARK_END(mark)          ((mark) % 16)
#define PUBLISHED(generation, session) ((generation) * 4 + (session))

byte window[WORDS]; /* tag * 4 + bits */
byte published[2];
byte shown[2];
byte redirected[2];
byte returned[2];
byte capacity[2];
byte slot[2]; /* of xsks_map: the life of the receiver whose socket it is; 0: empty */
#if defined(CLEARS)
byte wanted;  /* how often it was to be cleared */
byte cleared; /* the last of them that was done */
#if defined(BROKEN_GENERATION_REUSED)
#define NEXT_WANTED generation
#else
#define NEXT_WANTED wanted + 1
#endif
#endif

/* ---- the kernel: rings of one socket for each line -------------------------------------------- */

byte filled[2];                                   /* frames in the fill ring */
byte used[2];                                     /* entries of the RX ring that are not released */
chan rx[2] = [FRAMES] of { byte, byte };          /* packet; verdict and generation */
byte unflushed[2];                                /* the last of them: not shown to the receiver yet */
byte in_poll;                                     /* CPUs that a grace period waits for: bits */
byte next[2];                                     /* what the line sends next */
byte running = HOOKS;

/* ---- what was promised, and what came: of messages one bit each ------------------------------- */

#define MESSAGE(epoch, number) (1 << (((epoch) - 1) * 8 + (number)))
#define MESSAGES(p) \
  (MESSAGE(EPOCH(p), FIRST(p)) | (COUNT(p) > 1 -> MESSAGE(EPOCH(p), FIRST(p) + 1) : 0))

byte life = 1;
int owed;      /* reached the hook with credit, or was dropped as a duplicate: has to be delivered */
int delivered; /* in this life; it is also the exact memory of the sequencer */
#if defined(DECLARES)
int declared; /* said to be missing on every line */
#endif

#define V_NOTHING     0
#define V_CLAIMED     1
#define V_LATE        2
#define V_CONTENDED   3
#define V_SKIP        4
#define V_ORDINARY    4
#define V_UNPUBLISHED 5
#define V_BEHIND      6

/* ---- the hook --------------------------------------------------------------------------------- */

/* lb_mark_advance: moves the mark from `seen`, which was judged. `moved` says whether it did. */
inline advance() {
  found = seen;
  attempt = 0;
  moved = 0;
  do
  :: atomic {
      if
      :: shown[line] == found ->
        shown[line] = MARK(MARK_GENERATION(seen), END(packet));
        moved = 1;
        printf("@ hook %d mark_moved %d\n", me, END(packet));
        break
      :: shown[line] != found && (MARK_GENERATION(shown[line]) != MARK_GENERATION(seen) ||
                                  MARK_END(shown[line]) > FIRST(packet)) ->
        printf("@ hook %d mark_passed %d\n", me, MARK_END(shown[line]));
        break
      :: else ->
        found = shown[line];
        attempt++;
        printf("@ hook %d mark_race_lost %d\n", me, MARK_END(found));
        if
        :: attempt == MARK_ATTEMPTS -> break
        :: else
        fi
      fi
    }
  od
}

/* lb_window_holds: `holds` says whether every message of the range is claimed. */
inline remembered() {
  number = FIRST(packet);
  holds = 1;
  do
  :: atomic {
      bits = 1 << (number % WORD_MESSAGES);
      step = 1;
      if
      :: number + 1 < END(packet) && number % WORD_MESSAGES == 0 -> bits = 3; step = 2
      :: else
      fi;
      if
      :: window[WORD_OF(number)] / 4 != TAG(MARK_GENERATION(seen), number) -> holds = 0
      :: else -> holds = ((window[WORD_OF(number)] & bits) == bits)
      fi;
      printf("@ hook %d window_look %d %d\n", me, WORD_OF(number), holds);
      number = number + step
    };
    if
    :: !holds || number >= END(packet) -> break
    :: else
    fi
  od;
  number = 0
}

/* lb_window_claim: the words of the range one after the other, each a load and a compare-and-swap.
 * Leaves V_NOTHING, V_CLAIMED, V_LATE or V_CONTENDED in `result`. */
inline claim() {
  number = FIRST(packet);
  result = V_NOTHING;
  do
  :: number >= END(packet) -> break
  :: number < END(packet) ->
    atomic {
      bits = 1 << (number % WORD_MESSAGES);
      step = 1;
      if
      :: number + 1 < END(packet) && number % WORD_MESSAGES == 0 -> bits = 3; step = 2
      :: else
      fi;
      attempt = 0
    };
claim_word:
    atomic {
      found = window[WORD_OF(number)];
      printf("@ hook %d claim_load %d %d\n", me, WORD_OF(number), found % 4);
      if
      :: found / 4 == TAG(MARK_GENERATION(seen), number) && (found & bits) == bits -> goto claim_next
      :: found / 4 == TAG(MARK_GENERATION(seen), number) && (found & bits) != bits
      :: found != 0 && found / 4 != TAG(MARK_GENERATION(seen), number) &&
         !(found / 16 == MARK_GENERATION(seen) && found / 4 < TAG(MARK_GENERATION(seen), number)) ->
        result = V_LATE;
        printf("@ hook %d claim_late %d\n", me, WORD_OF(number));
        break
      :: else
      fi
    };
    atomic {
      if
      :: window[WORD_OF(number)] == found ->
        window[WORD_OF(number)] =
            TAG(MARK_GENERATION(seen), number) * 4 +
            (bits | (found / 4 == TAG(MARK_GENERATION(seen), number) -> found % 4 : 0));
        result = V_CLAIMED;
        printf("@ hook %d claim_done %d\n", me, WORD_OF(number))
      :: else ->
        attempt++;
        printf("@ hook %d claim_race_lost %d\n", me, WORD_OF(number));
        if
        :: attempt == CLAIM_ATTEMPTS -> result = V_CONTENDED; break
        :: else -> goto claim_word
        fi
      fi
    };
claim_next:
    number = number + step
  od;
  atomic { number = 0; found = 0; attempt = 0; step = 0; bits = 0 }
}

/* lb_credit_take: `held` says whether it was got. */
inline take_credit(share) {
  held = 0;
  atomic { before = returned[line]; printf("@ hook %d credit_returned %d\n", me, before) };
#if defined(DIES)
  atomic { limit = capacity[line] >> (share); printf("@ hook %d credit_capacity %d\n", me, limit) };
#endif
  atomic {
#if !defined(DIES)
    limit = capacity[line] >> (share);
#endif
    printf("@ hook %d credit_redirected %d\n", me, redirected[line]);
    if
    :: redirected[line] < before || redirected[line] - before >= limit -> goto no_credit
    :: else
    fi
  };
  atomic {
    redirected[line]++;
    if
    :: redirected[line] - 1 >= before && redirected[line] - 1 - before < limit ->
      held = 1;
      printf("@ hook %d credit_taken %d\n", me, redirected[line])
    :: else -> printf("@ hook %d credit_too_many %d\n", me, redirected[line])
    fi
  };
  if
  :: held -> before = 0; limit = 0
  :: else ->
    atomic {
      redirected[line]--;
      printf("@ hook %d credit_undone %d\n", me, redirected[line]);
      goto no_credit
    }
  fi
}

inline give_back_credit() {
  redirected[line]--;
  printf("@ hook %d credit_given_back %d\n", me, redirected[line]);
  held = 0
}

/* A duplicate may be dropped because somebody else's claim was a promise. */
inline drop_duplicate() {
  if
  :: my_life == life -> owed = owed | MESSAGES(packet)
  :: else
  fi;
  printf("@ hook %d drop_duplicate %d\n", me, FIRST(packet));
  goto leave
}

proctype Hook(byte me) {
  byte line, packet, seen, verdict, my_life, before, limit, found, attempt, number, bits, step, result;
  byte packets_in_poll;
  bit moved, holds, held;
  line = LINE_OF(me);

again:
  atomic {
    moved = 0; holds = 0; held = 0; seen = 0; verdict = 0; my_life = 0; before = 0; limit = 0;
    found = 0; attempt = 0; number = 0; bits = 0; step = 0; result = 0; packet = 0;
#if !defined(STOPS) && !defined(DIES)
    my_life = 1;
#endif
    if
    :: next[line] >= PACKETS(line) -> goto done
    :: next[line] < PACKETS(line) ->
      printf("@ hook %d lost_on_line %d\n", me, FIRST(PACKET(line, next[line])));
      next[line]++;
      goto again
    :: next[line] < PACKETS(line) ->
      packet = PACKET(line, next[line]);
      next[line]++;
      in_poll = in_poll | (1 << me);
      printf("@ hook %d packet %d %d %d\n", me, EPOCH(packet), FIRST(packet), COUNT(packet))
    fi
  };

#if defined(STOPS) || defined(DIES)
  atomic { /* step 2 */
    my_life = slot[line];
    printf("@ hook %d slot_look %d\n", me, my_life);
    if
    :: my_life == 0 -> printf("@ hook %d to_kernel %d\n", me, FIRST(packet)); goto leave
    :: else
    fi
  };
#endif
#if defined(CLEARS) || defined(STOPS)
  atomic { /* step 3: lb_judge. `found` holds the published word until the mark was read. */
    found = published[line];
    printf("@ hook %d published_look %d\n", me, found / 4)
  };
#endif
  atomic {
#if !defined(CLEARS) && !defined(STOPS)
    found = published[line];
#endif
    seen = shown[line];
    if
    :: found / 4 == 0 || found / 4 != MARK_GENERATION(seen) || found % 4 != SESSION(packet) ->
      verdict = V_UNPUBLISHED
    :: else ->
#if defined(BROKEN_DROP_BEHIND_MARK)
      verdict = V_CLAIMED
#else
      verdict = (FIRST(packet) < MARK_END(seen) -> V_BEHIND : V_CLAIMED)
#endif
    fi;
    found = 0;
    printf("@ hook %d judge %d %d\n", me, MARK_END(seen), verdict)
  };
  if
  :: verdict == V_CLAIMED -> /* step 4 */
    remembered();
    if
    :: holds && FIRST(packet) > MARK_END(seen) -> verdict = V_SKIP
    :: holds && FIRST(packet) <= MARK_END(seen) ->
      advance();
      atomic {
        if
        :: moved -> drop_duplicate()
        :: else ->
#if defined(BROKEN_DROP_BEHIND_MARK)
          drop_duplicate()
#else
          verdict = V_BEHIND
#endif
        fi
      }
    :: else
    fi
  :: else
  fi;

#if defined(BROKEN_MARK_BEFORE_CLAIM)
  if
  :: verdict == V_CLAIMED || verdict == V_SKIP -> advance()
  :: else
  fi;
#endif
#if defined(BROKEN_CLAIM_BEFORE_CREDIT)
  if
  :: verdict == V_CLAIMED -> claim(); verdict = (result == V_NOTHING -> V_SKIP : result)
  :: else
  fi;
#endif
  /* Step 5. What was claimed may have every credit, what is passed up half of them. */
  take_credit((verdict == V_CLAIMED -> 0 : 1));

#if !defined(BROKEN_CLAIM_BEFORE_CREDIT)
  if
  :: verdict == V_CLAIMED -> /* step 6 */
    claim();
    verdict = result;
    if
    :: verdict == V_NOTHING && FIRST(packet) > MARK_END(seen) -> verdict = V_SKIP
    :: verdict == V_NOTHING && FIRST(packet) <= MARK_END(seen) ->
#if !defined(BROKEN_MARK_BEFORE_CLAIM)
      advance();
#endif
      if
      :: moved -> atomic { give_back_credit() }; atomic { drop_duplicate() }
      :: else -> verdict = V_BEHIND
      fi
    :: else
    fi
  :: else
  fi;
#endif
#if defined(BROKEN_LATE_DROPPED)
  if
  :: verdict == V_LATE || verdict == V_CONTENDED ->
    atomic { give_back_credit() };
    atomic { printf("@ hook %d drop_late %d\n", me, FIRST(packet)); goto leave }
  :: else
  fi;
#endif
  /* Step 7. */
#if !defined(BROKEN_MARK_BEFORE_CLAIM)
  if
  :: verdict <= V_ORDINARY -> advance()
  :: else
  fi;
#endif
  atomic {
    if
    :: slot[line] == 0 -> printf("@ hook %d redirect_refused %d\n", me, FIRST(packet))
    :: else ->
      my_life = slot[line];
      printf("@ hook %d redirect %d %d\n", me, FIRST(packet), verdict);
      goto redirect
    fi
  };
  atomic {
    give_back_credit();
    /* I2: claimed only when nothing can fail any more. A receiver that died took its promises along. */
#if !defined(DIES) && !defined(WITHOUT_I2)
    assert(verdict != V_CLAIMED && verdict != V_LATE && verdict != V_CONTENDED);
#endif
    printf("@ hook %d to_kernel %d\n", me, FIRST(packet));
    goto leave
  };

redirect: /* xsk_rcv: a frame of the fill ring, an entry of the RX ring */
  atomic {
    if
    :: my_life == life ->
      assert(filled[line] > 0);
      assert(used[line] < FRAMES);
      filled[line]--;
      used[line]++;
#if defined(DIES)
      assert(used[line] <= redirected[line] - returned[line]); /* a credit for every entry */
#endif
      rx[line] ! packet, verdict * 4 + MARK_GENERATION(seen);
      unflushed[line]++;
#if defined(IS_MALFORMED)
      if
      :: IS_MALFORMED
      :: else -> owed = owed | MESSAGES(packet)
      fi;
#else
      owed = owed | MESSAGES(packet);
#endif
      printf("@ hook %d into_ring %d\n", me, FIRST(packet))
    :: else -> printf("@ hook %d into_dead_socket %d\n", me, FIRST(packet))
    fi;
    goto leave
  };

no_credit: /* drop_for_want_of_credit: unclaimed, and the mark moves */
  if
#if !defined(BROKEN_MARK_BEFORE_CLAIM)
  :: verdict <= V_ORDINARY ->
    advance();
    if
    :: verdict == V_SKIP && moved -> atomic { drop_duplicate() }
    :: else
    fi
#endif
  :: else
  fi;
  printf("@ hook %d drop_without_credit %d\n", me, FIRST(packet));

leave: /* the end of the kernel's poll, or another packet in it before */
#if defined(POLLS)
  atomic {
    packets_in_poll++;
    if
    :: packets_in_poll < 2 -> goto again
    :: true
    fi
  };
#endif
  atomic {
    packets_in_poll = 0;
    unflushed[line] = 0;
    in_poll = in_poll & ~(1 << me);
    printf("@ hook %d flush %d\n", me, len(rx[line]));
    goto again
  };

done:
  atomic {
    if
    :: packets_in_poll > 0 -> packets_in_poll = 0; unflushed[line] = 0
    :: else
    fi;
    in_poll = in_poll & ~(1 << me);
    running--;
    printf("@ hook %d end 0\n", me)
  }
}

/* ---- the receiver ----------------------------------------------------------------------------- */

/* sys::wait_for_grace_period: each CPU is seen outside of its poll once, one after the other. */
#if defined(TWO_CPUS)
#define GRACE_PERIOD(text)                       \
  atomic { !(in_poll & 1) -> printf(text, 0) };  \
  atomic { !(in_poll & 2) -> printf(text, 1) };  \
  atomic { !(in_poll & 4) -> printf(text, 2) }
#else
#define GRACE_PERIOD(text)                       \
  atomic { !(in_poll & 1) -> printf(text, 0) };  \
  atomic { !(in_poll & 2) -> printf(text, 1) }
#endif

#if defined(CLEARS)
/* Publication::clear_loop. */
proctype Clear() {
  byte request, word;
end:
  do
  :: atomic { wanted != cleared -> request = wanted; printf("@ clear wanted %d\n", request) };
#if !defined(BROKEN_PUBLISH_WITHOUT_GRACE)
    GRACE_PERIOD("@ clear grace %d\n");
#endif
    word = 0;
    do
    :: atomic { word < WORDS -> window[word] = 0; printf("@ clear word %d\n", word); word++ }
    :: word == WORDS -> break
    od;
    atomic { word = 0; cleared = request; printf("@ clear cleared %d\n", request); request = 0 }
  od
}
#endif

/* What the data thread alone knows of the channel: sequencer::Channel and Publication. */
byte newest, line_epoch[2], line_end[2];
#if defined(CLEARS)
byte generation, epoch_published;
#endif

/* Sequencer::push, for a packet of the line. */
inline sequence(p) {
  news = MESSAGES(p) & ~delivered;
#if defined(BROKEN_CLAIMS_TRUSTED)
  if
  :: verdict == V_CLAIMED -> news = MESSAGES(p)
  :: else
  fi;
#endif
  assert((news & delivered) == 0); /* I1: once */
#if defined(DECLARES)
  assert((news & declared) == 0); /* I4: no false gap */
#endif
  delivered = delivered | news;
  news = 0;
  newest = (EPOCH(p) > newest -> EPOCH(p) : newest);
  if
  :: EPOCH(p) > line_epoch[line] -> line_epoch[line] = EPOCH(p); line_end[line] = END(p)
  :: EPOCH(p) == line_epoch[line] && END(p) > line_end[line] -> line_end[line] = END(p)
  :: else
  fi
}

#if defined(CLEARS)
/* Publication::follow, begin and publish. */
inline follow() {
  if
  :: epoch_published != newest ->
    atomic { published[0] = 0; printf("@ data unpublish 0\n") };
    atomic { published[1] = 0; printf("@ data unpublish 1\n") };
    atomic {
      epoch_published = newest;
      generation = generation % GENERATION_MAX + 1;
      wanted = NEXT_WANTED;
      printf("@ data want %d %d\n", wanted, generation)
    }
  :: else
  fi;
  if
  :: line_epoch[line] != newest ->
    atomic { published[line] = 0; printf("@ data unpublish %d\n", line) }
  :: line_epoch[line] == newest ->
    atomic {
      printf("@ data cleared_look %d\n", cleared);
      if
      :: wanted != 0 && cleared == wanted && published[line] != PUBLISHED(generation, session) ->
        goto publish
      :: wanted != 0 && cleared == wanted && published[line] == PUBLISHED(generation, session) ->
        goto raise
      :: else -> goto followed
      fi
    };
publish:
    atomic {
      shown[line] = MARK(generation, line_end[line]);
      printf("@ data publish_mark %d %d\n", line, line_end[line])
    };
    atomic {
      published[line] = PUBLISHED(generation, session);
      printf("@ data publish %d %d\n", line, generation);
      goto followed
    };
raise:
    atomic {
      mark = shown[line];
      printf("@ data mark_look %d %d\n", line, MARK_END(mark));
      if
      :: MARK_END(mark) >= line_end[line] -> goto followed
      :: else
      fi
    };
    atomic {
      if
      :: shown[line] == mark ->
        shown[line] = MARK(generation, line_end[line]);
        printf("@ data mark_raised %d %d\n", line, line_end[line])
      :: else -> goto raise
      fi
    };
followed:
    mark = 0
  fi
}
#endif

/* DataPath::receive_from, for what the ring shows. */
inline receive_from() {
  atomic { size = len(rx[line]) - unflushed[line]; printf("@ data peek %d %d\n", line, size) };
  taken = 0;
  do
  :: taken < size ->
    atomic {
      rx[line] ? packet, verdict;
      verdict = verdict / 4;
      printf("@ data take %d %d %d\n", line, FIRST(packet), verdict);
#if defined(IS_MALFORMED)
      if
      :: IS_MALFORMED
      :: else -> sequence(packet)
      fi;
      corrupt = (IS_MALFORMED && verdict != V_BEHIND && verdict != V_UNPUBLISHED);
#else
      sequence(packet);
#endif
#if defined(CLEARS)
      session = SESSION(packet);
#endif
      packet = 0;
      taken++
    };
#if defined(IS_MALFORMED)
    if
    :: corrupt ->
      atomic { window[0] = window[0] & ~1; corrupt = 0; printf("@ data claim_undone %d 0\n", line) }
    :: else
    fi;
#endif
#if defined(CLEARS)
    if
    :: verdict != V_CLAIMED -> follow()
    :: else
    fi;
    session = 0;
#endif
    verdict = 0
  :: taken == size -> break
  od;
#if defined(BROKEN_RETURNED_BEFORE_FILL)
  return_credits();
#endif
  atomic { filled[line] = filled[line] + size; printf("@ data fill %d %d\n", line, size) };
#if defined(BROKEN_RETURNED_BEFORE_RELEASE)
  return_credits();
#endif
  atomic { used[line] = used[line] - size; printf("@ data release %d %d\n", line, size) };
#if !defined(BROKEN_RETURNED_BEFORE_FILL) && !defined(BROKEN_RETURNED_BEFORE_RELEASE)
  return_credits();
#endif
  d_step {
#if defined(DECLARES)
    received[line] = received[line] + size;
#endif
    size = 0;
    taken = 0
  }
}

inline return_credits() {
  atomic { returned[line] = returned[line] + size; printf("@ data returned %d %d\n", line, size) }
}

/* hook::empty_slots. */
inline empty_slots() {
  atomic { slot[0] = 0; printf("@ data empty_slot 0\n") };
  atomic { slot[1] = 0; printf("@ data empty_slot 1\n") }
}

inline unpublish() {
  atomic { published[0] = 0; printf("@ data unpublish 0\n") };
  atomic { published[1] = 0; printf("@ data unpublish 1\n") }
}

/* Wiring::begin_credit, open_slot. */
inline begin_credit(l) {
  atomic { returned[l] = redirected[l]; printf("@ data credit_begins %d\n", l) }
}
inline open_slot(l) {
  atomic { capacity[l] = FRAMES; printf("@ data capacity %d\n", l) };
  atomic { slot[l] = life; printf("@ data open_slot %d\n", l) }
}

#if defined(DIES)
/* The process ends: the kernel closes its sockets, in whatever order. Then the next receiver:
 * hook::take_over, Wiring::start, Wiring::open_slots. */
inline die_and_take_over() {
  if
  :: empty_slots()
  :: atomic { slot[1] = 0; printf("@ data empty_slot 1\n") };
    atomic { slot[0] = 0; printf("@ data empty_slot 0\n") }
  fi;
  unpublish();
  empty_slots();
#if !defined(BROKEN_TAKEOVER_WITHOUT_GRACE)
  GRACE_PERIOD("@ data grace %d\n");
#endif
  atomic { window[0] = 0; printf("@ data clear_word 0\n") };
  atomic { window[1] = 0; printf("@ data clear_word 1\n") };
  atomic { published[0] = 0; shown[0] = 0; printf("@ data clear_mark 0\n") };
  atomic { published[1] = 0; shown[1] = 0; printf("@ data clear_mark 1\n") };
#if !defined(BROKEN_SLOT_BEFORE_CREDIT)
  atomic { capacity[0] = 0; printf("@ data capacity_closed 0\n") };
  atomic { returned[0] = redirected[0]; printf("@ data credit_closed 0\n") };
  atomic { capacity[1] = 0; printf("@ data capacity_closed 1\n") };
  atomic { returned[1] = redirected[1]; printf("@ data credit_closed 1\n") };
#endif
  d_step { /* new sockets, and a sequencer that knows nothing */
    line = 0;
    do
    :: line < 2 ->
      filled[line] = FRAMES;
      used[line] = 0;
      unflushed[line] = 0;
      line_epoch[line] = 0;
      line_end[line] = 0;
      line++
    :: else -> break
    od;
    line = 0;
    do
    :: len(rx[0]) > 0 -> rx[0] ? packet, verdict
    :: len(rx[1]) > 0 -> rx[1] ? packet, verdict
    :: else -> break
    od;
    packet = 0; verdict = 0;
    life = 2; owed = 0; delivered = 0; newest = 0;
    generation = 0; epoch_published = 0; wanted = 0; cleared = 0;
    printf("@ data new_life 2\n")
  };
#if defined(BROKEN_SLOT_BEFORE_CREDIT)
  open_slot(0); open_slot(1);
  begin_credit(0); begin_credit(1)
#else
  begin_credit(0); open_slot(0);
  begin_credit(1); open_slot(1)
#endif
}
#endif

proctype Receiver() {
  byte line, packet, verdict, size, taken;
  int news;
#if defined(CLEARS)
  byte session, mark;
#endif
#if defined(DECLARES)
  byte judged, marks_seen, wait_for[2], received[2];
  bit judging;
#endif
#if defined(IS_MALFORMED)
  bit corrupt;
#endif
#if defined(STOPS) || defined(DIES)
  bit ended;
#endif
  do
  :: atomic {
      if
      :: len(rx[0]) > unflushed[0] -> line = 0
      :: len(rx[1]) > unflushed[1] -> line = 1
      fi
    };
    receive_from()
#if defined(DIES)
  :: !ended -> ended = 1; die_and_take_over()
#endif
#if defined(STOPS)
  :: !ended -> /* Receiver::drain */
    ended = 1;
#if !defined(BROKEN_SLOTS_EMPTIED_WHILE_PUBLISHED)
    unpublish();
    GRACE_PERIOD("@ data grace %d\n");
#endif
    empty_slots();
    GRACE_PERIOD("@ data grace %d\n")
#endif
#if defined(DECLARES)
  /* Judges whether number `judged` is missing: every line's mark is behind it, what was on its way
   * then has come, and nobody has claimed it. */
  :: !judging && judged < 2 && !(delivered & MESSAGE(1, judged)) ->
    atomic { marks_seen = (MARK_END(shown[0]) > judged); printf("@ data mark_look 0 %d\n", marks_seen) };
    atomic {
      marks_seen = marks_seen && MARK_END(shown[1]) > judged;
      printf("@ data mark_look 1 %d\n", marks_seen)
    };
#if !defined(BROKEN_MARKS_ALONE)
    if
    :: marks_seen ->
      atomic { wait_for[0] = redirected[0]; printf("@ data redirected_look 0 %d\n", wait_for[0]) };
      atomic { wait_for[1] = redirected[1]; printf("@ data redirected_look 1 %d\n", wait_for[1]) }
    :: else
    fi;
#endif
    atomic { judging = marks_seen; marks_seen = 0 }
  :: !judging && judged < 2 && (delivered & MESSAGE(1, judged)) -> judged++
  :: judging && received[0] >= wait_for[0] && received[1] >= wait_for[1] ->
    atomic {
      printf("@ data claimed_look %d %d\n", judged, window[WORD_OF(judged)] % 4);
      if
      :: delivered & MESSAGE(1, judged)
#if !defined(BROKEN_MARKS_ALONE)
      :: !(delivered & MESSAGE(1, judged)) && (window[WORD_OF(judged)] & (1 << (judged % WORD_MESSAGES)))
#endif
      :: else ->
        declared = declared | MESSAGE(1, judged);
        printf("@ data declared_missing %d\n", judged);
        judged++
      fi;
      judging = 0; wait_for[0] = 0; wait_for[1] = 0
    }
#endif
  :: atomic {
      running == 0 && len(rx[0]) == 0 && len(rx[1]) == 0 ->
      printf("@ data end 0\n");
      assert((owed & ~delivered) == 0); /* I1 */
#if defined(DECLARES)
      assert((declared & delivered) == 0);
#endif
      break
    }
  od
}

init {
  d_step {
    filled[0] = FRAMES; filled[1] = FRAMES;
    capacity[0] = FRAMES; capacity[1] = FRAMES;
    slot[0] = 1; slot[1] = 1;
#if defined(STARTS_PUBLISHED)
    newest = 1;
    line_epoch[0] = 1; line_epoch[1] = 1;
    shown[0] = MARK(1, STARTS_AT); shown[1] = MARK(1, STARTS_AT);
    line_end[0] = STARTS_AT; line_end[1] = STARTS_AT;
#if STARTS_AT == 1
    window[0] = TAG(1, 0) * 4 + 1;
    delivered = MESSAGE(1, 0);
#endif
    published[0] = PUBLISHED(1, 1); published[1] = PUBLISHED(1, 1);
#if defined(CLEARS)
    generation = 1; wanted = 1; cleared = 1; epoch_published = 1;
#endif
#endif
  };
  atomic {
    run Hook(0);
    run Hook(1);
#if defined(TWO_CPUS)
    run Hook(2);
#endif
#if defined(CLEARS)
    run Clear();
#endif
    run Receiver()
  }
}
