// SPDX-License-Identifier: Apache-2.0
// Races that a test of threads meets rarely or never, staged: another CPU does something between
// two atomic accesses of the function under test. core/atomic.h calls LB_SCHEDULE_POINT before
// each access; here it runs what the test has put down for that access.
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

std::function<void(int)> at_access;
int accesses = 0;

void schedule_point() {
  if (!at_access) return;
  // What the other CPU does has accesses of its own, which are not counted.
  auto other_cpu = std::exchange(at_access, nullptr);
  other_cpu(++accesses);
  at_access = std::move(other_cpu);
}

}  // namespace

#define LB_SCHEDULE_POINT(access, word, value) schedule_point()
#include "core/histogram.h"
#include "core/layout.h"
#include "core/stream.h"

namespace linearb {
namespace {

constexpr std::uint32_t kGeneration = 3;
constexpr std::uint64_t kLap = LB_WINDOW_MESSAGES;

/// Runs what the test says on behalf of another CPU, before the access that it names (counted from
/// 1), and nothing once the test is over.
class Race : public testing::Test {
 protected:
  ~Race() override { at_access = nullptr; }

  static void before_access(int number, std::function<void()> other_cpu) {
    before_each([number, other_cpu](int access) {
      if (access == number) other_cpu();
    });
  }
  static void before_each(std::function<void(int)> other_cpu) {
    accesses = 0;
    at_access = std::move(other_cpu);
  }
};

/// A claim of one word loads it (access 1) and swaps it (access 2); a lost race repeats both.
class WindowRace : public Race {
 protected:
  WindowRace() : words_(LB_WINDOW_WORDS) {}

  lb_claim claim(std::uint64_t first, std::uint32_t count) {
    return lb_window_claim(words_.data(), LB_WINDOW_ORDER, kGeneration, first, count, &lost_races_);
  }
  /// What another line does meanwhile; its own lost races are not counted.
  lb_claim other_claim(std::uint64_t first, std::uint32_t count) {
    std::uint32_t uncounted = 0;
    return lb_window_claim(words_.data(), LB_WINDOW_ORDER, kGeneration, first, count, &uncounted);
  }
  void release(std::uint64_t first, std::uint32_t count) {
    lb_window_release(words_.data(), LB_WINDOW_ORDER, kGeneration, first, count);
  }
  bool holds(std::uint64_t first, std::uint32_t count) {
    at_access = nullptr;
    return lb_window_holds(words_.data(), LB_WINDOW_ORDER, kGeneration, first, count) != 0;
  }

  std::vector<lb_u64> words_;
  std::uint32_t lost_races_ = 0;
};

TEST_F(WindowRace, RepeatsWhenAnotherLineClaimedBesideIt) {
  before_access(2, [&] { other_claim(40, 1); });
  EXPECT_EQ(claim(33, 2), LB_CLAIM_NEW);
  EXPECT_EQ(lost_races_, 1u);
  EXPECT_TRUE(holds(33, 2));
  EXPECT_TRUE(holds(40, 1)) << "the other line's bit survives";
}

TEST_F(WindowRace, IsADuplicateWhenAnotherLineClaimedItAll) {
  before_access(2, [&] { EXPECT_EQ(other_claim(32, 8), LB_CLAIM_NEW); });
  EXPECT_EQ(claim(33, 2), LB_CLAIM_NOTHING);
  EXPECT_EQ(lost_races_, 1u);
}

TEST_F(WindowRace, IsNewWhenAnotherLineClaimedAPart) {
  before_access(2, [&] { EXPECT_EQ(other_claim(32, 4), LB_CLAIM_NEW); });
  EXPECT_EQ(claim(34, 4), LB_CLAIM_NEW);
  EXPECT_TRUE(holds(32, 6));
}

TEST_F(WindowRace, KeepsTheBitsOfALineThatTookTheOlderLapOverFirst) {
  other_claim(32, 32);
  before_access(2, [&] { EXPECT_EQ(other_claim(kLap + 32, 4), LB_CLAIM_NEW); });
  EXPECT_EQ(claim(kLap + 34, 4), LB_CLAIM_NEW);
  EXPECT_TRUE(holds(kLap + 32, 6));
  EXPECT_FALSE(holds(kLap + 38, 1)) << "no bit of the older lap is left";
}

TEST_F(WindowRace, IsLateWhenANewerLapTakesTheWordOver) {
  before_access(2, [&] { EXPECT_EQ(other_claim(kLap + 33, 2), LB_CLAIM_NEW); });
  EXPECT_EQ(claim(33, 2), LB_CLAIM_LATE);
  EXPECT_TRUE(holds(kLap + 33, 2));
}

TEST_F(WindowRace, WinsTheLastAttempt) {
  before_each([&](int access) {
    bool is_swap = access % 2 == 0;
    if (is_swap && access < 2 * LB_CLAIM_ATTEMPTS) other_claim(40 + access, 1);
  });
  EXPECT_EQ(claim(33, 2), LB_CLAIM_NEW);
  EXPECT_EQ(lost_races_, LB_CLAIM_ATTEMPTS - 1u);
}

TEST_F(WindowRace, IsContendedWhenEveryAttemptIsLost) {
  before_each([&](int access) {
    if (access % 2 == 0) other_claim(40 + access, 1);
  });
  EXPECT_EQ(claim(33, 2), LB_CLAIM_CONTENDED);
  EXPECT_EQ(lost_races_, static_cast<std::uint32_t>(LB_CLAIM_ATTEMPTS));
  EXPECT_FALSE(holds(33, 1));
}

/// Why a contended packet must go up: the bits before the contended word are its own.
TEST_F(WindowRace, IsContendedAfterItHasSetBits) {
  before_each([&](int access) {
    bool is_second_word = access > 2;
    if (is_second_word && access % 2 == 0) other_claim(70 + access, 1);
  });
  EXPECT_EQ(claim(60, 6), LB_CLAIM_CONTENDED);
  EXPECT_TRUE(holds(60, 4)) << "the first word was claimed";
  EXPECT_FALSE(holds(64, 1)) << "the second was not";
  EXPECT_EQ(other_claim(60, 4), LB_CLAIM_NOTHING) << "no other line will bring them";
}

/// Two lines with the same packets may both win something of one packet that reaches over two
/// words; the sequencer trims what it has.
TEST_F(WindowRace, MayBeNewForTwoLinesWhenItReachesOverTwoWords) {
  before_access(3, [&] { EXPECT_EQ(other_claim(60, 6), LB_CLAIM_NEW); });
  EXPECT_EQ(claim(60, 6), LB_CLAIM_NEW);
  EXPECT_EQ(lost_races_, 0u);
}

TEST_F(WindowRace, ReleasesItsOwnBitsOnly) {
  other_claim(32, 8);
  before_access(2, [&] { EXPECT_EQ(other_claim(40, 2), LB_CLAIM_NEW); });
  release(32, 8);
  EXPECT_TRUE(holds(40, 2));
  EXPECT_FALSE(holds(32, 1));
  EXPECT_FALSE(holds(39, 1));
}

TEST_F(WindowRace, ReleasesNothingOfALapThatTookTheWordOver) {
  other_claim(32, 8);
  before_access(2, [&] { EXPECT_EQ(other_claim(kLap + 32, 8), LB_CLAIM_NEW); });
  release(32, 8);
  EXPECT_TRUE(holds(kLap + 32, 8));
}

TEST_F(WindowRace, OfOneAttemptAtOneWordIsLostToWhateverComesBetween) {
  before_access(2, [&] { EXPECT_EQ(other_claim(40, 1), LB_CLAIM_NEW); });
  EXPECT_EQ(lb_window_claim_in_one_word(words_.data(), LB_WINDOW_ORDER, kGeneration, 33, 2),
            LB_CLAIM_CONTENDED);
  EXPECT_FALSE(holds(33, 1)) << "it has claimed nothing";
  EXPECT_TRUE(holds(40, 1));
}

/// An advance swaps (access 1), and swaps again after each lost race.
class MarkRace : public Race {
 protected:
  static lb_u64 at(std::uint64_t value) { return lb_mark_word(kGeneration, value); }

  lb_u64 shown_ = at(100);
};

TEST_F(MarkRace, GoesOnFromWhereAnotherCpuHasMovedIt) {
  before_access(1, [&] { shown_ = at(105); });
  EXPECT_EQ(lb_mark_advance(&shown_, at(100), 110, 112), 1);
  EXPECT_EQ(shown_, at(112));
}

TEST_F(MarkRace, OfOneAttemptIsLostToWhateverComesBetween) {
  before_access(1, [&] { shown_ = at(105); });
  EXPECT_EQ(lb_mark_advance_at_once(&shown_, at(100), 112), 0);
  EXPECT_EQ(shown_, at(105));
  EXPECT_EQ(lb_mark_advance(&shown_, at(100), 110, 112), 1) << "from the mark as it was judged";
}

TEST_F(MarkRace, GoesOnWhenAnotherCpuMovedItToItsFirst) {
  before_access(1, [&] { shown_ = at(110); });
  EXPECT_EQ(lb_mark_advance(&shown_, at(100), 110, 112), 1);
  EXPECT_EQ(shown_, at(112));
}

TEST_F(MarkRace, GivesWayWhenAnotherCpuMovedItPastItsFirst) {
  before_access(1, [&] { shown_ = at(111); });
  EXPECT_EQ(lb_mark_advance(&shown_, at(100), 110, 112), 0);
  EXPECT_EQ(shown_, at(111)) << "never moved by a packet that begins behind it";
}

TEST_F(MarkRace, GivesWayToAnotherGeneration) {
  lb_u64 republished = lb_mark_word(kGeneration + 1, 0);
  before_access(1, [&] { shown_ = republished; });
  EXPECT_EQ(lb_mark_advance(&shown_, at(100), 110, 112), 0);
  EXPECT_EQ(shown_, republished);
}

TEST_F(MarkRace, WinsTheLastAttempt) {
  before_each([&](int access) {
    if (access < LB_MARK_ATTEMPTS) shown_ = at(100 + static_cast<std::uint64_t>(access));
  });
  EXPECT_EQ(lb_mark_advance(&shown_, at(100), 110, 112), 1);
  EXPECT_EQ(shown_, at(112));
}

TEST_F(MarkRace, GivesWayWhenEveryAttemptIsLost) {
  before_each([&](int access) { shown_ = at(100 + static_cast<std::uint64_t>(access)); });
  EXPECT_EQ(lb_mark_advance(&shown_, at(100), 110, 112), 0);
  EXPECT_EQ(shown_, at(100 + LB_MARK_ATTEMPTS));
}

/// A take loads returned (1), capacity (2) and redirected (3), adds (4), and takes the addition
/// back (5) if that was one too many.
class CreditRace : public Race {
 protected:
  lb_credit credit_{.redirected = 7, .unused = {}, .returned = 0, .capacity = 8, .unused_too = {}};
};

TEST_F(CreditRace, IsRefusedWhenAnotherCpuTookTheLastOne) {
  before_access(4, [&] { credit_.redirected++; });
  EXPECT_EQ(lb_credit_take(&credit_, LB_CREDIT_CLAIM), 0);
  EXPECT_EQ(credit_.redirected, 8u) << "only the other CPU's credit is out";
}

TEST_F(CreditRace, NeverTakesTheDifferenceForNegative) {
  // The receiver returns frames that were redirected after `returned` was read.
  before_access(2, [&] {
    credit_.redirected = 1000;
    credit_.returned = 1000;
  });
  EXPECT_EQ(lb_credit_take(&credit_, LB_CREDIT_CLAIM), 0) << "refused rather than lost";
  EXPECT_EQ(lb_credit_take(&credit_, LB_CREDIT_CLAIM), 1) << "the next one sees it";
}

/// An addition to the histogram adds (1), loads the maximum (2) and swaps it (3).
class HistogramRace : public Race {
 protected:
  lb_histogram histogram_{};
};

TEST_F(HistogramRace, KeepsTheLargerOfTwoMaxima) {
  before_access(3, [&] { histogram_.max_ns = 50; });
  lb_histogram_add(&histogram_, 40);
  EXPECT_EQ(histogram_.max_ns, 50u);

  before_access(3, [&] { histogram_.max_ns = 60; });
  lb_histogram_add(&histogram_, 70);
  EXPECT_EQ(histogram_.max_ns, 70u);
}

/// A stream loads a place (1), and swaps it (2) before anything of it is written.
using StreamRace = Race;

TEST_F(StreamRace, GoesOnToTheNextPlaceWhenAnotherThreadTookThisOne) {
  lb_stream_bucket bucket{};
  before_access(2, [&] { EXPECT_TRUE(lb_stream_add(&bucket, 2, 7, 200)); });
  EXPECT_TRUE(lb_stream_add(&bucket, 1, 7, 100));
  at_access = nullptr;
  EXPECT_EQ(lb_stream_find(&bucket, 1, 7), 100u);
  EXPECT_EQ(lb_stream_find(&bucket, 2, 7), 200u);
}

}  // namespace
}  // namespace linearb
