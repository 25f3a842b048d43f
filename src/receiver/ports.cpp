// SPDX-License-Identifier: Apache-2.0
#include "receiver/ports.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/layout.h"
#include "core/walk.h"

namespace linearb::receiver {
namespace {

/// A hook in generic mode never sees a zero-copy queue.
ZeroCopy zero_copy_for(bool generic, bool allowed, ZeroCopy wanted) {
  if (wanted == ZeroCopy::require) return wanted;
  return generic || !allowed ? ZeroCopy::off : wanted;
}

bool is_multicast(std::uint32_t address) {
  return address >> 28 == 0xe;
}  // RFC 5771: 224/4

}  // namespace

std::vector<PortInterface> interfaces_of(const std::vector<Line>& lines) {
  std::vector<PortInterface> interfaces;
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    const std::string& name = lines[i].interface;
    if (std::ranges::find(interfaces, name, &PortInterface::name) != interfaces.end()) continue;
    const sys::Interface found = sys::query_interface(name);
    if (!found.up)
      throw Error(fmt::format("line {}: interface {} is down; set it up (ip link set {} up)",
                              lines[i].name, name, name));
    interfaces.push_back(
        {.name = name,
         .index = found.index,
         .first_line = i,
         .slot_base = static_cast<std::uint16_t>(interfaces.size() * LB_QUEUES_MAX),
         .queues = sys::rx_queues(name),
         .counters_before = found.counters});
    if (interfaces.back().queues > LB_QUEUES_MAX)
      throw Error(
          fmt::format("interface {} has {} RX queues, linearb takes up to {}; reduce them "
                      "(ethtool -L {} combined {})",
                      name, interfaces.back().queues, static_cast<int>(LB_QUEUES_MAX), name,
                      static_cast<int>(LB_QUEUES_MAX)));
  }
  return interfaces;
}

Ports::Ports(const std::vector<PortInterface>& interfaces, const std::vector<bool>& generic,
             const ReceiverOptions& options) {
  for (const PortInterface& interface : interfaces) {
    const std::uint32_t largest = sys::query_interface(interface.name).mtu + LB_ETHERNET_HEADER +
                                  LB_VLAN_TAGS_MAX * LB_VLAN_TAG;
    if (largest > xsk::frame_room(xsk::kFrameSizeSmall)) frame_size_ = xsk::kFrameSizeLarge;
  }
  try {
    bind_all(interfaces, generic, options, true);
  } catch (const xsk::ZeroCopyMismatch&) {
    if (options.zero_copy == ZeroCopy::require) throw;
    bind_all(interfaces, generic, options, false);
  }
}

void Ports::bind_all(const std::vector<PortInterface>& interfaces, const std::vector<bool>& generic,
                     const ReceiverOptions& options, bool allow_zero_copy) {
  ports_.clear();
  by_slot_.assign(LB_SLOTS_MAX, nullptr);
  std::uint32_t sockets = 0;
  for (const PortInterface& interface : interfaces) sockets += interface.queues;
  umem_ = std::make_unique<xsk::Umem>(xsk::UmemOptions{.frame_size = frame_size_,
                                                       .frames = sockets * options.frames,
                                                       .huge_pages = options.hugepages,
                                                       .fill_ring_entries = options.frames,
                                                       .completion_ring_entries = 64});
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    for (std::uint32_t queue = 0; queue < interfaces[i].queues; ++queue) {
      xsk::SocketOptions socket{
          .interface = interfaces[i].name,
          .queue = queue,
          .receive_frames = options.frames,
          .rx_ring_entries = options.frames,
          .zero_copy = zero_copy_for(generic[i], allow_zero_copy, options.zero_copy)};
      if (options.wait == Wait::busy_poll) socket.busy_poll = xsk::BusyPoll{};
      Port& port = ports_.emplace_back();
      port.slot = interfaces[i].slot_base + queue;
      port.interface_index = interfaces[i].index;
      port.line = interfaces[i].first_line;
      port.socket = std::make_unique<xsk::Socket>(*umem_, socket);
      by_slot_[port.slot] = &port;
    }
  }
}

std::deque<sys::MulticastJoins> join_groups(const std::vector<PortInterface>& interfaces,
                                            const ReceiverOptions& options) {
  std::deque<sys::MulticastJoins> joins;
  for (const PortInterface& interface : interfaces) {
    std::vector<sys::Membership> memberships;
    for (const Line& line : options.lines) {
      if (line.interface != interface.name) continue;
      for (const Channel& channel : options.channels) {
        const std::uint32_t group = channel.destination_on(line.name).address;
        if (is_multicast(group)) memberships.push_back({group, 0});
      }
    }
    if (!memberships.empty()) joins.emplace_back(interface.name, memberships);
  }
  return joins;
}

}  // namespace linearb::receiver
