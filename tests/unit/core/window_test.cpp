// SPDX-License-Identifier: Apache-2.0
// The window from one thread: what each claim must say, and which bits it must leave behind. What
// two threads do to each other is in window_threads_test.cpp and window_races_test.cpp.
#include "core/window.h"

#include <bit>
#include <cstdint>
#include <map>
#include <ostream>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace linearb {
namespace {

constexpr std::uint64_t kLap = LB_WINDOW_MESSAGES;
constexpr std::uint64_t kLapNumbers = std::uint64_t{1} << LB_LAP_BITS;

/// A window of 1 << order words, and the generation that is claimed for. Whatever it is asked about
/// one word has to be the same by the functions that know no other.
class Window {
 public:
  explicit Window(std::uint32_t order = LB_WINDOW_ORDER) : order_(order), words_(1u << order) {}

  lb_claim claim(std::uint64_t first, std::uint32_t count) {
    std::uint32_t lost_races = 0;
    lb_u64& word = words_[(first >> LB_WORD_SHIFT) % words_.size()];
    const lb_u64 before = word;
    const bool is_in_one_word = lb_is_in_one_word(first, count);
    const lb_claim in_one_word =
        is_in_one_word
            ? lb_window_claim_in_one_word(words_.data(), order_, generation, first, count)
            : LB_CLAIM_CONTENDED;
    const lb_u64 after = std::exchange(word, before);
    lb_claim result = lb_window_claim(words_.data(), order_, generation, first, count, &lost_races);
    EXPECT_EQ(lost_races, 0u) << "nobody else is here";
    if (is_in_one_word) {
      EXPECT_EQ(in_one_word, result);
      EXPECT_EQ(after, word);
    }
    return result;
  }
  bool holds(std::uint64_t first, std::uint32_t count = 1) const {
    const int result = lb_window_holds(words_.data(), order_, generation, first, count);
    if (lb_is_in_one_word(first, count)) {
      EXPECT_EQ(lb_window_holds_in_one_word(words_.data(), order_, generation, first, count),
                result);
    }
    return result != 0;
  }
  void release(std::uint64_t first, std::uint32_t count) {
    lb_window_release(words_.data(), order_, generation, first, count);
  }
  void clear() { words_.assign(words_.size(), 0); }
  std::uint64_t messages() const { return words_.size() * LB_WORD_MESSAGES; }
  /// How many messages are claimed, in whatever lap and generation.
  std::uint32_t bits() const {
    int set = 0;
    for (lb_u64 word : words_) set += std::popcount(static_cast<std::uint32_t>(word));
    return static_cast<std::uint32_t>(set);
  }

  std::uint32_t generation = 1;

 private:
  std::uint32_t order_;
  std::vector<lb_u64> words_;
};

/// Exactly the messages of the range are held: each of them, and none beside it.
void expect_exactly(const Window& window, std::uint64_t first, std::uint32_t count) {
  EXPECT_TRUE(window.holds(first, count));
  for (std::uint64_t number = first; number < first + count; number++)
    ASSERT_TRUE(window.holds(number)) << number;
  EXPECT_EQ(window.bits(), count);
  if (first > 0) {
    EXPECT_FALSE(window.holds(first - 1));
  }
  EXPECT_FALSE(window.holds(first + count));
}

struct Region {
  const char* name;
  std::uint64_t base;
};

/// For the list of ctest: bytes of pointers change from run to run.
void PrintTo(const Region& region, std::ostream* out) {
  *out << region.name;
}

class WindowRegion : public testing::TestWithParam<Region> {};

TEST_P(WindowRegion, ClaimsEveryCountAtEveryBit) {
  for (std::uint32_t count : {1u, 2u, 31u, 32u, 33u, 255u, 256u}) {
    for (std::uint32_t bit = 0; bit < LB_WORD_MESSAGES; bit++) {
      std::uint64_t first = GetParam().base + bit;
      SCOPED_TRACE(testing::Message() << count << " messages from " << first);
      Window window;
      EXPECT_FALSE(window.holds(first, count));
      EXPECT_EQ(window.claim(first, count), LB_CLAIM_NEW);
      expect_exactly(window, first, count);
      EXPECT_EQ(window.claim(first, count), LB_CLAIM_NOTHING);
      expect_exactly(window, first, count);
    }
  }
}

TEST_P(WindowRegion, ClaimsWhatIsLeftOfAnOverlap) {
  for (std::uint32_t bit = 0; bit < LB_WORD_MESSAGES; bit++) {
    std::uint64_t first = GetParam().base + 64 + bit;
    SCOPED_TRACE(first);
    Window window;
    EXPECT_EQ(window.claim(first, 33), LB_CLAIM_NEW);
    EXPECT_EQ(window.claim(first + 1, 32), LB_CLAIM_NOTHING) << "inside";
    EXPECT_EQ(window.claim(first + 32, 2), LB_CLAIM_NEW) << "one behind";
    EXPECT_EQ(window.claim(first - 1, 2), LB_CLAIM_NEW) << "one before";
    EXPECT_EQ(window.claim(first - 2, 40), LB_CLAIM_NEW) << "around";
    expect_exactly(window, first - 2, 40);
  }
}

TEST_P(WindowRegion, ReleasesEveryCountAtEveryBit) {
  for (std::uint32_t count : {1u, 2u, 31u, 32u, 33u, 200u}) {
    for (std::uint32_t bit = 0; bit < LB_WORD_MESSAGES; bit++) {
      std::uint64_t first = GetParam().base + 28 + bit;
      SCOPED_TRACE(testing::Message() << count << " messages from " << first);
      Window window;
      window.claim(first - 28, 256);
      window.release(first, count);
      EXPECT_EQ(window.bits(), 256 - count);
      EXPECT_TRUE(window.holds(first - 1));
      EXPECT_TRUE(window.holds(first + count));
      for (std::uint64_t number = first; number < first + count; number++)
        ASSERT_FALSE(window.holds(number)) << number;
      EXPECT_EQ(window.claim(first, count), LB_CLAIM_NEW) << "another line's copy can win";
      expect_exactly(window, first - 28, 256);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Numbers, WindowRegion,
                         testing::Values(Region{"zero", 0}, Region{"middle", 1'000'000},
                                         Region{"ring_wrap", kLap - 128},
                                         Region{"two_to_32", (std::uint64_t{1} << 32) - 128},
                                         Region{"lap_number_wrap", kLap* kLapNumbers - 128},
                                         Region{"two_to_56", (std::uint64_t{1} << 56) - 512}),
                         [](const auto& region) { return std::string(region.param.name); });

TEST(Window, TakesAnOlderLapOverWhole) {
  Window window;
  window.claim(0, 32);
  EXPECT_EQ(window.claim(kLap + 5, 1), LB_CLAIM_NEW);
  expect_exactly(window, kLap + 5, 1);
  EXPECT_FALSE(window.holds(5)) << "the older lap is forgotten";
}

TEST(Window, TakesAnyOlderLapOver) {
  for (std::uint64_t laps :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{1000}, kLapNumbers / 2 - 1}) {
    SCOPED_TRACE(laps);
    Window window;
    window.claim(7, 1);
    EXPECT_EQ(window.claim(laps * kLap + 7, 1), LB_CLAIM_NEW);
    EXPECT_EQ(window.claim(7, 1), LB_CLAIM_LATE);
    expect_exactly(window, laps * kLap + 7, 1);
  }
}

TEST(Window, IsLateBehindANewerLap) {
  Window window;
  window.claim(kLap + 5, 1);
  EXPECT_EQ(window.claim(5, 1), LB_CLAIM_LATE);
  EXPECT_EQ(window.claim(9, 1), LB_CLAIM_LATE) << "also where the newer lap has no bit";
  EXPECT_FALSE(window.holds(5));
  expect_exactly(window, kLap + 5, 1);
}

TEST(Window, FollowsTheLapNumberAroundItsWrap) {
  std::uint64_t last_lap = (kLapNumbers - 1) * kLap;
  Window window;
  EXPECT_EQ(window.claim(last_lap + 40, 4), LB_CLAIM_NEW);
  EXPECT_EQ(window.claim(last_lap + kLap + 40, 4), LB_CLAIM_NEW) << "lap 0 is newer than the last";
  EXPECT_EQ(window.claim(last_lap + 40, 4), LB_CLAIM_LATE);
  expect_exactly(window, last_lap + kLap + 40, 4);
}

TEST(Window, ClaimsAcrossTheLapNumbersWrapOverWhatAnOlderLapLeft) {
  std::uint64_t wrap = kLapNumbers * kLap;
  Window window;
  window.claim(wrap - kLap - 100, 256);
  EXPECT_EQ(window.claim(wrap - 100, 200), LB_CLAIM_NEW);
  EXPECT_TRUE(window.holds(wrap - 100, 200));
  EXPECT_EQ(window.claim(wrap - kLap - 100, 200), LB_CLAIM_LATE);
  EXPECT_EQ(window.claim(wrap - 100, 200), LB_CLAIM_NOTHING);
}

/// Why a late packet must go up: the bits before the late word are its own.
TEST(Window, IsLateAfterItHasSetBits) {
  Window window;
  window.claim(kLap + 64, 1);
  EXPECT_EQ(window.claim(32, 64), LB_CLAIM_LATE);
  EXPECT_TRUE(window.holds(32, 32)) << "the first word was claimed";
  EXPECT_FALSE(window.holds(64)) << "the second was late";
  EXPECT_EQ(window.claim(32, 32), LB_CLAIM_NOTHING) << "no other line will bring them";
}

TEST(Window, IsLateWhenOnlyTheFirstWordIs) {
  Window window;
  window.claim(kLap + 32, 1);
  EXPECT_EQ(window.claim(32, 64), LB_CLAIM_LATE);
  EXPECT_FALSE(window.holds(64)) << "what stands behind the late word was left alone";
}

TEST(Window, NeverMeetsBitsOfAnotherGeneration) {
  Window window;
  window.generation = 7;
  window.claim(100, 20);
  for (std::uint32_t other : {6u, 8u, 255u}) {
    window.generation = other;
    EXPECT_FALSE(window.holds(100)) << other;
    EXPECT_EQ(window.claim(100, 20), LB_CLAIM_LATE) << other;
    EXPECT_EQ(window.claim(kLap + 100, 20), LB_CLAIM_LATE) << other << ", a lap ahead";
    window.release(100, 20);
    EXPECT_EQ(window.bits(), 20u) << other;
  }
}

/// The generation is one byte: it comes round after 255 epochs, and the clearing between two
/// epochs is what keeps the bits of the life before it away.
TEST(Window, MeetsNoOldBitIn600Epochs) {
  constexpr std::uint64_t kFirst = 5'000;
  Window window;
  for (std::uint32_t epoch = 0; epoch < 600; epoch++) {
    SCOPED_TRACE(epoch);
    window.generation = 1 + epoch % LB_GENERATION_MAX;
    window.clear();
    std::uint32_t shift = epoch % 40;
    ASSERT_FALSE(window.holds(kFirst + shift));
    for (std::uint64_t packet = 0; packet < 20; packet++)
      ASSERT_EQ(window.claim(kFirst + shift + packet * 50, 50), LB_CLAIM_NEW);
    ASSERT_EQ(window.bits(), 1000u);
  }
}

TEST(Window, LeavesANewerLapAloneWhenItReleases) {
  Window window;
  window.claim(10, 80);
  window.claim(kLap + 40, 4);
  window.release(10, 80);
  EXPECT_TRUE(window.holds(kLap + 40, 4));
  EXPECT_EQ(window.bits(), 4u) << "the words of the older lap are released";
}

TEST(Window, KeepsTheLapOfAReleasedWord) {
  Window window;
  window.claim(kLap + 10, 1);
  window.release(kLap + 10, 1);
  EXPECT_EQ(window.bits(), 0u);
  EXPECT_EQ(window.claim(10, 1), LB_CLAIM_LATE) << "what is behind stays behind";
  EXPECT_EQ(window.claim(kLap + 10, 1), LB_CLAIM_NEW);
}

/// The window as a set of numbers: each place in the ring belongs to the newest block of 32 that
/// has claimed it, and forgets the one before.
class Model {
 public:
  explicit Model(std::uint64_t messages) : places_(messages / LB_WORD_MESSAGES) {}

  lb_claim claim(std::uint64_t first, std::uint32_t count) {
    lb_claim result = LB_CLAIM_NOTHING;
    for (std::uint64_t number = first; number < first + count; number++) {
      if (!take_place(number / LB_WORD_MESSAGES)) return LB_CLAIM_LATE;
      if (claimed_.insert(number).second) result = LB_CLAIM_NEW;
    }
    return result;
  }
  bool holds(std::uint64_t first, std::uint32_t count) const {
    for (std::uint64_t number = first; number < first + count; number++)
      if (!claimed_.contains(number)) return false;
    return true;
  }
  void release(std::uint64_t first, std::uint32_t count) {
    claimed_.erase(claimed_.lower_bound(first), claimed_.lower_bound(first + count));
  }
  std::size_t bits() const { return claimed_.size(); }

 private:
  bool take_place(std::uint64_t block) {
    auto [place, is_new] = newest_.try_emplace(block % places_, block);
    if (is_new || place->second == block) return true;
    if (place->second > block) return false;
    release(place->second * LB_WORD_MESSAGES, LB_WORD_MESSAGES);
    place->second = block;
    return true;
  }

  std::uint64_t places_;
  std::map<std::uint64_t, std::uint64_t> newest_;
  std::set<std::uint64_t> claimed_;
};

/// Random ranges around a place that moves forward, some of them laps behind it.
class RandomRanges {
 public:
  RandomRanges(std::uint64_t seed, std::uint64_t start, std::uint64_t reach)
      : random_(seed), front_(start), reach_(reach) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  std::uint32_t next_count() {
    std::uint64_t limit = below(4) == 0 ? LB_CLAIM_MAX : 8;
    return static_cast<std::uint32_t>(1 + below(limit));
  }
  std::uint64_t next_first() {
    front_ += below(24);
    std::uint64_t behind = below(8) == 0 ? reach_ : 64;
    return front_ - below(behind);
  }

 private:
  std::mt19937_64 random_;
  std::uint64_t front_;
  std::uint64_t reach_;
};

class WindowModel : public testing::TestWithParam<std::uint32_t> {};

TEST_P(WindowModel, AgreesWithASetOfNumbers) {
  for (std::uint64_t seed = 1; seed <= 6; seed++) {
    SCOPED_TRACE(testing::Message() << "order " << GetParam() << ", seed " << seed);
    Window window(GetParam());
    Model model(window.messages());
    RandomRanges ranges(seed, 10 * window.messages(), 3 * window.messages());
    for (int step = 0; step < 4'000; step++) {
      std::uint64_t first = ranges.next_first();
      std::uint32_t count = ranges.next_count();
      ASSERT_EQ(window.holds(first, count), model.holds(first, count)) << step;
      if (ranges.below(16) == 0) {
        window.release(first, count);
        model.release(first, count);
      } else {
        ASSERT_EQ(window.claim(first, count), model.claim(first, count)) << step;
      }
      ASSERT_EQ(window.bits(), model.bits()) << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, WindowModel, testing::Values(2u, 4u, 6u, 8u),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace linearb
