// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/sender.h"

struct live_source_bpf;

namespace linearb::bench {

/// Sends optiq packets (framings/optiq.toml) onto veth lines as live frames: several millions of
/// packets a second from one CPU, where AF_XDP transmission makes some hundred thousand.
///
/// The packets are alike but for channel, session id and sequence number, and have no UDP checksum.
/// They are made in the kernel, where live::Sender is handed each by user space: what a source
/// costs is measured with what it feeds. They are counted from 0 over all channels: packet i is of
/// channel i % channels, and has the number 1 + i / channels there. The other end of each line has
/// to take frames: with a native hook, or with GRO switched on; the kernel drops silently what is
/// sent to one that does neither. A hook runs on the CPU of the caller, within send(), but for what
/// the kernel leaves to ksoftirqd. One thread.
class LiveFrames {
 public:
  /// The source ends of the lines. Needs Linux 5.18. Throws Error.
  explicit LiveFrames(const std::vector<std::string>& source_interfaces,
                      std::uint32_t channels = 1);

  std::size_t lines() const noexcept { return source_interface_indexes_.size(); }

  /// Sends the packets [first, first + count) on one line. Throws Error.
  void send(std::size_t line, std::uint64_t first, std::uint32_t count);

 private:
  struct Destroy {
    void operator()(live_source_bpf* skeleton) const noexcept;
  };
  std::unique_ptr<live_source_bpf, Destroy> skeleton_;
  std::vector<unsigned> source_interface_indexes_;
  std::uint32_t channels_;
  std::vector<std::uint8_t> template_packet_;
  std::optional<live::InDispatcher> in_dispatcher_;  ///< by the first source end
};

}  // namespace linearb::bench
