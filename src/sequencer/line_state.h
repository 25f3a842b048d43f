// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "sequencer/gap_list.h"
#include "sequencer/packet.h"

namespace linearb::sequencer {

/// The numbers that one line skipped lately, so that what it brings later is not counted as lost.
/// The oldest hole is forgotten when there are more than kHoles.
class LineHoles {
 public:
  static constexpr std::size_t kHoles = 32;

  void clear() noexcept { size_ = 0; }
  void add(Range hole) noexcept;
  /// Takes the range out of the holes. Returns how many numbers were in them.
  std::uint64_t fill(Range range) noexcept;

 private:
  std::array<Range, kHoles> holes_{};
  std::size_t size_ = 0;
};

/// Where a line was lately. What it brings again of what it passed long ago is no reordering.
class Trail {
 public:
  void clear() noexcept { *this = {}; }
  /// Ends only grow until it is cleared.
  void note(std::uint64_t now_ns, std::uint64_t end, std::uint64_t step_ns) noexcept {
    if (end <= latest_.end || now_ns == 0) return;
    if (latest_.ns >= marks_.back().ns + step_ns || now_ns >= latest_.ns + step_ns) keep_latest();
    latest_ = {now_ns, end};
  }
  /// When it was seen to come further last; 0: never.
  std::uint64_t last_ns() const noexcept { return latest_.ns; }
  /// How far it was seen to come.
  std::uint64_t end() const noexcept { return latest_.end; }
  /// The line is known to have come to `end` at that time or before.
  bool had_come_to(std::uint64_t end, std::uint64_t by_ns) const noexcept;

 private:
  struct Mark {
    std::uint64_t ns = 0;
    std::uint64_t end = 0;
  };

  void keep_latest() noexcept;

  Mark latest_;
  std::array<Mark, 8> marks_{};  ///< before it, ascending
};

/// Packets of a line that stand apart from where it was: too far ahead, behind what it showed long
/// ago, or of a session that nobody knows. They may be the beginning of something new, or garbage.
struct Candidate {
  /// A third packet confirms what two could be by a reordering; it is not held itself.
  static constexpr std::size_t kHeld = 2;

  bool active = false;
  std::uint64_t session = 0;
  Range range;
  std::uint32_t packets = 0;
  std::uint64_t since_ns = 0;
  /// Where the line was before it. A line that goes on there has not restarted.
  std::uint64_t own_end = 0;
  /// Its messages are certainly new, so they were delivered at once, or it waited for too long;
  /// else the packets are held. Of what was delivered the bytes are gone.
  bool delivered = false;
  std::uint32_t kept_count = 0;
  std::array<Packet, kHeld> kept;

  std::uint32_t held_count() const noexcept { return active && !delivered ? kept_count : 0; }

  bool is_near(const Packet& packet, std::uint64_t distance) const noexcept {
    return active && packet.datagram.session == session && packet.end() + distance >= range.first &&
           packet.first() <= range.end + distance;
  }
  /// In either direction: the first packets may have changed their places, and some may be lost.
  /// Where packets are held the line must not have moved meanwhile: copies of packets that the line
  /// goes on to send look the same otherwise.
  bool is_continued_by(const Packet& packet, std::uint64_t distance,
                       std::uint64_t line_end) const noexcept {
    return is_near(packet, distance) && (delivered || line_end == own_end);
  }
  /// The messages of the packet were delivered with it, or are held: this is a copy.
  bool has(const Packet& packet, std::uint64_t line_end) const noexcept {
    if (!active || packet.datagram.session != session || packet.datagram.count == 0) return false;
    return (delivered || line_end == own_end) &&
           std::any_of(kept.begin(), kept.begin() + kept_count, [&](const Packet& other) {
             return packet.first() >= other.first() && packet.end() <= other.end();
           });
  }
};

/// One line of a channel, as far as user space knows it.
struct LineState {
  std::uint64_t epoch = 0;       ///< 0: it has shown nothing
  std::uint64_t session = 0;     ///< of that epoch
  std::uint64_t end = 0;         ///< of the highest range that it showed in its epoch
  std::uint64_t end_before = 0;  ///< where it was in the epoch before; 0 if it was not
  /// It came up when two epochs were open. Once it passes the end of the older one, where another
  /// line in the newer one has been, it is known to be there.
  bool epoch_is_guess = false;
  std::uint64_t forgotten_end = 0;  ///< of its epoch, if that is not remembered any more
  std::uint64_t reset_end = 0;      ///< of the last reset that it showed
  std::uint64_t marked_end = 0;     ///< where the hook's mark was when user space looked last
  std::uint64_t last_ns = 0;
  std::uint64_t seen_ns = 0;  ///< when that mark was found to have moved
  std::uint64_t lost_messages = 0;
  LineHoles holes;
  /// New numbers of its epoch from where it was long ago, since it went on last. They filled a hole
  /// late, or they were the first of a restart.
  Range revived;
  Trail trail;
  Candidate candidate;
};

}  // namespace linearb::sequencer
