// SPDX-License-Identifier: Apache-2.0
#include "sys/interface.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <net/if.h>

#include "linearb/error.h"
#include "sys/netlink.h"

namespace linearb::sys {
namespace {

TEST(Interface, TheLoopbackIsThereInEveryNamespace) {
  const Interface loopback = query_interface("lo");
  EXPECT_EQ(loopback.name, "lo");
  EXPECT_EQ(loopback.index, ::if_nametoindex("lo"));
  EXPECT_GE(loopback.mtu, 1500u);
  EXPECT_EQ(loopback.kind, "");
  EXPECT_EQ(loopback.mac, MacAddress{});
  EXPECT_EQ(interface_index("lo"), loopback.index);
  EXPECT_EQ(rx_queues("lo"), 1u) << "a driver without channels has one queue";
}

TEST(Interface, WhatIsNotThereIsNamed) {
  EXPECT_FALSE(find_interface("nosuch0"));
  EXPECT_FALSE(find_interface(""));
  EXPECT_FALSE(find_interface("a-name-that-is-too-long"));
  for (const auto& ask : {+[](const std::string& name) { query_interface(name); },
                          +[](const std::string& name) { interface_index(name); },
                          +[](const std::string& name) { rx_queues(name); },
                          +[](const std::string& name) { set_interface_up(name, true); }}) {
    try {
      ask("nosuch0");
      ADD_FAILURE() << "found nosuch0";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(),
                   "find interface nosuch0: No such device; ip link shows those there are");
    }
  }
}

TEST(Attributes, TooFewBytesHoldNothing) {
  const std::vector<std::byte> bytes(7);
  EXPECT_TRUE(Attributes(bytes).find(0).empty());
  EXPECT_EQ(Attributes(bytes).number(0), 0u);
  EXPECT_EQ(Attributes(bytes).text(0), "");
  EXPECT_TRUE(Attributes::of_link(bytes).find(IFLA_IFNAME).empty());
}

TEST(Attributes, ALengthBeyondTheMessageEndsTheSearch) {
  std::vector<std::byte> bytes(8);
  const auto put = [&](std::uint16_t length) {
    const rtattr header{.rta_len = length, .rta_type = IFLA_MTU};
    std::memcpy(bytes.data(), &header, sizeof header);
  };
  put(8);
  EXPECT_EQ(Attributes(bytes).find(IFLA_MTU).size(), 4u);
  put(9);
  EXPECT_TRUE(Attributes(bytes).find(IFLA_MTU).empty());
  put(3);
  EXPECT_TRUE(Attributes(bytes).find(IFLA_MTU).empty());
}

}  // namespace
}  // namespace linearb::sys
