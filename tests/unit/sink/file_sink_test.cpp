// SPDX-License-Identifier: Apache-2.0
#include "sink/file_sink.h"

#include <array>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/reader.h"
#include "config/framing_file.h"
#include "core/walk.h"
#include "linearb/error.h"
#include "support/error_text.h"
#include "sys/fd.h"
#include "unit/capture/temp_folder.h"
#include "unit/sink/payload.h"

namespace linearb::sink {
namespace {

using test::Bytes;
using testing::HasSubstr;

constexpr std::uint64_t kTime = 1'700'000'000'000'000'000;

Bytes packet_of(unsigned number) {
  return test::udp_packet()
      .payload(Bytes(number % 1400, static_cast<std::uint8_t>(number)))
      .build();
}

struct Written {
  std::uint64_t time_ns;
  Bytes frame;
  std::uint32_t original_length;
};

std::vector<Written> records_of(const std::string& path) {
  std::vector<Written> records;
  capture::Reader reader(path);
  while (auto record = reader.next())
    records.push_back({.time_ns = record->timestamp_ns,
                       .frame = Bytes(record->bytes.begin(), record->bytes.end()),
                       .original_length = record->original_length});
  return records;
}

/// Only these messages of a packet whose first one is 100.
void write_trimmed(FileSink& sink, const Bytes& frame, const lb_framing& framing,
                   const std::vector<lb_run>& runs) {
  sink.inlet().write_trimmed(kTime, frame,
                             {.framing = framing,
                              .payload_offset = 42,
                              .payload_length = static_cast<std::uint32_t>(frame.size() - 42),
                              .first = 100,
                              .runs = runs});
}

std::string error_of_close(FileSink& sink) {
  return test::error_text([&] { sink.close(); });
}

class FileSinkTest : public test::TempFolder {
 protected:
  const lb_framing mold_ = config::builtin_framing("moldudp64").descriptor;
};

TEST_F(FileSinkTest, WritesWhatItGetsInItsOrder) {
  FileSink sink(path("a.pcap"));
  for (unsigned i = 0; i < 5000; i++) sink.inlet().write(kTime + i, packet_of(i));
  sink.close();
  auto records = records_of(path("a.pcap"));
  ASSERT_EQ(records.size(), 5000u);
  for (unsigned i = 0; i < 5000; i++) {
    EXPECT_EQ(records[i].time_ns, kTime + i);
    EXPECT_EQ(records[i].frame, packet_of(i));
    EXPECT_EQ(records[i].original_length, records[i].frame.size());
  }
  EXPECT_EQ(sink.stats().packets, 5000u);
  EXPECT_EQ(sink.stats().records, 5000u);
  EXPECT_EQ(sink.stats().untrimmed + sink.stats().lost, 0u);
}

/// Each keeps its order, and what is there from several goes by its time.
TEST_F(FileSinkTest, SeveralThreadsWriteOneFile) {
  constexpr unsigned kEach = 3'000;
  FileSink sink(path("a.pcap"), 0, 3);
  std::vector<std::thread> threads;
  for (unsigned place = 0; place < 3; place++)
    threads.emplace_back([&sink, place] {
      for (unsigned i = 0; i < kEach; i++)
        sink.inlet(place).write(kTime + 3 * i + place, Bytes(60, static_cast<std::uint8_t>(place)));
    });
  for (std::thread& thread : threads) thread.join();
  sink.close();
  EXPECT_EQ(sink.stats().packets, 3 * kEach);
  EXPECT_EQ(sink.stats().records, 3 * kEach);
  std::array<std::uint64_t, 3> next{};
  for (const auto& record : records_of(path("a.pcap"))) {
    const std::uint8_t place = record.frame[0];
    EXPECT_EQ(record.time_ns, kTime + 3 * next[place]++ + place);
  }
  EXPECT_EQ(next, (std::array<std::uint64_t, 3>{kEach, kEach, kEach}));
}

TEST_F(FileSinkTest, WritesTheRestWhenItGoesWithoutClose) {
  {
    FileSink sink(path("a.pcap"));
    for (int i = 0; i < 100; i++) sink.inlet().write(kTime, Bytes(60));
  }
  EXPECT_EQ(records_of(path("a.pcap")).size(), 100u);
}

TEST_F(FileSinkTest, SmallestRingTakesTheLongestRecord) {
  FileSink sink(path("a.pcap"), 0);
  sink.inlet().write(kTime, Bytes(capture::kSnapshotLength + 100, 7));
  sink.close();
  auto records = records_of(path("a.pcap"));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].frame.size(), capture::kSnapshotLength);
  EXPECT_EQ(records[0].original_length, capture::kSnapshotLength + 100);
}

TEST_F(FileSinkTest, WritesARecordForEachRunOfATrimmedPacket) {
  FileSink sink(path("a.pcap"));
  Bytes frame = test::frame_of(mold_, 100, {Bytes(4), Bytes(5), Bytes(6), Bytes(7)});
  const std::vector<lb_run> runs = {{.first = 100, .count = 1}, {.first = 102, .count = 2}};
  write_trimmed(sink, frame, mold_, runs);
  sink.close();
  auto records = records_of(path("a.pcap"));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].frame, test::frame_of(mold_, 100, {Bytes(4)}));
  EXPECT_EQ(records[1].frame, test::frame_of(mold_, 102, {Bytes(6), Bytes(7)}));
  EXPECT_EQ(records[0].time_ns, kTime);
  EXPECT_EQ(records[1].original_length, records[1].frame.size());
  EXPECT_EQ(sink.stats().packets, 1u);
  EXPECT_EQ(sink.stats().records, 2u);
  EXPECT_EQ(sink.stats().untrimmed, 0u);
}

TEST_F(FileSinkTest, WritesWholeAndCountsWhatCannotBeTrimmed) {
  FileSink sink(path("a.pcap"));
  lb_framing unwalkable = mold_;
  unwalkable.message_length.width = 0;
  Bytes frame = test::frame_of(mold_, 100, {Bytes(4), Bytes(5)});
  const std::vector<lb_run> runs = {{.first = 101, .count = 1}};
  write_trimmed(sink, frame, unwalkable, runs);
  sink.close();
  auto records = records_of(path("a.pcap"));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].frame, frame);
  EXPECT_EQ(sink.stats().packets, 1u);
  EXPECT_EQ(sink.stats().untrimmed, 1u);
}

TEST_F(FileSinkTest, SaysWhichFileCannotBeMade) {
  EXPECT_THROW(FileSink(path("no/a.pcap")), Error);
}

/// More than ring, pipe and buffers hold, so that the writer has to meet its error.
constexpr unsigned kMuch = 3000;

TEST_F(FileSinkTest, FullDiskIsKeptUntilCloseAndBlocksNobody) {
  FileSink sink("/dev/full", 0);
  for (unsigned i = 0; i < kMuch; i++) sink.inlet().write(kTime, Bytes(1400));
  EXPECT_TRUE(sink.failed());
  EXPECT_GT(sink.stats().lost, 0u);
  EXPECT_EQ(sink.stats().packets + sink.stats().lost, kMuch);
  EXPECT_THAT(error_of_close(sink), HasSubstr("write capture /dev/full: No space left on device"));
}

TEST_F(FileSinkTest, AFullDiskLeavesTextAndCountBehindFinish) {
  FileSink sink("/dev/full", 0);
  sink.inlet().write(kTime, Bytes(1400));
  sink.finish();
  EXPECT_TRUE(sink.failed());
  EXPECT_THAT(sink.error(), HasSubstr("No space left on device; 0 packets are in it"));
  // The writer may have failed with the file's header before the packet was given to it.
  EXPECT_EQ(sink.stats().packets + sink.stats().lost, 1u);
  EXPECT_EQ(sink.stats().records, 0u) << "of what was taken nothing is in the file";
}

TEST_F(FileSinkTest, WhatIsWholeHasNoErrorBehindFinish) {
  FileSink sink(path("a.pcap"));
  sink.inlet().write(kTime, Bytes(1400));
  sink.finish();
  EXPECT_FALSE(sink.failed());
  EXPECT_EQ(sink.error(), "");
  EXPECT_EQ(sink.stats().records, 1u);
  EXPECT_EQ(records_of(path("a.pcap")).size(), 1u);
}

TEST_F(FileSinkTest, FullDiskIsReportedAlsoForTheFirstBytes) {
  FileSink sink("/dev/full");
  EXPECT_THAT(error_of_close(sink), HasSubstr("No space left on device"));
}

TEST_F(FileSinkTest, PacketsTrimmedAfterAFailureAreLost) {
  FileSink sink("/dev/full", 0);
  while (!sink.failed()) std::this_thread::yield();
  Bytes frame = test::frame_of(mold_, 100, {Bytes(4), Bytes(5)});
  const std::vector<lb_run> runs = {{.first = 101, .count = 1}};
  write_trimmed(sink, frame, mold_, runs);
  EXPECT_EQ(sink.stats().lost, 1u);
  EXPECT_EQ(sink.stats().packets, 0u);
}

/// A pipe instead of a file: the test decides when the disk is slow.
class SlowFile : public FileSinkTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    /* Open for both, so that neither side's open waits for the other. */
    reader_ = sys::Fd(::open(path("pipe").c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(reader_);
  }

  /// Reads until the sink has closed its side and everything was read.
  Bytes read_to_the_end() {
    sys::Fd only_reader(::open(path("pipe").c_str(), O_RDONLY | O_CLOEXEC));
    reader_ = sys::Fd();
    Bytes content, chunk(65536);
    ssize_t got = 0;
    while ((got = ::read(only_reader.get(), chunk.data(), chunk.size())) > 0)
      content.insert(content.end(), chunk.begin(), chunk.begin() + got);
    return content;
  }

  sys::Fd reader_;
};

TEST_F(SlowFile, FullRingMakesTheCallerWaitAndLeavesNothingOut) {
  FileSink sink(path("pipe"), 0);
  std::atomic<std::uint64_t> given = 0;
  std::thread caller([&] {
    for (unsigned i = 0; i < kMuch; i++, given++)
      sink.inlet().write(kTime + i, Bytes(1400, static_cast<std::uint8_t>(i)));
    sink.close();
  });
  /* Nobody reads: it cannot get through, however long it takes until the ring is full. */
  std::uint64_t before = ~0ull;
  while (given != before || given == 0) {
    before = given;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_LT(given, kMuch);
  Bytes content = read_to_the_end();
  caller.join();
  EXPECT_GT(sink.stats().waits, 0u);
  auto records = records_of(write_file("copy.pcap", content));
  ASSERT_EQ(records.size(), kMuch);
  for (unsigned i = 0; i < kMuch; i++) {
    ASSERT_EQ(records[i].time_ns, kTime + i);
    ASSERT_EQ(records[i].frame, Bytes(1400, static_cast<std::uint8_t>(i)));
  }
}

TEST_F(SlowFile, WriteErrorEndsTheWaitForAFullRing) {
  FileSink sink(path("pipe"), 0);
  std::atomic<bool> done = false;
  std::thread caller([&] {
    for (unsigned i = 0; i < kMuch; i++) sink.inlet().write(kTime, Bytes(1400));
    done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  reader_ = sys::Fd();  // a pipe without a reader: EPIPE, and no signal
  caller.join();
  EXPECT_TRUE(done);
  EXPECT_TRUE(sink.failed());
  EXPECT_THAT(error_of_close(sink), HasSubstr("Broken pipe"));
}

TEST_F(SlowFile, IsNoneThatAUserMayName) {
  EXPECT_THAT(test::error_text([&] { open_file_sink(path("pipe")); }),
              HasSubstr("pipe: it is a pipe, and a capture is written to a file: name one"));
  EXPECT_EQ(open_file_sink(""), nullptr);
}

}  // namespace
}  // namespace linearb::sink
