// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What comes out of the lab's lines and is not taken by a hook.

#include <cstring>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "lab/lab.h"
#include "support/packet.h"
#include "sys/fd.h"
#include "sys/interface.h"

namespace linearb::test {

/// A frame as it came out of a line.
struct Seen {
  std::size_t line;
  Bytes bytes;
};

/// Sees every packet that comes out of the lines, in the order in which they do.
class Tap {
 public:
  explicit Tap(std::size_t lines)
      : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL))) {
    EXPECT_TRUE(socket_) << std::strerror(errno);
    int bytes = 256 << 20;
    EXPECT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)), 0);
    for (std::size_t line = 0; line < lines; ++line)
      line_of_[static_cast<int>(
          sys::interface_index(lab::destination_name(static_cast<char>('A' + line))))] = line;
  }

  /// What came, until nothing came for a while.
  std::vector<Seen> take() {
    constexpr int kQuietMs = 100;
    std::vector<Seen> seen;
    pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    Bytes buffer(1 << 16);
    while (::poll(&ready, 1, kQuietMs) > 0) {
      sockaddr_ll from{};
      socklen_t size = sizeof(from);
      ssize_t length = ::recvfrom(socket_.get(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &size);
      if (length < 0) break;
      auto line = line_of_.find(from.sll_ifindex);
      if (line == line_of_.end() || from.sll_pkttype == PACKET_OUTGOING) continue;
      seen.push_back({line->second, Bytes(buffer.begin(), buffer.begin() + length)});
    }
    tpacket_stats dropped{};
    socklen_t size = sizeof(dropped);
    EXPECT_EQ(::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &dropped, &size), 0);
    EXPECT_EQ(dropped.tp_drops, 0u) << "the test's own socket was too small";
    return seen;
  }

 private:
  sys::Fd socket_;
  std::map<int, std::size_t> line_of_;
};

}  // namespace linearb::test
