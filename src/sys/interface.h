// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Network interfaces, asked of the kernel by rtnetlink and ioctl. Never by way of /sys: a process
/// in a private network namespace still sees the /sys of the one it came from.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace linearb::sys {

/// What the interface itself counted, before any hook (struct rtnl_link_stats64).
struct InterfaceCounters {
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_dropped = 0;
  std::uint64_t rx_missed = 0;  ///< the NIC had no buffer
};

using MacAddress = std::array<std::uint8_t, 6>;

/// A snapshot.
struct Interface {
  std::string name;
  unsigned index = 0;
  bool up = false;        ///< administratively
  std::uint32_t mtu = 0;  ///< bytes
  MacAddress mac{};
  std::string kind;         ///< of a virtual interface ("veth"); empty for a physical one
  unsigned peer_index = 0;  ///< of a veth: its other end, in the namespace that is in
  InterfaceCounters counters;
};

/// The longest name of an interface (IFNAMSIZ without the closing zero).
constexpr std::size_t kInterfaceNameMax = 15;

/// Nothing when there is no interface of that name.
std::optional<Interface> find_interface(const std::string& name);
/// Throws Error when there is no interface of that name.
Interface query_interface(const std::string& name);
unsigned interface_index(const std::string& name);

/// How many RX queues are in use: rx and combined channels (ETHTOOL_GCHANNELS); 1 for drivers that
/// have no notion of channels.
std::uint32_t rx_queues(const std::string& name);

void set_interface_up(const std::string& name, bool up);

}  // namespace linearb::sys
