// SPDX-License-Identifier: Apache-2.0
//
// A merge in the order of numbers: what waits, for how long, and what it costs.
#include <gmock/gmock.h>

#include "capture/reader.h"
#include "unit/merge/merging.h"

namespace linearb::test {
namespace {

using testing::ElementsAre;

class Ordered : public Merging {
 protected:
  static merge::MergeOptions ordered(const std::vector<std::string>& captures) {
    merge::MergeOptions options = options_for(captures);
    options.receiver.order = Order::sequence;
    return options;
  }
  Merged merge_lines(const std::vector<Datagram>& a, const std::vector<Datagram>& b) {
    Merged merged = merge(ordered({write_line("a", a), write_line("b", b)}));
    EXPECT_TRUE(merged.summary.balanced) << testing::PrintToString(merged.summary.imbalances);
    EXPECT_THAT(merged.complaints, ElementsAre());
    return merged;
  }
};

TEST_F(Ordered, WhatIsBehindAHoleWaitsForTheLineThatIsSlower) {
  const Merged merged =
      merge_lines({{at(1), 1}, {at(2), 3}, {at(3), 4}}, {{at(1), 1}, {at(50), 2}, {at(51), 3}});
  EXPECT_THAT(merged.deliveries, ElementsAre("A1", "B2", "A3", "A4"));
  EXPECT_EQ(merged.summary.late_repairs, 0u);
  EXPECT_EQ(merged.summary.gap_messages, 0u);
}

/// Soon, and not with the next tick.
TEST_F(Ordered, WhatNoLineBringsIsNotWaitedForOnceAllHavePassedIt) {
  const Merged merged = merge_lines({{at(1), 1}, {at(2), 4}, {at(8), 6}},
                                    {{at(1), 1}, {at(3), 4}, {at(6), 5}, {at(7), 2}});
  EXPECT_THAT(merged.deliveries, ElementsAre("A1", "A4", "B5", "B2", "A6"));
  EXPECT_EQ(merged.summary.late_repairs, 1u);
  EXPECT_EQ(merged.summary.gap_messages, 1u);
}

TEST_F(Ordered, ALineThatShowsNothingIsNotWaitedFor) {
  const Merged merged =
      merge_lines({{at(1), 1}, {at(2), 3}, {at(400), 4}, {at(402), 5}}, {{at(1), 1}, {at(900), 2}});
  EXPECT_THAT(merged.deliveries, ElementsAre("A1", "A3", "A4", "A5", "B2"));
  EXPECT_EQ(merged.summary.late_repairs, 1u);
}

/// B is there, say its heartbeats, and has not come to 2.
TEST_F(Ordered, NobodyWaitsForLongerThanTheHoldTime) {
  std::vector<Datagram> b{{at(1), 1}};
  for (std::uint64_t ms = 100; ms < 1'500; ms += 5) b.push_back({at(ms), 2, 0});
  b.push_back({at(1'500), 2});
  const Merged merged = merge_lines({{at(1), 1}, {at(2), 3}}, b);
  EXPECT_EQ(merged.deliveries[1], "A3");
  EXPECT_EQ(merged.summary.late_repairs, 1u);
}

TEST_F(Ordered, TheEndOfTheCapturesEndsAllWaits) {
  const Merged merged = merge_lines({{at(1), 1}, {at(2), 3}, {at(3), 5}}, {{at(1), 1}});
  EXPECT_THAT(merged.deliveries, ElementsAre("A1", "A3", "A5"));
  EXPECT_EQ(merged.summary.gap_messages, 2u);
}

/// A has 10 to 12 and waits for 9; B has 9 to 13.
TEST_F(Ordered, APacketComesInPartsAroundAnother) {
  merge::MergeOptions options = ordered({write_line("a", {{at(1), 8}, {at(2), 10, 3}}),
                                         write_line("b", {{at(1), 8}, {at(3), 9, 5}})});
  options.receiver.write_path = path("merged.pcap");
  const Merged merged = merge(options);
  EXPECT_THAT(merged.deliveries, ElementsAre("A8", "B9", "A10+3", "B13"));
  EXPECT_TRUE(merged.summary.balanced) << testing::PrintToString(merged.summary.imbalances);
  EXPECT_EQ(merged.summary.packets, 3u);
  EXPECT_EQ(merged.summary.written, 4u);
  EXPECT_EQ(merged.summary.lines[1].overlap, 1u);
}

/// 16 is sampled; when B's copy of it comes A's still waits for 15.
TEST_F(Ordered, SkewIsMeasuredWhileWinnersWait) {
  const Merged merged =
      merge_lines({{at(1), 14}, {at(2), 16}}, {{at(1), 14}, {at(5), 16}, {at(5), 15}});
  EXPECT_THAT(merged.deliveries, ElementsAre("A14", "B15", "A16"));
  EXPECT_EQ(merged.summary.lines[1].skew_ns.count, 1u);
  EXPECT_EQ(merged.summary.lines[1].skew_ns.max, 3 * kMs);
}

TEST_F(Ordered, AnEpochComesAfterTheOneBefore) {
  std::vector<Datagram> a, b;
  for (std::uint64_t i = 1; i <= 100; i++) {
    if (i <= 60) a.push_back({at(i), i});
    b.push_back({at(i) + 120 * kMs, i});
  }
  for (std::uint64_t i = 1; i <= 100; i++) {
    a.push_back({at(i) + 130 * kMs, i});
    b.push_back({at(i) + 250 * kMs, i});
  }
  a.insert(a.begin(), {at(0), 1});
  b.insert(b.begin(), {at(0), 1});
  merge::MergeOptions options = ordered({write_line("a", a), write_line("b", b)});
  std::vector<std::uint64_t> epochs;
  merge::Merge merge(options, [&](const Delivery& delivery) { epochs.push_back(delivery.epoch); });
  const Summary summary = merge.run();
  EXPECT_EQ(summary.messages, 200u);
  EXPECT_EQ(summary.late_repairs, 0u);
  EXPECT_TRUE(std::ranges::is_sorted(epochs));
  EXPECT_EQ(std::ranges::count(epochs, 1u), 100);
}

/// What waits is bounded in packets and in bytes: then the oldest wait ends.
TEST_F(Ordered, WhatWaitsIsBounded) {
  struct Row {
    std::uint64_t packets;
    std::size_t bytes;  ///< behind the messages of each, which say nothing
    std::uint64_t late_repairs;
  };
  for (const Row& row :
       {Row{16'000, 0, 0}, Row{17'000, 0, 1}, Row{3'000, 9'000, 0}, Row{5'000, 9'000, 1}}) {
    SCOPED_TRACE(row.packets);
    capture::Writer writer(path("a"));
    for (std::uint64_t i = 0; i <= row.packets; i++) {
      Bytes payload = payload_of({0, i == 0 ? 1 : i + 2, 1});
      payload.resize(payload.size() + row.bytes);
      writer.write(at(1) + i * 10'000, udp_packet().payload(payload).build());
    }
    writer.close();
    const Merged merged = merge(ordered({path("a"), write_line("b", {{at(1), 1}, {at(200), 2}})}));
    EXPECT_EQ(merged.summary.late_repairs, row.late_repairs);
    EXPECT_EQ(merged.summary.messages, row.packets + 2);
    EXPECT_TRUE(merged.summary.balanced) << testing::PrintToString(merged.summary.imbalances);
  }
}

}  // namespace
}  // namespace linearb::test
