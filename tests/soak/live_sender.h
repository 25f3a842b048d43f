// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "soak/slots.bpf.h"
#include "sys/fd.h"
#include "sys/mapped_memory.h"

struct live_packets_bpf;

namespace linearb::soak {

/// Sends packets onto veth lines as live frames: a million a second and more from one CPU. The hook
/// runs on the CPU of the caller, within send(), but for what the kernel leaves to ksoftirqd.
///
/// The other end of a line has to have NAPI: a native hook, or generic receive offload
/// (take_live_frames). The kernel drops silently what is sent to one that has neither.
class LiveSender {
 public:
  /// Loads the source. Needs Linux 5.18 and root. Throws Error.
  LiveSender();

  /// Where the caller writes the packets of the next send().
  std::span<soak_slot> slots() const noexcept;
  /// Sends the first `count` slots in their order, and hands the kernel `batch` at a time. What the
  /// last send() has sent has to have arrived: a veth loses without a word what its queue has no
  /// room for. Throws Error.
  void send(std::uint32_t count, std::uint32_t batch);

  int program_fd() const noexcept;

 private:
  struct Destroy {
    void operator()(live_packets_bpf* skeleton) const noexcept;
  };
  std::unique_ptr<live_packets_bpf, Destroy> skeleton_;
  sys::MappedMemory slots_;
};

/// A program that is attached nowhere enters and leaves the kernel's XDP dispatcher with every run
/// (bpf_prog_change_xdp in net/bpf/test_run.c), and each run then takes 25 ms longer. So a sender's
/// program is attached to an interface, where it does nothing.
class InDispatcher {
 public:
  /// Throws Error.
  InDispatcher(const LiveSender& sender, const std::string& interface);

 private:
  sys::Fd link_;
};

/// Has the interface take live frames without a native hook, so that they reach a generic one.
/// Throws Error.
void take_live_frames(const std::string& interface);

}  // namespace linearb::soak
