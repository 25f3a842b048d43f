// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sys/fd.h"

struct live_source_bpf;

namespace linearb::bench {

/// How both lines are sent from one CPU: a block of line A, the same block of line B, and again.
struct Blocks {
  std::uint32_t first = 1;     ///< number of the first packet
  std::uint32_t count = 0;     ///< packets on each line
  std::uint32_t block = 1024;  ///< packets; also how far behind line A the others are. A run costs
                               ///< about 10 us, so a small block measures that
  std::uint32_t batch = 64;    ///< frames that the kernel makes at a time, 1 to 256
};

/// Sends optiq packets (framings/optiq.toml) onto veth lines as live frames: several millions of
/// packets a second from one CPU, where AF_XDP transmission makes some hundred thousand.
///
/// The packets are alike but for session id and sequence number, and have no UDP checksum. The
/// other end of each line has to have a native hook: the kernel drops silently what is sent to
/// one that has none. The hook runs on the CPU of the caller, within run(), but for what the
/// kernel leaves to ksoftirqd.
class LiveFrames {
 public:
  /// The source ends of the lines. Needs Linux 5.18. Throws Error.
  explicit LiveFrames(const std::vector<std::string>& source_interfaces);

  /// Sends packets with the numbers [first, first + count) on one line. More than 256 in a batch
  /// do not fit into the queue of a veth. Throws Error.
  void run(std::size_t line, std::uint32_t first, std::uint32_t count, std::uint32_t batch);

  /// Sends on every line, line A leading, and calls `after_block` when a block has gone out on all
  /// of them.
  void run_all(const Blocks& blocks, const std::function<void()>& after_block);

 private:
  struct Destroy {
    void operator()(live_source_bpf* skeleton) const noexcept;
  };
  std::unique_ptr<live_source_bpf, Destroy> skeleton_;
  std::vector<unsigned> source_interface_indexes_;
  std::vector<std::uint8_t> template_packet_;
  /// The program is attached to the first source end, where it does nothing. A program that is
  /// attached nowhere enters and leaves the kernel's XDP dispatcher with every run
  /// (bpf_prog_change_xdp in net/bpf/test_run.c), and each run then takes 25 ms longer.
  sys::Fd in_dispatcher_;
};

}  // namespace linearb::bench
