// SPDX-License-Identifier: Apache-2.0
// Two lines in the window at once: the heart of the promise. A message is missed when every packet
// that carried it was dropped as a duplicate; with NEW, LATE and CONTENDED going up, none may be.
// Run these under ThreadSanitizer too (preset "tsan").
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/window.h"

namespace linearb {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr std::uint64_t kMessages = 1 << 18;
#else
constexpr std::uint64_t kMessages = 1 << 21;
#endif
constexpr std::uint32_t kGeneration = 1;

struct Lines {
  const char* name;
  std::uint32_t order;
  std::array<std::uint32_t, 2> messages_per_packet;
  /// How many messages one line may be ahead of the other; line B starts when A is that far.
  std::uint64_t skew;
};

std::ostream& operator<<(std::ostream& stream, const Lines& lines) {
  return stream << lines.name;
}

/// What has come of one line's packets: four counters, by claim.
using Outcomes = std::array<std::uint64_t, LB_CLAIM_CONTENDED + 1>;

/// Two threads claim the same messages in packets of different size, and hand up what the hook
/// would. Behind them stands what the sequencer does: an exact memory of what was delivered.
class Arbitration {
 public:
  explicit Arbitration(const Lines& lines)
      : lines_(lines), words_(1u << lines.order), new_(kMessages), delivered_(kMessages) {}

  void run() {
    std::thread line_b([this] { run_line(1); });
    run_line(0);
    line_b.join();
  }

  const Outcomes& outcomes(std::size_t line) const { return outcomes_[line]; }
  std::uint64_t missed() const {
    auto is_missed = [](const auto& times) { return times == 0; };
    return static_cast<std::uint64_t>(std::ranges::count_if(delivered_, is_missed));
  }
  /// How many packets that begin at a number were NEW: 0, 1 or 2.
  std::uint32_t times_new(std::uint64_t first) const { return new_[first]; }
  std::uint32_t times_delivered(std::uint64_t number) const { return delivered_[number]; }

 private:
  void run_line(std::size_t line) {
    std::uint32_t size = lines_.messages_per_packet[line];
    std::uint32_t lost_races = 0;
    for (std::uint64_t first = 0; first < kMessages; first += size) {
      std::uint32_t count =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(size, kMessages - first));
      wait_for_other_line(line, first);
      lb_claim claim =
          lb_window_claim(words_.data(), lines_.order, kGeneration, first, count, &lost_races);
      outcomes_[line][claim]++;
      if (claim == LB_CLAIM_NEW) new_[first].fetch_add(1, std::memory_order_relaxed);
      if (claim != LB_CLAIM_NOTHING) hand_up(first, count);
      shown_[line].store(first + count, std::memory_order_relaxed);
    }
  }

  void hand_up(std::uint64_t first, std::uint32_t count) {
    for (std::uint64_t number = first; number < first + count; number++)
      delivered_[number].fetch_add(1, std::memory_order_relaxed);
  }

  /// Keeps this line within `skew` of the other one. Line B waits for A's lead first, so that the
  /// largest skew occurs in every run, whatever the scheduler does.
  void wait_for_other_line(std::size_t line, std::uint64_t first) {
    std::uint64_t lead = std::min(lines_.skew, kMessages);
    while (line == 1 && first == 0 && shown_[0].load(std::memory_order_relaxed) < lead)
      std::this_thread::yield();
    while (first > shown_[1 - line].load(std::memory_order_relaxed) + lines_.skew)
      std::this_thread::yield();
  }

  const Lines lines_;
  std::vector<lb_u64> words_;
  std::vector<std::atomic<std::uint8_t>> new_;
  std::vector<std::atomic<std::uint8_t>> delivered_;
  std::array<Outcomes, 2> outcomes_{};
  std::array<std::atomic<std::uint64_t>, 2> shown_{};
};

class WindowThreads : public testing::TestWithParam<Lines> {};

TEST_P(WindowThreads, MissNoMessage) {
  Arbitration arbitration(GetParam());
  arbitration.run();
  EXPECT_EQ(arbitration.missed(), 0u);
}

constexpr std::uint32_t kTiny = 2;  // four words: 128 messages
constexpr std::uint64_t kTinyLap = 128;
constexpr std::uint64_t kLap = LB_WINDOW_MESSAGES;

auto name_of = [](const auto& lines) { return std::string(lines.param.name); };

INSTANTIATE_TEST_SUITE_P(Window, WindowThreads,
                         testing::Values(Lines{"three_and_four", LB_WINDOW_ORDER, {3, 4}, 64},
                                         Lines{"one_and_255", LB_WINDOW_ORDER, {1, 255}, 512},
                                         Lines{"both_256", LB_WINDOW_ORDER, {256, 256}, 512},
                                         Lines{
                                             "two_laps_apart", LB_WINDOW_ORDER, {3, 4}, 2 * kLap}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(
    TinyWindow, WindowThreads,
    testing::Values(Lines{"three_and_four", kTiny, {3, 4}, 8 * kTinyLap},
                    Lines{"four_and_three", kTiny, {4, 3}, 8 * kTinyLap},
                    Lines{"one_and_97", kTiny, {1, 97}, 8 * kTinyLap},
                    Lines{"longer_than_the_window", kTiny, {1, 255}, 8 * kTinyLap},
                    Lines{"in_step", kTiny, {3, 4}, 8}),
    name_of);

/// Packets that lie in one word are claimed by one compare-and-swap: of two identical copies
/// exactly one is NEW, unless both were contended, and then both went up.
class IdenticalLines : public testing::TestWithParam<Lines> {};

TEST_P(IdenticalLines, GiveEachPacketToOneOfThem) {
  Arbitration arbitration(GetParam());
  arbitration.run();
  std::uint32_t size = GetParam().messages_per_packet[0];
  for (std::uint64_t first = 0; first < kMessages; first += size) {
    ASSERT_LE(arbitration.times_new(first), 1u) << "claimed twice: " << first;
    if (arbitration.times_new(first) == 1) continue;
    ASSERT_EQ(arbitration.times_delivered(first), 2u) << "not claimed, not contended: " << first;
  }
  EXPECT_EQ(arbitration.missed(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Window, IdenticalLines,
    testing::Values(Lines{"one", LB_WINDOW_ORDER, {1, 1}, 64},
                    Lines{"four", LB_WINDOW_ORDER, {4, 4}, 64},
                    Lines{"whole_words", LB_WINDOW_ORDER, {32, 32}, 256},
                    Lines{"one_two_laps_apart", LB_WINDOW_ORDER, {1, 1}, 2 * kLap},
                    Lines{"tiny_window", kTiny, {1, 1}, 8 * kTinyLap}),
    name_of);

/// The tests above mean something only if what must go up does occur.
TEST(WindowSkew, OfSeveralLapsIsLate) {
  Arbitration arbitration(Lines{"", kTiny, {3, 4}, 8 * kTinyLap});
  arbitration.run();
  EXPECT_GT(arbitration.outcomes(1)[LB_CLAIM_LATE], 0u) << "line B began eight laps behind";
  EXPECT_EQ(arbitration.missed(), 0u);
}

}  // namespace
}  // namespace linearb
