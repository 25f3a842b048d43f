// SPDX-License-Identifier: Apache-2.0
//
// Two CPUs in the hook at the same time, with the same numbers. What the simulator shows for every
// interleaving of the window, this shows for the program and the machine it runs on.
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "bpf/rig.h"
#include "framing/encode.h"
#include "sys/cpu.h"

namespace linearb::test {
namespace {

constexpr std::uint64_t kCreditsForAll = 1ull << 40;  // nothing is enqueued, so nothing returns
constexpr std::uint64_t kDone = ~0ull;

/// What one CPU brings: ranges of `messages` that follow each other on its line.
struct Stream {
  On line;
  Channel channel;
  std::uint32_t messages;
};

/// What became of a packet.
struct Fate {
  std::uint64_t first;
  std::uint32_t action;
  std::uint8_t verdict;  ///< 0 when it was dropped
};

class Race : public HookTest {
 protected:
  void SetUp() override {
    cpus_ = sys::allowed_cpus();
    if (cpus_.size() < 2) GTEST_SKIP() << "a race needs two CPUs";
    HookTest::SetUp();
  }

  /// Runs the numbers from `first` up to `end` on two CPUs, side by side. Returns what became of
  /// each stream's packets.
  std::array<std::vector<Fate>, 2> run(const Rig& rig, const std::array<Stream, 2>& streams,
                                       std::uint64_t first, std::uint64_t end);

  std::vector<unsigned> cpus_;

 private:
  /// The first number that a stream has not begun; kDone behind its last.
  std::array<std::atomic<std::uint64_t>, 2> position_{};
};

std::array<std::vector<Fate>, 2> Race::run(const Rig& rig, const std::array<Stream, 2>& streams,
                                           std::uint64_t first, std::uint64_t end) {
  std::array<std::vector<Fate>, 2> fates;
  for (auto& position : position_) position = first;
  const auto run_stream = [&](std::size_t self) {
    const Stream& stream = streams[self];
    const lb_framing& framing = framing_of(stream.channel);
    sys::pin_this_thread(cpus_[self]);
    const PacketBuilder builder =
        feed_packet(stream.channel, {.first = first, .count = stream.messages});
    Bytes packet = builder.build();
    lb_u8* payload = packet.data() + builder.payload_offset();
    const Arrival arrival{.interface_index = rig.interface_index(stream.line)};
    for (std::uint64_t number = first; number < end; number += stream.messages) {
      lb_field_write(framing.sequence, payload, packet.data() + packet.size(), number);
      position_[self] = number + stream.messages;
      while (position_[self ^ 1] <= number) continue;  // the other begins the same number
      const Result result = run_program(rig.program_fd(), packet, arrival);
      const auto metadata = result.hook_metadata();
      const bool goes_up = result.action == XDP_REDIRECT && metadata;
      fates[self].push_back({number, result.action, goes_up ? metadata->verdict : std::uint8_t{0}});
    }
    position_[self] = kDone;
  };
  std::thread other(run_stream, 1);
  std::thread one(run_stream, 0);
  one.join();
  other.join();
  return fates;
}

/// Exactly one of the two copies of each number is claimed.
void expect_claimed_once(const std::array<std::vector<Fate>, 2>& fates) {
  ASSERT_EQ(fates[0].size(), fates[1].size());
  for (std::size_t i = 0; i < fates[0].size(); ++i) {
    const int claims =
        (fates[0][i].verdict == LB_VERDICT_CLAIMED) + (fates[1][i].verdict == LB_VERDICT_CLAIMED);
    ASSERT_EQ(claims, 1) << "number " << fates[0][i].first;
  }
}

lb_counters sum_of_cpu(const Rig& rig, unsigned cpu) {
  const auto bank = static_cast<std::uint32_t>(rig.maps().config().bank);
  lb_counters sum{};
  for (std::uint32_t line = 0; line < kLines; ++line) {
    const lb_counters& counters = rig.maps().counters(bank, line, cpu);
    sum.packets += counters.packets;
    sum.lost_races += counters.lost_races;
    sum.contended += counters.contended;
    sum.duplicate += counters.duplicate;
    sum.claimed += counters.claimed;
    sum.passed_up += counters.passed_up;
  }
  return sum;
}

TEST_F(Race, EachNumberIsClaimedByExactlyOneLine) {
  constexpr std::uint64_t kNumbersOfARound = 50'000;
  constexpr unsigned kRoundsMin = 4;
  constexpr unsigned kRoundsMax = 40;  // bounds a machine on which no race is ever lost
  Rig rig;
  rig.prepare({.credits = kCreditsForAll});
  const Snapshot before(rig.maps());
  std::uint64_t first = kStart;
  std::uint64_t lost_races = 0;
  const auto is_over = [&](unsigned round) {
    return round == kRoundsMax || HasFailure() || (round >= kRoundsMin && lost_races > 0);
  };
  for (unsigned round = 0; !is_over(round); ++round) {
    const auto fates =
        run(rig, {{{On::A, kOptiq, 1}, {On::B, kOptiq, 1}}}, first, first + kNumbersOfARound);
    expect_claimed_once(fates);
    first += kNumbersOfARound;
    lost_races = sum_of_cpu(rig, cpus_[0]).lost_races + sum_of_cpu(rig, cpus_[1]).lost_races;
  }
  const Snapshot after(rig.maps());
  const std::uint64_t numbers = first - kStart;
  RecordProperty("numbers", std::to_string(numbers));
  RecordProperty("lost_races", std::to_string(lost_races));
  EXPECT_GT(lost_races, 0u) << "over " << numbers << " numbers";
  for (std::uint32_t line = 0; line < kLines; ++line) {
    const lb_counters sum = sum_of_cpu(rig, cpus_[line]);
    EXPECT_EQ(sum.packets, numbers) << "a CPU counts what it ran, to the last packet";
    EXPECT_EQ(sum.claimed + sum.duplicate + sum.passed_up, numbers);
    EXPECT_EQ(sum.passed_up, sum.contended);
    EXPECT_EQ(credits_moved(before, after, line), sum.claimed + sum.passed_up)
        << "a credit that was not spent was given back";
    EXPECT_EQ(lb_mark_value(after.channels[kOptiq].marks[line].shown), first);
  }
}

/// As in generic mode, where several CPUs can be in the hook for one queue.
TEST_F(Race, EachNumberIsClaimedOnceByTwoCpusOfOneLine) {
  constexpr std::uint64_t kNumbers = 50'000;
  Rig rig;
  rig.prepare({.credits = kCreditsForAll});
  const Snapshot before(rig.maps());
  const auto fates =
      run(rig, {{{On::A, kOptiq, 1}, {On::A, kOptiq, 1}}}, kStart, kStart + kNumbers);
  const Snapshot after(rig.maps());
  expect_claimed_once(fates);
  std::uint64_t redirected = 0;
  for (std::size_t cpu = 0; cpu < 2; ++cpu) {
    const lb_counters sum = sum_of_cpu(rig, cpus_[cpu]);
    EXPECT_EQ(sum.packets, kNumbers);
    EXPECT_EQ(sum.claimed + sum.duplicate + sum.passed_up, kNumbers);
    redirected += sum.claimed + sum.passed_up;
  }
  EXPECT_EQ(credits_moved(before, after, 0), redirected);
  EXPECT_EQ(lb_mark_value(after.channels[kOptiq].marks[0].shown), kStart + kNumbers);
}

TEST_F(Race, EachIdentifierIsClaimedByExactlyOneLine) {
  constexpr std::uint64_t kNumbers = 50'000;
  Rig rig;
  rig.prepare({.credits = kCreditsForAll});
  expect_claimed_once(
      run(rig, {{{On::A, kIdentifiers, 1}, {On::B, kIdentifiers, 1}}}, kStart, kStart + kNumbers));
}

/// I1 for lines that pack differently: no message is in dropped packets only.
TEST_F(Race, EachMessageOfDifferentPacketsGoesUp) {
  constexpr std::uint64_t kMessages = 5 * 256 * 150;
  Rig rig;
  rig.prepare({.credits = kCreditsForAll});
  const auto fates =
      run(rig, {{{On::A, kMold, 256}, {On::B, kMold, 5}}}, kStart, kStart + kMessages);
  std::vector<bool> went_up(kMessages);
  const std::uint32_t messages[] = {256, 5};
  for (std::size_t line = 0; line < 2; ++line)
    for (const Fate& fate : fates[line])
      for (std::uint32_t i = 0; i < messages[line] && fate.action == XDP_REDIRECT; ++i)
        went_up[fate.first - kStart + i] = true;
  for (std::uint64_t i = 0; i < kMessages; ++i)
    ASSERT_TRUE(went_up[i]) << "message " << kStart + i << " was dropped on both lines";
}

}  // namespace
}  // namespace linearb::test
