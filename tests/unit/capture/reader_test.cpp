// SPDX-License-Identifier: Apache-2.0
#include "capture/reader.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <utility>

#include <gmock/gmock.h>

#include "linearb/error.h"
#include "unit/capture/capture_file.h"
#include "unit/capture/temp_folder.h"

namespace linearb::capture {
namespace {

using namespace test::capture_file;
using test::Bytes;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Bytes frame_of(std::uint8_t mark, std::size_t length = 60) {
  return Bytes(length, mark);
}

/// Everything that a file holds, and what the reader says at its end.
struct Content {
  std::vector<Bytes> frames = {};
  std::vector<std::uint64_t> times_ns = {};
  std::vector<std::uint32_t> original_lengths = {};
  std::string refusal = {};
};

Content read(const std::string& path) {
  Content content;
  try {
    Reader reader(path);
    while (auto record = reader.next()) {
      content.frames.emplace_back(record->bytes.begin(), record->bytes.end());
      content.times_ns.push_back(record->timestamp_ns);
      content.original_lengths.push_back(record->original_length);
    }
  } catch (const UsageError& error) {
    content.refusal = error.what();
  }
  return content;
}

class CaptureReader : public test::TempFolder {};

TEST_F(CaptureReader, ReadsClassicPcapInEveryForm) {
  for (bool nanoseconds : {false, true}) {
    for (bool big_endian : {false, true}) {
      for (bool gzip : {false, true}) {
        SCOPED_TRACE(testing::Message() << nanoseconds << big_endian << gzip);
        Classic classic{.nanoseconds = nanoseconds, .big_endian = big_endian};
        Bytes file = classic.file_of({frame_of(1), frame_of(2, 1514)});
        Content content = read(gzip ? write_gzip("a.pcap.gz", file) : write_file("a.pcap", file));
        EXPECT_EQ(content.refusal, "");
        EXPECT_THAT(content.frames, ElementsAre(frame_of(1), frame_of(2, 1514)));
        std::uint64_t time = nanoseconds ? kTime : kTime / 1000 * 1000;
        EXPECT_THAT(content.times_ns, ElementsAre(time, time));
        EXPECT_THAT(content.original_lengths, ElementsAre(60u, 1514u));
      }
    }
  }
}

TEST_F(CaptureReader, ReadsPcapngInMicroAndNanoseconds) {
  for (bool gzip : {false, true}) {
    for (std::uint8_t resolution : {std::uint8_t{6}, std::uint8_t{9}}) {
      NextGeneration capture;
      std::uint64_t units = resolution == 9 ? kTime : kTime / 1000;
      capture.interface(kEthernet, resolution).packet(0, units, frame_of(7));
      Bytes file = capture.file.bytes;
      Content content = read(gzip ? write_gzip("a.gz", file) : write_file("a", file));
      EXPECT_EQ(content.refusal, "");
      EXPECT_THAT(content.frames, ElementsAre(frame_of(7)));
      EXPECT_THAT(content.times_ns, ElementsAre(resolution == 9 ? kTime : kTime / 1000 * 1000));
    }
  }
}

TEST_F(CaptureReader, SaysHowLongACutFrameWas) {
  Classic classic;
  Builder file = classic.header();
  classic.record(file, kTime, frame_of(1, 40), 1400);
  Content content = read(write_file("cut.pcap", file.bytes));
  EXPECT_THAT(content.frames, ElementsAre(frame_of(1, 40)));
  EXPECT_THAT(content.original_lengths, ElementsAre(1400u));
}

TEST_F(CaptureReader, SaysHowFarItIsInTheFileAsItIsOnDisk) {
  Bytes file = Classic{}.file_of(std::vector<Bytes>(20'000, frame_of(1)));
  for (const std::string& name : {write_file("a.pcap", file), write_gzip("a.pcap.gz", file)}) {
    Reader reader(name);
    EXPECT_EQ(reader.file_size(), std::filesystem::file_size(name));
    EXPECT_LT(reader.file_position(), file.size() / 2) << "it reads as it goes";
    while (reader.next()) {
    }
    EXPECT_EQ(reader.file_position(), reader.file_size()) << name;
    EXPECT_EQ(reader.records(), 20'000u);
  }
}

TEST_F(CaptureReader, EmptyCaptureHasNoRecords) {
  Content content = read(write_file("empty.pcap", Classic{}.header().bytes));
  EXPECT_EQ(content.refusal, "");
  EXPECT_TRUE(content.frames.empty());
}

/// A frame of another link layer, and the Ethernet frame that it has to become.
struct Link {
  const char* name;
  std::uint32_t link_type;
  Bytes frame;
  Bytes ethernet;
};

/// For the list of ctest: bytes of pointers change from run to run.
void PrintTo(const Link& link, std::ostream* out) {
  *out << link.name;
}

Bytes joined(Bytes front, const Bytes& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

Bytes ethernet_header(std::uint16_t type) {
  Bytes header(14);
  header[12] = static_cast<std::uint8_t>(type >> 8);
  header[13] = static_cast<std::uint8_t>(type);
  return header;
}

const Bytes kIpv4 = {0x45, 1, 2, 3, 4, 5, 6, 7};
const Bytes kIpv6 = {0x60, 1, 2, 3, 4, 5, 6, 7};
const Bytes kCookedHeader = {0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0x00};
const Bytes kCooked2Header = {0x08, 0x00, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0};

const Link kLinks[] = {
    {"Cooked", kCooked, joined(kCookedHeader, kIpv4), joined(ethernet_header(0x0800), kIpv4)},
    {"Cooked2", kCooked2, joined(kCooked2Header, kIpv4), joined(ethernet_header(0x0800), kIpv4)},
    {"RawIp", kRawIp, kIpv4, joined(ethernet_header(0x0800), kIpv4)},
    {"RawIpv4", kRawIpv4, kIpv4, joined(ethernet_header(0x0800), kIpv4)},
    {"RawIpOfVersion6", kRawIp, kIpv6, joined(ethernet_header(0x86dd), kIpv6)},
    {"CookedTooShort", kCooked, Bytes(15, 8), ethernet_header(0)},
    {"Cooked2TooShort", kCooked2, Bytes(19, 8), ethernet_header(0)},
    {"RawIpOfNothing", kRawIp, {}, ethernet_header(0)},
};

class CaptureLinks : public CaptureReader, public testing::WithParamInterface<Link> {};

TEST_P(CaptureLinks, BecomeEthernet) {
  const Link& row = GetParam();
  Classic classic{.link_type = row.link_type};
  Content content = read(write_file("a.pcap", classic.file_of({row.frame})));
  EXPECT_EQ(content.refusal, "");
  EXPECT_THAT(content.frames, ElementsAre(row.ethernet));
  EXPECT_THAT(content.original_lengths, ElementsAre(row.ethernet.size()));
}

INSTANTIATE_TEST_SUITE_P(Table, CaptureLinks, testing::ValuesIn(kLinks),
                         [](const auto& row) { return row.param.name; });

TEST_F(CaptureReader, RefusesOtherLinksByName) {
  std::string path = write_file("a.pcap", Classic{.link_type = kWireless}.file_of({}));
  EXPECT_THAT(read(path).refusal,
              AllOf(HasSubstr(path + ": its link type is 802.11 (IEEE802_11, number 105)"),
                    HasSubstr("capture the lines on an Ethernet interface")));
  path = write_file("b.pcap", Classic{.link_type = 60000}.file_of({}));
  EXPECT_THAT(read(path).refusal, HasSubstr("its link type is unknown (no name, number 60000)"));
}

TEST_F(CaptureReader, RefusesAPcapngOfSeveralLinks) {
  NextGeneration capture;
  capture.interface(kEthernet, 9).packet(0, kTime, frame_of(1));
  capture.interface(kRawIp, 9).packet(1, kTime, frame_of(2));
  Content content = read(write_file("a.pcapng", capture.file.bytes));
  EXPECT_EQ(content.frames.size(), 1u);
  EXPECT_THAT(content.refusal, HasSubstr("a.pcapng: record 2, near byte"));
}

TEST_F(CaptureReader, CutAnywhereItGivesWhatIsWholeAndSaysWhereItEnds) {
  Classic classic;
  Bytes file = classic.file_of({frame_of(1, 20), frame_of(2, 20), frame_of(3, 20)});
  constexpr std::size_t kHeader = 24;
  constexpr std::size_t kRecord = 16 + 20;
  for (std::size_t length = 0; length <= file.size(); length++) {
    SCOPED_TRACE(length);
    Content content = read(write_file("cut.pcap", std::span(file).first(length)));
    std::size_t whole = length < kHeader ? 0 : (length - kHeader) / kRecord;
    bool between = length >= kHeader && (length - kHeader) % kRecord == 0;
    EXPECT_EQ(content.frames.size(), whole);
    EXPECT_EQ(content.refusal.empty(), between);
    if (between || length < kHeader) continue;
    EXPECT_THAT(content.refusal,
                HasSubstr("cut.pcap: record " + std::to_string(whole + 1) + ", near byte " +
                          std::to_string(length) + ": truncated dump file"));
  }
}

TEST_F(CaptureReader, PcapngCutAnywhereIsNeverTakenForMore) {
  NextGeneration capture;
  capture.interface(kEthernet, 9).packet(0, kTime, frame_of(1)).packet(0, kTime, frame_of(2));
  const Bytes& file = capture.file.bytes;
  for (std::size_t length = 0; length < file.size(); length++) {
    SCOPED_TRACE(length);
    Content content = read(write_file("cut.pcapng", std::span(file).first(length)));
    EXPECT_LT(content.frames.size(), 2u);
    EXPECT_EQ(content.refusal.empty(), length == 60 || length == 60 + 92);
  }
}

TEST_F(CaptureReader, GzipCutAnywhereIsAlwaysRefused) {
  Classic classic;
  Bytes packed = read_file(
      write_gzip("whole.gz", classic.file_of({frame_of(1, 20), frame_of(2, 20), frame_of(3, 20)})));
  for (std::size_t length = 1; length < packed.size(); length++) {
    SCOPED_TRACE(length);
    Content content = read(write_file("cut.pcap.gz", std::span(packed).first(length)));
    EXPECT_THAT(content.refusal, HasSubstr("cut.pcap.gz: "));
  }
  Content content = read(write_file("cut.pcap.gz", std::span(packed).first(packed.size() - 1)));
  EXPECT_THAT(content.refusal, HasSubstr("the gzip stream ends early"));
}

TEST_F(CaptureReader, GzipThatIsDamagedIsRefused) {
  Bytes packed = read_file(write_gzip("whole.gz", Classic{}.file_of({frame_of(1)})));
  packed[packed.size() - 8] ^= 0xFF;  // its checksum
  EXPECT_THAT(read(write_file("bad.gz", packed)).refusal, HasSubstr("the gzip stream is damaged"));
}

TEST_F(CaptureReader, RecordOfImpossibleLengthIsRefused) {
  Classic classic;
  Builder file = classic.header();
  file.integer(0, 8).integer(0x7fffffff, 4).integer(0x7fffffff, 4);
  EXPECT_THAT(read(write_file("bad.pcap", file.bytes)).refusal,
              HasSubstr("bad.pcap: record 1, near byte 40: "));
}

TEST_F(CaptureReader, ForeignFilesAreRefusedWithWhatTheyHaveToBe) {
  const std::string text = "time,price\n1,2\n3,4\n5,6\n7,8\n";
  Bytes foreign(text.begin(), text.end());
  const std::string advice = "it has to be a capture in pcap or pcapng format";
  EXPECT_THAT(read(write_file("a.csv", foreign)).refusal,
              AllOf(HasSubstr("a.csv: unknown file format"), HasSubstr(advice)));
  EXPECT_THAT(read(write_gzip("a.csv.gz", foreign)).refusal,
              AllOf(HasSubstr("a.csv.gz: unknown file format"), HasSubstr(advice)));
  EXPECT_THAT(read(write_file("nothing", {})).refusal, HasSubstr(advice));
  EXPECT_EQ(read(path("")).refusal, "open " + path("") + ": Is a directory");
  EXPECT_THAT(read(path("missing")).refusal,
              HasSubstr("open " + path("missing") + ": No such file or directory"));
}

}  // namespace
}  // namespace linearb::capture
