// SPDX-License-Identifier: Apache-2.0
//
// What the hook makes of what each venue says beside its data (support/venue_stories.cpp): whatever
// number stands in it, the hook claims none for it.
#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>
#include <linux/bpf.h>

#include "config/framing_file.h"
#include "hook/takeover.h"
#include "support/native_hook/native_hook.h"
#include "support/venue_stories.h"

namespace linearb::test::native {
namespace {

constexpr std::uint32_t kInterface = 7;
constexpr std::uint16_t kPort = 30001;
constexpr std::uint64_t kCredits = 4;

class VenueVerdict : public testing::TestWithParam<VenueStory> {
 protected:
  VenueVerdict() {
    lb_flow flow{};
    flow.interface_index = kInterface;
    flow.port = kPort;
    const hook::Setup::InterfaceLine interfaces[] = {{kInterface, 0}};
    const std::string names[] = {"A"};
    hook::take_over(hook_.maps(), {.flows = {&flow, 1},
                                   .framings = {&framing_.descriptor, 1},
                                   .interfaces = interfaces,
                                   .lines = names,
                                   .frame_room = 1792});
    hook_.maps().set_socket(0, kSocket);
  }

  lb_kind decode(const Bytes& payload, lb_datagram& datagram) const {
    return lb_framing_decode_header(&framing_.descriptor, payload.data(),
                                    payload.data() + payload.size(),
                                    static_cast<lb_u32>(payload.size()), &datagram);
  }
  /// Of its session, the line just before its number, nothing claimed: data would be.
  void publish_for(const lb_datagram& datagram) {
    hook_.maps().windows()[0] = {};
    lb_mark& mark = hook_.maps().mark(0, 0);
    mark = {};
    mark.shown = lb_mark_word(1, datagram.first);
    mark.published = lb_mark_word(1, datagram.session);
    lb_credit& credit = hook_.maps().credit(0);
    credit.returned = credit.redirected;
    credit.capacity = kCredits;
  }
  Outcome run(const Bytes& payload) {
    return hook_.run(udp_packet().to("239.192.30.1", kPort).payload(payload).build(),
                     {.interface_index = kInterface});
  }
  bool has_claimed_nothing() const {
    return std::ranges::all_of(hook_.maps().windows()[0].words, [](lb_u64 word) { return !word; });
  }

  config::Framing framing_ = config::builtin_framing(GetParam().framing);
  Hook hook_{{.channels = 1, .flows = 1}};
};

lb_metadata metadata_of(const Outcome& outcome) {
  lb_metadata metadata{};
  EXPECT_EQ(outcome.metadata.size(), sizeof(metadata));
  if (outcome.metadata.size() == sizeof(metadata))
    std::memcpy(&metadata, outcome.metadata.data(), sizeof(metadata));
  return metadata;
}

TEST_P(VenueVerdict, WhatIsNoDataClaimsNoNumber) {
  for (const VenueStep& step : steps_on(0, GetParam())) {
    if (step.is == VenueStep::Is::data || step.is == VenueStep::Is::lost) continue;
    lb_datagram datagram{};
    const bool is_noise = decode(step.payload, datagram) == LB_KIND_MALFORMED;
    EXPECT_EQ(is_noise, step.is == VenueStep::Is::noise);
    publish_for(datagram);
    const lb_mark before = hook_.maps().mark(0, 0);
    const Outcome outcome = run(step.payload);
    EXPECT_EQ(outcome.action, is_noise ? std::uint32_t{XDP_PASS} : std::uint32_t{XDP_REDIRECT});
    if (!is_noise) {
      EXPECT_EQ(metadata_of(outcome).verdict, LB_VERDICT_NOT_DATA);
    }
    EXPECT_TRUE(has_claimed_nothing());
    EXPECT_EQ(std::memcmp(&before, &hook_.maps().mark(0, 0), sizeof(before)), 0)
        << "nor does it move its line's mark";
  }
}

/// So the test above would see it if anything else were.
TEST_P(VenueVerdict, DataIsClaimedWhereTheHookCanCountIt) {
  for (const VenueStep& step : steps_on(0, GetParam())) {
    if (step.is != VenueStep::Is::data && step.is != VenueStep::Is::lost) continue;
    lb_datagram datagram{};
    if (decode(step.payload, datagram) != LB_KIND_DATA) {
      EXPECT_EQ(step.is, VenueStep::Is::lost) << "a reset that did not come";
      continue;
    }
    publish_for(datagram);
    const Outcome outcome = run(step.payload);
    EXPECT_EQ(outcome.action, std::uint32_t{XDP_REDIRECT});
    const bool is_counted = datagram.count <= LB_CLAIM_MAX &&
                            datagram.first + datagram.count < framing_.descriptor.sequence_limit;
    EXPECT_EQ(metadata_of(outcome).verdict, is_counted ? LB_VERDICT_CLAIMED : LB_VERDICT_COUNT);
    EXPECT_EQ(has_claimed_nothing(), !is_counted);
  }
}

INSTANTIATE_TEST_SUITE_P(Control, VenueVerdict, testing::ValuesIn(venue_stories()),
                         [](const auto& row) { return name_of_story(row.param); });

}  // namespace
}  // namespace linearb::test::native
