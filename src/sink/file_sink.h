// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "capture/writer.h"
#include "sink/byte_ring.h"
#include "sink/trim.h"

namespace linearb::sink {

/// What became of packets that were given to a sink.
struct SinkStats {
  std::uint64_t packets = 0;    // given to the sink and taken
  std::uint64_t records = 0;    // of them: a trimmed packet is one for each run; after finish()
                                // those that are whole in the file
  std::uint64_t untrimmed = 0;  // written whole, though only a part of them was new
  std::uint64_t waits = 0;      // the ring was full
  std::uint64_t lost = 0;       // given to the sink after the file had failed
};

/// One thread's way into the file of a FileSink: a bounded ring, so that a slow disk is not felt
/// until it is full; then the caller waits, and counts it.
class Inlet {
 public:
  /// `failed` outlives it: whether the file can be written. Throws std::bad_alloc.
  Inlet(std::size_t ring_bytes, const std::atomic<bool>& failed)
      : ring_(ring_bytes), failed_(failed) {}

  /// The packet from its Ethernet header on; its bytes may be reused when this returns.
  void write(std::uint64_t realtime_ns, std::span<const std::uint8_t> packet) noexcept;

  /// Only the messages of the trim's runs, one record for each run; whole and counted `untrimmed`
  /// where the Trimmer cannot cut the packet.
  void write_trimmed(std::uint64_t realtime_ns, std::span<const std::uint8_t> packet,
                     const Trim& trim) noexcept;

  const SinkStats& stats() const noexcept { return stats_; }

 private:
  friend class FileSink;
  std::uint8_t* reserve(std::size_t length) noexcept;
  void commit(std::uint64_t realtime_ns, std::size_t original_length) noexcept;

  ByteRing ring_;
  SinkStats stats_;
  const std::atomic<bool>& failed_;
};

/// Writes what was delivered as a capture, with a thread of its own. What comes through one inlet
/// is in the file in its order, and what is there from several goes by its time. Nothing is left
/// out as long as the file can be written.
///
/// When it cannot, failed() says so from then on, and inlets no longer wait for anything. finish()
/// keeps what went wrong for error(), close() throws it. The file is a valid capture of the records
/// that stats() counts then.
///
/// failed() may be asked by any thread, everything else by one that knows that nobody writes.
class FileSink {
 public:
  /// A twentieth of a second of 10 Gb/s.
  static constexpr std::size_t kRingBytes = 64 * 1024 * 1024;

  /// Creates the file, or empties the one that is there. Throws Error. The ring of each inlet has
  /// at least one MiB.
  explicit FileSink(const std::string& path, std::size_t ring_bytes = kRingBytes,
                    std::size_t inlets = 1);
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  /// Without close() before, the rest is written and an error is not reported.
  ~FileSink();

  /// For one thread each.
  Inlet& inlet(std::size_t place = 0) noexcept { return inlets_[place]; }

  bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  /// Of all inlets together.
  SinkStats stats() const noexcept;

  /// Writes what is in the rings and closes the file. Nothing can be written after it.
  void finish() noexcept;
  /// After finish(): what could not be done with the file, in one line; empty when all is in it.
  const std::string& error() const noexcept { return error_; }
  /// finish(), and throws Error when anything could not be written.
  void close();

 private:
  void start(const std::string& path);
  void run() noexcept;
  void write_until_closed();
  void drain();
  void join() noexcept;

  capture::Writer writer_;  // used by thread_ alone once it runs
  std::atomic<bool> closing_ = false;
  std::atomic<bool> failed_ = false;
  std::deque<Inlet> inlets_;
  std::optional<std::uint64_t> records_in_file_;  // after finish()
  std::string error_;                             // written by thread_, read when it has ended
  std::thread thread_;
};

/// For a file that a user has named: null when he has named none. Throws Error also for a pipe: one
/// that is not read would hold up whoever delivers, and he could not be told to end.
std::unique_ptr<FileSink> open_file_sink(const std::string& path,
                                         std::size_t ring_bytes = FileSink::kRingBytes,
                                         std::size_t inlets = 1);

}  // namespace linearb::sink
