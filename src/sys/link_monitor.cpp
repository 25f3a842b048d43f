// SPDX-License-Identifier: Apache-2.0
#include "sys/link_monitor.h"

#include <array>
#include <cerrno>
#include <cstddef>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "sys/error.h"

namespace linearb::sys {

LinkMonitor::LinkMonitor()
    : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)) {
  if (!socket_) throw_errno("open a netlink socket that hears of interfaces");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw_errno("hear of interfaces by netlink");
}

bool LinkMonitor::wait(int stop_fd, int timeout_ms) noexcept {
  std::array<pollfd, 2> watched{{{stop_fd, POLLIN, 0}, {socket_.get(), POLLIN, 0}}};
  ::poll(watched.data(), watched.size(), timeout_ms);
  std::array<std::byte, 16 * 1024> message;
  // ENOBUFS: some were left out; it is said once, and the next call goes on.
  while (::recv(socket_.get(), message.data(), message.size(), 0) >= 0 || errno == ENOBUFS) {
  }
  return watched[0].revents == 0 || watched[1].revents != 0;
}

}  // namespace linearb::sys
