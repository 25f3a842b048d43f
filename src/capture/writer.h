// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sys/fd.h"

namespace linearb::capture {

/// The longest record that readers of captures accept (libpcap's MAXIMUM_SNAPLEN). More of a frame
/// is not written; the record says how long the frame was.
constexpr std::uint32_t kSnapshotLength = 262'144;

/// Writes a capture: classic pcap, little-endian, nanoseconds (magic a1b23c4d), Ethernet. Source:
/// draft-ietf-opsawg-pcap, sections 4 and 5.
///
/// A write that fails is an Error with file and errno. The file then ends with its last whole
/// record, so that every reader takes it (a pipe or a device cannot be cut); what else was in the
/// buffer is lost.
class Writer {
 public:
  /// Creates the file, or empties the one that is there.
  explicit Writer(std::string path);
  /// Without close() before, what is in the buffer is written and an error is not reported.
  ~Writer();

  void write(std::uint64_t timestamp_ns, std::span<const std::uint8_t> frame);
  /// For a frame of which only the first bytes are there.
  void write(std::uint64_t timestamp_ns, std::span<const std::uint8_t> frame,
             std::uint32_t original_length);
  /// Hands what is in the buffer to the kernel.
  void flush();
  /// Flushes, closes, and reports what a disk says only then. Nothing can be written after it.
  void close();

  std::uint64_t records() const noexcept { return records_; }
  /// Of them, those that the kernel has taken whole.
  std::uint64_t records_in_file() const noexcept { return records_in_file_; }

 private:
  void append(std::span<const std::uint8_t> bytes);
  std::size_t write_out(std::span<const std::uint8_t> bytes) noexcept;
  void cut_behind_last_record(std::span<const std::uint8_t> written) noexcept;
  [[noreturn]] void refuse(int error_number) const;

  std::string path_;
  sys::Fd file_;
  std::vector<std::uint8_t> buffer_;  ///< begins with a record, or with the header of the file
  std::uint64_t records_ = 0;
  std::uint64_t records_in_file_ = 0;
  std::uint64_t bytes_in_file_ = 0;  ///< up to the end of the last whole record
};

}  // namespace linearb::capture
