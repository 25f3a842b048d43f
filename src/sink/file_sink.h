// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "capture/writer.h"
#include "sink/byte_ring.h"
#include "sink/trim.h"

namespace linearb::sink {

/// Writes what was delivered, in the order of delivery, as a capture. A thread of its own writes,
/// behind a bounded ring, so that a slow disk is not felt until the ring is full; then the caller
/// waits, and counts it. Nothing is left out as long as the file can be written.
///
/// When it cannot, failed() says so from then on, and write() no longer waits for anything.
/// finish() keeps what went wrong for error(), close() throws it. The file is a valid capture of
/// the records that stats() counts then.
///
/// One thread calls write(), write_trimmed() and stats(); failed() may be asked by any.
class FileSink {
 public:
  /// A twentieth of a second of 10 Gb/s.
  static constexpr std::size_t kRingBytes = 64 * 1024 * 1024;

  struct Stats {
    std::uint64_t packets = 0;    // given to the sink and taken
    std::uint64_t records = 0;    // of them: a trimmed packet is one for each run; after finish()
                                  // those that are whole in the file
    std::uint64_t untrimmed = 0;  // written whole, though only a part of them was new
    std::uint64_t waits = 0;      // the ring was full
    std::uint64_t lost = 0;       // given to the sink after the file had failed
  };

  /// Creates the file, or empties the one that is there. Throws Error. The ring has at
  /// least one MiB.
  explicit FileSink(const std::string& path, std::size_t ring_bytes = kRingBytes);
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  /// Without close() before, the rest is written and an error is not reported.
  ~FileSink();

  /// The packet from its Ethernet header on; its bytes may be reused when this returns.
  void write(std::uint64_t realtime_ns, std::span<const std::uint8_t> packet) noexcept;

  /// Only the messages of the trim's runs, one record for each run; whole and counted `untrimmed`
  /// where the Trimmer cannot cut the packet.
  void write_trimmed(std::uint64_t realtime_ns, std::span<const std::uint8_t> packet,
                     const Trim& trim) noexcept;

  bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  const Stats& stats() const noexcept { return stats_; }
  std::uint64_t waits() const noexcept { return stats_.waits; }

  /// Writes what is in the ring and closes the file. Nothing can be written after it.
  void finish() noexcept;
  /// After finish(): what could not be done with the file, in one line; empty when all is in it.
  const std::string& error() const noexcept { return error_; }
  /// finish(), and throws Error when anything could not be written.
  void close();

 private:
  std::uint8_t* reserve(std::size_t length) noexcept;
  void commit(std::uint64_t realtime_ns, std::size_t original_length) noexcept;
  void start(const std::string& path);
  void run() noexcept;
  void write_until_closed();
  void drain();
  void join() noexcept;

  capture::Writer writer_;  // used by thread_ alone once it runs
  ByteRing ring_;
  Stats stats_;
  std::atomic<bool> closing_ = false;
  std::atomic<bool> failed_ = false;
  std::string error_;  // written by thread_, read when it has ended
  std::thread thread_;
};

/// For a file that a user has named: null when he has named none. Throws Error also for a pipe: one
/// that is not read would hold up whoever delivers, and he could not be told to end.
std::unique_ptr<FileSink> open_file_sink(const std::string& path,
                                         std::size_t ring_bytes = FileSink::kRingBytes);

}  // namespace linearb::sink
