// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "feeder/generator.h"
#include "feeder/impairment.h"
#include "feeder/line_sender.h"
#include "feeder/result.h"
#include "feeder/source.h"
#include "linearb/options.h"
#include "xsk/packet_header.h"
#include "xsk/umem.h"

namespace linearb::feeder {

/// Where packets go that are told no group: 239.192.0.0/14 is for use within an organisation
/// (RFC 2365, section 6.2).
inline constexpr Destination kDefaultDestination{0xefc01e01, 30001};  // 239.192.30.1
/// Where they say they come from: 198.18.0.0/15 is for benchmarks (RFC 2544, appendix C.2.2).
inline constexpr Destination kDefaultSource{0xc6120001, 30000};  // 198.18.0.1

/// Frames of a line: what may be on its way at once, 2 MiB. A power of two.
inline constexpr std::uint32_t kFramesDefault = 1024;
inline constexpr std::uint32_t kBatchDefault = 64;
inline constexpr std::uint32_t kBatchMax = 1024;
inline constexpr double kRateMax = 1e9;

/// How packets leave.
enum class Engine {
  af_xdp,  ///< a socket for each line, as any interface can
  live,    ///< live frames (live/sender.h): for veth lines, to saturate what is at their other end
};

/// What one line is, and what happens on it.
struct FeederLine {
  Line line;
  std::uint32_t queue = 0;
  /// With sources, the first of them is where it says that it comes from.
  Destination destination = kDefaultDestination;
  /// Of a destination that is no multicast group; without it the broadcast address.
  std::optional<sys::MacAddress> destination_mac{};
  std::uint32_t messages_per_packet = 1;
  LineImpairment impairment{};
};

/// Without `replay_path` messages of the framing are generated.
struct FeederOptions {
  std::vector<FeederLine> lines;
  config::Framing framing;  // of what is generated, or of raw datagrams that are replayed
  Destination source = kDefaultSource;  // of lines whose destination names none
  std::uint64_t seed = 1;
  /// Packets of the first line, before impairments: generated or replayed. 0: until stop(), or to
  /// the end of the file. Every line carries the messages of so many packets.
  std::uint64_t packets = 0;
  /// Packets a second of the first line. 0: as fast as it goes; a capture at its own pace.
  double rate = 0;

  MessageOptions messages;

  std::string replay_path;
  double speed = 1;  // of the pace of the capture; 0: as fast as it goes

  Engine engine = Engine::af_xdp;
  std::uint32_t batch = kBatchDefault;    // packets of one line between two looks at the others
  std::uint32_t frames = kFramesDefault;  // of Engine::af_xdp
  std::size_t delay_queue = kDelayQueueLimit;  // departures; when a line's is full, all wait
  ZeroCopy zero_copy = ZeroCopy::automatic;
  std::optional<unsigned> cpu;  // the thread of run() is tied to it
};

/// Checks everything that can be checked without touching the system. Throws UsageError naming the
/// option and what is accepted.
void validate(const FeederOptions& options);

/// Sends a feed on every line from one thread: what an exchange and its two networks do, with the
/// faults of both.
///
/// It sends as one machine can: in copy mode, and with live frames, the receivers' hooks run on its
/// CPU. It is no precise traffic generator: packets of one line leave in blocks, and late when the
/// thread is.
class Feeder {
 public:
  /// Opens everything. Throws UsageError or Error before anything is sent.
  explicit Feeder(const FeederOptions& options);

  /// Sends all of it; once. Throws Error when a line cannot send, or when packets stay outstanding
  /// for kStallNs (stall.h): how many, and where.
  FeederResult run();

  /// Ends run(): nothing more is generated, and what is delayed leaves at once. From any thread,
  /// and from a signal handler.
  void stop() noexcept { stop_.store(true, std::memory_order_relaxed); }

  const Progress& progress() const noexcept { return progress_; }

 private:
  void take_units(std::uint64_t now_ns);
  bool may_take(std::uint64_t now_ns);
  bool lines_have_room() const noexcept;
  bool behind(std::uint64_t now_ns) const noexcept;
  void finish_lines();
  std::uint64_t move_packets(std::uint64_t now_ns);
  std::uint64_t next_event_ns(std::uint64_t now_ns);
  std::uint64_t outstanding() const noexcept;
  bool done() const noexcept;
  bool stopped() const noexcept { return stop_.load(std::memory_order_relaxed); }
  [[noreturn]] void give_up() const;
  FeederResult result(std::uint64_t elapsed_ns) const;

  std::uint32_t batch_;
  std::optional<unsigned> cpu_;
  std::unique_ptr<Source> source_;
  std::optional<xsk::Umem> umem_;  // of Engine::af_xdp; outlives the sockets of the lines
  std::deque<LineSender> lines_;
  std::uint64_t skipped_ = 0;
  std::uint64_t units_ = 0;
  std::uint64_t last_base_ns_ = 0;
  bool finished_ = false;  // every line has all of its packets
  bool paused_ = false;
  std::uint64_t pauses_ = 0;
  std::atomic<bool> stop_{false};
  Progress progress_;
};

}  // namespace linearb::feeder
