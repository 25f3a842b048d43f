// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "capture/read_ahead.h"
#include "merge/options.h"

namespace linearb::merge {

/// The time of a record on the clock of all lines; never beyond kTimeMaxNs nor before 0.
std::uint64_t shifted(std::uint64_t timestamp_ns, std::int64_t offset_ns) noexcept;

/// In the year 2262: what has more bits is damaged.
inline constexpr std::uint64_t kTimeMaxNs = (1ull << 63) - 1;

/// A capture as a line of the feed: its records in the order in which they stand, of which a few
/// blocks are in memory.
class CaptureLine {
 public:
  /// Opens the capture and reads its first record. Throws UsageError.
  explicit CaptureLine(const Capture& capture)
      : reader_(capture.path), path_(capture.path), offset_ns_(capture.offset_ns) {
    advance();
  }

  bool at_end() const noexcept { return !record_; }
  /// Of the record, while there is one.
  const capture::Record& record() const noexcept { return *record_; }
  std::uint64_t time_ns() const noexcept { return time_ns_; }
  /// As people count them.
  std::uint64_t record_number() const noexcept { return reader_.records(); }

  /// The record before is gone. Throws UsageError when the file is damaged there.
  void advance() {
    record_ = reader_.next();
    if (record_) time_ns_ = shifted(record_->timestamp_ns, offset_ns_);
  }

  const std::string& path() const noexcept { return path_; }
  std::uint64_t file_position() const noexcept { return reader_.file_position(); }
  std::uint64_t file_size() const noexcept { return reader_.file_size(); }

 private:
  capture::ReadAhead reader_;
  std::string path_;
  std::int64_t offset_ns_;
  std::optional<capture::Record> record_;
  std::uint64_t time_ns_ = 0;
};

}  // namespace linearb::merge
