// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/traffic.h"
#include "live/sender.h"

struct live_source_bpf;

namespace linearb::bench {

/// Sends traffic onto veth lines as live frames: several millions of packets a second from one CPU,
/// where AF_XDP transmission makes some hundred thousand.
///
/// The packets are alike but for channel and number, and have no UDP checksum. They are made in the
/// kernel, where live::Sender is handed each by user space: what a source costs is measured with
/// what it feeds. The other end of each line has to take frames: with a native hook, or with GRO
/// switched on; the kernel drops silently what is sent to one that does neither. A hook runs on the
/// CPU of the caller, within send(), but for what the kernel leaves to ksoftirqd. One thread.
class LiveFrames {
 public:
  /// The source ends of the lines, of which the first is line `first_line` to what they lose. Needs
  /// Linux 5.18. Throws Error.
  LiveFrames(const std::vector<std::string>& source_interfaces, const Traffic& traffic,
             std::uint32_t first_line = 0);

  std::size_t lines() const noexcept { return source_interface_indexes_.size(); }
  const Traffic& traffic() const noexcept { return traffic_; }

  /// Sends the packets [first, first + count) on one line. Throws Error.
  void send(std::size_t line, std::uint64_t first, std::uint32_t count);
  /// Sends them on all lines, so many packets a second, each line's copy with the time at which it
  /// left, but for the first packet of each run of the kernel's: what a run begins with has cost it
  /// its caches. Returns how many have a time. Throws Error.
  std::uint32_t send_in_time(std::uint64_t first, std::uint32_t count, double rate);

 private:
  void run(std::uint64_t first, std::uint32_t frames, std::uint32_t batch);

  struct Destroy {
    void operator()(live_source_bpf* skeleton) const noexcept;
  };
  std::unique_ptr<live_source_bpf, Destroy> skeleton_;
  std::vector<unsigned> source_interface_indexes_;
  Traffic traffic_;
  std::uint32_t first_line_;
  std::vector<std::uint8_t> template_packet_;
  std::optional<live::InDispatcher> in_dispatcher_;  ///< by the first source end
};

}  // namespace linearb::bench
