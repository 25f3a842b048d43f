// SPDX-License-Identifier: Apache-2.0
//
// The hook as `ip link` loads it, one object for each line, and a receiver that finds it there.
#include <filesystem>
#include <ostream>

#include <nlohmann/json.hpp>

#include "e2e/arbitration.h"
#include "support/program.h"

namespace linearb::test {
namespace {

using Json = nlohmann::json;

struct Way {
  const char* name;
  const char* ip_link;
};

/// The name of the test as ctest lists it: bytes of pointers change from run to run.
void PrintTo(const Way& way, std::ostream* out) {
  *out << way.ip_link;
}

class LoadedByHand : public LabTest, public ::testing::WithParamInterface<Way> {};

INSTANTIATE_TEST_SUITE_P(Modes, LoadedByHand,
                         ::testing::Values(Way{"native", "xdpdrv"}, Way{"generic", "xdpgeneric"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(LoadedByHand, IsAdoptedAndStaysAttached) {
  const auto object = std::filesystem::path(LINEARB_PROGRAM).parent_path() / "linearb.bpf.o";
  for (const char line : {'A', 'B'}) {
    Program ip("ip", "link set dev " + lab::destination_name(line) + " " + GetParam().ip_link +
                         " obj " + object.string() + " sec xdp");
    ASSERT_EQ(ip.wait(), 0) << ip.errors();
  }
  Program receiver(LINEARB_PROGRAM, "receive --json");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  auto lines = feed_on("AB", 1, 2'000);
  lines.lines[0].impairment.loss = 0.05;
  feed(lines);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();

  const Json summary = Json::parse(receiver.output());
  EXPECT_TRUE(summary["balanced"].get<bool>()) << receiver.output();
  EXPECT_EQ(summary["packets"], 2'000);
  EXPECT_EQ(summary["gap_messages"], 0);
  for (const Json& line : summary["lines"]) {
    EXPECT_EQ(line["mode"], GetParam().name);
    EXPECT_GT(line["won"], 0) << "the two loads share their maps";
  }
  Program link("ip", "-o link show vethA_dst");
  link.wait();
  EXPECT_TRUE(contains(link.output(), "xdp")) << "what was attached before stays";
}

}  // namespace
}  // namespace linearb::test
