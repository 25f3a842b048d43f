// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sequencer/line_watch.h"
#include "sequencer/notice.h"
#include "sequencer/passed_by_all.h"
#include "sequencer/sequencer.h"

namespace linearb::sequencer {

/// Tells of gaps, late repairs, epochs and the condition of lines while a sequencer works.
///
/// It stands between the sequencer and whom that tells, and passes every decision on as it is.
/// Beside that it looks at the channels now and then, as PassedByAll does in two steps: begin()
/// sees where the lines of some channels have come to, and tell() tells what they have passed and
/// nobody delivered, once what was on its way by then was handed in.
///
/// A number is told as a gap once every line that lives has passed it, or none lives; or when it is
/// missing for longer than the hold time, wherever a slow line is. What comes all the same is a
/// late repair. At the end all holes have been told that are in the sequencer's gaps, each once.
///
/// Pure: time is an argument. One thread, but for what says otherwise; nothing allocates after the
/// constructor.
class Watch final : public Decisions, private GapObserver {
 public:
  static constexpr std::uint64_t kHoldNs = 1'000'000'000;

  /// For so many places of channels. `next` and `notices` outlive it.
  Watch(std::size_t places, std::uint32_t lines, Decisions& next, Notices& notices);

  /// Whose decisions these are. Before the first packet; it goes after this watch.
  void follow(Sequencer& sequencer) noexcept;

  void decided(const Packet& packet, const Decision& decision) noexcept override;

  /// A new channel will have the place: nothing is known of it.
  void begin_channel(std::uint16_t place, const Alarms& alarms) noexcept;
  /// The channel goes on, with other alarms.
  void set_alarms(std::uint16_t place, const Alarms& alarms) noexcept {
    channels_[place].alarms = alarms;
    set_in_hours(place, alarms.in_hours);
  }
  /// Any thread. Outside of its hours a channel raises no alarm.
  void set_in_hours(std::uint16_t place, bool in_hours) noexcept {
    channels_[place].in_hours.store(in_hours, std::memory_order_relaxed);
  }
  /// Any thread. The interface of a line is down or gone, or up again.
  void set_line_down(std::uint32_t line, bool down) noexcept {
    lines_down_[line].store(down, std::memory_order_relaxed);
  }

  /// Of so many, those that are looked at in a tick: few enough not to be felt.
  static constexpr std::size_t places_per_tick(std::size_t places) noexcept {
    constexpr std::size_t kAtLeast = 64;
    constexpr std::size_t kTicksPerRound = 16;
    return std::min(places, std::max(kAtLeast, places / kTicksPerRound));
  }
  bool has_begun() const noexcept { return has_begun_; }
  bool may_be_told(std::uint64_t now_ns) const noexcept {
    return now_ns >= began_ns_ + PassedByAll::kReorderNs;
  }
  /// None has begun. Looks at `count` places behind those of the last look. For `mark_of(place,
  /// line, epoch)` see PassedByAll::begin; `skipped(place, line)` is what somebody else saw the
  /// line skip.
  template <class MarkOf, class Skipped>
  void begin(std::size_t count, std::uint64_t now_ns, MarkOf mark_of, Skipped skipped) noexcept {
    now_ns_ = began_ns_ = now_ns;
    has_begun_ = true;
    for (std::size_t i = 0; i < count; ++i) {
      place_ = place_ + 1 < channels_.size() ? place_ + 1 : 0;
      const auto place = static_cast<std::uint16_t>(place_);
      if (!sequencer_->has(place)) continue;
      for (std::size_t age = 0; age < Channel::kEpochs; ++age)
        look_for_gaps(place, age, now_ns, mark_of);
      for (std::uint32_t line = 0; line < lines_; ++line)
        look_at_line(place, line, skipped(place, line), now_ns);
    }
  }
  void tell() noexcept;

 private:
  /// What was told of an epoch: of its numbers in `range` those that are missing.
  struct Told {
    std::uint64_t epoch = 0;
    Range range;
    std::uint64_t held_ns = 0;   ///< when that was taken down:
    std::uint64_t held_end = 0;  ///< how far the epoch went
  };
  struct OfChannel {
    std::array<Told, Channel::kEpochs> told;  ///< the newest first
    Alarms alarms;
    std::atomic<bool> in_hours = true;
    std::array<LineWatch, LB_LINES_MAX> lines;
  };
  /// Where the lines have come to.
  struct Target {
    std::uint16_t place = 0;
    std::uint64_t epoch = 0;
    std::uint64_t end = 0;
  };

  template <class MarkOf>
  void look_for_gaps(std::uint16_t place, std::size_t age, std::uint64_t now_ns,
                     MarkOf mark_of) noexcept {
    const Channel& channel = sequencer_->channel(place);
    const Channel::EpochRange epoch = channel.epoch_of_age(age);
    Told* const told = epoch.number ? told_of(place, epoch.number) : nullptr;
    if (!told || !has_news(*told, epoch.range)) return;
    const Passed passed =
        passed_in(epoch.number, epoch.number + 1, channel, lines_, now_ns,
                  [&](std::uint32_t line) { return mark_of(place, line, epoch.number); });
    const std::uint64_t held = end_of_hold(*told, epoch.range, now_ns);
    const std::uint64_t end = std::min(std::max(passed.end, held), epoch.range.end);
    if (has_news(*told, {epoch.range.first, end})) targets_.push_back({place, epoch.number, end});
  }

  Told* told_of(std::uint16_t place, std::uint64_t epoch) noexcept;
  Told begin_epoch(std::uint16_t place, std::uint64_t epoch) const noexcept;
  static bool has_news(const Told& told, Range range) noexcept {
    return range.end > told.range.end || range.first < told.range.first;
  }
  static std::uint64_t end_of_hold(Told& told, Range range, std::uint64_t now_ns) noexcept;
  void look_at_line(std::uint16_t place, std::uint32_t line, std::uint64_t skipped,
                    std::uint64_t now_ns) noexcept;
  void tell_gaps(const Target& target, std::size_t age) noexcept;
  void tell_gap(std::uint16_t place, std::uint64_t epoch, Range range) noexcept;
  void note_news(const Packet& packet, const Decision& decision) noexcept;
  void gap(GapOrigin origin, Range range) noexcept override;
  void settled(GapOrigin origin, std::uint64_t number) noexcept override;
  void reopened(GapOrigin origin, std::uint64_t number) noexcept override;
  Range range_told(std::uint16_t place, std::uint64_t epoch) const noexcept;
  std::uint16_t place_of(std::uint32_t serial) noexcept;

  std::uint32_t lines_;
  Decisions& next_;
  Notices& notices_;
  Sequencer* sequencer_ = nullptr;
  std::vector<OfChannel> channels_;
  std::array<std::atomic<bool>, LB_LINES_MAX> lines_down_{};
  std::vector<Target> targets_;  ///< of the look that has begun
  bool has_begun_ = false;
  std::uint64_t began_ns_ = 0;
  std::uint64_t now_ns_ = 0;  ///< as of the last packet or look
  std::size_t place_ = 0;     ///< looked at last
  std::uint16_t gap_place_ = 0;
};

}  // namespace linearb::sequencer
