// SPDX-License-Identifier: Apache-2.0
//
// Skew by sampling (core/skew.h): of one number in 16 the winner leaves a stamp, and the duplicate
// lands in the histogram of its line.
#include "core/skew.h"

#include "bpf/rig.h"
#include "sys/clock.h"

namespace linearb::test {
namespace {

using Skew = HookTest;

TEST_F(Skew, WinnersOfSampledNumbersLeaveAStamp) {
  Rig rig;
  rig.check({
      {"a sampled number",
       optiq(1008),
       {.mark = 1008},
       {XDP_REDIRECT, "packets claimed", "optiq: bits 1008, stamp 1008, mark A 1009",
        "CLAIMED +0"}},
      {"the one before it",
       optiq(1007),
       {.mark = 1007},
       {XDP_REDIRECT, "packets claimed", "optiq: bits 1007, mark A 1008", "CLAIMED +0"}},
      {"the one after it",
       optiq(1009),
       {.mark = 1009},
       {XDP_REDIRECT, "packets claimed", "optiq: bits 1009, mark A 1010", "CLAIMED +0"}},
      {"of a range, the last sampled number",
       mold(1000, 30),
       {},
       {XDP_REDIRECT, "packets claimed", "mold: bits 1000-1029, stamp 1024, mark A 1030",
        "CLAIMED +0"}},
      {"what is passed up has not won",
       optiq(1008),
       {.published = false},
       {XDP_REDIRECT, "packets passed_up", "", "UNPUBLISHED"}},
  });
}

TEST_F(Skew, DuplicatesOfSampledNumbersAreMeasured) {
  Rig rig;
  rig.prepare({.mark = 1008});
  rig.run(optiq(1008), {.on = On::A});
  EXPECT_EQ(rig.run(optiq(1008), {.on = On::B}).in_words.changes, "optiq: mark B 1009; skew B");
  rig.run(optiq(1009), {.on = On::B});
  EXPECT_EQ(rig.run(optiq(1009), {.on = On::A}).in_words.changes, "optiq: mark A 1010");
}

TEST_F(Skew, IsTheTimeBetweenTheTwo) {
  Rig rig;
  rig.prepare({.mark = 1008});
  const auto won = rig.run(optiq(1008), {.on = On::B}).result.hook_metadata();
  ASSERT_TRUE(won);
  const lb_u64 stamp = *lb_skew_stamp(rig.maps().windows()[kOptiq].stamps, 1008);
  EXPECT_EQ(stamp & LB_STAMP_TIME_MASK, won->arrival_ns & LB_STAMP_TIME_MASK);

  const auto bank = static_cast<std::uint32_t>(rig.maps().config().bank);
  rig.maps().skew(bank, 0) = {};
  const std::uint64_t earliest_ns = sys::monotonic_ns() - won->arrival_ns;
  rig.run(optiq(1008), {.on = On::A});
  const std::uint64_t latest_ns = sys::monotonic_ns() - won->arrival_ns;
  const lb_histogram& skew = rig.maps().skew(bank, 0);
  EXPECT_GE(skew.max_ns, earliest_ns);
  EXPECT_LE(skew.max_ns, latest_ns);
  EXPECT_EQ(skew.buckets[lb_histogram_bucket(skew.max_ns)], 1u);
}

TEST_F(Skew, WithoutItsWinnersStampADuplicateIsNotMeasured) {
  Rig rig;
  rig.check({
      {"claimed, but the stamp is gone",
       optiq(1008),
       {.mark = 1008, .claimed = {{1008, 1}}},
       {XDP_DROP, "packets duplicate", "optiq: mark A 1009"}},
  });
  constexpr std::uint64_t kSamePlace = 1008 + (LB_SKEW_STAMPS << LB_SKEW_SAMPLE_SHIFT);
  rig.prepare({.mark = 1008, .claimed = {{1008, 1}}});
  lb_skew_won(rig.maps().windows()[kOptiq].stamps, kSamePlace, sys::monotonic_ns());
  EXPECT_EQ(rig.run(optiq(1008), {}).in_words.changes, "optiq: mark A 1009")
      << "the stamp there is of another number";
}

}  // namespace
}  // namespace linearb::test
