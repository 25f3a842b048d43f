// SPDX-License-Identifier: Apache-2.0
#include "linearb/options.h"

#include <cmath>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/layout.h"
#include "linearb/error.h"

namespace linearb {
namespace {

/// The text of the UsageError that `action` throws; says so when it throws none.
std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was refused";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Destination, IsReadInHostByteOrder) {
  EXPECT_EQ(parse_destination("239.192.30.1:30001"), (Destination{0xefc01e01, 30001}));
  EXPECT_EQ(parse_destination("any:65535"), (Destination{0, 65535}));
}

TEST(Destination, RefusesWhatIsNone) {
  for (const char* text : {"", "239.192.30.1", ":30001", "any:", "any:0", "any:65536", "any:-1",
                           "any:30001x", "any: 30001", "239.192.30:1", "239.192.30.256:1",
                           "0.0.0.0:30001", "localhost:30001", "ANY:30001"}) {
    EXPECT_THROW(parse_destination(text), UsageError) << text;
  }
}

TEST(Destination, RefusalNamesTextReasonAndForm) {
  EXPECT_EQ(refusal([] { parse_destination("any:0"); }),
            "destination \"any:0\": the port has to be 1 to 65535; what is accepted is GROUP:PORT, "
            "as 239.192.30.1:30001 or any:30001, or SOURCE@GROUP:PORT");
}

TEST(Destination, CanNameSources) {
  const Destination one = parse_destination("10.1.1.1@232.1.1.1:30001");
  EXPECT_EQ(one, (Destination{0xe8010101, 30001, {0x0a010101}}));
  const Destination two = parse_destination("10.1.1.1+192.0.2.9@232.1.1.1:30001");
  EXPECT_EQ(two.sources, (std::vector<std::uint32_t>{0x0a010101, 0xc0000209}));
  for (const Destination& destination : {one, two, Destination{0, 1}, Destination{0xe8010101, 2}})
    EXPECT_EQ(parse_destination(destination_text(destination)), destination);
  EXPECT_EQ(destination_text(two), "10.1.1.1+192.0.2.9@232.1.1.1:30001");
}

TEST(Destination, RefusesWhatIsNoSource) {
  for (const char* text :
       {"@232.1.1.1:1", "10.1.1@232.1.1.1:1", "10.1.1.1+@232.1.1.1:1", "+10.1.1.1@232.1.1.1:1",
        "10.1.1.1,10.1.1.2@232.1.1.1:1", "host@232.1.1.1:1", "any@232.1.1.1:1",
        "0.0.0.0@232.1.1.1:1", "127.0.0.1@232.1.1.1:1", "224.0.0.1@232.1.1.1:1",
        "255.255.255.255@232.1.1.1:1", "10.1.1.1@10.1.1.2@232.1.1.1:1", "10.1.1.1@:1"}) {
    EXPECT_THROW(parse_destination(text), UsageError) << text;
  }
  EXPECT_EQ(
      refusal([] { parse_destination("239.1.1.2@232.1.1.1:1"); }),
      "source \"239.1.1.2\": it is no unicast address; what is accepted is the IPv4 address of "
      "a sender, as 10.1.1.1");
}

TEST(LineOption, IsNameAndInterface) {
  Line line = parse_line("A=vethA_dst");
  EXPECT_EQ(line.name, "A");
  EXPECT_EQ(line.interface, "vethA_dst");
  EXPECT_EQ(parse_line("B-2.x_y=eno1np0=0").interface, "eno1np0=0");
}

TEST(LineOption, RefusesWhatIsNone) {
  for (const char* text : {"", "A", "A=", "=vethA_dst", "A B=vethA_dst", "A,B=vethA_dst",
                           "sixteen-letters-=vethA_dst"}) {
    EXPECT_THROW(parse_line(text), UsageError) << text;
  }
}

TEST(ChannelOption, OneDestinationForAllLines) {
  Channel channel = parse_channel("optiq=optiq@239.192.30.1:30001");
  EXPECT_EQ(channel.name, "optiq");
  EXPECT_EQ(channel.framing, "optiq");
  EXPECT_EQ(channel.destination_on("A"), (Destination{0xefc01e01, 30001}));
  EXPECT_EQ(channel.destination_on("B"), channel.destination_on("A"));
}

TEST(ChannelOption, LinesDiffer) {
  Channel channel = parse_channel("itch=moldudp64@A=233.54.12.1:26477,B=any:26478");
  EXPECT_EQ(channel.destination_on("A"), (Destination{0xe9360c01, 26477}));
  EXPECT_EQ(channel.destination_on("B"), (Destination{0, 26478}));
  EXPECT_EQ(channel.destination_on("C").port, 0);
}

TEST(ChannelOption, FramingCanBeAPathWithASignInIt) {
  EXPECT_EQ(parse_channel("x=./a@b/own.toml@any:1").framing, "./a@b/own.toml");
}

TEST(ChannelOption, SourcesStandBeforeTheGroup) {
  EXPECT_EQ(parse_channel("x=optiq@10.1.1.1@232.1.1.1:1").destination_on("A"),
            parse_destination("10.1.1.1@232.1.1.1:1"));
  const Channel channel =
      parse_channel("x=./a@b/own.toml@A=10.1.1.1+10.1.1.2@232.1.1.1:1,B=10.2.2.2@232.1.1.2:2");
  EXPECT_EQ(channel.framing, "./a@b/own.toml");
  EXPECT_EQ(channel.destination_on("A"), parse_destination("10.1.1.1+10.1.1.2@232.1.1.1:1"));
  EXPECT_EQ(channel.destination_on("B"), parse_destination("10.2.2.2@232.1.1.2:2"));
  EXPECT_EQ(parse_channel("x=./v@1.toml@10.1.1.1@232.1.1.1:1").framing, "./v@1.toml");
  EXPECT_EQ(parse_channel("x=/a@b/own@10.1.1.1@232.1.1.1:1").framing, "/a@b/own");
}

TEST(ChannelOption, RefusesWhatIsNone) {
  for (const char* text :
       {"", "optiq", "optiq=optiq", "=optiq@any:1", "optiq=@any:1", "optiq=optiq@",
        "optiq=optiq@any", "optiq=optiq@A=any:1,", "optiq=optiq@A=any:1,any:2",
        "optiq=optiq@A=any:1,B=", "a:b=optiq@any:1"}) {
    EXPECT_THROW(parse_channel(text), UsageError) << text;
  }
}

TEST(Validate, TheDefaultsAreRight) {
  EXPECT_NO_THROW(validate(ReceiverOptions{}));
}

/// One thing about the options that cannot be, and a word that the refusal has to hold.
struct Refused {
  std::string name;
  std::string word;
  std::function<void(ReceiverOptions&)> change;
};

void PrintTo(const Refused& refused, std::ostream* stream) {
  *stream << refused.name;
}

class ValidateRefuses : public testing::TestWithParam<Refused> {};

TEST_P(ValidateRefuses, AndSaysWhy) {
  ReceiverOptions options;
  GetParam().change(options);
  std::string text = refusal([&] { validate(options); });
  EXPECT_TRUE(contains(text, GetParam().word)) << text;
}

const double kNotANumber = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Options, ValidateRefuses,
    testing::Values(
        Refused{"no_line", "0 lines", [](auto& o) { o.lines.clear(); }},
        Refused{"nine_lines", "9 lines",
                [](auto& o) {
                  o.lines.assign(9, {"A", "x"});
                }},
        Refused{"same_line_name", "\"A\" is given twice", [](auto& o) { o.lines[1].name = "A"; }},
        Refused{"line_name", "the name \"A B\"", [](auto& o) { o.lines[0].name = "A B"; }},
        Refused{"no_interface", "--line A", [](auto& o) { o.lines[0].interface.clear(); }},
        Refused{"long_interface", "1 to 15 letters",
                [](auto& o) { o.lines[0].interface = "sixteen-letters-"; }},
        Refused{"no_channel", "0 channels", [](auto& o) { o.channels.clear(); }},
        Refused{"too_many_channels", "1 to 4096",
                [](auto& o) { o.channels.resize(LB_CHANNELS_MAX + 1); }},
        Refused{"same_channel_name", "\"optiq\" is given twice",
                [](auto& o) {
                  o.channels.push_back({"optiq", "optiq", {0, 30002}, {}});
                }},
        Refused{"no_framing", "no framing", [](auto& o) { o.channels[0].framing.clear(); }},
        Refused{"unknown_line", "no line \"D\"; it can be A, B",
                [](auto& o) {
                  o.channels[0].line_destinations = {{"D", {0, 1}}};
                }},
        Refused{"line_named_twice", "two destinations",
                [](auto& o) {
                  o.channels[0].line_destinations = {{"A", {0, 1}}, {"A", {0, 2}}};
                }},
        Refused{"line_left_out", "line \"B\" has no destination",
                [](auto& o) { o.channels[0] = parse_channel("optiq=optiq@A=any:1"); }},
        Refused{"same_destination", "channel \"optiq\" on line \"A\" and channel \"two\"",
                [](auto& o) {
                  o.channels.push_back({"two", "optiq", {0, 30001}, {}});
                }},
        Refused{
            "sources_of_any",
            "--channel optiq: line \"A\": sources are chosen for a multicast group, and \"any\" "
            "is none: name the group, or leave the sources out",
            [](auto& o) { o.channels[0].destination.sources = {0x0a010101}; }},
        Refused{"sources_of_a_unicast_address", "10.0.0.5 is none: leave the sources out",
                [](auto& o) {
                  o.channels[0].destination = {0x0a000005, 1, {0x0a010101}};
                }},
        Refused{"sources_of_one_line", "line \"B\": sources are chosen",
                [](auto& o) {
                  o.channels[0].line_destinations = {{"B", {0, 1, {0x0a010101}}}};
                }},
        Refused{"a_group_as_source", "the source 239.1.1.1 is no unicast address",
                [](auto& o) {
                  o.channels[0].destination = {0xe8010101, 1, {0xef010101}};
                }},
        Refused{"same_source", "the source 10.1.1.1 is given twice",
                [](auto& o) {
                  o.channels[0].destination = {0xe8010101, 1, {0x0a010101, 0x0a010101}};
                }},
        Refused{"too_many_sources", "65 sources; there can be 64",
                [](auto& o) {
                  o.channels[0].destination = {0xe8010101, 1, {}};
                  o.channels[0].destination.sources.resize(kSourcesMax + 1, 0x0a010101);
                }},
        Refused{"too_many_sources_of_all",
                "--channel c513: with its sources there are more than 65536",
                [](auto& o) {
                  for (std::uint16_t i = 0; i < 600; ++i) {
                    Channel& channel = o.channels.emplace_back(o.channels[0]);
                    channel.name = "c" + std::to_string(i + 1);
                    channel.destination = {0xe8010101, static_cast<std::uint16_t>(i + 1), {}};
                    for (std::uint32_t source = 0; source < kSourcesMax; ++source)
                      channel.destination.sources.push_back(0x0a010101 + source);
                  }
                }},
        Refused{"same_interface", "take the same packets of interface vethA_dst",
                [](auto& o) { o.lines[1].interface = "vethA_dst"; }},
        Refused{"repair_on_no_line", "--repair: there is no line \"C\"",
                [](auto& o) { o.repair_lines = {"C"}; }},
        Refused{"repair_twice", "--repair: the line \"B\" is given twice",
                [](auto& o) {
                  o.repair_lines = {"B", "B"};
                }},
        Refused{"repair_alone", "--repair: all lines would only repair",
                [](auto& o) {
                  o.repair_lines = {"A", "B"};
                }},
        Refused{"repair_of_identifiers", "--repair: under --dedup lru there is nothing to repair",
                [](auto& o) {
                  o.repair_lines = {"B"};
                  o.dedup = Dedup::lru;
                }},
        Refused{"identifiers_in_sequence", "identifiers have no order",
                [](auto& o) {
                  o.order = Order::sequence;
                  o.dedup = Dedup::lru;
                }},
        Refused{"in_sequence_for_the_next", "without --keep-hook",
                [](auto& o) {
                  o.order = Order::sequence;
                  o.keep_hook = true;
                }},
        Refused{"frames_no_power", "--frames 100", [](auto& o) { o.frames = 100; }},
        Refused{"frames_too_few", "--frames 32", [](auto& o) { o.frames = 32; }},
        Refused{"frames_too_many", "--frames 131072", [](auto& o) { o.frames = 131'072; }},
        Refused{"no_keys", "--keys 0", [](auto& o) { o.keys = 0; }},
        Refused{"keys_too_many", "--keys 4096", [](auto& o) { o.keys = 4096; }},
        Refused{"no_keys_of_a_channel", "keys 0: it has to be 1 to 4095",
                [](auto& o) { o.channels[0].keys = 0; }},
        Refused{"silence_too_short", "--silence 0.05: it has to be 0.1 to 86400 seconds",
                [](auto& o) { o.silence_seconds = 0.05; }},
        Refused{"silence_none", "--silence nan", [](auto& o) { o.silence_seconds = kNotANumber; }},
        Refused{"silence_of_a_channel_too_long", "silence 86401: it has to be 0.1 to 86400 seconds",
                [](auto& o) { o.channels[0].silence_seconds = 86'401; }},
        Refused{"bad_hours", "hours \"always\": it has no end",
                [](auto& o) { o.channels[0].hours = "always"; }},
        Refused{"no_threads", "--threads 0: it has to be 1 to 8", [](auto& o) { o.threads = 0; }},
        Refused{"too_many_threads", "--threads 9: it has to be 1 to 8",
                [](auto& o) { o.threads = 9; }},
        Refused{"fewer_cpus_than_threads",
                "--cpu: 1 CPUs for 2 data threads (--threads); name one for each, as --cpu 2,3",
                [](auto& o) {
                  o.threads = 2;
                  o.cpus = {0};
                }},
        Refused{"more_cpus_than_threads", "--cpu: 2 CPUs for 1 data threads",
                [](auto& o) {
                  o.cpus = {0, 1};
                }},
        Refused{"one_cpu_twice", "--cpu: 3 is there twice; each data thread wants a CPU of its own",
                [](auto& o) {
                  o.threads = 2;
                  o.cpus = {3, 3};
                }},
        Refused{"threads_for_identifiers",
                "--threads 2: under --dedup lru there is one channel, and one thread for it",
                [](auto& o) {
                  o.threads = 2;
                  o.dedup = Dedup::lru;
                }},
        Refused{"no_such_thread",
                "--channel optiq: thread 2: data threads are 0 to 1 (--threads 2)",
                [](auto& o) {
                  o.threads = 2;
                  o.channels[0].thread = 2;
                }},
        Refused{"no_packets", "--packets 0", [](auto& o) { o.packets = 0; }},
        Refused{"idle_exit_zero", "--idle-exit 0", [](auto& o) { o.idle_exit_seconds = 0; }},
        Refused{"idle_exit_none", "--idle-exit nan",
                [](auto& o) { o.idle_exit_seconds = kNotANumber; }}),
    [](const auto& tested) { return tested.param.name; });

TEST(Validate, TwoLinesOnOneInterfaceNeedDestinationsThatDiffer) {
  ReceiverOptions options;
  options.lines[1].interface = options.lines[0].interface;
  options.channels[0] = parse_channel("optiq=optiq@A=239.1.1.1:1,B=239.1.1.2:1");
  EXPECT_NO_THROW(validate(options));
}

TEST(Validate, AChannelNeedsNoDestinationOnALineThatOnlyRepairs) {
  ReceiverOptions options;
  options.channels = {parse_channel("one=optiq@A=239.1.1.1:1"),
                      parse_channel("two=optiq@A=239.1.1.1:2")};
  EXPECT_THROW(validate(options), UsageError);
  options.repair_lines = {"B"};
  EXPECT_NO_THROW(validate(options));
  EXPECT_TRUE(options.only_repairs("B"));
  EXPECT_FALSE(options.only_repairs("A"));
}

TEST(Validate, OneDestinationOnDifferentInterfacesIsTheUsualCase) {
  ReceiverOptions options;
  options.channels = {parse_channel("one=optiq@239.1.1.1:1"), parse_channel("two=optiq@any:1")};
  EXPECT_NO_THROW(validate(options));
}

}  // namespace
}  // namespace linearb
