// SPDX-License-Identifier: Apache-2.0
//
// Real captures on two lines, of which one has the messages in other packets: what comes out is the
// original, message for message, wherever one line had it. The captures are those of
// support/captures.h.
#include "support/repackaged.h"

#include <ostream>

#include <gtest/gtest.h>

#include "support/captures.h"
#include "unit/merge/merging.h"

namespace linearb::test {

void PrintTo(const RealCapture& capture, std::ostream* out) {
  *out << capture.name;
}

namespace {

constexpr std::uint64_t kSeeds = 50;

std::set<std::uint64_t> numbers_in(const std::vector<Gap>& gaps) {
  std::set<std::uint64_t> numbers;
  for (const Gap& gap : gaps)
    for (std::uint64_t i = 0; i < gap.count; ++i) numbers.insert(gap.first + i);
  return numbers;
}

class RepackagedCapture : public Merging, public testing::WithParamInterface<RealCapture> {
 protected:
  void merge_and_compare(const RepackagedLines& lines, const lb_framing& framing, Order order) {
    merge::MergeOptions options =
        options_for({write_frames(path("a"), lines.a), write_frames(path("b"), lines.b)});
    options.receiver.channels = {{"feed", GetParam().framing, {0, GetParam().port}, {}}};
    options.receiver.write_path = path("merged.pcap");
    options.receiver.order = order;
    const Summary summary = merge::Merge(options).run();
    EXPECT_TRUE(summary.balanced) << testing::PrintToString(summary.imbalances);
    EXPECT_EQ(summary.messages, lines.messages.size());
    EXPECT_EQ(summary.untrimmed, 0u);
    EXPECT_EQ(numbers_in(*summary.gaps), lines.missing);
    EXPECT_EQ(summary.gap_messages, lines.missing.size());
    const std::vector<RecordedFrame> written = read_frames(path("merged.pcap"), framing);
    EXPECT_EQ(messages_of(framing, written), lines.messages);
    EXPECT_EQ(count_messages(written), lines.messages.size()) << "once each";
  }
};

TEST_P(RepackagedCapture, GivesTheOriginalWhereverOneLineHadIt) {
  const auto capture = find_capture(GetParam().file);
  if (!capture) GTEST_SKIP() << no_capture(GetParam().file);
  const lb_framing framing = config::builtin_framing(GetParam().framing).descriptor;
  const std::vector<RecordedFrame> frames = read_frames(GetParam(), *capture, framing);
  std::uint64_t missing = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const RepackagedLines lines = repackaged_lines(frames, framing, seed);
    for (const Order order : {Order::arrival, Order::sequence})
      merge_and_compare(lines, framing, order);
    missing += lines.missing.size();
  }
  EXPECT_GT(missing, 0u) << "no loss on both lines, and so no gap was looked at";
}

INSTANTIATE_TEST_SUITE_P(Real, RepackagedCapture, testing::ValuesIn(kRealCaptures),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace linearb::test
