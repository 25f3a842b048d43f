// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sequencer/channel.h"
#include "sequencer/seen_identifiers.h"

namespace linearb::sequencer {

/// What became of the packets of one line that were handed in.
struct LineCounts {
  std::array<std::uint64_t, kOutcomes> outcomes{};
  std::uint64_t packets = 0;

  std::uint64_t of(Outcome outcome) const noexcept {
    return outcomes[static_cast<std::size_t>(outcome)];
  }
  LineCounts& operator+=(const LineCounts& other) noexcept {
    for (std::size_t i = 0; i < outcomes.size(); ++i) outcomes[i] += other.outcomes[i];
    packets += other.packets;
    return *this;
  }
};

/// The authority on what was delivered: one for a receiver thread, or for a merge of captures.
///
/// Pure: packets and time are arguments; nothing in it knows a socket or a clock. It delivers in
/// order of arrival: at once, and each message once. A packet is decided in the call that hands it
/// in, but for the few that wait to be confirmed (Channel). One thread. Nothing allocates after the
/// constructor; a channel that joins later is made by another thread and handed over.
class Sequencer final : private Decisions {
 public:
  /// How many packets may wait to be confirmed at most; then the oldest is decided.
  static constexpr std::uint64_t kHeldMax = 32;
  /// How far apart ticks are: a wait ends that much too late at the most.
  static constexpr std::uint64_t kTickNs = 10'000'000;

  enum class Dedup {
    window,
    identifiers
  };

  /// `framings` has the descriptor of each channel that is there from the start, in order, null
  /// where a place is free; `room` is how many there can be at once, if more. `decisions` outlives
  /// it.
  Sequencer(std::span<const lb_framing* const> framings, const Settings& settings, Dedup dedup,
            Decisions& decisions, std::size_t room = 0);
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  void push(const Packet& packet) noexcept;
  /// Time goes on: ends what waited too long. Costs a look at each channel that holds packets.
  void tick(std::uint64_t now_ns) noexcept;
  /// Decides what is still held and sums up the gaps. Nothing may be handed in after it.
  void finish() noexcept;

  /// Any thread: a channel that takes part once it was installed. For `memory` see Channel.
  std::unique_ptr<Channel> make_channel(std::uint32_t serial, const lb_framing& framing,
                                        lb_memory* memory = nullptr) {
    return std::make_unique<Channel>(serial, framing, shared_, memory);
  }
  /// The place is free.
  void install(std::size_t index, std::unique_ptr<Channel> channel) noexcept;
  /// Ends a channel: decides what it holds, reports its gaps, and gives it back with its figures.
  /// What comes for it from now on is `old_epoch`.
  std::unique_ptr<Channel> remove(std::size_t index) noexcept;

  std::size_t room() const noexcept { return channels_.size(); }
  bool has(std::size_t index) const noexcept { return channels_[index] != nullptr; }
  /// Of one that is there.
  const Channel& channel(std::size_t index) const noexcept { return *channels_[index]; }
  Channel& channel(std::size_t index) noexcept { return *channels_[index]; }
  /// With LB_LINES_MAX of retransmissions that came on no line.
  const LineCounts& line(std::size_t index) const noexcept { return counts_[index]; }
  /// Numbers that the line skipped, less those it brought later, over all channels there were.
  std::uint64_t lost_messages(std::size_t line) const noexcept;
  const GapList& gaps() const noexcept { return shared_.gaps; }
  /// Who is told of each gap as it becomes one for good; it outlives this.
  void set_gap_observer(GapObserver* observer) noexcept { shared_.gaps.set_observer(observer); }
  std::uint64_t held() const noexcept { return shared_.held; }
  /// New numbered messages that were delivered; with Dedup::identifiers, new identifiers.
  std::uint64_t messages(std::size_t channel) const noexcept;

 private:
  void decided(const Packet& packet, const Decision& decision) noexcept override;
  void push_by_kind(const Packet& packet) noexcept;
  void push_control(const Packet& packet) noexcept;
  void push_reset(const Packet& packet) noexcept;
  void push_data(const Packet& packet) noexcept;
  void note_doubt(std::uint16_t index) noexcept;
  void drop_doubtless() noexcept;
  bool is_doubting(std::uint16_t index) const noexcept;
  void end_oldest_doubt() noexcept;
  void forget_apart_older_than(std::uint64_t ns) noexcept;

  Shared shared_;
  std::vector<std::unique_ptr<Channel>> channels_;  ///< null: a free place
  /// Places of the channels that hold packets, and of some that did: so that nobody has to look for
  /// them among thousands.
  std::array<std::uint16_t, kHeldMax + 1> doubting_{};
  std::ptrdiff_t doubting_count_ = 0;
  std::array<std::uint64_t, LB_LINES_MAX> lost_on_removed_{};
  std::unique_ptr<SeenIdentifiers> seen_;              ///< null with Dedup::window
  std::array<LineCounts, LB_LINES_MAX + 1> counts_{};  ///< the last of what comes on no line
  std::uint64_t identifiers_ = 0;
  Decisions& decisions_;
};

/// True when all the messages that the packet's header promises are in its payload, as far as the
/// framing can be walked. The last one may be cut off: that is how it was sent, and whoever reads
/// it sees so.
bool messages_fit(const lb_framing& framing, const Packet& packet) noexcept;

}  // namespace linearb::sequencer
