// SPDX-License-Identifier: Apache-2.0
//
// Two lines at once, and far apart: each message once, and a gap only for what never comes. Of what
// is here in tens of thousands, tests/soak has millions.
#include <chrono>
#include <ostream>

#include "core/window.h"
#include "e2e/arbitration.h"
#include "feeder/result.h"
#include "sys/cpu.h"

namespace linearb::test {
namespace {

std::string name_of(Mode mode) {
  return mode == Mode::native ? "Native" : "Generic";
}

/// Frames for all of it: then there is credit whatever the receiver does meanwhile.
constexpr std::uint32_t kFramesForAll = 65'536;

struct Packing {
  const char* name;
  Mode mode;
  const char* framing;
  std::uint32_t a;  ///< messages in a packet
  std::uint32_t b;
};

/// For the list of ctest: bytes of pointers change from run to run.
void PrintTo(const Packing& packing, std::ostream* out) {
  *out << packing.name;
}

ReceiverOptions options_of(const Packing& packing) {
  ReceiverOptions options;
  options.mode = packing.mode;
  options.frames = kFramesForAll;
  options.channels = {{"feed", packing.framing, {0, 30'001}, {}}};
  return options;
}

std::string name_of_row(const ::testing::TestParamInfo<Packing>& test) {
  return test.param.name + name_of(test.param.mode);
}

void expect_exactly_once(const Summary& summary, const Running& running, std::uint64_t messages) {
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(running.wrong_bytes(), 0u);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  EXPECT_EQ(summary.messages, messages);
  EXPECT_EQ(summary.gap_messages, 0u);
  running.expect_once(1, 1, messages);
}

// ---- Race
// ----------------------------------------------------------------------------------------

class Race : public LabTest, public ::testing::WithParamInterface<Packing> {};

constexpr Packing kRaces[] = {
    {"OneMessage", Mode::native, "optiq", 1, 1},
    {"OneMessage", Mode::generic, "optiq", 1, 1},
    {"SamePackets", Mode::native, "moldudp64", 3, 3},
    {"SamePackets", Mode::generic, "moldudp64", 3, 3},
    {"OtherPackets", Mode::native, "moldudp64", 3, 4},
    {"OtherPackets", Mode::generic, "moldudp64", 3, 4},
    {"LargeAndSmall", Mode::native, "cboe-pitch", 1, 16},
    {"LargeAndSmall", Mode::generic, "cboe-pitch", 1, 16},
};
INSTANTIATE_TEST_SUITE_P(Rows, Race, ::testing::ValuesIn(kRaces), name_of_row);

/// As fast as two CPUs go. The queue of a veth may be too short for that: what is lost there never
/// reached the hook.
TEST_P(Race, OfTwoLinesAtFullRateFromTwoCpusEachMessageComesOnce) {
  const std::vector<unsigned> cpus = sys::allowed_cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "a race needs two CPUs";
  constexpr std::uint64_t kMessages = 48'000;
  const Packing& packing = GetParam();
  Running running(options_of(packing));
  const auto feed_line = [&](const char* line, std::uint32_t cut, unsigned cpu) {
    auto options = feed_on(line, 1, kMessages / cut, packing.framing);
    options.lines[0].messages_per_packet = cut;
    options.rate = 0;
    options.cpu = cpu;
    feed(options);
  };
  std::thread a(feed_line, "A", packing.a, cpus[0]);
  std::thread b(feed_line, "B", packing.b, cpus[1]);
  a.join();
  b.join();
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(running.wrong_bytes(), 0u);
  EXPECT_EQ(summary.hook_cpus, 2u);
  EXPECT_EQ(sum(summary, &LineSummary::no_credit), 0u);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  for (const auto& [number, times] : running.delivered().at(1)) ASSERT_EQ(times, 1) << number;
  EXPECT_EQ(running.delivered().at(1).size(), summary.messages);
  const std::uint64_t missing = kMessages - summary.messages;
  EXPECT_LE(missing, kMessages - packing.a * summary.lines[0].packets) << "line A brought more";
  EXPECT_LE(missing, kMessages - packing.b * summary.lines[1].packets) << "line B brought more";
}

// ---- Skew
// ----------------------------------------------------------------------------------------

class Skew : public LabTest, public ::testing::WithParamInterface<Packing> {};

constexpr Packing kSkews[] = {
    {"SamePackets", Mode::native, "moldudp64", 8, 8},
    {"SamePackets", Mode::generic, "moldudp64", 8, 8},
    {"OtherPackets", Mode::native, "cboe-pitch", 16, 9},
    {"OtherPackets", Mode::generic, "cboe-pitch", 16, 9},
};
INSTANTIATE_TEST_SUITE_P(Rows, Skew, ::testing::ValuesIn(kSkews), name_of_row);

/// Three windows, and a line that is behind by all of it.
constexpr std::uint64_t kFar = 1'440 * 144;
static_assert(kFar > 3 * LB_WINDOW_MESSAGES && kFar % 16 == 0 && kFar % 9 == 0);

feeder::FeederOptions far_feed(const char* line, const Packing& packing, std::uint32_t cut) {
  auto options = feed_on(line, 1, kFar / cut, packing.framing);
  options.lines[0].messages_per_packet = cut;
  return options;
}

TEST_P(Skew, BeyondTheWindowIsLateAndNothingComesTwice) {
  const Packing& packing = GetParam();
  Running running(options_of(packing));
  feed(far_feed("A", packing, packing.a));
  running.wait_until_quiet();
  feed(far_feed("B", packing, packing.b));
  const Summary summary = running.end();
  expect_exactly_once(summary, running, kFar);
  EXPECT_EQ(summary.lines[0].won, kFar / packing.a);
  EXPECT_EQ(summary.lines[1].late, (kFar - LB_WINDOW_MESSAGES) / packing.b);
  EXPECT_EQ(summary.lines[1].late + summary.lines[1].duplicate, kFar / packing.b);
}

TEST_P(Skew, BeyondTheWindowLosesNothing) {
  const Packing& packing = GetParam();
  Running running(options_of(packing));
  auto leading = far_feed("A", packing, packing.a);
  leading.lines[0].impairment.loss = 0.01;  // fewer holes than are kept in mind
  const feeder::FeederResult fed = feed(leading);
  ASSERT_GT(fed.lines[0].ledger.dropped, 50u);
  running.wait_until_quiet();
  feed(far_feed("B", packing, packing.b));
  const Summary summary = running.end();
  expect_exactly_once(summary, running, kFar);
  EXPECT_EQ(summary.lines[0].lost_messages, fed.lines[0].ledger.dropped * packing.a);
  EXPECT_GT(summary.lines[1].won + summary.lines[1].overlap, 50u);
}

// ---- NoFalseGap
// ----------------------------------------------------------------------------------

class NoFalseGap : public LabTest, public ::testing::WithParamInterface<Packing> {};
INSTANTIATE_TEST_SUITE_P(Rows, NoFalseGap, ::testing::ValuesIn(kSkews), name_of_row);

/// While the application is busy the marks of both lines are where the feed is, and the packets
/// that moved them wait in the rings: what one line lost lies in the ring of the other, unread.
TEST_P(NoFalseGap, WhereMarksAreFarAheadOfTheRings) {
  const Packing& packing = GetParam();
  Running running(options_of(packing));
  const auto feed_lines = [&](std::uint64_t first, std::uint64_t messages, double loss) {
    auto options = feed_on("AB", first, messages / packing.a, packing.framing);
    options.lines[0].messages_per_packet = packing.a;
    options.lines[1].messages_per_packet = packing.b;
    options.lines[0].impairment.loss = loss;
    return feed(options);
  };
  constexpr std::uint64_t kFirst = 144 * 10;
  constexpr std::uint64_t kMore = 144 * 1'000;
  feed_lines(1, kFirst, 0);
  running.wait_until_quiet();
  running.blocked = true;
  const feeder::FeederResult fed = feed_lines(kFirst + 1, kMore, 0.05);
  ASSERT_GT(fed.lines[0].ledger.dropped, 100u);
  // It is to end while all of it is still in the rings.
  running.receiver().stop();
  running.blocked = false;
  const Summary summary = running.end();
  EXPECT_EQ(sum(summary, &LineSummary::no_credit), 0u);
  expect_exactly_once(summary, running, kFirst + kMore);
}

/// A gap, beside all that only looks like one.
TEST_P(NoFalseGap, AGapIsWhatNeverComes) {
  const Packing& packing = GetParam();
  Running running(options_of(packing));
  auto options = feed_on("AB", 1, 144'000 / packing.a, packing.framing);
  options.lines[0].messages_per_packet = packing.a;
  options.lines[1].messages_per_packet = packing.b;
  options.lines[1].impairment.skew_ns = 50'000'000;
  for (auto& line : options.lines) line.impairment.loss = 0.1;
  const feeder::FeederResult fed = feed(options);
  const Summary summary = running.end();
  std::vector<Gap> gaps;
  std::uint64_t missing = 0;
  for (const lb_run& run : feeder::lost_on_every_line(fed.lines)) {
    gaps.push_back({"feed", 1, run.first + 1, run.count});
    missing += run.count;
  }
  ASSERT_GT(missing, 100u);
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.gap_messages, missing);
  EXPECT_EQ(summary.messages + missing, 144'000u);
  ASSERT_EQ(summary.gaps->size(), std::min<std::size_t>(gaps.size(), 1'000));
  for (std::size_t i = 0; i < summary.gaps->size(); ++i) {
    EXPECT_EQ(summary.gaps->at(i).first, gaps[i].first);
    EXPECT_EQ(summary.gaps->at(i).count, gaps[i].count);
  }
}

}  // namespace
}  // namespace linearb::test
