// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include <sys/types.h>
#include <zlib.h>

namespace linearb::capture {

struct FileCloser {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

/// The bytes of a file from its beginning to its end, unpacked where the file is gzip. libpcap
/// reads no gzip, so it gets a FILE made of this.
class ByteStream {
 public:
  /// Throws UsageError when the file cannot be opened.
  explicit ByteStream(const std::string& path);
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  ~ByteStream() { ::gzclose_r(file_); }

  /// Returns how many bytes were read, 0 at the end, -1 when failure() has something to say. A
  /// gzip file that ends in the middle is a failure, also where its bytes end with a record.
  ssize_t read(std::span<std::uint8_t> bytes) noexcept;

  /// Why the last read failed, in words; empty when it did not.
  const std::string& failure() const noexcept { return failure_; }

  /// Bytes that were read so far, counted after unpacking.
  std::uint64_t position() const noexcept { return position_; }

  /// Of the file as it is on disk: bytes that were read so far, in steps of a buffer, and how many
  /// there are, 0 for what is no plain file.
  std::uint64_t file_position() const noexcept;
  std::uint64_t file_size() const noexcept { return file_size_; }

  /// A FILE that reads this stream, which has to live longer.
  std::unique_ptr<std::FILE, FileCloser> open_file();

 private:
  gzFile file_;
  std::string failure_;
  std::uint64_t position_ = 0;
  std::uint64_t file_size_ = 0;
};

}  // namespace linearb::capture
