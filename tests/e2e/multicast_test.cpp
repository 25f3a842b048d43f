// SPDX-License-Identifier: Apache-2.0
//
// Groups, and who sends to them: what the kernel has joined for a receiver, and what comes of it.
//
//   situation                          joined               delivered
//   a channel with sources             each source          what they send, and no more
//   a group another channel has whole  both                 the same
//   a reload that changes the sources  those of now         the channel goes on
//   an interface that comes back       each source again    what they send
//   1,000 channels                     1,000 groups a line  each channel's messages, once
//   two lines on one interface         both groups on it    as on two
//   VLAN tags on every frame           the groups           as without
#include <compare>
#include <fstream>
#include <set>
#include <sstream>

#include <net/if.h>

#include "e2e/arbitration.h"
#include "feeder/generator.h"
#include "support/packet.h"
#include "support/raw_line.h"
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

/// How many groups of 239/8 an interface has joined, by /proc/net/igmp: the lines of an interface
/// are followed by those of its groups, which begin with a tab and the address as it is in memory.
std::size_t groups_joined(const std::string& interface) {
  std::ifstream file("/proc/self/net/igmp");
  std::size_t groups = 0;
  bool is_here = false;
  for (std::string line; std::getline(file, line);) {
    if (line[0] != '\t') is_here = contains(line, "\t" + interface);
    if (line[0] == '\t' && is_here && line.substr(0, line.find(' ')).ends_with("EF")) ++groups;
  }
  return groups;
}

/// A packet with one message, from 192.0.2.1.
PacketBuilder optiq_packet(std::uint64_t number, const Destination& destination) {
  const auto message = feeder::optiq_message(static_cast<std::uint32_t>(number), 0);
  return udp_packet()
      .to_address(destination.address, destination.port)
      .payload(Bytes(message.begin(), message.end()));
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

/// A line has the group 239.LINE.x.x for each channel.
Destination destination_of(std::size_t channel, std::size_t line) {
  return {static_cast<std::uint32_t>(0xef000000u + ((line + 1) << 16) + channel), kPort};
}

/// How many lines there are, whether all are on one interface, and how many sources a group has.
struct Wires {
  const char* name;
  unsigned lines;
  bool share_an_interface = false;
  std::uint32_t sources = 0;
};

void PrintTo(const Wires& wires, std::ostream* stream) {
  *stream << wires.name;
}

class ManyChannels : public LabTest, public ::testing::WithParamInterface<Wires> {
 protected:
  static constexpr std::size_t kChannels = 1'000;
  static constexpr std::uint64_t kEach = 4;  ///< messages of a channel

  static ReceiverOptions options() {
    ReceiverOptions options;
    options.lines = lines_of(GetParam().lines, false);
    for (Line& line : options.lines)
      if (GetParam().share_an_interface) line.interface = options.lines[0].interface;
    // What comes before a channel is published takes half of the credits at most: all fit.
    options.frames = 16'384;
    options.channels.clear();
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      Channel& added = options.channels.emplace_back();
      added.name = "c" + std::to_string(channel);
      added.framing = "optiq";
      for (std::size_t line = 0; line < options.lines.size(); ++line) {
        Destination destination = destination_of(channel, line);
        for (std::uint32_t source = 0; source < GetParam().sources; ++source)
          destination.sources.push_back(address("192.0.2.1") + source);
        added.line_destinations.emplace_back(options.lines[line].name, destination);
      }
    }
    return options;
  }
  /// Each channel has numbers of its own, so that a message in the wrong channel would be a gap.
  static std::uint64_t number_of(std::size_t channel, std::uint64_t message) {
    return 1 + channel * kEach + message;
  }
  /// A message of every channel, on every line.
  static void send_round(std::size_t lines, std::uint64_t message) {
    for (std::size_t line = 0; line < lines; ++line) {
      const bool is_on_a = line == 0 || GetParam().share_an_interface;
      const RawLine wire(lab::source_name(is_on_a ? 'A' : 'B'));
      for (std::size_t channel = 0; channel < kChannels; ++channel)
        wire.send(optiq_packet(number_of(channel, message), destination_of(channel, line)).build());
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Wires, ManyChannels,
                         ::testing::Values(Wires{"OneLine", 1}, Wires{"TwoLines", 2},
                                           Wires{"TwoLinesOnOneInterface", 2, true},
                                           Wires{"TwoLinesWithADozenSources", 2, false, 12}),
                         [](const auto& test) { return test.param.name; });

TEST_P(ManyChannels, DeliverTheirMessagesOnceEach) {
  const ReceiverOptions receive = options();
  Running running(receive);
  EXPECT_EQ(sources_joined().size(), kChannels * GetParam().lines * GetParam().sources);
  const std::size_t interfaces = GetParam().share_an_interface ? 1 : GetParam().lines;
  for (std::size_t i = 0; i < interfaces; ++i)
    EXPECT_EQ(groups_joined(receive.lines[i].interface), kChannels * GetParam().lines / interfaces);
  for (std::uint64_t message = 0; message < kEach; ++message) {
    send_round(receive.lines.size(), message);
    running.wait_until_quiet();  // it is published by what comes next, where its window is clear
  }
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  running.expect_once(1, 1, kChannels * kEach);
  EXPECT_EQ(summary.messages, kChannels * kEach);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(sum(summary, &LineSummary::not_feed), 0u);
  for (const ChannelSummary& channel : summary.channels)
    EXPECT_EQ(channel.messages, kEach) << channel.name;
  for (const LineSummary& line : summary.lines) {
    EXPECT_EQ(line.packets, kChannels * kEach);
    EXPECT_LT(line.passed_up, line.packets) << "from the third on the hook judges by itself";
  }
}

/// Lines on one interface are told apart by their groups alone, as where a switch port carries
/// both.
TEST_P(Multicast, TwoLinesOnOneInterfaceAreToldApartByGroup) {
  ReceiverOptions receive = with({"x=optiq@A=232.1.1.1:30001,B=232.1.1.2:30001"});
  receive.lines[1].interface = receive.lines[0].interface;
  Running running(receive);
  auto lines = from(kSource, "AB", 1, 2'000);
  for (feeder::FeederLine& line : lines.lines) line.impairment.loss = 0.05;
  lines.lines[1].line.interface = lines.lines[0].line.interface;
  feeder::FeederOptions a = lines, b = lines;
  a.lines.resize(1);
  b.lines.erase(b.lines.begin());
  b.seed = 2;
  const feeder::FeederResult fed_a = feed(a);  // one after the other: they share a TX queue
  const feeder::FeederResult fed_b = feed(b);
  const Summary summary = running.end();
  expect_sound(summary, running);
  std::uint64_t on_no_line = 0;
  const feeder::LineResult fed[] = {fed_a.lines[0], fed_b.lines[0]};
  for (const lb_run& run : feeder::lost_on_every_line(fed)) on_no_line += run.count;
  EXPECT_GT(summary.lines[1].won, 0u) << "B repairs what A lost";
  EXPECT_GT(summary.lines[1].duplicate, 0u);
  EXPECT_EQ(summary.messages + on_no_line, 2'000u);
}

/// As a NIC that does not strip them hands them on: one tag on A, two on B.
TEST_P(Multicast, VlanTagsAreWalkedOverOnEveryLine) {
  constexpr std::uint64_t kNumbers = 1'000;
  Running running(with({"x=optiq@A=232.1.1.1:30001,B=10.1.1.1@232.1.1.2:30001"}));
  const RawLine a("vethA_src");
  const RawLine b("vethB_src");
  for (std::uint64_t number = 1; number <= kNumbers; ++number) {
    a.send(optiq_packet(number, {kGroupOfA, kPort}).vlan(100).build());
    b.send(optiq_packet(number, {kGroupOfB, kPort})
               .from("10.1.1.1", 40'000)
               .vlan(200, 0x88a8)
               .vlan(7)
               .build());
    if (number % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, kNumbers);
  EXPECT_EQ(sum(summary, &LineSummary::duplicate), kNumbers);
  EXPECT_EQ(sum(summary, &LineSummary::not_feed), 0u);
}

}  // namespace
}  // namespace linearb::test
