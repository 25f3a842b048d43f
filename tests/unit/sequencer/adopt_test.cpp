// SPDX-License-Identifier: Apache-2.0
//
// A sequencer goes on from what another one remembered of a channel.
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sequencer/sequencer.h"

namespace linearb::sequencer::test {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint8_t kA = 0;
constexpr std::uint8_t kB = 1;

lb_framing framing() {
  lb_framing framing{};
  framing.sequence_limit = 1ull << 56;
  return framing;
}

/// One that has the channel for a while.
class Life final : private Decisions {
 public:
  Life(lb_memory& memory, std::uint64_t now_ns) : memory_(memory), now_ns_(now_ns) {
    auto channel = sequencer_.make_channel(0, framing_, &memory);
    went_on_ = channel->adopt();
    memory.in_hand.count = 0;
    sequencer_.install(0, std::move(channel));
  }

  Life& packets(std::uint8_t line, std::uint64_t first, std::uint64_t end,
                std::uint64_t session = 0) {
    for (; first < end; ++first) push(line, first, session);
    return *this;
  }
  Life& pause(std::uint64_t ns) {
    now_ns_ += ns;
    return *this;
  }
  void finish() { sequencer_.finish(); }

  bool went_on() const { return went_on_; }
  std::uint64_t now_ns() const { return now_ns_; }
  const Channel& channel() const { return sequencer_.channel(0); }
  std::uint64_t count(Outcome outcome) const {
    return sequencer_.line(kA).of(outcome) + sequencer_.line(kB).of(outcome);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;
    for (const auto& gap : sequencer_.gaps().gaps())
      gaps.emplace_back(gap.range.first, gap.range.end);
    return gaps;
  }

 private:
  void push(std::uint8_t line, std::uint64_t number, std::uint64_t session) {
    Packet packet;
    packet.line = line;
    packet.kind = LB_KIND_DATA;
    packet.datagram = {number, session, 1, 1};
    packet.arrival_ns = now_ns_ += 10'000;
    sequencer_.push(packet);
    memory_.lines[line].epoch = channel().line_epoch(line);
    memory_.lines[line].end = channel().line_end(line);
    memory_.lines[line].last_ns = now_ns_;
  }
  void decided(const Packet&, const Decision&) noexcept override { memory_.in_hand.count = 0; }

  lb_memory& memory_;
  std::uint64_t now_ns_;
  bool went_on_ = false;
  lb_framing framing_ = framing();
  std::vector<const lb_framing*> none_;
  Settings settings_;
  Sequencer sequencer_{none_, settings_, Sequencer::Dedup::window, *this, 1};
};

using Gaps = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

class Adopt : public ::testing::Test {
 protected:
  /// The first one's, that is killed.
  void first(std::uint64_t head = 1'000) {
    Life life(*memory_, now_ns_);
    EXPECT_FALSE(life.went_on());
    life.packets(kA, 1, 500).packets(kB, 1, 400).packets(kA, 510, head);
    now_ns_ = life.now_ns();
  }
  Life next(std::uint64_t after_ns) { return Life(*memory_, now_ns_ + after_ns); }

  std::unique_ptr<lb_memory> memory_ = std::make_unique<lb_memory>();
  std::uint64_t now_ns_ = 1'000 * kSecond;
};

TEST_F(Adopt, CopiesAreDuplicatesAndHolesAreFilled) {
  first();
  Life life = next(kSecond / 10);
  ASSERT_TRUE(life.went_on());
  life.packets(kB, 400, 505).packets(kB, 508, 1'100).packets(kA, 1'020, 1'200);
  life.finish();
  EXPECT_EQ(life.channel().newest_epoch(), 1u);
  EXPECT_EQ(life.channel().messages(), 5 + 2 + 200u);
  EXPECT_EQ(life.gaps(), (Gaps{{505, 508}}));
  EXPECT_EQ(life.channel().gap_messages(), 3u);
  EXPECT_EQ(life.channel().messages() + life.channel().gap_messages() + life.channel().adopted(),
            1'200u - 500);
}

TEST_F(Adopt, WhatNobodyWasThereForIsAGap) {
  first();
  Life life = next(kSecond);
  life.packets(kA, 9'000, 9'010).packets(kB, 9'000, 9'010);
  life.finish();
  EXPECT_EQ(life.gaps(), (Gaps{{500, 510}, {1'000, 9'000}}));
  EXPECT_EQ(life.channel().messages(), 10u);
}

TEST_F(Adopt, WhatStoodAloneBetweenTwoJumpsIsNotInHandAtTheEnd) {
  Life life(*memory_, now_ns_);
  life.packets(kA, 1, 500).packets(kA, 9'000, 9'001).packets(kA, 18'000, 18'100);
  life.finish();
  EXPECT_EQ(life.gaps(), (Gaps{{500, 9'000}, {9'001, 18'000}}));
  EXPECT_EQ(memory_->in_hand.count, 0u);
}

TEST_F(Adopt, WhatWasInHandIsMissing) {
  first();
  memory_->in_hand.epoch = 1;  // as it is while the application has the last one
  memory_->in_hand.first = 999;
  memory_->in_hand.count = 1;
  memory_->in_hand.words[0] = memory_->banks[0].bits[999 / 64] & ~(1ull << 999 % 64);
  Life life = next(kSecond / 10);
  life.packets(kB, 400, 1'000);
  life.finish();
  EXPECT_EQ(life.channel().messages(), 11u);
  EXPECT_EQ(life.channel().gap_messages(), 0u);
}

/// Whatever may be another numbering is delivered.
struct Another {
  const char* name;
  std::uint64_t head;  ///< where the first one died
  std::uint64_t after_ns;
  std::uint8_t line;
  std::uint64_t first;
  std::uint64_t session;
};

class AnotherNumbering : public Adopt, public ::testing::WithParamInterface<Another> {};

TEST_P(AnotherNumbering, LosesNothing) {
  const Another& row = GetParam();
  first(row.head);
  Life life = next(row.after_ns);
  life.packets(row.line, row.first, row.first + 200, row.session);
  life.finish();
  EXPECT_EQ(life.count(Outcome::won), 200u);
  EXPECT_EQ(life.count(Outcome::duplicate) + life.count(Outcome::unconfirmed), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, AnotherNumbering,
    ::testing::Values(Another{"session", 1'000, kSecond / 10, kA, 300, 9},
                      Another{"session_on_the_slower_line", 1'000, kSecond / 10, kB, 300, 9},
                      Another{"from_the_beginning", 1'000, kSecond / 10, kA, 1, 0},
                      Another{"from_its_middle", 1'000, kSecond / 10, kA, 200, 0},
                      Another{"on_the_slower_line", 1'000, kSecond / 10, kB, 150, 0},
                      Another{"soon_after_few", 520, kSecond / 20, kA, 1, 0},
                      Another{"far_ahead", 1'000, kSecond, kA, 50'000'000, 0},
                      Another{"long_ago", 1'000'000, 100'000 * kSecond, kA, 1, 0},
                      Another{"long_ago_in_its_middle", 1'000'000, 100'000 * kSecond, kA, 800'000,
                              0}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Adopt, TheEpochBeforeIsRememberedToo) {
  {
    Life life(*memory_, now_ns_);
    life.packets(kA, 1, 500, 7).packets(kB, 1, 300, 7).packets(kA, 1, 100, 8);
    now_ns_ = life.now_ns();
  }
  Life life = next(kSecond / 10);
  EXPECT_EQ(life.channel().newest_epoch(), 2u);
  EXPECT_EQ(life.channel().newest_session(), 8u);
  life.packets(kB, 300, 500, 7).packets(kB, 1, 150, 8).packets(kA, 100, 150, 8);
  life.finish();
  EXPECT_EQ(life.count(Outcome::won), 50u);
  EXPECT_EQ(life.count(Outcome::old_epoch), 200u);
  EXPECT_EQ(life.gaps(), Gaps());
}

TEST_F(Adopt, OneAfterTheOther) {
  first();
  std::uint64_t head = 1'000;
  for (int i = 0; i < 5; ++i, head += 150) {
    Life life = next(kSecond / 10);
    EXPECT_TRUE(life.went_on());
    life.packets(kA, head + 50, head + 150);
    EXPECT_EQ(life.channel().messages(), 100u);
    now_ns_ = life.now_ns();
  }
  Life last = next(kSecond / 10);
  last.finish();
  EXPECT_EQ(last.gaps(), (Gaps{{500, 510},
                               {1'000, 1'050},
                               {1'150, 1'200},
                               {1'300, 1'350},
                               {1'450, 1'500},
                               {1'600, 1'650}}));
  EXPECT_EQ(last.channel().messages(), 0u);
}

TEST_F(Adopt, WhatMakesNoSenseIsNotBelieved) {
  const std::pair<const char*, void (*)(lb_delivered&)> rows[] = {
      {"base", [](lb_delivered& bank) { bank.base = 7; }},
      {"end", [](lb_delivered& bank) { bank.end = ~0ull; }},
      {"first", [](lb_delivered& bank) { bank.first = bank.end + 1; }},
      {"list", [](lb_delivered& bank) { bank.list = 2; }},
      {"count", [](lb_delivered& bank) { bank.missing[0].count = LB_MEMORY_MISSING + 1; }},
      {"slide", [](lb_delivered& bank) { bank.sliding_to = bank.base + 2 * LB_MEMORY_STEP; }},
      {"ranges",
       [](lb_delivered& bank) {
         bank.missing[0].count = 1;
         bank.missing[0].ranges[0] = {9, 8};
       }},
  };
  for (const auto& [name, spoil] : rows) {
    SCOPED_TRACE(name);
    *memory_ = {};
    first();
    spoil(memory_->banks[0]);
    Life life = next(kSecond / 10);
    EXPECT_FALSE(life.went_on());
    life.packets(kA, 900, 1'000);
    EXPECT_EQ(life.channel().messages(), 100u);
  }
}

}  // namespace
}  // namespace linearb::sequencer::test
