// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "capture/reader.h"

namespace linearb::capture {

/// A Reader whose file is read by a thread of its own, a little ahead of whoever wants the records:
/// kBlocks blocks of kBlockBytes and a record, and no more, whatever the size of the file and of
/// its records.
///
/// What is no plain file, as a pipe is, is read by the caller: a thread that waits for what never
/// comes could not be ended. One thread calls it; what is wrong with the file is thrown where the
/// record would come.
class ReadAhead {
 public:
  static constexpr std::size_t kBlocks = 3;
  static constexpr std::size_t kBlockBytes = 256 * 1024;

  /// Throws UsageError when it is no capture.
  explicit ReadAhead(const std::string& path);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead();

  /// As Reader::next().
  std::optional<Record> next();

  /// Records that were given so far.
  std::uint64_t records() const noexcept { return records_; }
  /// As of Reader; of the records that are in hand.
  std::uint64_t file_position() const noexcept {
    return has_thread() ? position_ : reader_.file_position();
  }
  std::uint64_t file_size() const noexcept { return reader_.file_size(); }

 private:
  struct Entry {
    std::uint64_t timestamp_ns;
    std::uint32_t begin;  ///< among the bytes of the block
    std::uint32_t length;
    std::uint32_t original_length;
  };
  /// Of the thread while it is not full, of the caller while it is.
  struct Block {
    std::vector<std::uint8_t> bytes;
    std::vector<Entry> entries;
    std::uint64_t file_position = 0;
    bool is_last = false;
    std::exception_ptr error;  ///< behind the entries
    std::atomic<bool> is_full = false;
  };

  bool has_thread() const noexcept { return thread_.joinable(); }
  void read_all() noexcept;
  void fill(Block& block) noexcept;
  bool wait_until(Block& block, bool is_full) noexcept;
  std::optional<Record> next_of_blocks();

  Reader reader_;  ///< the thread's, once that runs
  std::array<Block, kBlocks> blocks_;
  std::size_t block_ = 0;    ///< the caller's
  std::size_t entry_ = 0;    ///< next, of that block
  bool is_in_hand_ = false;  ///< the caller has that block
  std::uint64_t records_ = 0;
  std::uint64_t position_ = 0;
  std::atomic<bool> ending_ = false;
  std::thread thread_;  ///< last: it uses the members above
};

}  // namespace linearb::capture
