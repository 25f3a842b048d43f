// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/layout.h"
#include "support/packet.h"

namespace linearb::test {

/// How a packet comes to the hook.
struct Arrival {
  std::uint32_t interface_index = 0;
  std::uint32_t queue = 0;
  std::uint32_t earlier_metadata = 0;  ///< bytes that an XDP program before the hook has put there
};

/// What the hook made of it.
struct Result {
  std::uint32_t action = 0;  ///< XDP_PASS, ...
  Bytes metadata;            ///< what lies in front of the packet now
  Bytes packet;

  /// Nothing when `metadata` has another size.
  std::optional<lb_metadata> hook_metadata() const;
};

/// Runs the program once on a packet (BPF_PROG_RUN; Documentation/bpf/bpf_prog_run.rst). Maps
/// change as they would under traffic, but what is redirected goes nowhere. Throws Error when the
/// kernel refuses: a packet has at least 14 bytes.
Result run_program(int program_fd, std::span<const std::uint8_t> packet, const Arrival& arrival);

/// "PASS", "DROP" or "REDIRECT".
const char* action_name(std::uint32_t action);

}  // namespace linearb::test
