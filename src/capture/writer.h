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
/// A write that fails is an Error with file and errno; what was in the buffer is then lost, and
/// the file ends with a record that is cut off.
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

 private:
  void append(std::span<const std::uint8_t> bytes);
  void write_out(std::span<const std::uint8_t> bytes);

  std::string path_;
  sys::Fd file_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t records_ = 0;
};

}  // namespace linearb::capture
