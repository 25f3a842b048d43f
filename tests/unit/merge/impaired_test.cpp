// SPDX-License-Identifier: Apache-2.0
//
// Impaired copies of a feed: what comes out is what at least one of them had, each message once.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>
#include <set>

#include <gmock/gmock.h>

#include "capture/reader.h"
#include "core/walk.h"
#include "unit/merge/merging.h"

namespace linearb::test {
namespace {

constexpr std::uint64_t kMessages = 4'000;
constexpr std::uint64_t kSpacingNs = 10'000;

/// How a line spoils its copy of the feed.
struct Spoiled {
  std::uint32_t messages_max = 4;  ///< in a packet: lines have boundaries of their own
  double loss = 0.05;
  double duplicate = 0.01;
  double reorder = 0.02;
  std::uint64_t skew_ns = 0;
  std::int64_t clock_ns = 0;  ///< how wrong its clock is
};

using Random = std::mt19937_64;

bool happens(Random& random, double probability) {
  return std::uniform_real_distribution<>(0, 1)(random) < probability;
}

std::vector<Datagram> packed(Random& random, std::uint32_t messages_max) {
  std::vector<Datagram> datagrams;
  for (std::uint64_t first = 1; first <= kMessages;) {
    const auto wanted = static_cast<std::uint32_t>(1 + random() % messages_max);
    const auto count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, kMessages + 1 - first));
    datagrams.push_back({kBeginNs + (first + count - 1) * kSpacingNs, first, count});
    first += count;
  }
  return datagrams;
}

/// Packets that changed their places have the times of those places: it was the network.
std::vector<Datagram> line_of(Random& random, const Spoiled& spoiled) {
  std::vector<Datagram> line;
  for (const Datagram& datagram : packed(random, spoiled.messages_max)) {
    if (happens(random, spoiled.loss)) continue;
    line.push_back(datagram);
    if (happens(random, spoiled.duplicate)) line.push_back(datagram);
  }
  for (std::size_t i = 0; i + 3 < line.size(); i++) {
    if (!happens(random, spoiled.reorder)) continue;
    const std::size_t other = i + 1 + random() % 3;
    std::swap(line[i].first, line[other].first);
    std::swap(line[i].count, line[other].count);
  }
  for (Datagram& datagram : line)
    datagram.time_ns += spoiled.skew_ns + static_cast<std::uint64_t>(spoiled.clock_ns);
  return line;
}

std::set<std::uint64_t> numbers_in(const std::vector<Datagram>& line) {
  std::set<std::uint64_t> numbers;
  for (const Datagram& datagram : line)
    for (std::uint64_t i = 0; i < datagram.count; i++) numbers.insert(datagram.first + i);
  return numbers;
}

/// What the line never brought between the first that it showed and the last.
std::uint64_t skipped_by(const std::vector<Datagram>& line) {
  const std::set<std::uint64_t> own = numbers_in(line);
  std::uint64_t skipped = 0;
  for (std::uint64_t number = line.front().first; number < *own.rbegin(); number++)
    skipped += own.contains(number) ? 0 : 1;
  return skipped;
}

/// Number 1 comes on every line at once: what is before the first packet of all has no place.
std::vector<Datagram> begun_at_1(std::vector<Datagram> line) {
  line.insert(line.begin(), {kBeginNs, 1, 1});
  return line;
}

/// All messages in the payloads of a capture, as they stand there.
std::vector<std::uint64_t> messages_in_file(const std::string& path) {
  std::vector<std::uint64_t> numbers;
  capture::Reader reader(path);
  while (auto record = reader.next()) {
    const lb_u8* data = record->bytes.data();
    lb_walk walk{};
    EXPECT_EQ(lb_walk_frame(data, data + record->bytes.size(), &walk), LB_WALK_DATAGRAM);
    lb_datagram datagram{};
    const lb_u8* payload = data + walk.payload_offset;
    EXPECT_EQ(lb_framing_decode(&mold(), payload, payload + walk.payload_length,
                                walk.payload_length, &datagram),
              LB_KIND_DATA);
    const Bytes found(payload, payload + walk.payload_length);
    EXPECT_EQ(found, payload_of({0, datagram.first, datagram.count}));
    for (std::uint64_t i = 0; i < datagram.count; i++) numbers.push_back(datagram.first + i);
  }
  return numbers;
}

bool ascend(const std::vector<std::uint64_t>& numbers) {
  return std::ranges::adjacent_find(numbers, std::greater_equal<>()) == numbers.end();
}

/// Twice is a failure.
std::set<std::uint64_t> numbers_in_file(const std::string& path) {
  std::set<std::uint64_t> numbers;
  for (const std::uint64_t number : messages_in_file(path))
    EXPECT_TRUE(numbers.insert(number).second) << number;
  return numbers;
}

class ImpairedCopies : public Merging, public testing::WithParamInterface<int> {
 protected:
  /// Merges a file for each line, and holds the result against what the lines had.
  Merged merge_and_check(const std::vector<std::vector<Datagram>>& lines,
                         const std::vector<std::int64_t>& offsets_ns,
                         Order order = Order::arrival) {
    std::vector<std::string> captures;
    std::set<std::uint64_t> had;
    for (std::size_t i = 0; i < lines.size(); i++) {
      captures.push_back(write_line("line" + std::to_string(i), lines[i]));
      had.merge(numbers_in(lines[i]));
    }
    merge::MergeOptions options = options_for(captures);
    for (std::size_t i = 0; i < lines.size(); i++) options.captures[i].offset_ns = offsets_ns[i];
    options.receiver.write_path = path("merged.pcap");
    options.receiver.order = order;
    Merged merged = merge(options);
    EXPECT_THAT(merged.complaints, testing::ElementsAre());
    EXPECT_EQ(numbers_of(merged), had);
    EXPECT_EQ(numbers_in_file(path("merged.pcap")), had);
    check_figures(merged, lines, had);
    if (order == Order::arrival) {  // else a packet may come in parts
      EXPECT_EQ(merged.summary.packets, merged.deliveries.size());
    }
    return merged;
  }

 private:
  static void check_figures(const Merged& merged, const std::vector<std::vector<Datagram>>& lines,
                            const std::set<std::uint64_t>& had) {
    const Summary& summary = merged.summary;
    EXPECT_TRUE(summary.balanced) << testing::PrintToString(summary.imbalances);
    EXPECT_EQ(summary.messages, had.size());
    EXPECT_EQ(summary.gap_messages, *had.rbegin() - *had.begin() + 1 - had.size());
    EXPECT_EQ(summary.untrimmed, 0u);
    EXPECT_GE(summary.written, summary.packets) << "a packet with two new parts is two records";
    std::uint64_t delivered = 0;
    for (std::size_t i = 0; i < lines.size(); i++) {
      const LineSummary& line = summary.lines[i];
      EXPECT_EQ(line.packets, lines[i].size());
      EXPECT_EQ(line.accounted(), line.packets);
      EXPECT_EQ(line.won + line.overlap + line.duplicate + line.late, line.packets);
      EXPECT_EQ(line.lost_messages, skipped_by(lines[i]));
      delivered += line.won + line.overlap + line.unsequenced;
    }
    EXPECT_EQ(summary.packets, delivered);
  }
};

TEST_P(ImpairedCopies, GiveWhatOneOfThemHad) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  merge_and_check({line_of(random, {}), line_of(random, {.messages_max = 7, .skew_ns = 70'000})},
                  {0, 0});
}

TEST_P(ImpairedCopies, OfThreeLinesToo) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  const Spoiled badly{.messages_max = 2, .loss = 0.4, .reorder = 0.1, .skew_ns = 500'000};
  merge_and_check({line_of(random, badly), line_of(random, {.loss = 0.3}), line_of(random, badly)},
                  {0, 0, 0});
}

TEST_P(ImpairedCopies, WithAClockThatAnOffsetSetsRight) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  const std::int64_t wrong_ns = (GetParam() % 2 ? 1 : -1) * 3'600'000'000'000;
  const Merged merged = merge_and_check(
      {line_of(random, {}), line_of(random, {.skew_ns = 70'000, .clock_ns = wrong_ns})},
      {0, -wrong_ns});
  const SkewSummary& skew = merged.summary.lines[1].skew_ns;
  EXPECT_GT(skew.count, 100u);
  EXPECT_LT(skew.p50, 200'000u);
  EXPECT_GT(skew.p50, 20'000u);
}

/// B's records all come when A's are over: they fill A's holes all the same.
TEST_P(ImpairedCopies, WithAClockThatNobodySetsRight) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  const Merged merged =
      merge_and_check({line_of(random, {}), line_of(random, {.clock_ns = 5'000'000'000})}, {0, 0});
  const SkewSummary& skew = merged.summary.lines[1].skew_ns;
  EXPECT_GT(skew.count, 100u) << "who looks for the offset finds it here";
  EXPECT_NEAR(static_cast<double>(skew.p50), 5e9, 5e9 / 8);
}

TEST_P(ImpairedCopies, AscendInTheOrderOfNumbers) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  const Spoiled badly{.messages_max = 7, .loss = 0.3, .reorder = 0.1, .skew_ns = 700'000};
  const Merged merged = merge_and_check(
      {begun_at_1(line_of(random, {})), begun_at_1(line_of(random, badly)),
       begun_at_1(line_of(random, {.messages_max = 2, .loss = 0.3, .skew_ns = 5'000'000}))},
      {0, 0, 0}, Order::sequence);
  EXPECT_EQ(merged.summary.late_repairs, 0u);
  EXPECT_TRUE(ascend(messages_in_file(path("merged.pcap"))));
}

/// Nobody waits for a line that shows nothing for seconds: what it fills then comes late, and is
/// counted.
TEST_P(ImpairedCopies, OfALineWhoseClockIsOffComeLate) {
  Random random(static_cast<std::uint64_t>(GetParam()));
  const Merged merged = merge_and_check(
      {line_of(random, {}), line_of(random, {.clock_ns = 5'000'000'000})}, {0, 0}, Order::sequence);
  EXPECT_GT(merged.summary.late_repairs, 0u);
}

/// More for whoever wants to look longer: LINEARB_MERGES=1000.
int seeds() {
  const char* wanted = std::getenv("LINEARB_MERGES");
  return wanted ? std::atoi(wanted) : 8;
}

INSTANTIATE_TEST_SUITE_P(Seeds, ImpairedCopies, testing::Range(1, 1 + seeds()));

}  // namespace
}  // namespace linearb::test
