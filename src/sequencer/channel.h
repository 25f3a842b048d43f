// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/layout.h"
#include "sequencer/apart.h"
#include "sequencer/delivered.h"
#include "sequencer/line_state.h"
#include "sequencer/packet.h"

namespace linearb::sequencer {

/// What is a matter of judgement: how the copies and reorderings of networks are told from a
/// restart of the numbers. A line that comes up is less than lag_ns behind.
struct Settings {
  std::uint64_t ahead = 4096;  ///< messages that a line may be ahead without being doubted
  std::uint64_t near = 64;     ///< packets: what is closer may be a reordering
  std::uint64_t reorder_ns = 20'000'000;  ///< a reordering within a line is over after that
  std::uint64_t lag_ns = 60'000'000'000;
  std::uint64_t settle_ns = 1'000'000'000;  ///< after which a new line begins in the newest epoch
  std::uint64_t silent_ns = 250'000'000;    ///< after which a line may have missed a restart
  std::uint64_t hold_ns = 1'000'000'000;    ///< how long a doubted packet waits to be confirmed
  std::uint32_t lines = 2;
  std::uint32_t repair_lines = 0;  ///< a bit for each that only repairs: see lb_as_repair()
};

/// What channels of one sequencer share.
struct Shared {
  Settings settings;
  GapList gaps;
  std::vector<lb_run> news;  ///< scratch for the decision at hand
  ApartMessages apart;
  std::uint64_t held = 0;  ///< packets that wait to be confirmed
  Decisions* decisions = nullptr;
};

/// Arbitrates one sequence of messages: exact memory, epochs, and where each line is.
///
/// An epoch begins with the first packet, with a new session, or when the numbers restart. Two are
/// remembered: the last messages of the one that is over may come on the slower line alone. Each
/// line is in an epoch of its own: a line moves on when it itself shows the new session, or jumps
/// back. A packet that stands apart is doubted until a second one continues it, or another line
/// shows the same; while it is doubted it changes nothing. If its messages are certainly new it is
/// delivered at once all the same.
class Channel {
 public:
  /// `serial` is what its gaps and deliveries are said to be of. What was delivered is remembered
  /// in `memory`, which outlives this object and is not looked at before adopt() or the first
  /// packet; without it in memory of its own.
  Channel(std::uint32_t serial, const lb_framing& framing, Shared& shared,
          lb_memory* memory = nullptr);

  /// Before the first packet: goes on where the one before stood whose memory it is, as if it had
  /// been that one, and nothing had come meanwhile. False when it remembers nothing.
  bool adopt() noexcept;

  std::uint32_t serial() const noexcept { return serial_; }
  const lb_framing& framing() const noexcept { return framing_; }

  void data(const Packet& packet) noexcept;
  /// A heartbeat, an end of session or a reset, numbered: what the next message will have.
  void announcement(const Packet& packet) noexcept;
  enum class Reset {
    moved,  ///< its line is in another epoch since: the hook said the packet's place of the old one
    repeated,  ///< its line has shown it, and nothing since: some venues say it for seconds
    known,     ///< its line is where it says, or it is no reset of this feed
  };
  /// The numbers begin anew, with this packet or behind it: to be called before it is handed in as
  /// data or announcement, or as a retransmission where it is repeated.
  Reset reset(const Packet& packet) noexcept;
  /// Messages that are sent once more, for who has lost them.
  void repair(const Packet& packet) noexcept;

  /// Ends what was doubted for longer than the hold time.
  void expire(std::uint64_t now_ns) noexcept;
  /// Ends the oldest doubt, to free its frames. False when there is none.
  bool end_oldest_doubt() noexcept;
  /// Ends every doubt and reports the gaps. Nothing may come after it.
  void finish() noexcept;

  std::uint64_t messages() const noexcept;
  std::uint64_t gap_messages() const noexcept;
  /// Of the range that these two are of: what the one before it answered for. See Delivered.
  std::uint64_t adopted() const noexcept;
  std::uint64_t lost_messages(std::uint32_t line) const noexcept {
    return lines_[line].lost_messages;
  }
  /// 0 before the first packet.
  std::uint64_t newest_epoch() const noexcept { return newest_->number; }
  /// After the highest number of it that is known to exist.
  std::uint64_t newest_end() const noexcept { return newest_->delivered.end(); }
  std::uint64_t newest_session() const noexcept { return newest_->session; }
  bool line_is_in_newest(std::uint32_t line) const noexcept {
    return newest_->number != 0 && lines_[line].epoch == newest_->number;
  }
  /// All that it brings are retransmissions.
  bool only_repairs(std::uint32_t line) const noexcept {
    return shared_.settings.repair_lines >> line & 1;
  }
  /// 0: it has shown nothing.
  std::uint64_t line_epoch(std::uint32_t line) const noexcept { return lines_[line].epoch; }
  /// What it brought was delivered as a jump, and nothing has confirmed that so far.
  bool line_is_apart(std::uint32_t line) const noexcept {
    return lines_[line].candidate.active && lines_[line].candidate.delivered;
  }
  /// When it brought something last, as far as is known here; 0: never.
  std::uint64_t line_seen_ns(std::uint32_t line) const noexcept {
    return std::max(lines_[line].last_ns, lines_[line].seen_ns);
  }
  /// The same; of a line that has brought nothing so far, when the channel's first packet came: it
  /// may be a little behind.
  std::uint64_t line_awaited_ns(std::uint32_t line) const noexcept {
    const std::uint64_t seen_ns = line_seen_ns(line);
    return seen_ns != 0 ? seen_ns : first_ns_;
  }
  /// After the highest number that the line has shown in its epoch.
  std::uint64_t line_end(std::uint32_t line) const noexcept { return lines_[line].end; }
  /// What is known of an epoch. Its number is 0 where there is none.
  struct EpochRange {
    std::uint64_t number = 0;
    Range range;  ///< its first number, and the one after the highest that is known to exist
  };
  static constexpr std::size_t kEpochs = 2;
  /// Those that are remembered, the newest first.
  EpochRange epoch_of_age(std::size_t age) const noexcept {
    const Epoch& epoch = age == 0 ? *newest_ : *previous_;
    return {epoch.number, {epoch.delivered.first(), epoch.delivered.end()}};
  }
  /// See Delivered::next_gap.
  Range next_gap(std::size_t age, Range among) const noexcept {
    return (age == 0 ? newest_ : previous_)->delivered.next_gap(among);
  }
  /// In that epoch the hook has seen the line come so far; what it dropped did not come here. What
  /// it dropped for want of credit, and no line brings again, is a gap.
  void line_shown(std::uint32_t line, std::uint64_t epoch, std::uint64_t end) noexcept;
  /// The same while packets are still in the rings: it only says that the line goes on. With the
  /// time at which it was there, of the clock of arrivals; 0 if that is not known; and the time
  /// now.
  void line_marked(std::uint32_t line, std::uint64_t epoch, std::uint64_t end,
                   std::uint64_t then_ns, std::uint64_t now_ns) noexcept;
  std::uint64_t oldest_doubt_ns() const noexcept;
  /// A message that was delivered apart then, and that no line will bring any more.
  void settle_old(std::uint64_t session, std::uint64_t number, std::uint64_t since_ns) noexcept;

 private:
  struct Epoch {
    Epoch(GapList& gaps, lb_delivered& memory, lb_in_hand* in_hand)
        : delivered(gaps, memory, in_hand) {}

    std::uint64_t number = 0;  ///< 0: unused
    std::uint64_t session = 0;
    std::uint64_t began_ns = 0;
    std::uint64_t packets = 0;     ///< whose messages it has
    std::uint64_t reset_hash = 0;  ///< of the bytes of the reset that it began with; 0: without
    Delivered delivered;
  };

  bool is_in_turn(const LineState& line, const Packet& packet) const noexcept;
  bool take_in_turn(LineState& line, const Packet& packet) noexcept;
  bool continues_forgotten_epoch(const LineState& line, const Packet& packet) const noexcept;
  bool is_just_behind(const LineState& line, const Packet& packet) const noexcept;
  Epoch* epoch_of(LineState& line, const Packet& packet) noexcept;
  bool is_from_before_wrap(const LineState& line, const Packet& packet) const noexcept;
  bool is_back(const LineState& line, const Packet& packet) const noexcept;
  void take_back(LineState& line, const Packet& packet) noexcept;
  void place_new_line(LineState& line, const Packet& packet) noexcept;
  void data_in(Epoch& epoch, LineState& line, const Packet& packet) noexcept;
  void end_explained(Epoch& epoch, const Packet& packet) noexcept;
  std::uint64_t own_end(const Epoch& epoch, const LineState& line,
                        const Packet& packet) const noexcept;
  std::uint64_t own_end_in_its_epoch(const LineState& line, const Packet& packet) const noexcept;
  enum class Stand {
    fits,
    new_but_apart,
    doubted
  };
  Stand stand_of(const Epoch& epoch, const LineState& line, const Packet& packet) const noexcept;

  bool passed_long_ago(const LineState& line, const Packet& packet) const noexcept;
  bool may_be_restart(const Epoch& epoch, const LineState& line,
                      const Packet& packet) const noexcept;
  std::uint64_t near(const Packet& packet) const noexcept {
    return shared_.settings.near * std::max(packet.datagram.count, 1u);
  }

  /// How far from a candidate a packet may be that continues it: what is certainly new need not be
  /// told from a reordering, nor what goes on from where numbers begin.
  std::uint64_t reach_of(const Candidate& candidate, const Packet& packet) const noexcept {
    return candidate.delivered || goes_on_from_beginning(candidate, packet) ? shared_.settings.ahead
                                                                            : near(packet);
  }
  bool goes_on_from_beginning(const Candidate& candidate, const Packet& packet) const noexcept {
    return candidate.packets == Candidate::kHeld && packet.first() >= candidate.range.end &&
           candidate.range.first <= newest_->delivered.first();
  }
  bool stands_near(const Candidate& candidate, const Packet& packet) const noexcept {
    return candidate.is_near(packet, reach_of(candidate, packet));
  }
  bool continues(const Candidate& candidate, const Packet& packet,
                 std::uint64_t line_end) const noexcept {
    return candidate.is_continued_by(packet, reach_of(candidate, packet), line_end);
  }

  bool is_ahead(const Epoch& epoch, const LineState& line) const noexcept;
  bool is_on_the_way(const Epoch& epoch, const LineState& line, std::uint64_t end) const noexcept;
  bool accept(Epoch& epoch, LineState& line, const Packet& packet) noexcept;
  bool take(Epoch& epoch, const Packet& packet, std::uint32_t now_ms, Outcome nothing_new,
            LineState* revives = nullptr) noexcept;
  Outcome outcome_of_news(const Packet& packet, std::size_t runs,
                          Outcome nothing_new) const noexcept;
  Outcome outcome_of_nothing_new(const Epoch& epoch, const Packet& packet) const noexcept;
  Epoch* epoch_numbered(std::uint64_t number) noexcept;
  void show(Epoch& epoch, LineState& line, const Packet& packet) noexcept;
  void move_line(Epoch& epoch, LineState& line, const Packet& packet) noexcept;
  void doubt(LineState& line, const Packet& packet, bool is_new) noexcept;
  void follow(LineState& line, const Packet& packet) noexcept;
  bool wraps(const LineState& line, const Packet& packet) const noexcept;
  std::uint32_t packets_needed(const LineState& line, const Packet& packet,
                               bool is_new) const noexcept;
  const LineState* other_line_showing(const LineState& line, const Packet& packet) const noexcept;
  void remember(LineState& line, const Packet& packet, bool is_new) noexcept;
  void end_doubt(LineState& line) noexcept;
  Epoch* epoch_of_doubt(const LineState& line) noexcept;
  void end_wait(LineState& line) noexcept;
  void deliver_apart(const Packet& packet) noexcept;
  void settle_apart(Epoch& epoch, Range range, std::uint32_t now_ms) noexcept;
  void settle_what_is_in_range(Epoch& epoch) noexcept;
  void settle_if_in_range(Epoch& epoch, std::uint64_t number) noexcept;
  std::uint64_t next_began_ns(const Epoch& epoch) const noexcept;
  bool is_of_a_candidate(std::uint64_t session, std::uint64_t number) const noexcept;
  void revive(const Epoch& epoch, LineState& line, const Packet& packet, std::size_t runs) noexcept;
  void forget_revived(LineState& line) noexcept;
  bool is_near(Range range, const Packet& packet) const noexcept;
  void settle_revived(Epoch& epoch, LineState& line, const Packet& packet) noexcept;
  bool newest_explains(const LineState& line, const Packet& packet) const noexcept;
  std::uint64_t came_to(const Epoch& epoch, const LineState& line,
                        const Packet& packet) const noexcept;
  void confirm(LineState& line, const Packet& packet) noexcept;
  void settle(Epoch& epoch, LineState& line) noexcept;

  Epoch& begin_epoch(std::uint64_t session, std::uint64_t first, std::uint64_t now_ns) noexcept;
  void close(Epoch& epoch) noexcept;
  bool is_over(std::uint64_t session) const noexcept;
  bool is_of_older_session(const Packet& packet) const noexcept;
  bool is_still_at_reset(const LineState& line, const Packet& packet) const noexcept;
  bool follow_reset(LineState& line, const Packet& packet) noexcept;
  bool is_of_the_last_reset(const LineState& line, const Packet& packet) const noexcept;
  Epoch* epoch_of_reset(const LineState& line, const Packet& packet) noexcept;
  Epoch* epoch_to_repair(const Packet& packet) noexcept;
  bool begins_anew(const LineState& line, const Packet& packet) const noexcept;
  void decide(const Packet& packet, Outcome outcome, std::uint64_t epoch,
              std::size_t runs) noexcept;

  std::uint32_t serial_;
  lb_framing framing_;
  Shared& shared_;
  std::unique_ptr<lb_memory> own_memory_;  ///< null: somebody else's is used
  lb_memory& memory_;
  std::array<LineState, LB_LINES_MAX> lines_;
  std::array<Epoch, 2> epochs_;
  Epoch* newest_ = &epochs_[0];
  Epoch* previous_ = &epochs_[1];
  std::uint64_t epochs_begun_ = 0;
  std::uint64_t first_ns_ = 0;  ///< when the first of them began
  std::uint64_t closed_messages_ = 0;
  std::uint64_t closed_gap_messages_ = 0;
  std::uint64_t closed_adopted_ = 0;
  /// Delivered while doubted, and of no epoch yet.
  std::uint64_t apart_messages_ = 0;
  std::array<std::uint64_t, 8> over_{};  ///< the sessions that ended last
  std::size_t over_count_ = 0;
};

}  // namespace linearb::sequencer
