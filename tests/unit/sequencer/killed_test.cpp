// SPDX-License-Identifier: Apache-2.0
//
// The memory of what was delivered, as a process leaves it that is killed between any two stores.
//
// Delivered is compiled once more, under another name, with a word at each store whose order
// matters. What lies between two of them the compiler may have put into any order: so of those
// stores any may be there.
#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace linearb::sequencer::test {
inline std::function<void()> at_cut_point;
inline void reach_cut_point() {
  if (at_cut_point) at_cut_point();
}
}  // namespace linearb::sequencer::test

#define LB_CUT_POINT() ::linearb::sequencer::test::reach_cut_point()
#define Delivered      DeliveredInPieces
#include "sequencer/delivered.cpp"

namespace linearb::sequencer::test {
namespace {

constexpr GapOrigin kOrigin{3, 7};
constexpr std::uint64_t kMessages = DeliveredInPieces::kMessages;

/// What a process leaves.
struct Left {
  lb_in_hand in_hand;
  lb_delivered delivered;
};
static_assert(sizeof(Left) % sizeof(std::uint64_t) == 0);

/// What is missing in [first, end).
class Holes {
 public:
  explicit Holes(std::uint64_t first) : first_(first), end_(first) {}

  void take(lb_range range) {
    announce(range.end);
    if (range.first < first_) add({range.first, std::exchange(first_, range.first)});
    std::vector<lb_range> rest;
    for (const lb_range& hole : holes_) {
      if (hole.first < std::min(hole.end, range.first))
        rest.push_back({hole.first, std::min(hole.end, range.first)});
      if (std::max(hole.first, range.end) < hole.end)
        rest.push_back({std::max(hole.first, range.end), hole.end});
    }
    holes_ = rest;
  }
  void announce(std::uint64_t end) {
    if (end > end_) add({std::exchange(end_, end), end});
  }
  /// Adjacent ones together, up to `end`.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
    for (const lb_range& hole : holes_) {
      if (!all.empty() && all.back().second == hole.first)
        all.back().second = hole.end;
      else
        all.emplace_back(hole.first, hole.end);
    }
    return all;
  }
  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return end_; }
  const std::vector<lb_range>& ranges() const { return holes_; }

 private:
  void add(lb_range range) {
    holes_.insert(std::ranges::upper_bound(holes_, range.first, {}, &lb_range::first), range);
  }
  std::uint64_t first_;
  std::uint64_t end_;
  std::vector<lb_range> holes_;
};

/// A writer that may be killed anywhere, and everything that it may have left by then.
class Writer {
 public:
  explicit Writer(std::uint64_t seed)
      : random_(seed), delivered_(gaps_, now_->delivered, &now_->in_hand) {}
  ~Writer() { at_cut_point = {}; }

  /// Does it, and keeps every state on the way.
  template <class Action>
  void observe(Action action) {
    left_.clear();
    left_.push_back(*now_);
    bool is_before = true;
    at_cut_point = [&, this] {
      if (std::exchange(is_before, !is_before)) keep_parts();
      left_.push_back(*now_);
    };
    action();
    at_cut_point = {};
    keep_parts();
    left_.push_back(*now_);
  }

  const Left& now() const { return *now_; }
  void begin_with(const Left& left) { *now_ = left; }
  DeliveredInPieces& delivered() { return delivered_; }
  void clear_hand() { lb_memory_store(&now_->in_hand.count, 0); }
  const std::vector<Left>& left() const { return left_; }

 private:
  /// Some of the stores since the last state.
  void keep_parts() {
    constexpr int kParts = 2;
    constexpr std::size_t kStore = sizeof(std::uint64_t);
    const Left before = left_.back();
    for (int part = 0; part < kParts; ++part) {
      left_.push_back(before);
      auto* const bytes = reinterpret_cast<unsigned char*>(&left_.back());
      const auto* const stored = reinterpret_cast<const unsigned char*>(now_.get());
      for (std::size_t i = 0; i < sizeof(Left); i += kStore)
        if (std::memcmp(bytes + i, stored + i, kStore) != 0 && random_() % 2 == 0)
          std::memcpy(bytes + i, stored + i, kStore);
    }
  }

  std::mt19937_64 random_;
  GapList gaps_;
  std::unique_ptr<Left> now_ = std::make_unique<Left>();
  DeliveredInPieces delivered_;
  std::vector<Left> left_;
};

/// Whoever comes next knows what was delivered, and nothing else.
void expect_recovered(Left left, const Holes& holes, bool has_forgotten) {
  GapList gaps;
  DeliveredInPieces next(gaps, left.delivered, &left.in_hand);
  ASSERT_TRUE(next.adopt(kOrigin));
  Holes wanted = holes;
  // That numbers exist may be known before any of them is delivered.
  wanted.announce(next.end());
  if (next.first() < wanted.first()) {
    wanted.take({next.first(), next.first()});
  }
  ASSERT_EQ(next.first(), wanted.first());
  ASSERT_EQ(next.end(), wanted.end());
  std::uint64_t missing = 0;
  for (const lb_range& hole : wanted.ranges()) missing += hole.end - hole.first;
  ASSERT_EQ(next.gap_messages(), missing);
  ASSERT_EQ(next.messages(), 0u);
  next.report_gaps();
  if (has_forgotten) return;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> reported;
  for (const GapList::Gap& gap : gaps.gaps()) reported.emplace_back(gap.range.first, gap.range.end);
  ASSERT_EQ(reported, wanted.all());
}

class Killed : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  Killed() : writer_(GetParam()), random_(GetParam()), holes_(first()), news_(4'000) {}

  std::uint64_t first() const { return GetParam() % 3 == 0 ? 0 : 1'000'000; }
  void expect_each_recovered(const Holes& holes) {
    for (std::size_t i = 0; i < writer_.left().size(); ++i) {
      SCOPED_TRACE("state " + std::to_string(i) + " of " + std::to_string(writer_.left().size()));
      ASSERT_NO_FATAL_FAILURE(expect_recovered(writer_.left()[i], holes, has_forgotten_));
    }
  }

  /// Taken, then with the application, then delivered.
  void take(lb_range range) {
    SCOPED_TRACE("[" + std::to_string(range.first) + ", " + std::to_string(range.end) + ")");
    writer_.observe([&] {
      writer_.delivered().take(range.first, static_cast<std::uint32_t>(range.end - range.first), 5,
                               news_.data());
    });
    ASSERT_NO_FATAL_FAILURE(expect_each_recovered(holes_)) << "before it was delivered";
    writer_.clear_hand();
    holes_.take(range);
    ASSERT_NO_FATAL_FAILURE(expect_whole()) << "when it was delivered";
  }
  void announce(std::uint64_t end) {
    writer_.observe([&] { writer_.delivered().announce(end); });
    ASSERT_NO_FATAL_FAILURE(expect_each_recovered(holes_)) << "announced";
    holes_.announce(end);
  }
  void expect_whole() {
    writer_.observe([] {});
    ASSERT_NO_FATAL_FAILURE(expect_recovered(writer_.left().back(), holes_, has_forgotten_));
  }

  Writer writer_;
  std::mt19937_64 random_;
  Holes holes_;
  std::vector<lb_run> news_;
  bool has_forgotten_ = false;
};

TEST_P(Killed, BetweenAnyTwoStoresNothingIsForgottenAndNothingIsInvented) {
  writer_.delivered().begin(first(), kOrigin);
  const auto any = [&](std::uint64_t below) { return random_() % below; };
  std::uint64_t head = first();
  for (int step = 0; step < 80; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    std::uint64_t from = head;
    std::uint64_t count = 1 + any(step % 7 == 0 ? 2'000 : 8);
    switch (any(16)) {
      case 0:  // some are lost
        from += 1 + any(700);
        break;
      case 1:  // many are
        from += kMessages / 2 + any(kMessages);
        break;
      case 2:
      case 3:
      case 4:  // a slower line, perhaps one that comes up behind all of it
        from = any(3) == 0 ? first() - std::min(first(), any(3'000))
                           : first() + any(head - first() + 1);
        break;
      case 5:
      case 6:  // what is missing, or a part of it
        if (holes_.ranges().empty()) break;
        from = holes_.ranges()[any(holes_.ranges().size())].first + any(3);
        count = 1 + any(5);
        break;
      case 7:
        ASSERT_NO_FATAL_FAILURE(announce(head + any(1'000)));
        head = std::max(head, holes_.end());
        continue;
    }
    ASSERT_NO_FATAL_FAILURE(take({from, from + count}));
    head = std::max(head, from + count);
  }
}

TEST_P(Killed, WhileTheBitmapMoves) {
  writer_.delivered().begin(first(), kOrigin);
  const std::uint64_t top = first() + kMessages;
  for (std::uint64_t number = first(); number < top; number += 1'000) {
    writer_.delivered().take(number, 990, 5, news_.data());
    holes_.take({number, number + 990});
  }
  writer_.clear_hand();
  for (std::uint64_t number = top; number < top + 4 * LB_MEMORY_STEP; number += 100)
    ASSERT_NO_FATAL_FAILURE(take({number, number + 100}));
}

TEST_P(Killed, WhileItForgets) {
  writer_.delivered().begin(first(), kOrigin);
  for (std::uint64_t i = 0; i < 4 * LB_MEMORY_FORGOTTEN + 100; ++i) {
    writer_.delivered().take(first() + 2 * i, 1, 5, news_.data());
    holes_.take({first() + 2 * i, first() + 2 * i + 1});
  }
  writer_.clear_hand();
  has_forgotten_ = true;
  const std::uint64_t top = first() + kMessages;
  for (std::uint64_t number = top; number < top + 6 * LB_MEMORY_STEP; number += 100)
    ASSERT_NO_FATAL_FAILURE(take({number, number + 100}));
  // Of those that are left, in its middle and behind all that is known.
  ASSERT_NO_FATAL_FAILURE(take({first() + 2'001, first() + 2'002}));
  ASSERT_NO_FATAL_FAILURE(take({first() - std::min(first(), 700ul), first() + 1}));
}

/// As what was delivered as a jump is put into its epoch: nobody is told, so nothing clears it.
TEST_P(Killed, WithSomethingInHandWhenTheBitmapMoves) {
  writer_.delivered().begin(first(), kOrigin);
  ASSERT_NO_FATAL_FAILURE(take({first(), first() + 200}));
  writer_.delivered().take(first() + 300, 1, 5, news_.data());
  Holes with = holes_;
  with.take({first() + 300, first() + 301});
  const std::uint64_t far = first() + kMessages + 5 * LB_MEMORY_STEP;
  for (const bool announces : {false, true}) {
    Writer moved(GetParam());
    moved.begin_with(writer_.now());
    moved.observe([&] {
      if (announces)
        moved.delivered().announce(far);
      else
        moved.delivered().take(far, 1, 5, news_.data());
    });
    bool is_settled = false;
    for (const Left& left : moved.left()) {
      is_settled |= left.in_hand.count == 0 || left.in_hand.first != first() + 300;
      ASSERT_NO_FATAL_FAILURE(expect_recovered(left, is_settled ? with : holes_, false));
    }
    EXPECT_TRUE(is_settled);
  }
}

TEST_P(Killed, WhileItRecovers) {
  writer_.delivered().begin(first(), kOrigin);
  for (std::uint64_t number = first(); number < first() + 3'000; number += 100)
    ASSERT_NO_FATAL_FAILURE(take({number, number + 90}));

  writer_.observe(
      [&] { writer_.delivered().take(first() + kMessages + 5'000, 100, 5, news_.data()); });
  const std::vector<Left> left = writer_.left();
  for (std::size_t i = 0; i < left.size(); ++i) {
    SCOPED_TRACE("state " + std::to_string(i));
    Writer second(GetParam());
    second.begin_with(left[i]);
    second.observe([&] { ASSERT_TRUE(second.delivered().adopt(kOrigin)); });
    for (const Left& again : second.left())
      ASSERT_NO_FATAL_FAILURE(expect_recovered(again, holes_, false));
  }
}

TEST_P(Killed, WhileAnEpochBegins) {
  writer_.delivered().begin(first(), kOrigin);
  ASSERT_NO_FATAL_FAILURE(take({first() + 5, first() + 100}));
  writer_.observe([&] { writer_.delivered().begin(50, kOrigin); });
  int old = 0, none = 0, anew = 0;
  for (Left left : writer_.left()) {
    GapList gaps;
    DeliveredInPieces next(gaps, left.delivered, &left.in_hand);
    if (!next.adopt(kOrigin))
      ++none;
    else if (next.end() == first() + 100)
      ++old;
    else if (next.first() == 50 && next.end() == 50 && next.gap_messages() == 0)
      ++anew;
    else
      ADD_FAILURE() << "[" << next.first() << ", " << next.end() << ")";
  }
  EXPECT_GT(old, 0);
  EXPECT_GT(none, 0);
  EXPECT_GT(anew, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Killed, ::testing::Range<std::uint64_t>(1, 4));

}  // namespace
}  // namespace linearb::sequencer::test
