// SPDX-License-Identifier: Apache-2.0
//
// Copies of two lines whose bytes differ, and what is told of them: those that both come to user
// space are compared.
#include <optional>
#include <set>
#include <string_view>

#include "e2e/arbitration.h"
#include "support/raw_line.h"
#include "support/venue_packets.h"

namespace linearb::test {
namespace {

constexpr std::uint16_t kPort = 30'801;
constexpr std::string_view kSession = "SESSION001";

class Copies : public BothModes {
 protected:
  void SetUp() override {
    BothModes::SetUp();
    a_.emplace("vethA_src");
    b_.emplace("vethB_src");
  }

  static ReceiverOptions options(const char* framing) {
    ReceiverOptions options = BothModes::options();
    options.channels = {{"feed", framing, {0, kPort}, {}}};
    return options;
  }
  static Bytes packet(Bytes payload) {
    return udp_packet().to("239.192.30.8", kPort).payload(std::move(payload)).build();
  }
  /// With another last byte.
  static Bytes altered(Bytes payload) {
    payload.back() ^= 1;
    return payload;
  }
  static std::vector<Event> divergent(const Running& running) {
    std::vector<Event> events = running.events();
    std::erase_if(events, [](const Event& event) { return event.kind != Event::Kind::divergent; });
    return events;
  }
  /// All of it but what the other line's bytes are like.
  static void expect_sound(const Summary& summary, const Running& running) {
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
    EXPECT_EQ(running.complaint_of_told_gaps(summary), "");
    EXPECT_EQ(summary.gap_messages, 0u);
  }

  std::optional<RawLine> a_, b_;
};

/// The first packet of a line always comes to user space: the hook judges nothing of a line that
/// has shown nothing.
TEST_P(Copies, ThatDifferWhereALineBeginsAreTold) {
  Running running(options("moldudp64"));
  a_->send(packet(venue::mold(kSession, 1, 3)));
  running.wait_until_quiet();
  b_->send(packet(altered(venue::mold(kSession, 1, 2))));
  b_->send(packet(venue::mold(kSession, 3, 1)));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 3);
  const std::vector<Event> told = divergent(running);
  ASSERT_EQ(told.size(), 1u) << running.event_texts();
  EXPECT_EQ(told[0].channel, "feed");
  EXPECT_EQ(told[0].lines, "B") << "what came first is what was delivered";
  EXPECT_EQ(told[0].epoch, 1u);
  EXPECT_EQ(told[0].first, 2u);
  EXPECT_EQ(told[0].count, 1u);
  EXPECT_EQ(summary.lines[0].divergent, 0u);
  EXPECT_EQ(summary.lines[1].divergent, 1u);
}

/// Where the hook cannot count the messages of a packet, all copies come to user space.
TEST_P(Copies, ThatAllComeUpAreComparedAllTheWay) {
  constexpr std::uint64_t kPackets = 300;
  constexpr std::uint64_t kDiffers = 20;  // each of so many
  Running running(options("miax-mach"));
  for (std::uint64_t i = 0; i < kPackets; ++i) {
    const Bytes payload = venue::mach_data(1, 1 + 2 * i, 2);
    a_->send(packet(payload));
    b_->send(packet(i % kDiffers == 7 ? altered(payload) : payload));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ASSERT_TRUE(running.wait_for(Event::Kind::divergent, kPackets / kDiffers))
      << running.event_texts();
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 2 * kPackets);
  EXPECT_EQ(sum(summary, &LineSummary::passed_up), 2 * kPackets);
  EXPECT_EQ(sum(summary, &LineSummary::divergent), kPackets / kDiffers);
  std::set<std::uint64_t> firsts;
  for (const Event& event : divergent(running)) {
    EXPECT_EQ(event.count, 1u);
    firsts.insert(event.first);
  }
  std::set<std::uint64_t> altered_numbers;
  for (std::uint64_t i = 7; i < kPackets; i += kDiffers) altered_numbers.insert(2 + 2 * i);
  EXPECT_EQ(firsts, altered_numbers);
}

/// A header says when its line sent it, and how a line packs is its own.
TEST_P(Copies, ThatDifferInTheirHeadersAloneAreTheSame) {
  Running running(options("hkex-omd"));
  Bytes later = venue::omd(1, 3);
  later[8] ^= 0xff;
  a_->send(packet(venue::omd(1, 3)));
  running.wait_until_quiet();
  b_->send(packet(later));
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.messages, 3u);
  EXPECT_EQ(summary.lines[1].duplicate, 1u);
  EXPECT_EQ(sum(summary, &LineSummary::divergent), 0u);
  EXPECT_TRUE(divergent(running).empty()) << running.event_texts();
}

INSTANTIATE_TEST_SUITE_P(Modes, Copies, ::testing::Values(Mode::native, Mode::generic), mode_name);

}  // namespace
}  // namespace linearb::test
