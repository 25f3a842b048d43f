// SPDX-License-Identifier: Apache-2.0
#include "merge/merge.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "capture/reader.h"
#include "support/error_text.h"
#include "unit/merge/merging.h"

namespace linearb::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kYear = 365ull * 24 * 3600 * 1'000'000'000;

// ---- order ---------------------------------------------------------------------------------

TEST_F(Merging, TakesRecordsByTime) {
  const Merged merged = merge_all(
      {write_line("a", {{at(1), 1}, {at(4), 4}}), write_line("b", {{at(2), 2}, {at(3), 3}})});
  EXPECT_THAT(merged.deliveries, ElementsAre("A1", "B2", "B3", "A4"));
  EXPECT_EQ(merged.summary.seconds, 0.003);
  EXPECT_EQ(merged.summary.gap_messages, 0u);
}

TEST_F(Merging, TellsWhatHappensByTheTimeOfTheCapture) {
  std::vector<Datagram> a, b;
  for (std::uint64_t i = 1; i <= 5000; ++i) {
    if (i < 1000 || i >= 1003) a.push_back({kBeginNs + i * 1'000'000, i});
    if ((i < 1000 || i >= 1002) && (i < 2000 || i >= 4000))
      b.push_back({kBeginNs + i * 1'000'000 + 500, i});
  }
  const Merged merged = merge_all({write_line("a", a), write_line("b", b)});
  EXPECT_EQ(merged.complaints, std::vector<std::string>{});
  std::vector<std::string> told;
  for (const Event& event : merged.events)
    told.push_back(
        fmt::format("{} {}", event.time_ns / 10'000'000 - kBeginNs / 10'000'000, event.text));
  EXPECT_THAT(
      told, ElementsAre(
                "0 channel itch: epoch 1 begins with message 1",
                testing::MatchesRegex("10[0-3] channel itch: line A is degraded: .*"),
                testing::MatchesRegex("10[0-3] channel itch: line B is degraded: .*"),
                testing::MatchesRegex("10[0-3] channel itch: no line brought messages 1000 to "
                                      "1001 \\(epoch 1\\)"),
                testing::MatchesRegex("30[0-3] channel itch: line B is silent: it brings nothing"),
                testing::MatchesRegex("40[0-3] channel itch: line B is back"),
                testing::MatchesRegex("40[0-3] channel itch: line B is degraded: .*")));
}

/// Line B has a byte of message 4 wrong, and packs in twos.
TEST_F(Merging, CopiesThatDifferAreCountedAndTold) {
  const std::string a = write_line("a", {{at(1), 1, 2}, {at(3), 3, 2}, {at(5), 5, 2}});
  const std::string b = path("b");
  capture::Writer writer(b);
  for (const Datagram& datagram :
       std::vector<Datagram>{{at(1) + 1, 1, 1}, {at(3) + 1, 2, 3}, {at(5) + 1, 5, 2}}) {
    auto frame = frame_of(datagram);
    if (datagram.first == 2) frame.back() ^= 1;
    writer.write(datagram.time_ns, frame);
  }
  writer.close();
  const Merged merged = merge_all({a, b});
  EXPECT_EQ(merged.summary.messages, 6u);
  EXPECT_EQ(merged.summary.lines[0].divergent, 0u);
  EXPECT_EQ(merged.summary.lines[1].divergent, 1u);
  const auto told = std::ranges::find(merged.events, Event::Kind::divergent, &Event::kind);
  ASSERT_NE(told, merged.events.end());
  EXPECT_EQ(told->text, "channel itch: line B brought other bytes under message 4 (epoch 1)");
  EXPECT_EQ(told->first, 4u);
  EXPECT_EQ(told->count, 1u);
}

TEST_F(Merging, OfEqualTimesTheFirstLineWins) {
  const std::vector<Datagram> datagrams{{at(1), 1}, {at(1), 2}, {at(2), 3}};
  const Merged merged = merge_all({write_line("a", datagrams), write_line("b", datagrams)});
  EXPECT_THAT(merged.deliveries, ElementsAre("A1", "A2", "A3"));
  EXPECT_EQ(merged.summary.lines[0].won, 3u);
  EXPECT_EQ(merged.summary.lines[1].duplicate, 3u);
}

TEST_F(Merging, ALinesOrderIsKeptWhereItsTimesGoBack) {
  const Merged merged = merge_all({write_line("a", {{at(10), 1}, {at(5), 2}, {at(11), 3}}),
                                   write_line("b", {{at(6), 7}, {at(12), 4}})});
  EXPECT_THAT(merged.deliveries, ElementsAre("B7", "A1", "A2", "A3", "B4"));
  EXPECT_TRUE(merged.summary.balanced);
  EXPECT_EQ(merged.summary.gap_messages, 2u);
}

TEST_F(Merging, ALineWhoseClockIsSetBackGoesOn) {
  std::vector<Datagram> datagrams;
  for (std::uint64_t i = 1; i <= 200; i++)
    datagrams.push_back({i == 50 ? kBeginNs + kYear : at(i), i});
  const Merged merged = merge_all({write_line("a", datagrams)});
  EXPECT_EQ(merged.summary.packets, 200u);
  EXPECT_EQ(merged.summary.lines[0].won, 200u);
  EXPECT_TRUE(merged.summary.balanced);
}

TEST_F(Merging, YearsWithoutAPacketTakeNoTime) {
  const std::string a =
      write_line("a", {{0, 1}, {kYear, 2}, {100 * kYear, 3}, {100 * kYear + 1, 900'000'000}});
  const Merged merged = merge_all({a});
  EXPECT_EQ(merged.summary.packets, 4u);
  EXPECT_TRUE(merged.summary.balanced);
}

/// A number from long ago may be a repeat, or the begin of a restart that nothing confirms: in
/// doubt it is delivered when the hold time is over, which is before what comes a minute later.
TEST_F(Merging, WhatIsHeldIsDecidedByTheTimeOfTheCapture) {
  std::vector<Datagram> datagrams;
  for (std::uint64_t i = 1; i <= 20; i++) datagrams.push_back({at(i), i});
  datagrams.push_back({at(1'000), 3});
  const std::string a = write_line("a", datagrams);
  const std::string soon = write_line("soon", {{at(1'990), 21}});
  EXPECT_EQ(merge_all({a, soon}).deliveries[20], "B21") << "A3 is still held";
  const std::string late = write_line("late", {{at(60'000), 21}});
  const Merged merged = merge_all({a, late});
  EXPECT_EQ(merged.deliveries[20], "A3");
  EXPECT_EQ(merged.deliveries[21], "B21");
  EXPECT_EQ(merged.summary.lines[0].accounted(), 21u);
  EXPECT_TRUE(merged.summary.balanced);
}

TEST_F(Merging, WhatIsHeldKeepsItsBytes) {
  capture::Writer writer(path("a"));
  for (std::uint64_t i = 1; i <= 20; i++) writer.write(at(i), frame_of({0, i}));
  writer.write(at(1'000), frame_of({0, 3}));
  writer.write(at(1'001), udp_packet().to("239.192.30.1", 9).payload(Bytes(64, 0xee)).build());
  writer.close();
  const Merged merged = merge_all({path("a"), write_line("b", {{at(60'000), 21}})});
  EXPECT_EQ(merged.deliveries[20], "A3");
  EXPECT_THAT(merged.complaints, ElementsAre("3 was delivered twice"));
}

/// More channels in doubt than packets may be held: the oldest are decided, and none is lost.
TEST_F(Merging, ManyChannelsMayBeInDoubtAtOnce) {
  constexpr std::uint64_t kChannels = 100;
  const std::string group = "239.192.30.1";
  capture::Writer writer(path("a"));
  for (std::uint64_t ms = 1; ms <= 21; ms++) {
    for (std::uint64_t i = 0; i < kChannels; i++) {
      const auto port = static_cast<std::uint16_t>(5'000 + i);
      const Bytes payload = payload_of(Datagram{.time_ns = 0, .first = ms == 21 ? 3 : ms});
      writer.write(at(ms == 21 ? 1'000 : ms),
                   udp_packet().to(group, port).payload(payload).build());
    }
  }
  writer.close();
  merge::MergeOptions options = options_for({path("a")});
  options.receiver.channels.clear();
  for (std::uint64_t i = 0; i < kChannels; i++)
    options.receiver.channels.push_back(
        {std::to_string(i), "moldudp64", {0, static_cast<std::uint16_t>(5'000 + i)}, {}});
  options.receiver.write_path = path("merged.pcap");
  merge::Merge merge(options);
  const Summary summary = merge.run();
  EXPECT_TRUE(summary.balanced) << testing::PrintToString(summary.imbalances);
  EXPECT_EQ(summary.lines[0].won, 21 * kChannels);
  EXPECT_EQ(summary.written, 21 * kChannels);
}

TEST_F(Merging, ARestartOfTheNumbersIsAnEpoch) {
  std::vector<Datagram> datagrams;
  for (std::uint64_t i = 1; i <= 100; i++) datagrams.push_back({at(i), i});
  std::vector<Datagram> later = datagrams;
  for (Datagram& datagram : later) datagram.time_ns += 2'000 * kMs;
  datagrams.insert(datagrams.end(), later.begin(), later.end());
  merge::MergeOptions options =
      options_for({write_line("a", datagrams), write_line("b", datagrams)});
  merge::Merge merge(options);
  const Summary summary = merge.run();
  EXPECT_EQ(summary.messages, 200u);
  EXPECT_EQ(summary.channels[0].epoch, 2u);
  EXPECT_EQ(summary.lines[1].duplicate, 200u);
  EXPECT_TRUE(summary.balanced);
}

// ---- clocks --------------------------------------------------------------------------------

TEST_F(Merging, AnOffsetDecidesWhoWins) {
  const std::vector<Datagram> datagrams{{at(1), 1}, {at(2), 15, 4}};
  for (const std::int64_t offset_ns : {-5, 5}) {
    merge::MergeOptions options =
        options_for({write_line("a", datagrams), write_line("b", datagrams)});
    options.captures[1].offset_ns = offset_ns;
    options.receiver.write_path = path("merged.pcap");
    const Summary summary = merge(options).summary;
    const bool b_is_first = offset_ns < 0;
    EXPECT_EQ(summary.lines[b_is_first ? 1 : 0].won, 2u);
    const SkewSummary& skew = summary.lines[b_is_first ? 0 : 1].skew_ns;
    EXPECT_EQ(skew.count, 1u) << "number 16 is sampled";
    EXPECT_EQ(skew.max, 5u);
    EXPECT_EQ(summary.lines[b_is_first ? 1 : 0].skew_ns.count, 0u);
    capture::Reader written(path("merged.pcap"));
    EXPECT_EQ(written.next()->timestamp_ns, at(1) - (b_is_first ? 5u : 0u));
  }
}

TEST_F(Merging, WhatALineRepeatsIsNotBehindItself) {
  const std::string a = write_line("a", {{at(1), 16}, {at(2), 16}, {at(3), 16}});
  const LineSummary line = merge_all({a}).summary.lines[0];
  EXPECT_EQ(line.duplicate, 2u);
  EXPECT_EQ(line.skew_ns.count, 0u);
}

// ---- fates ---------------------------------------------------------------------------------

struct Fate {
  const char* name;
  Bytes frame;
  std::uint64_t LineSummary::*counter;
};

Bytes control(std::uint32_t count) {
  Bytes payload = payload_of({0, 1, 1});
  payload.resize(20);
  store_u16(payload, 18, count);
  return udp_packet().payload(payload).build();
}

PacketBuilder packet() {
  return udp_packet().payload(payload_of(Datagram{.time_ns = 0, .first = 1, .count = 2}));
}

const Fate kFates[] = {
    {"won", packet().build(), &LineSummary::won},
    {"padded", packet().padding(9).build(), &LineSummary::won},
    {"heartbeat", control(0), &LineSummary::control},
    {"end of session", control(0xffff), &LineSummary::control},
    {"ARP", packet().ethertype(0x0806).build(), &LineSummary::not_feed},
    {"TCP", packet().protocol(6).build(), &LineSummary::not_feed},
    {"first fragment", packet().fragment(0x2000).build(), &LineSummary::not_feed},
    {"last fragment", packet().fragment(0x0010).build(), &LineSummary::not_feed},
    {"other port", packet().to("239.192.30.1", 30002).build(), &LineSummary::not_feed},
    {"nothing", {}, &LineSummary::not_feed},
    {"UDP length too long", packet().wrong_udp_length(900).build(), &LineSummary::malformed},
    {"UDP length too short", packet().wrong_udp_length(7).build(), &LineSummary::malformed},
    {"IP length too short", packet().wrong_ip_length(30).build(), &LineSummary::malformed},
    {"header cut", udp_packet().payload(Bytes(19)).build(), &LineSummary::malformed},
    {"count too large", packet().wrong_payload_byte(19, 200).build(), &LineSummary::malformed},
    {"wrong checksum", packet().wrong_udp_checksum().build(), &LineSummary::won},
};

TEST_F(Merging, EachPacketIsInOneCounter) {
  for (const Fate& fate : kFates) {
    SCOPED_TRACE(fate.name);
    capture::Writer writer(path("a"));
    writer.write(at(1), fate.frame);
    writer.close();
    const Summary summary = merge_all({path("a")}).summary;
    EXPECT_EQ(summary.lines[0].packets, 1u);
    EXPECT_EQ(summary.lines[0].*fate.counter, 1u);
    EXPECT_EQ(summary.lines[0].accounted(), 1u);
    EXPECT_TRUE(summary.balanced);
  }
}

TEST_F(Merging, CountersOfTheSequencerMoveToo) {
  const Merged merged = merge_all({write_line("a", {{at(1), 1, 2}, {at(2), 5}}),
                                   write_line("b", {{at(3), 1, 3}, {at(4), 2, 2}})});
  EXPECT_THAT(merged.deliveries, ElementsAre("A1+2", "A5", "B3"));
  EXPECT_EQ(merged.summary.lines[1].overlap, 1u);
  EXPECT_EQ(merged.summary.lines[1].duplicate, 1u);
  ASSERT_EQ(merged.summary.gaps->size(), 1u);
  EXPECT_EQ(merged.summary.gaps->front().channel, "itch");
  EXPECT_EQ(merged.summary.gaps->front().first, 4u);
  EXPECT_EQ(merged.summary.lines[0].lost_messages, 2u);
  EXPECT_EQ(merged.summary.lines[0].mode, "");
  EXPECT_EQ(merged.summary.lines[0].bind, "");
}

TEST_F(Merging, AWrongChecksumIsMalformedWhereItIsVerified) {
  capture::Writer writer(path("a"));
  writer.write(at(1), packet().wrong_udp_checksum().build());
  writer.write(at(2), packet().without_udp_checksum().build());
  writer.write(at(3), udp_packet().payload(payload_of({0, 3, 400})).build());
  writer.close();
  merge::MergeOptions options = options_for({path("a")});
  options.receiver.checksum = Checksum::verify;
  Summary summary = merge(options).summary;
  EXPECT_EQ(summary.lines[0].malformed, 2u) << "the wrong one, and one of more than 4 KiB";
  EXPECT_EQ(summary.lines[0].won, 1u) << "RFC 768: 0 is no checksum";
  options.receiver.channels[0].checksum = Checksum::ignore;
  EXPECT_EQ(merge(options).summary.lines[0].malformed, 0u) << "the channel says otherwise";
}

TEST_F(Merging, WhatTheCaptureHasCutIsMalformedAndSaidOnce) {
  capture::Writer writer(path("a"));
  const Bytes whole = packet().padding(6).build();
  const auto first = [&](std::size_t bytes) { return std::span(whole).first(bytes); };
  const auto length = static_cast<std::uint32_t>(whole.size());
  writer.write(at(1), first(whole.size() - 6), length);  // padding is no loss
  writer.write(at(2), first(whole.size() - 7), length);
  writer.write(at(3), first(60), length);
  writer.write(at(4), first(40), length);  // who knows to which port
  writer.close();
  const Merged merged = merge_all({path("a")});
  EXPECT_EQ(merged.summary.lines[0].won, 1u);
  EXPECT_EQ(merged.summary.lines[0].malformed, 2u);
  EXPECT_EQ(merged.summary.lines[0].not_feed, 1u);
  ASSERT_EQ(merged.told.size(), 1u);
  EXPECT_THAT(merged.told[0], AllOf(HasSubstr(path("a") + ": record 2: the capture has "),
                                    HasSubstr("capture whole packets")));
}

/// Who captured only headers gets nothing, and is told so.
TEST_F(Merging, WhatIsCutBeforeItsPortIsSaidToo) {
  capture::Writer writer(path("a"));
  writer.write(at(1), packet().cut_to(34).build(), 90);
  writer.close();
  const Merged merged = merge_all({path("a")});
  EXPECT_EQ(merged.summary.lines[0].not_feed, 1u);
  EXPECT_EQ(merged.told.size(), 1u);
}

TEST_F(Merging, WhatIsNoFeedMayBeCut) {
  capture::Writer writer(path("a"));
  const Bytes other = packet().to("239.192.30.1", 9).build();
  writer.write(at(1), std::span(other).first(50), 1'400);
  writer.close();
  EXPECT_THAT(merge_all({path("a")}).told, ElementsAre());
}

// ---- files ---------------------------------------------------------------------------------

TEST_F(Merging, OneCaptureAloneIsFine) {
  EXPECT_EQ(merge_all({write_line("a", {{at(1), 1}, {at(2), 1}})}).summary.packets, 1u);
}

TEST_F(Merging, EmptyCapturesAreBalanced) {
  const Summary summary = merge_all({write_line("a", {}), write_line("b", {})}).summary;
  EXPECT_EQ(summary.packets, 0u);
  EXPECT_TRUE(summary.balanced);
  EXPECT_EQ(summary.seconds, 0);
}

TEST_F(Merging, RefusesWhatIsNoCapture) {
  const std::string good = write_line("a", {{at(1), 1}});
  std::ofstream(path("b.csv")) << "time,price\n1,2\n3,4\n5,6\n7,8\n";
  EXPECT_THAT(error_text([&] {
                merge_all({good, path("b.csv")});
              }),
              HasSubstr("b.csv: unknown file format"));
  EXPECT_THAT(error_text([&] {
                merge_all({good, path("missing")});
              }),
              HasSubstr("open " + path("missing") + ": No such file"));
}

TEST_F(Merging, ADamagedCaptureIsNamedWithItsRecordAndTheFileHasWhatWasBefore) {
  const std::string good = write_line("a", {{at(1), 1}, {at(9), 4}});
  const std::string bad = write_line("b", {{at(2), 2}, {at(3), 3}});
  std::filesystem::resize_file(bad, std::filesystem::file_size(bad) - 1);
  merge::MergeOptions options = options_for({good, bad});
  options.receiver.write_path = path("merged.pcap");
  EXPECT_THAT(error_text([&] { merge(options); }),
              AllOf(HasSubstr(bad + ": record 2, near byte"), HasSubstr("cut off or damaged")));
  EXPECT_EQ(merge_all({path("merged.pcap")}).messages.size(), 2u);
}

TEST_F(Merging, DoesNotWriteOntoACapture) {
  const std::string a = write_line("a", {{at(1), 1}});
  const std::string b = write_line("b", {{at(1), 1}});
  std::filesystem::create_symlink(b, path("link"));
  std::filesystem::create_hard_link(b, path("twin"));
  const Bytes before = read_file(b);
  for (const char* name : {"b", "link", "twin"}) {
    merge::MergeOptions options = options_for({a, b});
    options.receiver.write_path = path(name);
    EXPECT_EQ(error_text([&] { merge(options); }),
              "--write " + path(name) + ": that is the capture of line B; name another file");
  }
  EXPECT_EQ(read_file(b), before);
}

TEST_F(Merging, AFileThatCannotBeWrittenIsSaid) {
  merge::MergeOptions options = options_for({write_line("a", {{at(1), 1}})});
  options.receiver.write_path = path("missing/merged.pcap");
  EXPECT_THAT(error_text([&] { merge(options); }), HasSubstr("create capture"));
  options.receiver.write_path = "/dev/full";
  const Summary summary = merge(options).summary;
  EXPECT_THAT(summary.write_error, HasSubstr("No space left"));
  EXPECT_EQ(summary.written, 0u);
  EXPECT_TRUE(summary.balanced);
}

TEST_F(Merging, StopsWhereItIsToldTo) {
  merge::Merge merge(options_for({write_line("a", {{at(1), 1}, {at(2), 2}})}));
  merge.stop();
  const Summary summary = merge.run();
  EXPECT_EQ(summary.packets, 0u);
  EXPECT_TRUE(summary.balanced);
}

TEST_F(Merging, SaysHowFarItIs) {
  const std::string a = write_line("a", {{at(1), 1}, {at(2), 2}});
  merge::Merge merge(options_for({a, a}));
  merge.run();
  const merge::Progress progress = merge.progress();
  EXPECT_EQ(progress.bytes, 2 * std::filesystem::file_size(a));
  EXPECT_EQ(progress.bytes_read, progress.bytes);
  EXPECT_EQ(progress.packets, 4u);
}

TEST_F(Merging, RefusesOptionsThatAreWrong) {
  const std::string a = write_line("a", {});
  merge::MergeOptions options = options_for({a, a});
  options.captures.pop_back();
  EXPECT_EQ(error_text([&] { merge(options); }), "1 captures for 2 lines: each line has one");
  options = options_for({a, a});
  options.receiver.channels[0].line_destinations = {{"C", {0, 1}}};
  EXPECT_THAT(error_text([&] { merge(options); }), HasSubstr("there is no line \"C\""));
  options = options_for({a});
  options.receiver.order = Order::sequence;
  options.receiver.dedup = Dedup::lru;
  EXPECT_THAT(error_text([&] { merge(options); }), HasSubstr("identifiers have no order"));
  options = options_for({a});
  options.receiver.channels[0].framing = "moldudp46";
  EXPECT_THAT(error_text([&] { merge(options); }), HasSubstr("did you mean \"moldudp64\"?"));
}

}  // namespace
}  // namespace linearb::test
