// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The hook: the one XDP program of linearb. It drops in the driver what another line has already
 * brought, and hands the rest to the receiver's AF_XDP sockets. It is an accelerator: whatever it
 * cannot judge it passes up, and the sequencer in user space is the authority.
 *
 * The order of the steps is what makes it right, see ARCHITECTURE.md: nothing is claimed before
 * everything that can fail has succeeded; nothing is dropped that begins behind its own line's
 * mark; the mark moves last.
 */
#include "bpf/apart.h"
#include "bpf/maps.h"
#include "core/skew.h"
#include "core/walk.h"
#include "framing/judge.h"

/* One packet on its way through the hook. */
struct packet {
  struct lb_walk walk;
  struct lb_datagram datagram;
  const struct lb_flow* flow;
  struct lb_counters* counters;
  struct lb_channel* channel;
  struct lb_mark* mark;
  lb_u64 shown;  /* the mark when the packet was judged */
  lb_u64 jumped; /* and what had jumped beyond it */
  lb_u64 bank;
  lb_s32 place;
  lb_u32 kind;
  lb_u32 channel_index;
};

/* Every packet whose line is known leaves through here, once. */
LB_INLINE int leave(lb_u64* counter, int action) {
  lb_count(counter, 1);
  return action;
}

LB_INLINE int pass_unrelated(lb_u64 bank, lb_u32 interface_index) {
  struct lb_interface* interface = bpf_map_lookup_elem(&interfaces, &interface_index);
  struct lb_counters* line = interface ? counters_of(bank, interface->line) : 0;
  if (!line) return XDP_PASS;
  lb_count(&line->packets, 1);
  return leave(&line->not_feed, XDP_PASS);
}

/* A stream that is not known yet goes up as of the channel of its destination, to which nothing is
 * ever published. */
LB_INLINE int find_channel(struct packet* packet, const struct lb_framing* framing,
                           const lb_u8* payload, const lb_u8* end, lb_u64 stream_bits) {
  packet->channel_index = packet->flow->channel;
  if (LB_UNLIKELY(lb_framing_has_key(framing)))
    packet->channel_index =
        find_stream(stream_bits, packet->flow->channel, lb_framing_key(framing, payload, end));
  lb_u32 mark_index = packet->channel_index * LB_LINES_MAX + packet->flow->line;
  packet->channel = bpf_map_lookup_elem(&windows, &packet->channel_index);
  packet->mark = bpf_map_lookup_elem(&marks, &mark_index);
  return packet->channel && packet->mark;
}

LB_INLINE int uses_lru(const struct packet* packet) {
  return packet->flow->flags & LB_FLOW_LRU;
}

LB_INLINE int has_wrong_checksum(struct xdp_md* context, struct packet* packet) {
  if (LB_LIKELY(!(packet->flow->flags & LB_FLOW_CHECKSUM))) return 0;
  if (!checksum_is_wrong(context, packet->walk.ip_offset,
                         packet->walk.payload_offset - LB_HEADERS_MIN, packet->walk.payload_length))
    return 0;
  lb_count(&packet->counters->bad_checksum, 1);
  return 1;
}

/* Almost every packet lies in one word of the window, and no other CPU is in it. */
LB_INLINE int remembered(struct packet* packet) {
  lb_u32 generation = lb_mark_generation(packet->shown), count = packet->datagram.count;
  lb_u64 first = packet->datagram.first;
  if (LB_UNLIKELY(uses_lru(packet))) return has_seen((lb_u32)first);
  if (LB_LIKELY(lb_is_in_one_word(first, count)))
    return lb_window_holds_in_one_word(packet->channel->words, LB_WINDOW_ORDER, generation, first,
                                       count);
  return holds_range(packet->channel, generation, first, count);
}

LB_INLINE enum lb_claim claim(struct packet* packet) {
  lb_u32 generation = lb_mark_generation(packet->shown), count = packet->datagram.count;
  lb_u64 first = packet->datagram.first;
  lb_u32 lost_races = 0;
  if (LB_UNLIKELY(uses_lru(packet))) return (enum lb_claim)claim_identifier((lb_u32)first);
  if (LB_LIKELY(lb_is_in_one_word(first, count))) {
    enum lb_claim result = lb_window_claim_in_one_word(packet->channel->words, LB_WINDOW_ORDER,
                                                       generation, first, count);
    if (LB_LIKELY(result != LB_CLAIM_CONTENDED)) return result;
    lost_races = 1;
  }
  enum lb_claim result =
      (enum lb_claim)claim_range(packet->channel, generation, first, count, &lost_races);
  if (lost_races) lb_count(&packet->counters->lost_races, lost_races);
  return result;
}

/* Of an ordinary packet. */
LB_INLINE int goes_on_from_jump(const struct packet* packet) {
  return LB_UNLIKELY(packet->jumped != 0) && packet->place >= 0 &&
         lb_confirms_jump(packet->shown, packet->datagram.first, packet->place);
}

/* Its line skipped something that the receiver has to see. */
LB_INLINE int follows_a_hole(const struct packet* packet) {
  return packet->place > 0 || goes_on_from_jump(packet);
}

/* The mark has moved: to where the line had jumped, or on from where it was. */
LB_INLINE void settle_jump(struct packet* packet) {
  if (goes_on_from_jump(packet))
    lb_fetch_add(&packet->mark->skipped_unseen, packet->mark->jumped_unseen);
  packet->mark->jumped = 0;
}

LB_INLINE int advance(struct packet* packet) {
  if (packet->place < 0) return uses_lru(packet); /* identifiers have no order: nothing to move */
  lb_u64 end = packet->datagram.first + packet->datagram.count;
  if (LB_UNLIKELY(!lb_mark_advance_at_once(&packet->mark->shown, packet->shown, end)) &&
      !advance_mark(packet->mark, packet->shown, packet->datagram.first, end))
    return 0;
  if (LB_UNLIKELY(packet->jumped != 0)) settle_jump(packet);
  return 1;
}

/* The same for a packet that the receiver does not see, or sees without its place: what its line
 * skipped before it is counted here. */
LB_INLINE int advance_unseen(struct packet* packet) {
  int moved = advance(packet);
  if (moved && packet->place > 0)
    lb_fetch_add(&packet->mark->skipped_unseen, (lb_u64)packet->place);
  return moved;
}

/* The range lies too far ahead; the next may confirm it. What the line skipped before it the
 * receiver counts, if it sees the packet or has seen its copy. */
LB_INLINE void note_jump(struct packet* packet, int is_seen) {
  struct lb_mark* mark = packet->mark;
  lb_u32 generation = lb_mark_generation(packet->shown);
  lb_u64 first = packet->datagram.first;
  lb_u64 jumped = lb_mark_word(generation, first + packet->datagram.count);
  int goes_on =
      lb_mark_generation(packet->jumped) == generation && first >= lb_mark_value(packet->jumped);
  if (is_seen)
    mark->jumped_unseen = 0;
  else if (goes_on)
    mark->jumped_unseen += first - lb_mark_value(packet->jumped);
  else if (packet->jumped != jumped)
    mark->jumped_unseen = first - lb_mark_value(packet->shown);
  lb_store_release(&mark->jumped, jumped);
}

LB_INLINE int drop_duplicate(struct packet* packet) {
  lb_u64 number = lb_skew_sampled(packet->datagram.first, packet->datagram.count);
  if (LB_UNLIKELY(number != 0)) {
    lb_s64 behind_ns = lb_skew_behind(packet->channel->stamps, number, bpf_ktime_get_ns());
    lb_u32 index = (lb_u32)(packet->bank & 1) * LB_LINES_MAX + packet->flow->line;
    struct lb_histogram* skew = bpf_map_lookup_elem(&skews, &index);
    if (skew && behind_ns >= 0) record_skew(skew, (lb_u64)behind_ns);
  }
  return leave(&packet->counters->duplicate, XDP_DROP);
}

/* Dropped without having been claimed, so that the other line's copy can still win. The mark moves:
 * the line did bring it. But not to where it jumped: the receiver has to be told. */
LB_INLINE int drop_for_want_of_credit(struct packet* packet, enum lb_verdict verdict) {
  if (verdict == LB_VERDICT_JUMP ||
      (verdict <= LB_VERDICT_ORDINARY_LAST && goes_on_from_jump(packet))) {
    note_jump(packet, 0);
    return leave(&packet->counters->no_credit, XDP_DROP);
  }
  if (verdict > LB_VERDICT_ORDINARY_LAST) return leave(&packet->counters->no_credit, XDP_DROP);
  if (advance_unseen(packet) && verdict == LB_VERDICT_SKIP) return drop_duplicate(packet);
  return leave(&packet->counters->no_credit, XDP_DROP);
}

/* Step 6, for an ordinary packet that holds a credit. LB_VERDICT_NOTHING_NEW: the other line took
 * all of it meanwhile. */
#define LB_VERDICT_NOTHING_NEW 0
LB_INLINE int claim_verdict(struct packet* packet) {
  switch (claim(packet)) {
    case LB_CLAIM_NEW:
      return LB_VERDICT_CLAIMED;
    case LB_CLAIM_LATE:
      return LB_VERDICT_LATE;
    case LB_CLAIM_CONTENDED:
      return LB_VERDICT_CONTENDED;
    case LB_CLAIM_NOTHING:
      break;
  }
  if (follows_a_hole(packet)) return LB_VERDICT_SKIP;
  return advance(packet) ? LB_VERDICT_NOTHING_NEW : LB_VERDICT_BEHIND;
}

/* Makes room right in front of the packet, where the receiver looks. What an XDP program before
 * this one has left there goes: taken for the hook's, it would be believed. */
LB_INLINE int make_room_for_metadata(struct xdp_md* context, lb_u64 flags) {
  int wanted = flags & LB_CONFIG_METADATA ? (int)sizeof(struct lb_metadata) : 0;
  int there = (int)((void*)(long)context->data - (void*)(long)context->data_meta);
  return bpf_xdp_adjust_meta(context, there - wanted) == 0 && wanted;
}

LB_INLINE void write_metadata(struct xdp_md* context, const struct packet* packet, lb_u32 verdict,
                              lb_u64 now_ns) {
  struct lb_metadata* metadata = (void*)(long)context->data_meta;
  if ((void*)(metadata + 1) > (void*)(long)context->data) return;
  metadata->arrival_ns = now_ns;
  metadata->first = packet->datagram.first;
  metadata->place = packet->place;
  metadata->count = (lb_u16)packet->datagram.count;
  metadata->channel = (lb_u16)packet->channel_index;
  metadata->payload_offset = packet->walk.payload_offset;
  metadata->payload_length = packet->walk.payload_length;
  metadata->line = packet->flow->line;
  metadata->verdict = (lb_u8)verdict;
  if (verdict <= LB_VERDICT_ORDINARY_LAST && goes_on_from_jump(packet))
    metadata->verdict |= LB_VERDICT_FROM_JUMP;
  metadata->kind = (lb_u8)packet->kind;
  metadata->generation = (lb_u8)lb_mark_generation(packet->shown);
}

/* Steps 4 to 7, for a packet of a channel that has a receiver. */
LB_INLINE int arbitrate(struct xdp_md* context, struct packet* packet, lb_u32 verdict, lb_u32 slot,
                        lb_u64 flags) {
  if (verdict == LB_VERDICT_CLAIMED && remembered(packet)) {
    if (follows_a_hole(packet))
      verdict = LB_VERDICT_SKIP;
    else if (advance(packet))
      return drop_duplicate(packet);
    else
      verdict = LB_VERDICT_BEHIND;
  }
  struct lb_credit* credit = bpf_map_lookup_elem(&credits, &slot);
  if (!credit) return leave(&packet->counters->no_receiver, XDP_PASS);
  int has_metadata = make_room_for_metadata(context, flags);
  enum lb_credit_share share = verdict == LB_VERDICT_CLAIMED ? LB_CREDIT_CLAIM : LB_CREDIT_PASS_UP;
  if (LB_UNLIKELY(!lb_credit_take(credit, share))) return drop_for_want_of_credit(packet, verdict);

  lb_u64 now_ns = bpf_ktime_get_ns();
  if (verdict == LB_VERDICT_CLAIMED) verdict = (lb_u32)claim_verdict(packet);
  if (LB_UNLIKELY(verdict == LB_VERDICT_NOTHING_NEW)) {
    lb_credit_give_back(credit);
    return drop_duplicate(packet);
  }
  if (verdict == LB_VERDICT_CLAIMED) {
    lb_u64 number = lb_skew_sampled(packet->datagram.first, packet->datagram.count);
    if (number) lb_skew_won(packet->channel->stamps, number, now_ns);
  }
  if (LB_UNLIKELY(verdict == LB_VERDICT_LATE)) lb_count(&packet->counters->late, 1);
  if (LB_UNLIKELY(verdict == LB_VERDICT_CONTENDED)) lb_count(&packet->counters->contended, 1);
  /* Some drivers give no room in front of a packet. The receiver sees that the frame has no
   * metadata and parses it itself; what the line skipped is then told through the mark. */
  if (LB_LIKELY(has_metadata))
    write_metadata(context, packet, verdict, now_ns);
  else
    lb_count(&packet->counters->no_metadata, 1);
  if (LB_UNLIKELY(verdict == LB_VERDICT_JUMP)) note_jump(packet, has_metadata);
  if (verdict <= LB_VERDICT_ORDINARY_LAST) has_metadata ? advance(packet) : advance_unseen(packet);
  int action = (int)bpf_redirect_map(&xsks_map, slot, XDP_PASS);
  if (LB_UNLIKELY(action !=
                  XDP_REDIRECT)) { /* the slot was emptied since step 2: the feed is the kernel's */
    lb_credit_give_back(credit);
    return leave(&packet->counters->no_receiver, action);
  }
  return leave(
      verdict == LB_VERDICT_CLAIMED ? &packet->counters->claimed : &packet->counters->passed_up,
      action);
}

/* A program that includes this one, as a benchmark does, has entries of its own. */
#ifndef LB_HOOK_ENTRY
#define LB_HOOK_ENTRY SEC("xdp")
#endif

LB_HOOK_ENTRY
int LB_HOOK_FUNCTION(struct xdp_md* context) {
  const lb_u8* data = (void*)(long)context->data;
  const lb_u8* data_end = (void*)(long)context->data_end;
  lb_u32 zero = 0, interface_index = context->ingress_ifindex;
  struct packet packet;

  struct lb_config* settings = bpf_map_lookup_elem(&config, &zero);
  if (!settings) return XDP_PASS;
  lb_u64 flow_index = lb_load_acquire(&settings->flow_index);
  packet.bank = lb_load_acquire(&settings->bank);
  enum lb_walk_result walked = lb_walk_frame(data, data_end, &packet.walk);
  if (LB_UNLIKELY(walked == LB_WALK_NOT_UDP)) return pass_unrelated(packet.bank, interface_index);
  packet.flow = 0;
  if (flow_index & LB_FLOWS_EXACT)
    packet.flow = find_flow(flow_index, interface_index, packet.walk.destination, packet.walk.port);
  if (!packet.flow && flow_index & LB_FLOWS_ANY)
    packet.flow = find_flow(flow_index, interface_index, 0, packet.walk.port);
  if (LB_UNLIKELY(!packet.flow)) return pass_unrelated(packet.bank, interface_index);

  packet.counters = counters_of(packet.bank, packet.flow->line);
  if (!packet.counters) return XDP_PASS;
  lb_count(&packet.counters->packets, 1);
  if (LB_UNLIKELY(packet.flow->flags & LB_FLOW_SOURCES) &&
      is_from_other_source(context, packet.walk.ip_offset, flow_index, packet.flow->line,
                           packet.flow->channel))
    return leave(&packet.counters->not_feed, XDP_PASS);
  if (LB_UNLIKELY((lb_u64)(data_end - data) > settings->frame_room)) {
    lb_count(&packet.counters->oversized, 1);
    return leave(&packet.counters->malformed, XDP_PASS);
  }
  lb_u32 slot = lb_slot_of(packet.flow->slot_group, context->rx_queue_index);
  if (context->rx_queue_index >= LB_QUEUES_MAX || !bpf_map_lookup_elem(&xsks_map, &slot))
    return leave(&packet.counters->no_receiver, XDP_PASS);

  lb_u32 framing_index = packet.flow->framing;
  const struct lb_framing* framing = bpf_map_lookup_elem(&framings, &framing_index);
  if (!framing) return leave(&packet.counters->no_receiver, XDP_PASS);
  if (LB_UNLIKELY(walked == LB_WALK_INCONSISTENT || has_wrong_checksum(context, &packet)))
    return leave(&packet.counters->malformed, XDP_PASS);
  lb_u32 beyond = (packet.walk.payload_offset - LB_HEADERS_MIN) & 127;
  const lb_u8* payload = data + LB_HEADERS_MIN + beyond;
  packet.kind = lb_framing_decode_header(framing, payload, data_end, packet.walk.payload_length,
                                         &packet.datagram);
  if (LB_UNLIKELY(packet.kind == LB_KIND_MALFORMED))
    return leave(&packet.counters->malformed, XDP_PASS);
  if (LB_UNLIKELY(packet.flow->flags & LB_FLOW_REPAIR))
    packet.kind = lb_as_repair((enum lb_kind)packet.kind, &packet.datagram);
  if (!find_channel(&packet, framing, payload, data_end, settings->stream_bits))
    return leave(&packet.counters->no_receiver, XDP_PASS);
  lb_u64 published = lb_load_acquire(&packet.mark->published);
  packet.shown = lb_load_acquire(&packet.mark->shown);
  packet.jumped = packet.mark->jumped;
  lb_u32 verdict = LB_UNLIKELY(uses_lru(&packet))
                       ? lb_judge_identifier((enum lb_kind)packet.kind, published, &packet.place)
                       : lb_judge((enum lb_kind)packet.kind, &packet.datagram, framing, published,
                                  packet.shown, packet.jumped, settings->ahead, &packet.place);
  return arbitrate(context, &packet, verdict, slot, settings->flags);
}

char license_of_the_hook[] SEC("license") = "Dual BSD/GPL";
