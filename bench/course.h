// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "bench/contender.h"
#include "bench/figures.h"
#include "bench/flood.h"
#include "bench/live_frames.h"
#include "bench/stage.h"
#include "bench/traffic.h"

namespace linearb::bench {

/// How the lines come.
enum class Lead {
  a,
  b,
  racing,  ///< each line from a CPU of its own; that of B is the receiver's
};

/// What a contender is sent as fast as it takes it.
struct Course {
  Contender contender;
  std::string figure;
  std::uint64_t packets = 1'000'000;  ///< on each line
  std::uint64_t warm_up = 100'000;
  unsigned lines = 2;
  Traffic traffic{};
  Lead lead = Lead::a;
  std::uint32_t block = Flood{}.block;
  std::uint32_t ahead = Flood{}.ahead;
};

/// A contender that has been warmed up, and what it was sent.
class RunningCourse {
 public:
  /// `course` outlives it. Throws Error.
  RunningCourse(const Course& course, const Cpus& cpus);

  Board& board() { return contender_.board(); }
  /// Packets a second of each line.
  double send(std::uint64_t packets, Lead lead);
  /// Sends so many packets a second, each with its time, and waits until all are delivered. Returns
  /// how many have one.
  std::uint32_t send_in_time(std::uint32_t packets, double rate);
  /// Sends, but what is delivered is another's business.
  void send_blind(std::uint32_t packets);
  std::uint64_t sent() const { return sent_; }
  /// Throws Error when it did not deliver exactly what it was sent.
  void finish();

 private:
  double race(std::uint64_t packets);

  const Course& course_;
  Cpus cpus_;
  Stage stage_;
  LiveFrames frames_;
  Expected expected_;
  RunningContender contender_;
  std::uint64_t sent_ = 0;
};

/// Adds the course's figure: millions of frames a second over all lines.
void measure_rate(const Course& course, const Cpus& cpus, Figures& figures);

inline const Contender kCeiling{"ceiling", "peer_ceiling"};
inline const Contender kLinearb{"linearb", "peer_linearb"};
inline const Contender kFirstDesign{"first design", "peer_first_design"};
inline const Contender kKernelSockets{"kernel sockets", "peer_kernel_sockets", {}, true};
inline const Contender kPacketRing{"AF_PACKET", "peer_packet_ring", {}, true};
/// With the batch at which it is fastest (docs/performance.md); to the others it is all one.
inline const Contender kDpdk{"DPDK", "peer_dpdk", {"--batch", "32"}};

}  // namespace linearb::bench
