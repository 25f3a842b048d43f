// SPDX-License-Identifier: Apache-2.0
//
// Groups, and who sends to them: what the kernel has joined for a receiver, and what comes of it.
//
//   situation                          joined               delivered
//   a channel with sources             each source          what they send, and no more
//   a group another channel has whole  both                 the same
//   a reload that changes the sources  those of now         the channel goes on
//   an interface that comes back       each source again    what they send
#include <compare>
#include <fstream>
#include <set>
#include <sstream>

#include <net/if.h>

#include "e2e/arbitration.h"
#include "support/tap.h"

namespace linearb::test {
namespace {

constexpr std::uint16_t kPort = 30'001;

/// A source of a group that an interface has joined.
struct Joined {
  std::string interface;
  std::uint32_t group = 0;
  std::uint32_t source = 0;

  friend auto operator<=>(const Joined&, const Joined&) = default;
};

void PrintTo(const Joined& joined, std::ostream* stream) {
  *stream << joined.interface << " " << destination_text({joined.group, kPort, {joined.source}});
}

/// As /proc/net/mcfilter lists them: index, six letters of the name, group and source.
std::set<Joined> sources_joined() {
  std::ifstream file("/proc/self/net/mcfilter");
  std::set<Joined> sources;
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    unsigned index = 0;
    std::string six_letters, group, source;
    columns >> index >> six_letters >> group >> source;
    char interface[IF_NAMESIZE] = "";
    ::if_indextoname(index, interface);
    sources.insert({interface, static_cast<std::uint32_t>(std::stoul(group, nullptr, 16)),
                    static_cast<std::uint32_t>(std::stoul(source, nullptr, 16))});
  }
  return sources;
}

class Multicast : public BothModes {
 protected:
  static constexpr std::uint32_t kGroupOfA = 0xe8010101;  // 232.1.1.1, RFC 4607 section 1
  static constexpr std::uint32_t kGroupOfB = 0xe8010102;
  static constexpr std::uint32_t kSource = 0x0a010101;  // 10.1.1.1
  static constexpr std::uint32_t kOther = 0x0a090909;

  static ReceiverOptions with(const std::vector<std::string>& channels) {
    ReceiverOptions receive = options();
    receive.channels.clear();
    for (const std::string& channel : channels) receive.channels.push_back(parse_channel(channel));
    return receive;
  }
  /// On each of the lines from this source to the line's group.
  static feeder::FeederOptions from(std::uint32_t source, const std::string& lines,
                                    std::uint64_t first, std::uint64_t packets) {
    feeder::FeederOptions options = feed_on(lines, first, packets);
    for (feeder::FeederLine& line : options.lines)
      line.destination = {line.line.name == "A" ? kGroupOfA : kGroupOfB, kPort, {source}};
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, Multicast, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

TEST_P(Multicast, AChannelWithSourcesJoinsThemAndTakesNobodyElses) {
  {
    Running running(
        with({"x=optiq@A=10.1.1.1+10.1.1.2@232.1.1.1:30001,B=10.1.1.1@232.1.1.2:30001"}));
    EXPECT_EQ(sources_joined(), (std::set<Joined>{{"vethA_dst", kGroupOfA, kSource},
                                                  {"vethA_dst", kGroupOfA, kSource + 1},
                                                  {"vethB_dst", kGroupOfB, kSource}}));
    Tap kernel(2);
    feed(from(kSource, "AB", 1, 1'000));
    feed(from(kOther, "AB", 1'001, 500));      // numbers that would be new
    feed(from(kSource + 1, "A", 1'001, 500));  // they come as if the others had not
    feed(from(kSource + 1, "B", 1'001, 250));  // of line A alone
    const Summary summary = running.end();
    expect_sound(summary, running);
    running.expect_once(1, 1, 1'500);
    EXPECT_EQ(summary.messages, 1'500u);
    EXPECT_EQ(summary.gap_messages, 0u);
    EXPECT_EQ(summary.lines[0].not_feed, 500u);
    EXPECT_EQ(summary.lines[1].not_feed, 750u);
    EXPECT_EQ(kernel.take().size(), 1'250u) << "what nobody asked for is the kernel's";
  }
  EXPECT_TRUE(sources_joined().empty());
}

/// Another channel wants the group from everybody: the network then brings all, to both.
TEST_P(Multicast, AGroupThatAnotherChannelJoinsForAllIsFilteredAllTheSame) {
  Running running(with({"x=optiq@A=10.1.1.1@232.1.1.1:30001,B=10.1.1.1@232.1.1.2:30001",
                        "all=optiq@A=232.1.1.1:30002,B=232.1.1.2:30002"}));
  auto to_all = from(kOther, "AB", 10'001, 300);
  for (feeder::FeederLine& line : to_all.lines) line.destination.port = kPort + 1;
  feed(from(kSource, "AB", 1, 300));
  feed(from(kOther, "AB", 301, 300));
  feed(to_all);
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.channels[0].messages, 300u);
  EXPECT_EQ(summary.channels[1].messages, 300u);
  EXPECT_EQ(sum(summary, &LineSummary::not_feed), 600u);
}

/// The second source takes over from the first while both are sent, as a venue moves its servers.
TEST_P(Multicast, AReloadChangesTheSourcesAndTheChannelGoesOn) {
  const std::string first = "x=optiq@A=10.1.1.1@232.1.1.1:30001,B=10.1.1.1@232.1.1.2:30001";
  const std::string both =
      "x=optiq@A=10.1.1.1+10.1.1.2@232.1.1.1:30001,B=10.1.1.1+10.1.1.2@232.1.1.2:30001";
  const std::string second = "x=optiq@A=10.1.1.2@232.1.1.1:30001,B=10.1.1.2@232.1.1.2:30001";
  Running running(with({first}));
  auto steady =
      std::async(std::launch::async, [] { return feed(from(kSource, "AB", 1, 20'000)).units; });
  while (steady.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready) {
    EXPECT_EQ(running.receiver().reload(with({both})).changed, std::vector<std::string>{"x"});
    EXPECT_EQ(sources_joined().size(), 4u);
    EXPECT_EQ(running.receiver().reload(with({first})).changed, std::vector<std::string>{"x"});
    EXPECT_EQ(sources_joined().size(), 2u);
  }
  running.wait_until_quiet();
  running.receiver().reload(with({second}));
  EXPECT_EQ(sources_joined(), (std::set<Joined>{{"vethA_dst", kGroupOfA, kSource + 1},
                                                {"vethB_dst", kGroupOfB, kSource + 1}}));
  EXPECT_EQ(running.receiver().reload(with({second})).unchanged, 1u);
  feed(from(kSource, "AB", 20'001, 100));
  feed(from(kSource + 1, "A", 19'001, 2'000));  // half of it is known
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 21'000);
  EXPECT_EQ(summary.messages, 21'000u);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(sum(summary, &LineSummary::not_feed), 200u);
}

TEST_P(Multicast, ALineThatComesBackJoinsItsSourcesAgain) {
  Running running(with({"x=optiq@A=10.1.1.1@232.1.1.1:30001,B=10.1.1.1@232.1.1.2:30001"}));
  ASSERT_EQ(std::system("ip link del vethA_src"), 0);
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone));
  lab::up({});
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
  EXPECT_EQ(sources_joined(), (std::set<Joined>{{"vethA_dst", kGroupOfA, kSource},
                                                {"vethB_dst", kGroupOfB, kSource}}));
  feed(from(kSource, "A", 1, 500));
  feed(from(kOther, "A", 501, 500));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 500);
  EXPECT_EQ(summary.messages, 500u);
}

}  // namespace
}  // namespace linearb::test
