// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "live/slots.bpf.h"
#include "sys/fd.h"
#include "sys/mapped_memory.h"

struct live_packets_bpf;

namespace linearb::live {

/// Frames that the kernel makes at a time.
inline constexpr std::uint32_t kBatch = 64;

/// Runs a program so often, on frames with these bytes, and acts on what it returns
/// (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18). False when a signal has ended it early. Throws Error.
bool run(int program_fd, std::span<const std::uint8_t> frame, std::uint32_t times,
         std::uint32_t batch = kBatch);

/// A program that is attached nowhere enters and leaves the kernel's XDP dispatcher with every run
/// (bpf_prog_change_xdp in net/bpf/test_run.c), and each run then takes 25 ms longer. So a sender's
/// program is attached to an interface, where it does nothing.
class InDispatcher {
 public:
  /// Behind the driver of the interface. Throws Error: there is another program already.
  InDispatcher(int program_fd, const std::string& interface);

 private:
  sys::Fd link_;
};

/// Sends packets onto veth lines as live frames, without socket buffers and without a system call
/// for each packet: a million a second and more from one CPU. The hook runs on the CPU of the
/// caller, within send(), but for what the kernel leaves to ksoftirqd.
///
/// The other end of a line has to have NAPI: a native hook, or generic receive offload
/// (take_live_frames). The kernel drops without a word what is sent to one that has neither.
class Sender {
 public:
  /// Loads the source. Needs Linux 5.18 and root. Throws Error.
  Sender();

  /// Where the caller writes the packets of the next send().
  std::span<lb_live_slot> slots() const noexcept;
  /// Sends the first `count` slots in their order, and hands the kernel `batch` at a time. What the
  /// last send() has sent has to have arrived: a veth drops what its queue has no room for. Throws
  /// Error.
  void send(std::uint32_t count, std::uint32_t batch = kBatch);

  int program_fd() const noexcept;

 private:
  struct Destroy {
    void operator()(live_packets_bpf* skeleton) const noexcept;
  };
  std::unique_ptr<live_packets_bpf, Destroy> skeleton_;
  sys::MappedMemory slots_;
};

/// Has the interface take live frames without a native hook, so that they reach a generic one.
/// Throws Error.
void take_live_frames(const std::string& interface);

}  // namespace linearb::live
