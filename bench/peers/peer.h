// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the peers have in common: each is a program that is told on its command line which lines it
/// receives, and that shows on a board (bench/board.h) how far it is.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/board.h"
#include "bench/optiq.bpf.h"
#include "core/bytes.h"
#include "sys/clock.h"

namespace linearb::bench {

inline constexpr std::uint32_t kHeadersLength = 14 + 20 + 8;  ///< Ethernet, IPv4, UDP
inline constexpr std::uint32_t kFeedGroup = 0xefc01e01;       ///< 239.192.30.1

struct PeerOptions {
  int board = -1;                       ///< file descriptor
  std::vector<std::string> interfaces;  ///< of the lines
  unsigned cpu = 0;
  std::uint32_t channels = 1;  ///< on ports in a row
  std::uint32_t batch = 64;    ///< packets, where the peer can be told
  std::uint32_t frames = 0;    ///< of each socket, of linearb; 0: its default
  bool mold = false;           ///< the feed is MoldUDP64 (bench/traffic.h); of linearb
  bool lossy = false;          ///< lines lose packets, and all of them some; of linearb
  bool in_sequence = false;    ///< of linearb
  bool timed = false;          ///< latencies are measured
};

/// Which message the payload of an optiq packet is: channel and number, as bench/live_frames.h
/// writes them.
inline std::uint64_t message_of(const std::uint8_t* payload) noexcept {
  return std::uint64_t{lb_load_u16_le(payload + OPTIQ_SERVICE_ID)} << 32 |
         lb_load_u32_le(payload + OPTIQ_SEQUENCE_NUMBER);
}

/// When a packet was sent, CLOCK_MONOTONIC in ns, where the sender says so; else 0.
inline std::uint64_t stamp_of(const std::uint8_t* payload) noexcept {
  return lb_load_u64_le(payload + OPTIQ_TIMESTAMP);
}

/// What is done with a message that was delivered, the same in every peer.
class Application {
 public:
  static constexpr std::size_t kLatenciesMax = 4'000'000;

  Application(Board& board, bool timed) : board_(board), timed_(timed) {
    if (timed) latencies_ns_.reserve(kLatenciesMax);
  }

  void deliver(const std::uint8_t* payload) noexcept {
    deliver_message(message_of(payload));
    if (timed_) take_time(payload);
  }
  void deliver_message(std::uint64_t message) noexcept {
    if (board_.held.load(std::memory_order_relaxed) != 0) wait_for_release();
    digest_.add(message);
    board_.delivered.store(digest_.count, std::memory_order_relaxed);
    if (digest_.count == stop_watch_at_) stop_watch();
  }

  /// So many packets have come to user space, delivered or not.
  void count_read(std::uint32_t packets) noexcept {
    read_ += packets;
    board_.read.store(read_, std::memory_order_relaxed);
  }

  /// All came: what is measured goes to the board.
  void finish();

 private:
  void wait_for_release() noexcept;
  void stop_watch() noexcept;
  void take_time(const std::uint8_t* payload) noexcept {
    const std::uint64_t stamp_ns = stamp_of(payload);
    if (stamp_ns != 0 && latencies_ns_.size() < kLatenciesMax)
      latencies_ns_.push_back(sys::monotonic_ns() - stamp_ns);
  }

  Board& board_;
  bool timed_;
  Digest digest_;
  std::uint64_t read_ = 0;
  std::uint64_t stop_watch_at_ = 0;
  std::uint64_t watch_began_ns_ = 0;
  std::vector<std::uint64_t> latencies_ns_;
};

/// A peer that runs until it is told to stop.
class Peer {
 public:
  virtual ~Peer() = default;
  /// Receives what has come. Called again and again.
  virtual void poll(Application& application) = 0;
};

using MakePeer = std::function<std::unique_ptr<Peer>(const PeerOptions&)>;

int run_made_peer(int count, char** arguments, std::uint32_t copies, const MakePeer& make);

/// The main function of a peer that is made of its options: reads the arguments, ties itself to its
/// CPU, and ends when the suite says so or is no more. `copies` as Board::copies; 0 means on every
/// line.
template <class Made>
int run_peer(int count, char** arguments, std::uint32_t copies) {
  return run_made_peer(count, arguments, copies,
                       [](const PeerOptions& options) { return std::make_unique<Made>(options); });
}

/// The same for one that has a loop of its own: `run` calls `ready` when it receives, and returns
/// when the board says stop.
using RunPeer = std::function<void(const PeerOptions&, Board&, const std::function<void()>& ready)>;
int run_peer_itself(int count, char** arguments, const RunPeer& run);

}  // namespace linearb::bench
