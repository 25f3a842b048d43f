// SPDX-License-Identifier: Apache-2.0
//
// Invariants I3 and I5 on the real path: every frame has one owner at every moment, and every
// payload is as it was sent. A frame with two owners ends the process with a word about it.
#include "xsk/frame_owners.h"

#include <chrono>

#include "e2e/arbitration.h"
#include "e2e/fed_channels.h"

namespace linearb::test {
namespace {

static_assert(xsk::kOwnersChecked);

constexpr std::uint64_t kPackets = 100'000;
constexpr double kRate = 40'000;

struct Weather {
  const char* name;
  Mode mode;
  Wait wait;
  std::uint32_t frames;
  bool stalls;  ///< the application is away for 5 ms now and then: credits run out
};

void PrintTo(const Weather& weather, std::ostream* out) {
  *out << weather.name;
}

class FrameOwners : public LabTest, public testing::WithParamInterface<Weather> {};

/// Line A loses and reorders, line B is late and repeats.
feeder::FeederOptions rough_feed() {
  feeder::FeederOptions options = feed_on("AB", 1, kPackets);
  options.rate = kRate;
  options.lines[0].impairment.loss = 0.02;
  options.lines[0].impairment.reorder = 0.02;
  options.lines[0].impairment.reorder_depth = 3;
  options.lines[1].impairment.skew_ns = 300'000;
  options.lines[1].impairment.duplicate = 0.02;
  return options;
}

TEST_P(FrameOwners, EachFrameHasOneAndEachPayloadIsAsItWasSent) {
  using namespace std::chrono_literals;
  ReceiverOptions options;
  options.mode = GetParam().mode;
  options.wait = GetParam().wait;
  options.frames = GetParam().frames;
  Running running(options);
  auto fed = std::async(std::launch::async, [] { return feed(rough_feed()); });
  while (fed.wait_for(50ms) != std::future_status::ready) {
    running.blocked = GetParam().stalls;
    std::this_thread::sleep_for(5ms);
    running.blocked = false;
  }
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(running.wrong_bytes(), 0u);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  if (GetParam().stalls)
    EXPECT_GT(sum(summary, &LineSummary::no_credit), 0u);
  else
    running.expect_once(1, 1, kPackets);
}

INSTANTIATE_TEST_SUITE_P(
    Weather, FrameOwners,
    testing::Values(Weather{"Native", Mode::native, Wait::poll, 4096, false},
                    Weather{"Generic", Mode::generic, Wait::poll, 4096, false},
                    Weather{"FewFrames", Mode::native, Wait::poll, 64, true},
                    Weather{"FewFramesBusyPoll", Mode::native, Wait::busy_poll, 64, true},
                    Weather{"FewFramesGeneric", Mode::generic, Wait::poll, 64, true}),
    [](const auto& weather) { return std::string(weather.param.name); });

class FramesOfSeveralThreads : public LabTest, public testing::WithParamInterface<Mode> {};
INSTANTIATE_TEST_SUITE_P(Modes, FramesOfSeveralThreads,
                         testing::Values(Mode::native, Mode::generic), mode_name);

/// They have one fill ring together, and get one another's frames.
TEST_P(FramesOfSeveralThreads, EachHasOneOwnerWhoeverGivesItBack) {
  constexpr std::uint64_t kNumbers = 8'000;
  ReceiverOptions options;
  options.mode = GetParam();
  options.threads = 3;
  options.frames = 128;
  options.channels.clear();
  for (std::size_t i = 0; i < 3; ++i)
    options.channels.push_back({"c" + std::to_string(i), "optiq", group_of(i), {}});
  FedChannels fed(options, 3);
  fed.send(1, kNumbers, [](std::size_t line, std::size_t channel, std::uint64_t number) {
    return (number + channel) % 7 != line;
  });
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  fed.expect_once(1, kNumbers);
  EXPECT_EQ(fed.threads(), 3u);
}

}  // namespace
}  // namespace linearb::test
