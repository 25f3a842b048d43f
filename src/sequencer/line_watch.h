// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "sequencer/notice.h"

namespace linearb::sequencer {

/// When a line of a channel is said to be silent.
struct Alarms {
  std::uint64_t silence_ns = 1'000'000'000;
  /// One line at a time brings the feed: that others are silent is no alarm.
  bool active_passive = false;
  /// The feed is never silent for so long: that all lines are is an alarm.
  bool expects_feed = false;
  /// Outside of its hours a channel raises none: as it is to begin with.
  bool in_hours = true;
  /// Of a channel that nobody has seen there are none: it is made when it is seen.
  bool only_once_seen = false;
};

/// What a look sees of a line, beside the others of its channel.
struct LineSight {
  std::uint64_t seen_ns = 0;         ///< when it brought something last; 0: never
  std::uint64_t others_seen_ns = 0;  ///< the same of the other lines, the latest
  std::uint64_t lost = 0;  ///< messages that it skipped so far, less those it brought later
  bool is_down = false;    ///< its interface is
  bool in_hours = true;    ///< outside of them it can only get better
};

/// The condition of one line of one channel, from look to look. Pure.
class LineWatch {
 public:
  /// How long a line is degraded behind its last loss, and back behind its return.
  static constexpr std::uint64_t kSteadyNs = 10'000'000'000;

  Condition condition() const noexcept { return condition_; }
  /// True when it has changed.
  bool look(const LineSight& sight, const Alarms& alarms, std::uint64_t now_ns) noexcept;

 private:
  void note(const LineSight& sight, const Alarms& alarms, std::uint64_t now_ns) noexcept;
  bool is_silent(const LineSight& sight, const Alarms& alarms, std::uint64_t now_ns) const noexcept;
  Condition next(const LineSight& sight, const Alarms& alarms, std::uint64_t now_ns) const noexcept;

  Condition condition_ = Condition::up;
  std::uint64_t since_ns_ = 0;          ///< it is in that condition; 0: not looked at yet
  std::uint64_t seen_ns_ = 0;           ///< as of the last look
  bool has_moved_ = false;              ///< since the look before
  std::uint64_t watched_since_ns_ = 0;  ///< it ought to bring something
  std::uint64_t behind_since_ns_ = 0;   ///< others bring what it does not; 0: they do not
  std::uint64_t lost_ = 0;
  std::uint64_t lost_ns_ = 0;  ///< it was seen to lose something; 0: never
};

}  // namespace linearb::sequencer
