// SPDX-License-Identifier: Apache-2.0
#include "capture/raw_datagrams.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "config/framing_file.h"
#include "framing/encode.h"
#include "linearb/error.h"
#include "unit/capture/temp_folder.h"

namespace linearb::capture {
namespace {

using test::Bytes;
using testing::AllOf;
using testing::HasSubstr;

lb_framing framing_of(const char* name) {
  return config::builtin_framing(name).descriptor;
}

/// A datagram of `count` messages, the i-th of smallest + i bytes; end_count ends the session.
Bytes datagram(const lb_framing& framing, std::uint64_t first, std::uint64_t count) {
  Bytes bytes(framing.header_length);
  bool ends = framing.flags & LB_FRAMING_HAS_END_COUNT && count == framing.end_count;
  for (std::uint64_t i = 0; i < (ends ? 0 : count); i++) {
    Bytes message(framing.smallest_message + i, 0x77);
    EXPECT_TRUE(
        lb_message_encode_length(&framing, message.data(), static_cast<lb_u32>(message.size())));
    bytes.insert(bytes.end(), message.begin(), message.end());
  }
  lb_header header{};
  header.first = first;
  header.count = count;
  header.payload_length = static_cast<lb_u32>(bytes.size());
  EXPECT_EQ(lb_framing_encode_header(&framing, bytes.data(), header.payload_length, &header),
            framing.header_length);
  return bytes;
}

Bytes joined(const std::vector<Bytes>& datagrams) {
  Bytes file;
  for (const Bytes& bytes : datagrams) file.insert(file.end(), bytes.begin(), bytes.end());
  return file;
}

struct Content {
  std::vector<Bytes> datagrams = {};
  std::string refusal = {};
  bool cut = false;
};

Content read(const std::string& path, const lb_framing& framing) {
  Content content;
  try {
    RawDatagrams raw(path, framing);
    while (auto payload = raw.next())
      content.datagrams.emplace_back(payload->begin(), payload->end());
    content.cut = raw.cut();
  } catch (const UsageError& error) {
    content.refusal = error.what();
  }
  return content;
}

class CaptureRaw : public test::TempFolder {};

TEST_F(CaptureRaw, SplitsWhatCanBeWalkedOrSaysItsLength) {
  for (const char* name : {"moldudp64", "cboe-pitch"}) {
    lb_framing framing = framing_of(name);
    std::vector<Bytes> datagrams = {datagram(framing, 1, 3), datagram(framing, 4, 0),
                                    datagram(framing, 4, 20)};
    if (framing.flags & LB_FRAMING_HAS_END_COUNT)
      datagrams.push_back(datagram(framing, 24, framing.end_count));
    Bytes file = joined(datagrams);
    for (bool gzip : {false, true}) {
      SCOPED_TRACE(testing::Message() << name << gzip);
      Content content = read(gzip ? write_gzip("a.gz", file) : write_file("a", file), framing);
      EXPECT_EQ(content.refusal, "");
      EXPECT_EQ(content.datagrams, datagrams);
    }
  }
}

TEST_F(CaptureRaw, FileLongerThanItsBufferIsReadWhole) {
  lb_framing framing = framing_of("moldudp64");
  std::vector<Bytes> datagrams;
  for (std::uint64_t i = 0; i < 700; i++)
    datagrams.push_back(datagram(framing, 1 + i * 30, 1 + i % 60));
  Content content = read(write_file("a", joined(datagrams)), framing);
  EXPECT_EQ(content.refusal, "");
  EXPECT_EQ(content.datagrams, datagrams);
}

TEST_F(CaptureRaw, EmptyFileHasNoDatagrams) {
  Content content = read(write_file("a", {}), framing_of("moldudp64"));
  EXPECT_EQ(content.refusal, "");
  EXPECT_TRUE(content.datagrams.empty());
}

TEST_F(CaptureRaw, CutAnywhereItSaysWhereItEnds) {
  for (const char* name : {"moldudp64", "cboe-pitch"}) {
    lb_framing framing = framing_of(name);
    Bytes first = datagram(framing, 1, 3);
    Bytes file = joined({first, datagram(framing, 4, 4)});
    for (std::size_t length = 0; length < file.size(); length++) {
      SCOPED_TRACE(testing::Message() << name << " " << length);
      Content content = read(write_file("cut", std::span(file).first(length)), framing);
      bool second = length >= first.size();
      EXPECT_EQ(content.datagrams.size() - content.cut, second ? 1u : 0u);
      if (length == 0 || length == first.size() || content.cut) {
        EXPECT_EQ(content.refusal, "");
      } else {
        std::string place = second ? "2 at byte " + std::to_string(first.size()) : "1 at byte 0";
        EXPECT_THAT(content.refusal, HasSubstr("cut: datagram " + place + " "));
      }
    }
  }
}

TEST_F(CaptureRaw, CutWithinTheVeryLastMessageItGivesWhatIsThere) {
  lb_framing framing = framing_of("moldudp64");
  Bytes file = joined({datagram(framing, 1, 3), datagram(framing, 4, 4)});
  std::size_t last_message = framing.smallest_message + 3u;
  for (std::size_t missing = 0; missing < last_message + 2; missing++) {
    SCOPED_TRACE(missing);
    Bytes cut(file.begin(), file.end() - static_cast<std::ptrdiff_t>(missing));
    Content content = read(write_file("cut", cut), framing);
    bool begun = missing < last_message;
    EXPECT_EQ(content.cut, missing > 0 && begun);
    EXPECT_EQ(content.refusal.empty(), begun);
    if (!begun) continue;
    EXPECT_EQ(joined(content.datagrams), cut);
  }
}

TEST_F(CaptureRaw, SaysWhatIsWrong) {
  lb_framing mold = framing_of("moldudp64");
  lb_framing pitch = framing_of("cboe-pitch");
  EXPECT_THAT(read(write_file("a", Bytes(19)), mold).refusal, HasSubstr("ends within its header"));
  Bytes cut = datagram(mold, 1, 3);
  cut.resize(cut.size() - mold.smallest_message - 3);
  EXPECT_THAT(read(write_file("a", cut), mold).refusal, HasSubstr("ends within message 2 of 3"));
  EXPECT_THAT(read(write_file("a", Bytes(8, 3)), pitch).refusal,
              HasSubstr("says that it has 771 bytes, which cannot be"));
  EXPECT_THAT(read(write_file("a", Bytes(8, 0)), pitch).refusal,
              HasSubstr("says that it has 0 bytes, which cannot be"));
  Bytes count = datagram(pitch, 1, 3);
  count[2] = 200;
  EXPECT_THAT(read(write_file("a", count), pitch).refusal, HasSubstr("is not of this framing"));
  EXPECT_THAT(read(path("missing"), mold).refusal, HasSubstr("open " + path("missing")));
  EXPECT_THAT(read(path(""), mold).refusal, HasSubstr("Is a directory"));
}

TEST_F(CaptureRaw, RefusesWhatIsLongerThanADatagramCanBe) {
  lb_framing framing = framing_of("moldudp64");
  Bytes file(framing.header_length);
  file[19] = 2;
  for (int message = 0; message < 2; message++) {
    Bytes bytes(40'000);
    ASSERT_TRUE(lb_message_encode_length(&framing, bytes.data(), 40'000));
    file.insert(file.end(), bytes.begin(), bytes.end());
  }
  EXPECT_THAT(read(write_file("a", file), framing).refusal,
              HasSubstr("datagram 1 at byte 0 ends within message 2 of 2"));
}

TEST_F(CaptureRaw, RefusesFramingsThatDoNotSayWhereADatagramEnds) {
  EXPECT_THAT(read(write_file("a", Bytes(72)), framing_of("optiq")).refusal,
              AllOf(HasSubstr("it is no capture"), HasSubstr(": give a capture")));
}

}  // namespace
}  // namespace linearb::capture
