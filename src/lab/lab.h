// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The lab: lines without a NIC. A line is a veth pair; what is sent into its source end comes out
/// of its destination end, where the hook is.
///
///   vethA_src ═► vethA_dst    line A
///   vethB_src ═► vethB_dst    line B, and so on
///
/// Both ends lie in the network namespace of the caller. IPv6 is off on them, so that no router
/// solicitation mixes with the feed.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sys/interface.h"

namespace linearb::lab {

/// The limits of the veth driver (ETH_MIN_MTU, and ETH_MAX_MTU less its header).
constexpr unsigned kMtuMin = 68;
constexpr unsigned kMtuMax = 65'521;

struct LabOptions {
  unsigned lines = 2;   ///< A to H: up to kLinesMax of linearb/options.h
  unsigned queues = 1;  ///< RX and TX queues of each end
  unsigned mtu = 1500;  ///< bytes
};

/// "vethA_src" for line 'A'.
std::string source_name(char line);
/// "vethA_dst" for line 'A'.
std::string destination_name(char line);

struct LineStatus {
  char line;
  std::optional<sys::Interface> source;
  std::optional<sys::Interface> destination;
  std::uint32_t queues = 0;  ///< of the destination; 0 when there is none

  /// Two ends of one veth pair, both up.
  bool ready() const;
};

/// Makes the lines and sets them up. A pair that is there as asked for stays as it is, with
/// whatever is attached to it; one that differs in queues or MTU is replaced. Throws UsageError
/// for options out of range, and Error, before it has changed anything, when one of the names
/// belongs to something that is not a veth.
void up(const LabOptions& options);

/// Removes every veth that bears one of the names, of lines A to H, and with it its other end.
/// Returns the names of what was removed.
std::vector<std::string> down();

/// The lines of which at least one end is there.
std::vector<LineStatus> status();

}  // namespace linearb::lab
