// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace linearb::sequencer {

/// Numbers [first, end).
struct Range {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

struct GapOrigin {
  std::uint32_t channel = 0;  ///< Channel::serial
  std::uint64_t epoch = 0;
};

/// Who wants to know of gaps, and of what changes them beside the packets that are delivered.
class GapObserver {
 public:
  /// It is one for good.
  virtual void gap(GapOrigin origin, Range range) noexcept = 0;
  /// A message that was delivered before has turned out to have this number in that epoch,
  virtual void settled(GapOrigin origin, std::uint64_t number) noexcept = 0;
  /// or not to have it.
  virtual void reopened(GapOrigin origin, std::uint64_t number) noexcept = 0;

 protected:
  ~GapObserver() = default;
};

/// The first gaps of a run, with their exact ranges. It never allocates after its construction.
class GapList {
 public:
  static constexpr std::size_t kReported = 1000;

  struct Gap {
    GapOrigin origin;
    Range range;
  };

  GapList() { gaps_.reserve(kReported); }

  /// It outlives the list; null: nobody does.
  void set_observer(GapObserver* observer) noexcept { observer_ = observer; }

  void add(GapOrigin origin, Range range) noexcept {
    if (observer_) observer_->gap(origin, range);
    if (gaps_.size() < kReported)
      gaps_.push_back({origin, range});
    else
      truncated_ = true;
  }

  void note_settled(GapOrigin origin, std::uint64_t number) noexcept {
    if (observer_) observer_->settled(origin, number);
  }
  void note_reopened(GapOrigin origin, std::uint64_t number) noexcept {
    if (observer_) observer_->reopened(origin, number);
  }

  /// There are gaps of which nobody can say where they are.
  void truncate() noexcept { truncated_ = true; }

  const std::vector<Gap>& gaps() const noexcept { return gaps_; }
  bool truncated() const noexcept { return truncated_; }

 private:
  std::vector<Gap> gaps_;
  bool truncated_ = false;
  GapObserver* observer_ = nullptr;
};

}  // namespace linearb::sequencer
