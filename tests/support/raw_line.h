// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Sends bytes on a line as they are.

#include <string>

#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>

#include "support/packet.h"
#include "sys/fd.h"
#include "sys/interface.h"

namespace linearb::test {

class RawLine {
 public:
  explicit RawLine(const std::string& interface) : socket_(::socket(AF_PACKET, SOCK_RAW, 0)) {
    address_.sll_family = AF_PACKET;
    address_.sll_ifindex = static_cast<int>(sys::interface_index(interface));
    address_.sll_halen = ETH_ALEN;
  }
  void send(const Bytes& packet) const {
    ASSERT_EQ(::sendto(socket_.get(), packet.data(), packet.size(), 0,
                       reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)),
              static_cast<ssize_t>(packet.size()));
  }

 private:
  sys::Fd socket_;
  sockaddr_ll address_{};
};

}  // namespace linearb::test
