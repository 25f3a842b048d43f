// SPDX-License-Identifier: Apache-2.0
#include "sequencer/line_watch.h"

#include <algorithm>
#include <utility>

namespace linearb::sequencer {

bool LineWatch::look(const LineSight& sight, const Alarms& alarms, std::uint64_t now_ns) noexcept {
  note(sight, alarms, now_ns);
  const Condition next = this->next(sight, alarms, now_ns);
  if (next == condition_) return false;
  condition_ = next;
  since_ns_ = now_ns;
  return true;
}

void LineWatch::note(const LineSight& sight, const Alarms& alarms, std::uint64_t now_ns) noexcept {
  const bool is_first = watched_since_ns_ == 0;
  if (is_first || !sight.in_hours) watched_since_ns_ = now_ns;
  has_moved_ = sight.seen_ns > std::exchange(seen_ns_, sight.seen_ns);
  const std::uint64_t last_ns = std::max(seen_ns_, watched_since_ns_);
  const bool is_behind = !has_moved_ && sight.others_seen_ns >= last_ns + alarms.silence_ns / 2;
  if (!is_behind)
    behind_since_ns_ = 0;
  else if (behind_since_ns_ == 0)
    behind_since_ns_ = now_ns;
  // What it skipped before anybody looked is not news.
  if (sight.lost > std::exchange(lost_, sight.lost) && !is_first) lost_ns_ = now_ns;
}

/// The others went on for half of the time, and in the other half it has not followed: where a feed
/// pauses, the copy of what comes next is still on its way.
bool LineWatch::is_silent(const LineSight& sight, const Alarms& alarms,
                          std::uint64_t now_ns) const noexcept {
  const std::uint64_t last_ns = std::max({sight.seen_ns, sight.others_seen_ns, watched_since_ns_});
  if (alarms.expects_feed && now_ns >= last_ns + alarms.silence_ns) return true;
  return !alarms.active_passive && behind_since_ns_ != 0 &&
         now_ns >= behind_since_ns_ + alarms.silence_ns / 2;
}

Condition LineWatch::next(const LineSight& sight, const Alarms& alarms,
                          std::uint64_t now_ns) const noexcept {
  if (sight.in_hours && sight.is_down) return Condition::down;
  if (is_silent(sight, alarms, now_ns)) return Condition::silent;
  const bool is_away = condition_ == Condition::silent || condition_ == Condition::down;
  if (is_away) return has_moved_ ? Condition::back : condition_;
  if (lost_ns_ != 0 && now_ns < lost_ns_ + kSteadyNs)
    return sight.in_hours ? Condition::degraded : condition_;
  const bool is_steady = condition_ != Condition::back || now_ns >= since_ns_ + kSteadyNs;
  return is_steady ? Condition::up : Condition::back;
}

}  // namespace linearb::sequencer
