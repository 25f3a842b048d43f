// SPDX-License-Identifier: Apache-2.0
#include "sys/interface.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sys/error.h"
#include "sys/fd.h"
#include "sys/netlink.h"

namespace linearb::sys {

namespace {

/// As many bytes as both have: an attribute may be shorter than what it is read into, or not there.
void copy_front(std::span<const std::byte> from, std::span<std::byte> to) {
  std::ranges::copy(from.first(std::min(from.size(), to.size())), to.begin());
}

InterfaceCounters counters_of(std::span<const std::byte> value) {
  // An older kernel sends a shorter structure; what it does not know stays zero.
  rtnl_link_stats64 stats{};
  copy_front(value, std::as_writable_bytes(std::span(&stats, 1)));
  return {.rx_packets = stats.rx_packets,
          .rx_dropped = stats.rx_dropped,
          .rx_missed = stats.rx_missed_errors};
}

Interface parse(const std::vector<std::byte>& answer) {
  ifinfomsg header{};
  copy_front(answer, std::as_writable_bytes(std::span(&header, 1)));
  const Attributes attributes = Attributes::of_link(answer);
  Interface found;
  found.name = attributes.text(IFLA_IFNAME);
  found.index = static_cast<unsigned>(header.ifi_index);
  found.up = (header.ifi_flags & IFF_UP) != 0;
  found.mtu = attributes.number(IFLA_MTU);
  found.kind = attributes.nest(IFLA_LINKINFO).text(IFLA_INFO_KIND);
  found.counters = counters_of(attributes.find(IFLA_STATS64));
  copy_front(attributes.find(IFLA_ADDRESS), std::as_writable_bytes(std::span(found.mac)));
  found.peer_index = attributes.number(IFLA_LINK);
  return found;
}

}  // namespace

std::optional<Interface> find_interface(const std::string& name) {
  if (name.empty() || name.size() > kInterfaceNameMax) return std::nullopt;
  LinkRequest request(RTM_GETLINK);
  request.put(IFLA_IFNAME, name);
  std::vector<std::byte> answer;
  const int error = request.send(&answer);
  if (error == ENODEV) return std::nullopt;
  if (error != 0) throw_errno(fmt::format("ask for interface {}", name), {}, error);
  return parse(answer);
}

Interface query_interface(const std::string& name) {
  auto interface = find_interface(name);
  if (!interface)
    throw_errno(fmt::format("find interface {}", name), "ip link shows those there are", ENODEV);
  return *std::move(interface);
}

unsigned interface_index(const std::string& name) {
  return query_interface(name).index;
}

std::uint32_t rx_queues(const std::string& name) {
  query_interface(name);
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno("open a UDP socket");
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (::ioctl(socket.get(), SIOCETHTOOL, &request) == 0)
    return std::max(1u, channels.rx_count + channels.combined_count);
  if (errno == EOPNOTSUPP) return 1;
  throw_errno(fmt::format("ask {} for its queues (ETHTOOL_GCHANNELS)", name));
}

void set_interface_up(const std::string& name, bool up) {
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(interface_index(name));
  link.ifi_flags = up ? IFF_UP : 0;
  link.ifi_change = IFF_UP;
  const int error = LinkRequest(RTM_NEWLINK, 0, link).send();
  if (error != 0)
    throw_errno(fmt::format("set interface {} {}", name, up ? "up" : "down"),
                "it needs root or CAP_NET_ADMIN", error);
}

}  // namespace linearb::sys
