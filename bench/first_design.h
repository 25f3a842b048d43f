// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sys/fd.h"
#include "xsk/socket.h"
#include "xsk/umem.h"

struct first_design_bpf;

namespace linearb::bench {

/// The first design, to be compared with: its hook (peers/first_design.bpf.c) on both lines, and
/// its one AF_XDP socket, on line A. What line B wins is lost; so is what finds no frame.
///
/// Its hash is full after 1 << 20 sessions, and a new session costs about twice as much from there
/// on: a measurement has to say whether it is one of the first million or of what follows.
class FirstDesign {
 public:
  /// The interfaces that the lines arrive on. Throws Error.
  FirstDesign(const std::string& line_a, const std::string& line_b);

  /// The bare loop: takes what has arrived, looks at none of it, and gives the frames back.
  /// Returns how many packets it took.
  std::uint32_t drain() noexcept;

  static constexpr std::uint32_t kFrames = 4096;

 private:
  struct Destroy {
    void operator()(first_design_bpf* skeleton) const noexcept;
  };
  std::unique_ptr<first_design_bpf, Destroy> skeleton_;
  xsk::Umem umem_;
  xsk::Socket socket_;
  /// Last, so that the hook goes before its socket does.
  std::vector<sys::Fd> attached_;
};

}  // namespace linearb::bench
