// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "sys/fd.h"

namespace linearb::sys {

/// A multicast group, from every source or from one. Addresses in host byte order.
struct Membership {
  std::uint32_t group = 0;
  std::uint32_t source = 0;  ///< 0: every source

  auto operator<=>(const Membership&) const = default;
};

/// Membership of groups on one interface, from construction to destruction.
///
/// AF_XDP cannot join a group, so ordinary UDP sockets do it, and the kernel answers the router's
/// queries for them. They are never bound: a bound one would take a copy of what the hook passes
/// and fill its buffer with it. A socket holds as many groups as igmp_max_memberships says (20),
/// and of each as many sources as igmp_max_msf says (10); so there are as many sockets as it takes.
class MulticastJoins {
 public:
  /// Joins each group, and each source of it, once, however often it is named. Throws UsageError
  /// for an address that is not multicast, Error when the kernel refuses.
  MulticastJoins(const std::string& interface, std::span<const Membership> memberships);

  std::size_t groups() const noexcept { return joined_.size(); }
  std::size_t sockets() const noexcept { return sockets_.size(); }

 private:
  std::set<Membership> joined_;
  std::vector<Fd> sockets_;
};

}  // namespace linearb::sys
