// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace linearb::receiver {

/// What a receiver knows of an interface that it receives from, or what the kernel says of it.
struct LinkState {
  std::uint32_t index = 0;  ///< 0: there is none of that name
  bool up = false;
  std::uint32_t queues = 0;      ///< RX queues; known: with a socket
  std::uint32_t program_id = 0;  ///< of the XDP program; 0: none
  bool native = false;           ///< seen: of that program
  std::uint32_t mtu = 0;         ///< bytes
  bool sockets_dead = false;     ///< seen: the kernel has unbound one
};

enum class LinkChange {
  gone,           ///< close its sockets
  back,           ///< attach, and open sockets
  sockets_dead,   ///< close and open them again: the interface was away between two looks
  down,           ///< say so; sockets and hook stay, and work again when it is up
  up,             ///< say so
  more_queues,    ///< open sockets for the new ones; the kernel refuses fewer while they have one
  hook_gone,      ///< attach again
  hook_replaced,  ///< say so
  larger_mtu,     ///< say so if packets may be larger than a frame now
};

/// The kernel unbinds sockets when their interface has lost its name already: so one that was found
/// before them, and is not there (0) or another one after them, is gone. Pure.
LinkState confirmed(const LinkState& seen, std::uint32_t index_afterwards);

/// What has to be done, in order, where `known` is and `seen` is what the kernel says now. Pure.
std::vector<LinkChange> changes_between(const LinkState& known, const LinkState& seen);

}  // namespace linearb::receiver
