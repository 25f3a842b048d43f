// SPDX-License-Identifier: Apache-2.0
#include "capture/writer.h"

#include <csignal>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture/reader.h"
#include "support/error_text.h"
#include "unit/capture/temp_folder.h"

namespace linearb::capture {
namespace {

using test::Bytes;
using test::error_text;
using testing::HasSubstr;

class CaptureWriter : public test::TempFolder {};

TEST_F(CaptureWriter, WritesTheBytesOfTheFormat) {
  Writer writer(path("a.pcap"));
  writer.write(0x12345678ull * 1'000'000'000 + 0x0abcdef0, Bytes{0xAA, 0xBB, 0xCC});
  EXPECT_EQ(writer.records(), 1u);
  writer.close();
  const Bytes expected = {0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0,    0,    0,    0,    0,    0,
                          0,    0,    0,    4,    0, 1, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 0xf0, 0xde,
                          0xbc, 0x0a, 3,    0,    0, 0, 3, 0, 0, 0,    0xAA, 0xBB, 0xCC};
  EXPECT_EQ(read_file(path("a.pcap")), expected);
}

TEST_F(CaptureWriter, ReaderReadsItBack) {
  Writer writer(path("a.pcap"));
  for (unsigned i = 0; i < 1000; i++)
    writer.write(1'700'000'000'000'000'000 + i, Bytes(i * 3, static_cast<std::uint8_t>(i)),
                 i * 3 + 5);
  writer.close();
  Reader reader(path("a.pcap"));
  for (unsigned i = 0; i < 1000; i++) {
    auto record = reader.next();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->timestamp_ns, 1'700'000'000'000'000'000 + i);
    EXPECT_EQ(Bytes(record->bytes.begin(), record->bytes.end()),
              Bytes(i * 3, static_cast<std::uint8_t>(i)));
    EXPECT_EQ(record->original_length, i * 3 + 5);
  }
  EXPECT_FALSE(reader.next());
}

TEST_F(CaptureWriter, CutsWhatNoReaderAccepts) {
  for (std::size_t length : {kSnapshotLength, kSnapshotLength + 1}) {
    Writer writer(path("a.pcap"));
    writer.write(0, Bytes(length, 7));
    writer.close();
    Reader reader(path("a.pcap"));
    auto record = reader.next();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->bytes.size(), kSnapshotLength);
    EXPECT_EQ(record->original_length, length);
  }
}

TEST_F(CaptureWriter, FlushMakesItVisible) {
  Writer writer(path("a.pcap"));
  EXPECT_EQ(std::filesystem::file_size(path("a.pcap")), 0u);
  writer.flush();
  EXPECT_EQ(std::filesystem::file_size(path("a.pcap")), 24u);
}

TEST_F(CaptureWriter, WritesTheRestWhenItGoes) {
  { Writer(path("a.pcap")).write(0, Bytes(10)); }
  EXPECT_EQ(std::filesystem::file_size(path("a.pcap")), 24u + 16 + 10);
}

TEST_F(CaptureWriter, EmptiesTheFileThatIsThere) {
  write_file("a.pcap", Bytes(1000));
  Writer(path("a.pcap")).close();
  EXPECT_EQ(std::filesystem::file_size(path("a.pcap")), 24u);
}

TEST_F(CaptureWriter, SaysWhichFileCannotBeMade) {
  EXPECT_THAT(error_text([&] { Writer(path("no/a.pcap")); }),
              HasSubstr("create capture " + path("no/a.pcap") +
                        ": No such file or directory; name a file in a folder that is there"));
}

TEST_F(CaptureWriter, SaysThatTheDiskIsFull) {
  Writer writer("/dev/full");
  EXPECT_THAT(error_text([&] { writer.flush(); }),
              HasSubstr("write capture /dev/full: No space left on device; 0 packets are in it; "
                        "make room, or give --write a file on another disk"));
  EXPECT_THAT(error_text([&] {
                for (int i = 0; i < 1000; i++) writer.write(0, Bytes(1000));
              }),
              HasSubstr("No space left on device"));
}

/// Files of this process may grow to so many bytes, until the end of the scope: a disk that fills
/// up in the middle of a write.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, SIG_DFL);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(CaptureWriter, AFileThatCouldNotGrowEndsWithAWholeRecord) {
  constexpr std::size_t kHeader = 24, kRecord = 16 + 10, kFlushed = 2, kRecords = 5;
  for (std::size_t room = 0; room < kHeader + kRecords * kRecord; ++room) {
    const FileSizeLimit limit(room);
    Writer writer(path("a.pcap"));
    const std::string error = error_text([&] {
      for (std::size_t i = 0; i < kRecords; ++i) {
        writer.write(0, Bytes(10));
        if (i + 1 == kFlushed) writer.flush();
      }
      writer.flush();
    });
    const std::size_t whole = room < kHeader ? 0 : (room - kHeader) / kRecord;
    EXPECT_EQ(writer.records_in_file(), whole) << room;
    EXPECT_EQ(std::filesystem::file_size(path("a.pcap")),
              room < kHeader ? 0 : kHeader + whole * kRecord)
        << room;
    EXPECT_THAT(error, HasSubstr(whole == 1 ? "File too large; 1 packet is in it; raise the limit "
                                              "of file sizes (ulimit -f)"
                                            : std::to_string(whole) + " packets are in it"))
        << room;
  }
}

TEST_F(CaptureWriter, CountsWhatTheKernelHasTaken) {
  Writer writer(path("a.pcap"));
  writer.write(0, Bytes(10));
  EXPECT_EQ(writer.records_in_file(), 0u);
  writer.flush();
  EXPECT_EQ(writer.records_in_file(), 1u);
}

TEST_F(CaptureWriter, GoesQuietlyWhenTheDiskIsFull) {
  Writer("/dev/full").write(0, Bytes(10));
}

/// Closes the descriptor that this process has of the file.
void close_behind_its_back(const std::string& path) {
  int found = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    if (std::filesystem::read_symlink(entry, error) == path)
      found = std::stoi(entry.path().filename());
  }
  ASSERT_EQ(::close(found), 0);
}

TEST_F(CaptureWriter, SaysWhatOnlyCloseLearns) {
  Writer writer(path("a.pcap"));
  writer.flush();
  close_behind_its_back(std::filesystem::canonical(path("a.pcap")));
  EXPECT_THAT(error_text([&] { writer.close(); }),
              HasSubstr("close capture " + path("a.pcap") +
                        ": Bad file descriptor; give --write another file"));
}

}  // namespace
}  // namespace linearb::capture
