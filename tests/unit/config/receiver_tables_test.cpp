// SPDX-License-Identifier: Apache-2.0
#include "config/receiver_tables.h"

#include <ostream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/check.h"
#include "core/layout.h"
#include "support/error_text.h"

namespace linearb::config {
namespace {

/// What the tables of a text make of the standard options, and where each stands.
struct Tables {
  explicit Tables(const std::string& toml, const std::string& path = "site.toml") {
    toml::table file = parse_toml(toml, path);
    ReceiverTables tables(path, file);
    tables.read_lines(options, places);
    tables.read_channels(options, places);
  }
  ReceiverOptions options;
  Places places;
};

/// What is said about a text, by the tables themselves or by what is checked behind them.
std::string refusal(const std::string& toml) {
  return test::error_text([&] {
    Tables tables(toml);
    check(tables.options, tables.places);
  });
}

std::string names(const ReceiverOptions& options) {
  std::string all;
  for (const Line& line : options.lines) all += line.name + "=" + line.interface + " ";
  for (const Channel& channel : options.channels) all += channel.name + "=" + channel.framing + " ";
  return all;
}

TEST(ReceiverTables, LinesAndChannelsInTheOrderOfTheFile) {
  Tables tables(R"(
[lines]
Z = "eno1"
A = "eno2"
[channels.second]
framing = "optiq"
destination = "any:2"
[channels.first]
framing = "moldudp64"
Z = "233.252.0.1:26477"
A = "233.252.0.2:26477")");
  EXPECT_EQ(names(tables.options), "Z=eno1 A=eno2 second=optiq first=moldudp64 ");
  const Channel& second = tables.options.channels[0];
  EXPECT_EQ(second.destination_on("A"), (Destination{0, 2}));
  const Channel& first = tables.options.channels[1];
  EXPECT_EQ(first.destination_on("A"), parse_destination("233.252.0.2:26477"));
  EXPECT_EQ(first.destination_on("Z"), parse_destination("233.252.0.1:26477"));
  check(tables.options, tables.places);
}

TEST(ReceiverTables, InlineAndDottedKeysAreTheSameTables) {
  Tables tables(
      "lines = {B = \"eno1\", A = \"eno2\"}\n"
      "channels.y = {framing = \"optiq\", destination = \"any:1\"}\n"
      "channels.x.framing = \"optiq\"\n"
      "channels.x.destination = \"any:2\"\n");
  EXPECT_EQ(names(tables.options), "B=eno1 A=eno2 y=optiq x=optiq ");
}

TEST(ReceiverTables, ALineCanDifferFromTheDestinationOfTheOthers) {
  Tables tables(
      "[channels.x]\nframing = \"optiq\"\ndestination = \"any:1\"\nB = \"239.1.1.1:2\"\n");
  EXPECT_EQ(tables.options.channels[0].destination_on("A"), (Destination{0, 1}));
  EXPECT_EQ(tables.options.channels[0].destination_on("B"), parse_destination("239.1.1.1:2"));
}

TEST(ReceiverTables, SourcesAreOfEveryDestinationThatNamesNone) {
  const std::string channel = "[channels.x]\nframing = \"optiq\"\n";
  struct Row {
    const char* text;
    const char* on_a;
    const char* on_b;
  };
  for (const Row& row :
       {Row{"destination = \"232.1.1.1:1\"\nsources = [\"10.1.1.1\", \"10.1.1.2\"]\n",
            "10.1.1.1+10.1.1.2@232.1.1.1:1", "10.1.1.1+10.1.1.2@232.1.1.1:1"},
        Row{"sources = \"10.1.1.1\"\nA = \"232.1.1.1:1\"\nB = \"232.1.1.2:1\"\n",
            "10.1.1.1@232.1.1.1:1", "10.1.1.1@232.1.1.2:1"},
        Row{"sources = \"10.1.1.1\"\ndestination = \"232.1.1.1:1\"\nB = \"10.2.2.2@232.1.1.2:1\"\n",
            "10.1.1.1@232.1.1.1:1", "10.2.2.2@232.1.1.2:1"},
        Row{"A = \"10.1.1.1@232.1.1.1:1\"\nB = \"232.1.1.2:1\"\n", "10.1.1.1@232.1.1.1:1",
            "232.1.1.2:1"}}) {
    const Tables tables(channel + row.text);
    const Channel& read = tables.options.channels[0];
    EXPECT_EQ(destination_text(read.destination_on("A")), row.on_a) << row.text;
    EXPECT_EQ(destination_text(read.destination_on("B")), row.on_b) << row.text;
    check(tables.options, tables.places);
  }
}

TEST(ReceiverTables, WithoutTablesNothingChanges) {
  EXPECT_EQ(names(Tables("wait = \"spin\"\n").options), names(ReceiverOptions{}));
}

TEST(ReceiverTables, AFramingsPathBeginsWhereTheFileStands) {
  struct Row {
    const char* file;
    const char* framing;
    const char* meant;
  };
  for (const Row& row :
       {Row{"/etc/linearb/site.toml", "own.toml", "/etc/linearb/own.toml"},
        Row{"/etc/linearb/site.toml", "../x/own", "/etc/linearb/../x/own"},
        Row{"/etc/linearb/site.toml", "/opt/own.toml", "/opt/own.toml"},
        Row{"/etc/linearb/site.toml", "optiq", "optiq"}, Row{"site.toml", "own.toml", "own.toml"},
        Row{"sub/site.toml", "own.toml", "sub/own.toml"}}) {
    Tables tables(
        fmt::format("channels.x = {{framing = \"{}\", destination = \"any:1\"}}", row.framing),
        row.file);
    EXPECT_EQ(tables.options.channels[0].framing, row.meant) << row.file << " " << row.framing;
  }
}

/// Lines under "site.toml" and what is said about them.
struct Refused {
  const char* name;
  const char* toml;
  const char* said;
};

void PrintTo(const Refused& refused, std::ostream* stream) {
  *stream << refused.name;
}

class ReceiverTablesRefuse : public testing::TestWithParam<Refused> {};

TEST_P(ReceiverTablesRefuse, AndNameThePlace) {
  EXPECT_EQ(refusal(GetParam().toml), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    Files, ReceiverTablesRefuse,
    testing::Values(
        Refused{"line_twice", "line = [\"A=x\"]\n[lines]\nA = \"x\"\n",
                "site.toml:2:1: lines is said already at site.toml:1:8, by the key line: keep one "
                "of them"},
        Refused{"channel_twice", "channel = [\"x=optiq@any:1\"]\n[channels.x]\n",
                "site.toml:2:1: channels is said already at site.toml:1:11, by the key channel: "
                "keep one of them"},
        Refused{"lines_no_table", "lines = [\"A=x\"]\n", "site.toml:1:9: lines has to be a table"},
        Refused{"channels_array", "[[channels]]\n", "site.toml:1:1: channels has to be a table"},
        Refused{"channel_no_table", "[channels]\nx = \"optiq\"\n",
                "site.toml:2:5: [channels] x has to be a table"},
        Refused{"interface_number", "[lines]\nA = 1\n",
                "site.toml:2:5: [lines] A has to be a text in quotation marks"},
        Refused{"line_named_as_a_key", "[lines]\nframing = \"eno1\"\n",
                "site.toml:2:11: [lines] framing cannot be the name of a line: it is a key of a "
                "channel's table"},
        Refused{"no_lines", "[lines]\n", "site.toml:1:1: --line: 0 lines; there can be 1 to 8"},
        Refused{"nine_lines",
                "[lines]\nA=\"a\"\nB=\"b\"\nC=\"c\"\nD=\"d\"\nE=\"e\"\nF=\"f\"\nG=\"g\"\nH=\"h\"\n"
                "I=\"i\"\n",
                "site.toml:10:3: --line: 9 lines; there can be 1 to 8"},
        Refused{"line_name", "[lines]\n\"A B\" = \"eno1\"\n",
                "site.toml:2:9: --line: the name \"A B\" is not 1 to 15 letters, digits, \"-\", "
                "\"_\" or \".\""},
        Refused{"long_interface", "[lines]\nA = \"sixteen-letters-\"\n",
                "site.toml:2:5: --line A: the interface \"sixteen-letters-\" has not 1 to 15 "
                "letters"},
        Refused{"no_channels", "[channels]\n",
                "site.toml:1:1: --channel: 0 channels; there can be 1 to 4096"},
        Refused{"channel_name",
                "[channels.\"a:b\"]\nframing = \"optiq\"\ndestination = \"any:1\"\n",
                "site.toml:1:1: --channel: the name \"a:b\" is not 1 to 15 letters, digits, \"-\", "
                "\"_\" or \".\""},
        Refused{"unknown_key", "[channels.x]\nframing = \"optiq\"\n  destinatoin = \"any:1\"\n",
                "site.toml:3:3: [channels.x] has no key \"destinatoin\"; did you mean "
                "\"destination\"?"},
        Refused{"unknown_line", "[channels.x]\nframing = \"optiq\"\nC = \"any:1\"\n",
                "site.toml:3:1: [channels.x] has no key \"C\"; it can be framing, destination, "
                "sources, checksum, keys, active_passive, hours, silence, thread, A, B"},
        Refused{"misspelt_framing", "[channels.x]\nframming = \"optiq\"\ndestination = \"any:1\"\n",
                "site.toml:2:1: [channels.x] has no key \"framming\"; did you mean \"framing\"?"},
        Refused{"no_framing_key", "[channels.x]\ndestination = \"any:1\"\n",
                "site.toml:1:1: [channels.x] has no \"framing\""},
        Refused{"empty_framing", "[channels.x]\nframing = \"\"\ndestination = \"any:1\"\n",
                "site.toml:2:11: --channel x: it names no framing"},
        Refused{"unknown_framing", "[channels.x]\nframing = \"optik\"\ndestination = \"any:1\"\n",
                "site.toml:2:11: no framing \"optik\" is built in; did you mean \"optiq\"?; a "
                "file of your own is named by its path: ./optik.toml"},
        Refused{"missing_framing_file",
                "[channels.x]\nframing = \"nowhere.toml\"\ndestination = \"any:1\"\n",
                "site.toml:2:11: read nowhere.toml: No such file or directory"},
        Refused{"destination_number", "[channels.x]\nframing = \"optiq\"\ndestination = 30001\n",
                "site.toml:3:15: [channels.x] destination has to be a text in quotation marks"},
        Refused{"bad_destination", "[channels.x]\nframing = \"optiq\"\ndestination = \"any:0\"\n",
                "site.toml:3:15: destination \"any:0\": the port has to be 1 to 65535; what is "
                "accepted is GROUP:PORT, as 239.192.30.1:30001 or any:30001, or SOURCE@GROUP:PORT"},
        Refused{"line_left_out", "[channels.x]\nframing = \"optiq\"\nA = \"any:1\"\n",
                "site.toml:1:1: --channel x: line \"B\" has no destination; name it as "
                "B=GROUP:PORT"},
        Refused{"same_packets",
                "[channels.x]\nframing = \"optiq\"\ndestination = \"any:1\"\n"
                "[channels.y]\nframing = \"optiq\"\nA = \"any:2\"\nB = \"any:1\"\n",
                "site.toml:7:5: --channel: channel \"x\" on line \"B\" and channel \"y\" on line "
                "\"B\" take the same packets of interface vethB_dst"},
        Refused{"same_packets_by_destination",
                "[channels.x]\nframing = \"optiq\"\ndestination = \"any:1\"\n"
                "[channels.y]\nframing = \"optiq\"\ndestination = \"any:1\"\n",
                "site.toml:6:15: --channel: channel \"x\" on line \"A\" and channel \"y\" on line "
                "\"A\" take the same packets of interface vethA_dst"}),
    [](const auto& tested) { return tested.param.name; });

std::string channel_tables(unsigned count, const std::string& framing) {
  std::string toml;
  for (unsigned i = 0; i < count; i++)
    toml += fmt::format("[channels.c{}]\nframing = \"{}\"\ndestination = \"any:{}\"\n", i, framing,
                        i + 1);
  return toml;
}

TEST(ReceiverTables, AsManyChannelsAsThereCanBe) {
  EXPECT_EQ(refusal(channel_tables(LB_CHANNELS_MAX, "optiq")), "no error");
  EXPECT_EQ(refusal(channel_tables(LB_CHANNELS_MAX + 1, "optiq")),
            "site.toml:12289:1: --channel: 4097 channels; there can be 1 to 4096");
}

TEST(Check, IdentifiersWithoutOrderNeedAFramingWithoutCounts) {
  Tables tables("[channels.x]\nframing = \"moldudp64\"\ndestination = \"any:1\"\n");
  tables.options.dedup = Dedup::lru;
  EXPECT_EQ(test::error_text([&] { check(tables.options, tables.places); }),
            "site.toml:2:11: channel x: --dedup lru is for framings with one identifier in a "
            "packet; moldudp64 counts messages");
}

TEST(Check, IdentifiersWithoutOrderHaveNoStreams) {
  Tables tables("[channels.x]\nframing = \"b3-umdf\"\ndestination = \"any:1\"\n");
  tables.options.dedup = Dedup::lru;
  EXPECT_EQ(test::error_text([&] { check(tables.options, tables.places); }),
            "site.toml:2:11: channel x: --dedup lru remembers identifiers without their stream; "
            "b3-umdf has several on one destination");
}

TEST(Check, ChannelsAndStreamsTogetherAreAsManyAsTheHookHasWindows) {
  Tables tables(channel_tables(2, "cboe-pitch") + "keys = 4000\n");
  tables.options.keys = 94;
  check(tables.options, tables.places);
  tables.options.keys = 95;
  EXPECT_EQ(test::error_text([&] { check(tables.options, tables.places); }),
            "site.toml:4:1: channel c1: with their keys that is more than 4096 channels; allow "
            "fewer keys (--keys, or keys in a channel's table)");
}

TEST(ReceiverTables, AChannelSaysHowManyKeysItMayHave) {
  const Tables tables(channel_tables(1, "cboe-pitch") + "keys = 35\n");
  EXPECT_EQ(tables.options.channels[0].keys, 35u);
  EXPECT_EQ(Tables(channel_tables(1, "cboe-pitch")).options.channels[0].keys, std::nullopt);
  EXPECT_THAT(refusal(channel_tables(1, "cboe-pitch") + "keys = 0\n"),
              testing::HasSubstr("site.toml:4:8: "));
}

TEST(ReceiverTables, AChannelSaysWhoseItIs) {
  const std::string table = channel_tables(1, "optiq");
  EXPECT_EQ(Tables(table + "thread = 3\n").options.channels[0].thread, 3u);
  EXPECT_EQ(Tables(table).options.channels[0].thread, std::nullopt);
  EXPECT_THAT(refusal(table + "thread = 8\n"), testing::StartsWith("site.toml:4:10: "));
  EXPECT_THAT(
      refusal(table + "thread = 1\n"),
      testing::StartsWith("site.toml:4:10: --channel c0: thread 1: data threads are 0 to 0"));
}

TEST(ReceiverTables, AChannelSaysWhenItsLinesAreSilent) {
  const std::string table = channel_tables(1, "optiq");
  const Tables tables(table +
                      "active_passive = true\nhours = \"Mon-Fri 08:00-17:30\"\nsilence = 2.5\n");
  EXPECT_TRUE(tables.options.channels[0].active_passive);
  EXPECT_EQ(tables.options.channels[0].hours, "Mon-Fri 08:00-17:30");
  EXPECT_EQ(tables.options.channels[0].silence_seconds, 2.5);
  check(tables.options, tables.places);
  EXPECT_EQ(Tables(table + "silence = 3\n").options.channels[0].silence_seconds, 3);
  const Tables silent(table);
  EXPECT_FALSE(silent.options.channels[0].active_passive);
  EXPECT_EQ(silent.options.channels[0].hours, "");
  EXPECT_EQ(silent.options.channels[0].silence_seconds, std::nullopt);
}

TEST(ReceiverTables, WhatIsWrongOfItIsRefusedWithItsPlace) {
  const std::string table = channel_tables(1, "optiq");
  EXPECT_THAT(refusal(table + "active_passive = 1\n"), testing::HasSubstr("site.toml:4:18: "));
  EXPECT_THAT(refusal(table + "silence = \"2\"\n"),
              testing::HasSubstr("silence has to be a number"));
  EXPECT_THAT(refusal(table + "silence = 0.01\n"),
              testing::StartsWith("site.toml:4:11: --channel c0: silence 0.01: it has to be 0.1 to "
                                  "86400 seconds"));
  EXPECT_THAT(refusal(table + "silence = nan\n"),
              testing::HasSubstr("silence nan: it has to be 0.1 to 86400 seconds"));
  EXPECT_THAT(
      refusal(table + "hours = \"8-17\"\n"),
      testing::StartsWith("site.toml:4:9: --channel c0: hours \"8-17\": \"8\" is no time of "
                          "a day; they are written as \"08:00-17:30\""));
}

TEST(Check, NamesNoPlaceForWhatIsInNoFile) {
  ReceiverOptions options;
  options.frames = 100;
  EXPECT_EQ(test::error_text([&] { check(options, {}); }),
            "--frames 100: it has to be a power of two from 64 to 65536");
}

TEST(Check, LoadsAFramingOnceForEachChannel) {
  Tables tables(channel_tables(3, "optiq"));
  std::vector<Framing> framings = load_framings(tables.options);
  ASSERT_EQ(framings.size(), 3u);
  EXPECT_EQ(framings[2].name, "optiq");
}

/// Each path is a framing of its own, whatever stands in the file.
TEST(Check, AsManyFramingsAsTheHookTakes) {
  ReceiverOptions options;
  std::string path = LINEARB_SOURCE_DIR "/framings/optiq.toml";
  for (std::uint16_t i = 0; i < LB_FRAMINGS_MAX; i++) {
    std::uint16_t port = static_cast<std::uint16_t>(i + 1);
    options.channels.push_back({fmt::format("c{}", i), path, {0, port}, {}});
    path.insert(path.rfind('/'), "/.");
  }
  EXPECT_EQ(test::error_text([&] { load_framings(options); }),
            fmt::format("channel c63: {} is one framing too many; there can be 64",
                        options.channels.back().framing));
  options.channels.pop_back();
  EXPECT_EQ(load_framings(options).size(), 64u);
}

TEST(Places, TheNearestThatIsKnown) {
  Places places;
  places.set({"channel", {}, ""}, "1:1");
  places.set({"channel", 2, ""}, "2:2");
  places.set({"channel", 2, "A"}, "3:3");
  EXPECT_EQ(places.find({"channel", 2, "A"}), "3:3");
  EXPECT_EQ(places.find({"channel", 2, "B"}), "2:2");
  EXPECT_EQ(places.find({"channel", 3, "A"}), "1:1");
  EXPECT_EQ(places.find({"line", 2, ""}), std::nullopt);
}

}  // namespace
}  // namespace linearb::config
