// SPDX-License-Identifier: Apache-2.0
#include "capture/read_ahead.h"

#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "capture/writer.h"
#include "linearb/error.h"
#include "support/error_text.h"
#include "unit/capture/temp_folder.h"

namespace linearb::capture {
namespace {

class ReadAheadTest : public test::TempFolder {
 protected:
  /// Of many blocks: records of every length, each filled with a byte of its own.
  std::string write_capture(std::uint32_t records) const {
    Writer writer(path("capture"));
    for (std::uint32_t i = 0; i < records; ++i) writer.write(1'000 + i, frame(i));
    writer.close();
    return path("capture");
  }
  static test::Bytes frame(std::uint32_t i) {
    return test::Bytes(60 + i % 1'400, static_cast<std::uint8_t>(i));
  }
};

TEST_F(ReadAheadTest, GivesTheRecordsOfTheFileInTheirOrder) {
  constexpr std::uint32_t kRecords = 5'000;
  ReadAhead reader(write_capture(kRecords));
  std::uint64_t position = 0;
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    const auto record = reader.next();
    ASSERT_TRUE(record) << i;
    EXPECT_EQ(record->timestamp_ns, 1'000 + i);
    EXPECT_TRUE(std::ranges::equal(record->bytes, frame(i))) << i;
    EXPECT_GE(reader.file_position(), position);
    position = reader.file_position();
  }
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.next()) << "the end stays the end";
  EXPECT_EQ(reader.records(), kRecords);
  EXPECT_EQ(reader.file_position(), reader.file_size());
}

TEST_F(ReadAheadTest, RecordsOfNoBytesTakeRoomToo) {
  Writer writer(path("capture"));
  for (int i = 0; i < 100'000; ++i) writer.write(1'000, {});
  writer.close();
  ReadAhead reader(path("capture"));
  ASSERT_TRUE(reader.next());
  EXPECT_LT(reader.file_position(), reader.file_size()) << "one block has them all";
  for (int i = 1; i < 100'000; ++i) ASSERT_TRUE(reader.next()) << i;
  EXPECT_FALSE(reader.next());
}

TEST_F(ReadAheadTest, WhatIsWrongIsThrownBehindWhatIsBeforeIt) {
  const std::string file = write_capture(5'000);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 10);
  ReadAhead reader(file);
  for (int i = 0; i < 4'999; ++i) ASSERT_TRUE(reader.next());
  EXPECT_NE(test::error_text([&] { reader.next(); }).find("record 5000"), std::string::npos);
}

TEST_F(ReadAheadTest, ItCanBeLeftAnywhere) {
  const std::string file = write_capture(5'000);
  for (const int records : {0, 1, 300, 2'000}) {
    ReadAhead reader(file);
    for (int i = 0; i < records; ++i) reader.next();
  }
  EXPECT_THROW(ReadAhead(path("nowhere")), UsageError);
}

TEST_F(ReadAheadTest, APipeIsReadByWhoWantsItsRecords) {
  const std::string file = write_capture(3);
  const test::Bytes bytes = read_file(file);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::jthread writer([&] {
    std::ofstream(path("pipe"))
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  });
  ReadAhead reader(path("pipe"));
  EXPECT_EQ(reader.file_size(), 0u);
  for (std::uint32_t i = 0; i < 3; ++i)
    EXPECT_TRUE(std::ranges::equal(reader.next()->bytes, frame(i)));
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace linearb::capture
