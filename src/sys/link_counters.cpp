// SPDX-License-Identifier: Apache-2.0
#include "sys/link_counters.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "sys/error.h"
#include "sys/interface.h"
#include "sys/netlink.h"

namespace linearb::sys {

LinkCounters::LinkCounters(const std::string& interface)
    : interface_(interface),
      index_(interface_index(interface)),
      socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  if (!socket_) throw_errno("open a NETLINK_ROUTE socket");
}

LinkCounters::Transmitted LinkCounters::read() const {
  struct {
    nlmsghdr header;
    if_stats_msg link;
  } request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETSTATS;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.link.ifindex = index_;
  request.link.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
  const std::string doing = fmt::format("ask what {} has sent", interface_);
  if (::send(socket_.get(), &request, sizeof(request), 0) < 0) throw_errno(doing);

  alignas(nlmsghdr) std::array<std::byte, 1024> answer;
  ssize_t received = -1;
  do {
    received = ::recv(socket_.get(), answer.data(), answer.size(), 0);
  } while (received < 0 && errno == EINTR);
  if (received < 0) throw_errno(doing);
  const auto bytes = std::span(answer).first(static_cast<std::size_t>(received));
  nlmsghdr header{};
  std::memcpy(&header, bytes.data(), std::min(sizeof(header), bytes.size()));
  if (header.nlmsg_type != RTM_NEWSTATS) throw_errno(doing, {}, ENODEV);
  constexpr std::size_t kBefore = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(if_stats_msg));
  const Attributes attributes(bytes.subspan(std::min(kBefore, bytes.size())));
  const std::span<const std::byte> value = attributes.find(IFLA_STATS_LINK_64);
  rtnl_link_stats64 counters{};
  std::memcpy(&counters, value.data(), std::min(sizeof(counters), value.size()));
  return {.packets = counters.tx_packets, .dropped = counters.tx_dropped};
}

}  // namespace linearb::sys
