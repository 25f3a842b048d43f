// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "soak/scenario.h"
#include "sys/mapped_memory.h"

namespace linearb::soak {

/// Messages of one scenario, over all channels and lives.
inline constexpr std::uint64_t kLedgerMessages = 16'000'000;
inline constexpr std::size_t kLedgerLines = 4;
/// Receivers of one scenario, one after the other.
inline constexpr std::size_t kLedgerRuns = 4;

/// Which message: what its bytes say it is.
struct Identity {
  std::uint32_t channel = 0;
  std::uint32_t life = 0;
  std::uint64_t number = 0;
};

/// What was sent, what was refused, and what was delivered, message by message. It lies in memory
/// that sender and receivers share, so that it outlives a receiver that is killed. The tables are
/// as large as the largest scenario, and are used again by the next.
///
/// Who writes what: a line's byte its sender; a run's byte its receiver; both are read when all of
/// them have ended.
class Ledger {
 public:
  /// What came of a line's copies, for each run: one bit of the lower half when the hook took one
  /// for certain, one of the upper half when it may have.
  enum class Certainty {
    taken,
    perhaps,
  };

  /// Throws Error when there is no memory.
  Ledger();

  /// Forgets the last scenario.
  void begin(const Scenario& scenario) noexcept;

  /// The place of a message in the tables; kNowhere when there is none of that identity.
  static constexpr std::uint64_t kNowhere = ~0ull;
  std::uint64_t place_of(const Identity& message) const noexcept;
  /// All messages of one numbering are next to each other.
  std::uint64_t messages() const noexcept { return messages_; }
  std::uint64_t first_place(std::uint32_t channel, std::uint32_t life) const noexcept {
    return (channel * lives_.size() + life) * messages_;
  }
  std::uint64_t first_number(std::uint32_t life) const noexcept { return lives_[life].first; }
  std::size_t lives() const noexcept { return lives_.size(); }
  std::uint32_t channels() const noexcept { return channels_; }
  std::size_t lines() const noexcept { return line_count_; }

  void sent(std::size_t line, std::uint64_t place, std::size_t run, Certainty certainty) noexcept {
    sent_[line][place] = static_cast<std::uint8_t>(sent_[line][place] | bit(run, certainty));
  }
  bool was_sent(std::size_t line, std::uint64_t place, std::size_t run,
                Certainty certainty) const noexcept {
    return sent_[line][place] & bit(run, certainty);
  }

  /// A message came out of the receiver once more. More than 255 times is 255 times.
  void delivered(std::size_t run, std::uint64_t place) noexcept {
    std::uint8_t& times = delivered_[run][place];
    if (times != 255) ++times;
  }
  std::uint8_t times_delivered(std::size_t run, std::uint64_t place) const noexcept {
    return delivered_[run][place];
  }

 private:
  static std::uint8_t bit(std::size_t run, Certainty certainty) noexcept {
    return static_cast<std::uint8_t>(1u << (run + (certainty == Certainty::perhaps ? 4 : 0)));
  }

  std::uint64_t messages_ = 0;
  std::uint32_t channels_ = 0;
  std::size_t line_count_ = 0;
  std::vector<Life> lives_;
  sys::MappedMemory memory_;
  std::array<std::uint8_t*, kLedgerLines> sent_{};
  std::array<std::uint8_t*, kLedgerRuns> delivered_{};
};

}  // namespace linearb::soak
