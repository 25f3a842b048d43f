// SPDX-License-Identifier: Apache-2.0
#include "sequencer/in_order.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace linearb::sequencer {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

/// What is told, as text: "5", "5-7", "2:5" of epoch 2, "5-7+" for a part, "(3)" with nothing new.
class Told final : public Decisions {
 public:
  void decided(const Packet& packet, const Decision& decision) noexcept override {
    ++decided_[packet.handle];
    add(packet, decision, "");
  }
  void part(const Packet& packet, const Decision& decision) noexcept override {
    EXPECT_EQ(decided_[packet.handle], 0) << "a part of what was decided";
    add(packet, decision, "+");
  }
  std::string take() {
    std::string text;
    text.swap(text_);
    return text;
  }
  bool once_each() const {
    for (const auto& [handle, times] : decided_)
      if (times != 1) return false;
    return true;
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> numbers;  ///< epoch and number, as told

 private:
  void add(const Packet& packet, const Decision& decision, const char* suffix) {
    if (!text_.empty()) text_ += ' ';
    if (decision.news.empty()) text_ += fmt::format("({})", packet.handle);
    for (const lb_run& run : decision.news) {
      if (decision.epoch != 1) text_ += fmt::format("{}:", decision.epoch);
      text_ += fmt::format("{}", run.first);
      if (run.count > 1) text_ += fmt::format("-{}", run.first + run.count - 1);
      text_ += suffix;
      for (std::uint32_t i = 0; i < run.count; ++i)
        numbers.emplace_back(decision.epoch, run.first + i);
    }
  }

  std::string text_;
  std::map<std::uint64_t, int> decided_;
};

class InOrderTest : public ::testing::Test {
 protected:
  void comes(std::vector<lb_run> news, std::uint64_t epoch = 1, std::uint16_t channel = 0) {
    Packet packet;
    packet.channel = channel;
    packet.handle = next_handle_++;
    packet.arrival_ns = now_ns;
    const Outcome outcome = news.empty() ? Outcome::duplicate : Outcome::won;
    order.decided(packet, {outcome, epoch, news});
  }

  std::uint64_t now_ns = kSecond;
  Told told;
  InOrder order{{.channels = 4, .packets = 8, .hold_ns = kSecond}, told};

 private:
  std::uint64_t next_handle_ = 0;
};

TEST_F(InOrderTest, WhatIsNextIsToldAtOnce) {
  comes({{5, 1}});
  comes({{6, 3}});
  comes({{9, 1}});
  EXPECT_EQ(told.take(), "5 6-8 9");
  EXPECT_EQ(order.held(), 0u);
}

TEST_F(InOrderTest, WhatComesBehindAHoleWaitsForIt) {
  comes({{5, 1}});
  comes({{8, 2}});
  comes({{7, 1}});
  comes({});
  EXPECT_EQ(told.take(), "5 (3)");
  EXPECT_EQ(order.held(), 2u);
  comes({{6, 1}});
  EXPECT_EQ(told.take(), "6 7 8-9");
  EXPECT_EQ(order.held(), 0u);
  EXPECT_TRUE(told.once_each());
}

/// A: 10 to 12, B: 9 to 13, of which 9 and 13 are news.
TEST_F(InOrderTest, APacketIsToldInPartsAroundAnother) {
  comes({{8, 1}});
  comes({{10, 3}});
  EXPECT_EQ(told.take(), "8");
  comes({{9, 1}, {13, 1}});
  EXPECT_EQ(told.take(), "9+ 10-12 13");
  EXPECT_EQ(order.held(), 0u);
  EXPECT_TRUE(told.once_each());
}

TEST_F(InOrderTest, PartsOfAPacketWaitAsLongAsTheyHaveTo) {
  comes({{1, 1}});
  comes({{4, 1}, {7, 1}});
  comes({{2, 2}});
  EXPECT_EQ(told.take(), "1 2-3 4+");
  EXPECT_EQ(order.held(), 1u);
  comes({{5, 2}});
  EXPECT_EQ(told.take(), "5-6 7");
  EXPECT_TRUE(told.once_each());
}

TEST_F(InOrderTest, WhatAllLinesHavePassedIsNotWaitedFor) {
  comes({{1, 1}});
  comes({{4, 1}});
  comes({{8, 1}});
  order.passed(0, 1, 3);
  EXPECT_EQ(told.take(), "1");
  order.passed(0, 1, 4);
  EXPECT_EQ(told.take(), "4");
  order.passed(0, 2, 100);
  order.passed(1, 1, 100);
  EXPECT_EQ(told.take(), "") << "another epoch, another channel";
  order.passed(0, 1, 100);
  EXPECT_EQ(told.take(), "8");
}

TEST_F(InOrderTest, AHoleThatIsPassedInPartIsWaitedForInPart) {
  comes({{1, 1}});
  comes({{10, 1}});
  order.passed(0, 1, 6);
  comes({{4, 2}});
  EXPECT_EQ(told.take(), "1 4-5");
  EXPECT_EQ(order.late_repairs(), 2u);
  comes({{6, 4}});
  EXPECT_EQ(told.take(), "6-9 10");
}

TEST_F(InOrderTest, WhatFillsAHoleTooLateIsToldAtOnce) {
  comes({{1, 1}});
  comes({{4, 1}});
  order.passed(0, 1, 4);
  comes({{2, 2}});
  EXPECT_EQ(told.take(), "1 4 2-3");
  EXPECT_EQ(order.late_repairs(), 2u);
  comes({{5, 1}});
  EXPECT_EQ(told.take(), "5");
}

/// The sequencer may find that a number it had given away is free: then there are two of it.
TEST_F(InOrderTest, ANumberThatComesTwiceWhileItWaitsIsLateTheSecondTime) {
  comes({{1, 1}});
  comes({{3, 3}});
  comes({{4, 1}});
  comes({{2, 1}});
  EXPECT_EQ(told.take(), "1 2 3-5 4");
  EXPECT_EQ(order.late_repairs(), 1u);
}

TEST_F(InOrderTest, AHoldHasAnEnd) {
  comes({{1, 1}});
  comes({{4, 1}});
  now_ns += kSecond / 2;
  comes({{3, 1}});
  comes({{9, 1}});
  order.tick(kSecond + kSecond / 2);
  EXPECT_EQ(told.take(), "1");
  order.tick(2 * kSecond);
  EXPECT_EQ(told.take(), "3 4") << "it waited for 2 as long as 4 does";
  order.tick(2 * kSecond + kSecond / 2);
  EXPECT_EQ(told.take(), "9");
}

TEST_F(InOrderTest, WhereNothingFitsTheOldestHoldOfAnyChannelEnds) {
  comes({{1, 1}}, 1, 2);
  comes({{5, 1}}, 1, 2);
  now_ns += 1;
  comes({{1, 1}}, 1, 3);
  for (std::uint64_t number = 11; number <= 17; ++number) comes({{number, 1}}, 1, 3);
  EXPECT_EQ(told.take(), "1 1");
  EXPECT_EQ(order.held(), 8u);
  comes({{18, 1}}, 1, 3);
  EXPECT_EQ(told.take(), "5");
  comes({{19, 1}}, 1, 3);
  EXPECT_EQ(told.take(), "11 12 13 14 15 16 17 18 19");
  EXPECT_TRUE(told.once_each());
}

TEST_F(InOrderTest, APacketWithMoreRunsThanThereIsRoomForIsToldAllTheSame) {
  comes({{1, 1}});
  std::vector<lb_run> news;
  for (std::uint64_t number = 3; number < 103; number += 2) news.push_back({number, 1});
  comes(news);
  EXPECT_EQ(told.numbers.size() + order.held(), 1u + news.size() - 16 + 1)
      << "until what is left of it has room";
  order.finish();
  EXPECT_EQ(told.numbers.size(), 51u);
  EXPECT_TRUE(told.once_each());
}

TEST_F(InOrderTest, TheNextEpochWaitsForTheLinesToLeaveThisOne) {
  comes({{1, 3}});
  comes({{1, 1}}, 2);
  comes({{4, 1}});
  comes({{2, 1}}, 2);
  EXPECT_EQ(told.take(), "1-3 4");
  comes({{6, 1}});
  order.left(0, 2);
  EXPECT_EQ(told.take(), "6 2:1 2:2");
  comes({{5, 1}});
  EXPECT_EQ(told.take(), "5") << "of an epoch that is over";
  comes({{3, 1}}, 2);
  EXPECT_EQ(told.take(), "2:3");
}

TEST_F(InOrderTest, OneEpochIsLeftAfterTheOther) {
  comes({{1, 1}});
  comes({{7, 1}}, 2);
  comes({{1, 1}}, 3);
  order.left(0, 2);
  EXPECT_EQ(told.take(), "1 2:7");
  order.left(0, 3);
  EXPECT_EQ(told.take(), "3:1");
}

TEST_F(InOrderTest, WhatHasNoPlaceInTheOrderIsToldAtOnce) {
  comes({{1, 1}});
  comes({{9000, 1}}, 0);
  comes({{2, 1}});
  EXPECT_EQ(told.take(), "1 0:9000 2");
}

TEST_F(InOrderTest, SaysWhatItWaitsFor) {
  comes({{1, 1}});
  comes({{4, 1}});
  comes({{1, 1}}, 5, 3);
  comes({{1, 1}}, 6, 3);
  std::string text;
  order.for_each_wait([&](const InOrder::Wait& wait) {
    text += fmt::format("{}/{}/{}/{} ", wait.channel, wait.epoch, wait.missing, wait.held_epoch);
  });
  EXPECT_EQ(text, "0/1/2/1 3/5/2/6 ");
}

TEST_F(InOrderTest, AChannelThatIsRemovedLeavesNothing) {
  comes({{1, 1}});
  comes({{4, 1}});
  order.end(0);
  EXPECT_EQ(told.take(), "1 4");
  comes({{2, 1}});
  EXPECT_EQ(told.take(), "2");
  EXPECT_EQ(order.late_repairs(), 0u);
}

/// Any order, any cut: each number once, ascending in its epoch but for the late repairs.
TEST_F(InOrderTest, OfAnyOrderNothingIsLostAndNothingToldTwice) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    Told all;
    InOrder sorted({.channels = 1, .packets = 1 + random() % 40, .hold_ns = kSecond}, all);
    std::vector<std::vector<lb_run>> packets;
    std::uint64_t number = 1;
    while (number < 300) {
      std::vector<lb_run> news;
      for (std::uint64_t runs = 1 + random() % 3; runs > 0; --runs) {
        const auto count = static_cast<lb_u32>(1 + random() % 4);
        news.push_back({number, count});
        number += count;
        if (runs > 1 && random() % 2) number += 1;  // another packet's
      }
      packets.push_back(news);
    }
    // Numbers that were left out above are packets of their own.
    std::vector<bool> there(number + 1);
    for (const auto& news : packets)
      for (const lb_run& run : news)
        for (lb_u32 i = 0; i < run.count; ++i) there[run.first + i] = true;
    for (std::uint64_t i = 1; i < number; ++i)
      if (!there[i] && random() % 4) packets.push_back({{i, 1}}), there[i] = true;
    for (std::size_t i = 1; i < packets.size(); ++i)
      std::swap(packets[i], packets[i - random() % std::min<std::size_t>(i + 1, 12)]);
    std::uint64_t now = kSecond;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      Packet packet;
      packet.handle = i;
      packet.arrival_ns = now += kSecond / 100;
      sorted.decided(packet, {Outcome::overlap, 1, packets[i]});
      if (random() % 8 == 0) sorted.tick(now);
      if (random() % 20 == 0) sorted.passed(0, 1, random() % 300);
    }
    sorted.finish();
    EXPECT_EQ(sorted.held(), 0u);
    EXPECT_TRUE(all.once_each());
    std::map<std::uint64_t, int> times;
    std::uint64_t behind = 0, highest = 0;
    for (const auto& [epoch, told_number] : all.numbers) {
      ++times[told_number];
      behind += told_number < highest;
      highest = std::max(highest, told_number);
    }
    for (std::uint64_t i = 1; i < number; ++i) ASSERT_EQ(times[i], there[i] ? 1 : 0) << i;
    EXPECT_LE(behind, sorted.late_repairs());
  }
}

}  // namespace
}  // namespace linearb::sequencer
