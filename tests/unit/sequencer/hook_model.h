// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/layout.h"
#include "framing/judge.h"
#include "sequencer/channel.h"
#include "sequencer/packet.h"

namespace linearb::sequencer::test {

/// What stands in front of the sequencer: the hook, which drops what every line but the first
/// brings, and the publication, which tells it what it may judge. The decisions are the hook's own
/// functions; the maps are memory, and the change of an epoch takes no time.
class HookModel {
 public:
  HookModel(const lb_framing& framing, std::uint64_t ahead) : framing_(framing), ahead_(ahead) {
    words_.resize(LB_WINDOW_WORDS);
  }

  /// A packet that was let through, and what the receiver has to know of it.
  struct Passed {
    Packet packet;
    std::uint32_t generation = 0;  ///< that the hook judged it by
    bool was_claimed = false;
  };

  /// False when the hook drops it as a duplicate.
  bool lets_through(Passed& passed) {
    Packet& packet = passed.packet;
    lb_mark& mark = marks_[packet.line];
    const lb_u64 shown = mark.shown;
    const lb_verdict verdict = lb_judge(packet.kind, &packet.datagram, &framing_, mark.published,
                                        shown, mark.jumped, ahead_, &packet.place);
    passed.generation = lb_mark_generation(shown);
    if (verdict == LB_VERDICT_JUMP) mark.jumped = lb_mark_word(passed.generation, packet.end());
    if (verdict != LB_VERDICT_CLAIMED) return true;
    packet.is_from_jump = lb_confirms_jump(shown, packet.first(), packet.place);
    lb_u32 lost_races = 0;
    const lb_claim claim = lb_window_claim(words_.data(), LB_WINDOW_ORDER, passed.generation,
                                           packet.first(), packet.datagram.count, &lost_races);
    passed.was_claimed = claim == LB_CLAIM_NEW;
    lb_mark_advance(&mark.shown, shown, packet.first(), packet.end());
    mark.jumped = 0;
    return claim != LB_CLAIM_NOTHING || packet.place > 0 || packet.is_from_jump;
  }

  /// When the receiver takes the packet out of the ring. A place in another epoch says nothing.
  void receive(Passed& passed) const {
    if (passed.generation == generation_) return;
    passed.packet.place = LB_PLACE_UNKNOWN;
    passed.packet.is_from_jump = false;
  }

  /// What was claimed cannot be delivered: another line's copy has to be able to win.
  void undo(const Passed& passed) {
    if (passed.was_claimed)
      lb_window_release(words_.data(), LB_WINDOW_ORDER, passed.generation, passed.packet.first(),
                        passed.packet.datagram.count);
  }

  /// Before the sequencer is told the time.
  void tell_marks(Channel& channel, std::uint64_t now_ns) const {
    for (std::uint32_t line = 0; line < LB_LINES_MAX; ++line)
      if (marks_[line].published != 0)
        channel.line_marked(line, epoch_, lb_mark_value(marks_[line].shown), now_ns, now_ns);
  }

  /// Where the line has come to in that epoch; 0 where nothing of it is published.
  std::uint64_t mark_of(std::uint32_t line, std::uint64_t epoch) const {
    const lb_mark& mark = marks_[line];
    return epoch == epoch_ && mark.published != 0 ? lb_mark_value(mark.shown) : 0;
  }

  /// After the sequencer had the packet: receiver::Publication.
  void follow(const Passed& passed, Channel& channel) {
    if (passed.was_claimed) return;
    if (epoch_ != channel.newest_epoch()) begin(channel);
    lb_mark& mark = marks_[passed.packet.line];
    mark.published = 0;
    if (!channel.line_is_in_newest(passed.packet.line)) return;
    const std::uint64_t end = channel.line_end(passed.packet.line);
    if (lb_mark_generation(mark.shown) != generation_ || lb_mark_value(mark.shown) < end)
      mark.shown = lb_mark_word(generation_, end);
    mark.published = lb_mark_word(generation_, channel.newest_session());
  }

 private:
  void begin(Channel& channel) {
    for (std::uint32_t line = 0; line < LB_LINES_MAX; ++line) {
      lb_mark& mark = marks_[line];
      if (mark.published != 0) channel.line_shown(line, epoch_, lb_mark_value(mark.shown));
      mark.published = 0;
    }
    epoch_ = channel.newest_epoch();
    generation_ = generation_ % LB_GENERATION_MAX + 1;
    words_.assign(LB_WINDOW_WORDS, 0);
  }

  const lb_framing& framing_;
  std::uint64_t ahead_;
  std::vector<lb_u64> words_;
  std::array<lb_mark, LB_LINES_MAX> marks_{};
  std::uint64_t epoch_ = 0;
  std::uint32_t generation_ = 0;
};

}  // namespace linearb::sequencer::test
