// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the suite and the peer that it measures tell each other while one runs: a page that both
/// have mapped. The suite makes it, and the peer inherits its file descriptor.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sys/fd.h"
#include "sys/mapped_memory.h"

namespace linearb::bench {

/// Which messages came, whatever their order: two multisets of messages with the same digest are
/// the same, but for an accident that nobody will live to see.
struct Digest {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;

  void add(std::uint64_t message) noexcept {
    ++count;
    sum += message;
    squares += message * message;
  }
  friend bool operator==(const Digest&, const Digest&) = default;
};

/// From the time stamp in a message to its delivery.
struct Latency {
  std::uint64_t count = 0;
  std::uint64_t p50_ns = 0;
  /// The median of those of kLatencyParts parts of the run. A shared machine is taken away for
  /// some milliseconds now and then: that spoils the parts in which it happens, and not their
  /// median.
  std::uint64_t p99_ns = 0;
  std::uint64_t p99_of_the_run_ns = 0;
};
inline constexpr std::size_t kLatencyParts = 40;

/// Of each message, in the order of their delivery; sorts them.
Latency latency_of(std::span<std::uint64_t> latencies_ns);

/// Each line of cache has one writer.
struct Board {
  /// The suite's.
  alignas(64) std::atomic<std::uint32_t> stop{0};
  /// While it is set the application of the peer takes nothing.
  std::atomic<std::uint32_t> held{0};
  /// When so many messages were delivered the watch stops that began when the hold ended.
  std::atomic<std::uint64_t> stop_watch_at{0};

  /// The peer's.
  alignas(64) std::atomic<std::uint32_t> ready{0};
  std::atomic<std::uint64_t> delivered{0};  ///< messages, each once
  std::atomic<std::uint64_t> read{0};       ///< packets that came to user space; see `copies`
  /// What the watch showed. The suite sets it to 0 before.
  std::atomic<std::uint64_t> watch_ns{0};

  /// Written before `ready`: on how many lines each message comes to user space.
  alignas(64) std::uint32_t copies = 1;
  /// Written before the peer ends.
  Digest digest;
  /// Of the messages that had a time stamp.
  Latency latency;
};

/// The page, of whom it made or of whom it was given.
class SharedBoard {
 public:
  /// Makes one. Throws Error.
  SharedBoard();
  /// Maps that of another process. Throws Error.
  explicit SharedBoard(int fd);

  int fd() const noexcept { return fd_.get(); }
  Board& operator*() const noexcept { return *board_; }
  Board* operator->() const noexcept { return board_; }

 private:
  sys::Fd fd_;
  sys::MappedMemory memory_;
  Board* board_;
};

}  // namespace linearb::bench
