// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sequencer/packet.h"

namespace linearb::sequencer {

/// Puts what a sequencer delivers into the order of its numbers: what comes behind a hole waits, in
/// the frame that it came in.
///
/// It stands between the sequencer and whom that tells, and passes everything on: at once what has
/// nothing new and what is next; the rest when the hole before it is filled, when it never will be
/// (passed()), when it has waited for the hold time, or when the caller needs the frames. A packet
/// that is delivered in parts, because another packet has what is between them, is told by part()
/// for each but the last.
///
/// What fills a hole that nobody waits for any more is delivered at once: a late repair. So is what
/// has no place in the order: jumps that nothing has confirmed, and packets without a number. An
/// epoch comes after the one before it: while a line that lives is still in that one, the new one
/// waits.
///
/// Pure, one thread, and nothing allocates after the constructor.
class InOrder final : public Decisions {
 public:
  struct Limits {
    std::size_t channels = 0;      ///< places, as in the sequencer
    std::size_t packets = 16'384;  ///< that can be held; then the oldest hold ends
    std::uint64_t hold_ns = 1'000'000'000;
  };

  /// `decisions` outlives it.
  InOrder(const Limits& limits, Decisions& decisions);

  void decided(const Packet& packet, const Decision& decision) noexcept override;

  /// Every line that lives has come to `end` in that epoch of the channel, and all that it brought
  /// before was handed in: what is missing there never comes.
  void passed(std::uint16_t channel, std::uint64_t epoch, std::uint64_t end) noexcept;
  /// No line that lives is in an epoch before this one any more.
  void left(std::uint16_t channel, std::uint64_t epoch) noexcept;
  /// Ends holds that are older than the hold time.
  void tick(std::uint64_t now_ns) noexcept;
  /// Ends the hold of whatever channel that began first. False when nothing is held.
  bool end_oldest() noexcept;
  /// Ends the channel's holds: it is to be removed.
  void end(std::uint16_t channel) noexcept;
  /// Ends all.
  void finish() noexcept;

  /// Packets that wait.
  std::uint64_t held() const noexcept { return held_count_; }
  /// Messages that came after their hole had been given up.
  std::uint64_t late_repairs() const noexcept { return late_repairs_; }

  /// What a channel waits for: a number of an epoch, or, where another epoch is held, that its
  /// lines leave this one.
  struct Wait {
    std::uint16_t channel = 0;
    std::uint64_t epoch = 0;
    std::uint64_t missing = 0;
    std::uint64_t held_epoch = 0;
  };
  /// Calls `visit(wait)` for each channel that holds packets.
  template <class Visit>
  void for_each_wait(Visit visit) const {
    for (std::size_t i = 0; i < waiting_.size(); ++i) visit(wait_of(waiting_[i]));
  }

 private:
  static constexpr std::uint32_t kNone = ~0u;

  /// A packet that is held; its runs are pieces.
  struct Held {
    Packet packet;
    Outcome outcome = Outcome::won;
    std::uint64_t epoch = 0;
    std::uint32_t pieces = 0;
    std::uint32_t next_free = kNone;
  };
  struct Piece {
    lb_run run{};
    std::uint32_t held = kNone;
    std::uint32_t before = kNone;
    std::uint32_t after = kNone;  ///< in its channel's list, or of the free ones
  };
  struct Channel {
    std::uint64_t epoch = 0;  ///< 0: nothing was delivered
    std::uint64_t next = 0;
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
    std::uint64_t since_ns = 0;  ///< when it began to wait for what is missing now
  };

  bool is_due(const Channel& channel, std::uint64_t epoch, lb_run run) const noexcept;
  void deliver_now(Channel& channel, const Packet& packet, const Decision& decision,
                   std::span<const lb_run> news) noexcept;
  void count_if_late(const Channel& channel, std::uint64_t epoch, lb_run run) noexcept;
  void tell(const Packet& packet, const Decision& decision, bool is_last) noexcept;
  bool has_room_for(std::size_t pieces) const noexcept;
  void hold(Channel& channel, const Packet& packet, const Decision& decision,
            std::span<const lb_run> news) noexcept;
  void insert(Channel& channel, std::uint32_t index) noexcept;
  bool is_before(const Piece& piece, const Piece& other) const noexcept;
  void begin_waiting(Channel& channel, const Packet& packet) noexcept;
  void release_what_is_due(Channel& channel) noexcept;
  void release_front(Channel& channel) noexcept;
  void go_on_at(Channel& channel, std::uint64_t epoch, std::uint64_t number) noexcept;
  void end_hold(Channel& channel) noexcept;
  Wait wait_of(std::uint16_t index) const noexcept;
  std::uint64_t epoch_of(const Piece& piece) const noexcept { return held_[piece.held].epoch; }

  Limits limits_;
  Decisions& decisions_;
  std::vector<Channel> channels_;
  std::vector<std::uint16_t> waiting_;  ///< those with pieces; never more than its capacity
  std::vector<Held> held_;
  std::vector<Piece> pieces_;
  std::uint32_t free_held_ = kNone;
  std::uint32_t free_piece_ = kNone;
  std::size_t free_pieces_ = 0;
  std::uint64_t held_count_ = 0;
  std::uint64_t late_repairs_ = 0;
};

}  // namespace linearb::sequencer
