// SPDX-License-Identifier: Apache-2.0
#include "feeder/schedule.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "feeder/result.h"

namespace linearb::feeder {
namespace {

/// Units without bytes that notes which of them were released.
class NotingSource : public Source {
 public:
  void start(const StartTime&) noexcept override {}
  std::uint64_t due_ns() override { return 0; }
  bool finished() const noexcept override { return false; }
  std::uint64_t take(std::uint64_t now_ns) noexcept override { return now_ns; }
  std::uint32_t payload_length(UnitRange) const noexcept override { return 36; }
  std::uint32_t payload_offset(UnitRange) const noexcept override { return 0; }
  std::uint32_t write(std::size_t, UnitRange, std::uint64_t,
                      std::uint8_t*) const noexcept override {
    return 0;
  }
  void release(UnitRange units) noexcept override { released.push_back(units.first); }

  std::vector<std::uint64_t> released;
};

Departure departure(std::uint64_t departure_ns, std::uint64_t index) {
  return {departure_ns, departure_ns, index, kNoCorruptBit, true};
}

TEST(DelayQueue, IsStableAndGoesRound) {
  DelayQueue queue(4);
  for (std::uint64_t round = 0; round < 10; ++round) {
    for (std::uint64_t i = 0; i < 3; ++i) queue.push(departure(round, 3 * round + i));
    EXPECT_EQ(queue.size(), 3u);
    for (std::uint64_t i = 0; i < 3; ++i) {
      EXPECT_EQ(queue.front().index, 3 * round + i);
      queue.pop();
    }
    EXPECT_TRUE(queue.empty());
  }
}

TEST(DelayQueue, SaysWhenItIsFull) {
  DelayQueue queue(2);
  EXPECT_EQ(queue.room(), 2u);
  queue.push(departure(1, 0));
  queue.push(departure(1, 1));
  EXPECT_EQ(queue.room(), 0u);
  queue.pop();
  EXPECT_EQ(queue.room(), 1u);
}

TEST(LineSchedule, CutsUnitsIntoPackets) {
  NotingSource source;
  LineSchedule line(3, {}, 1, 0, 16);
  for (std::uint64_t unit = 0; unit < 7; ++unit) line.take(source, unit * 10);
  EXPECT_EQ(line.size(), 2u);
  line.finish(source, 70);
  ASSERT_EQ(line.size(), 3u);

  const struct {
    std::uint64_t due_ns;
    std::uint64_t first;
    std::uint32_t count;
  } expected[] = {{20, 0, 3}, {50, 3, 3}, {70, 6, 1}};
  for (const auto& packet : expected) {
    EXPECT_EQ(line.due_ns(), packet.due_ns);
    UnitRange units = line.units_of(line.front().index);
    EXPECT_EQ(units.first, packet.first);
    EXPECT_EQ(units.count, packet.count);
    line.pop();
  }
  EXPECT_EQ(line.due_ns(), kNever);
  EXPECT_EQ(line.ledger().offered, 3u);
}

TEST(LineSchedule, HasRoomUntilTheWorstNoLongerFits) {
  NotingSource source;
  LineSchedule line(1, {.duplicate = 1}, 1, 0, 8);
  for (int packet = 0; packet < 4; ++packet) {
    ASSERT_TRUE(line.has_room());
    line.take(source, 0);
  }
  EXPECT_EQ(line.size(), 8u);
  EXPECT_FALSE(line.has_room());
  line.pop();
  EXPECT_FALSE(line.has_room());
  line.pop();
  EXPECT_TRUE(line.has_room());
}

TEST(LineSchedule, CountsWhatIsHeldBackAsTaken) {
  NotingSource source;
  LineSchedule line(1, {.reorder = 1, .reorder_depth = 3, .duplicate = 1}, 1, 0, 8);
  for (int packet = 0; packet < 3; ++packet) {
    ASSERT_TRUE(line.has_room());
    line.take(source, 0);
  }
  EXPECT_EQ(line.size(), 0u);
  ASSERT_TRUE(line.has_room());
  line.finish(source, 0);
  EXPECT_EQ(line.size(), 6u);
}

TEST(LineSchedule, ReleasesAndListsWhatIsLost) {
  NotingSource source;
  LineSchedule line(3, {.loss = 1}, 1, 0, 8);
  for (std::uint64_t unit = 0; unit < 8; ++unit) line.take(source, unit);
  line.finish(source, 8);
  EXPECT_EQ(line.size(), 0u);
  EXPECT_EQ(source.released, (std::vector<std::uint64_t>{0, 3, 6}));
  std::vector<lb_run> lost = line.lost_units();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0].first, 0u);
  EXPECT_EQ(lost[0].count, 8u);
}

std::string text(const std::vector<lb_run>& runs) {
  std::string text;
  for (const lb_run& run : runs)
    text += std::to_string(run.first) + "+" + std::to_string(run.count) + " ";
  return text;
}

LineResult line_that_lost(std::vector<lb_run> lost) {
  LineResult line;
  line.lost = std::move(lost);
  return line;
}

TEST(Result, WhatEveryLineLostIsTheIntersection) {
  std::vector<LineResult> lines{line_that_lost({{0, 5}, {10, 10}, {30, 1}}),
                                line_that_lost({{4, 8}, {15, 2}, {18, 20}})};
  EXPECT_EQ(text(lost_on_every_line(lines)), "4+1 10+2 15+2 18+2 30+1 ");
  lines.push_back(line_that_lost({{11, 5}}));
  EXPECT_EQ(text(lost_on_every_line(lines)), "11+1 15+1 ");
  lines.push_back({});
  EXPECT_EQ(text(lost_on_every_line(lines)), "");
  EXPECT_EQ(text(lost_on_every_line({})), "");
}

}  // namespace
}  // namespace linearb::feeder
