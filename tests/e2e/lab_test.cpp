// SPDX-License-Identifier: Apache-2.0
#include "lab/lab.h"

#include <fstream>
#include <utility>

#include <gtest/gtest.h>

#include "support/capability.h"
#include "support/error_text.h"
#include "sys/netlink.h"

namespace linearb::lab {
namespace {

using test::error_text;

/// Makes an interface of a kind that needs no further attributes ("bridge", "veth").
void make_link(const std::string& name, const std::string& kind) {
  sys::LinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  request.put(IFLA_IFNAME, name);
  const std::size_t info = request.open_nest(IFLA_LINKINFO);
  request.put(IFLA_INFO_KIND, kind);
  request.close_nest(info);
  ASSERT_EQ(request.send(), 0);
}

void set_mtu(const std::string& name, std::uint32_t mtu) {
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(sys::interface_index(name));
  sys::LinkRequest request(RTM_NEWLINK, 0, link);
  request.put(IFLA_MTU, mtu);
  ASSERT_EQ(request.send(), 0);
}

void remove_link(const std::string& name) {
  ifinfomsg link{};
  link.ifi_index = static_cast<int>(sys::interface_index(name));
  ASSERT_EQ(sys::LinkRequest(RTM_DELLINK, 0, link).send(), 0);
}

class Lab : public ::testing::Test {
 protected:
  void TearDown() override { down(); }
};

TEST_F(Lab, UpMakesPairsDownRemovesThemAndSaysSo) {
  EXPECT_TRUE(status().empty());
  up({});
  const auto lines = status();
  ASSERT_EQ(lines.size(), 2u);
  for (const LineStatus& line : lines) {
    EXPECT_TRUE(line.ready()) << line.line;
    EXPECT_EQ(line.queues, 1u);
    EXPECT_EQ(line.source->mtu, 1500u);
    EXPECT_EQ(line.source->peer_index, line.destination->index);
    EXPECT_EQ(line.destination->kind, "veth");
    EXPECT_NE(line.source->mac, sys::MacAddress{});
    EXPECT_NE(line.source->mac, line.destination->mac);
  }
  EXPECT_EQ(lines[1].source->name, "vethB_src");
  EXPECT_EQ(lines[1].destination->name, "vethB_dst");
  EXPECT_EQ(down(), (std::vector<std::string>{"vethA_src", "vethA_dst", "vethB_src", "vethB_dst"}));
  EXPECT_TRUE(status().empty());
  EXPECT_TRUE(down().empty());
}

TEST_F(Lab, LinesQueuesAndMtuAreAsAskedFor) {
  up({.lines = 5, .queues = 3, .mtu = 9000});
  const auto lines = status();
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[4].line, 'E');
  EXPECT_EQ(lines[4].queues, 3u);
  EXPECT_EQ(sys::rx_queues("vethE_src"), 3u);
  EXPECT_EQ(lines[4].source->mtu, 9000u);
  EXPECT_EQ(lines[4].destination->mtu, 9000u);
  EXPECT_EQ(down().size(), 10u) << "all lines, however many are the default";
}

TEST_F(Lab, IPv6IsOff) {
  up({.lines = 1});
  for (const std::string name : {"vethA_src", "vethA_dst"}) {
    std::ifstream file("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6");
    if (!file) GTEST_SKIP() << "this kernel has no IPv6";
    char value = '?';
    file >> value;
    EXPECT_EQ(value, '1') << name;
  }
}

TEST_F(Lab, APairThatIsAsAskedForStays) {
  up({});
  const unsigned before = sys::interface_index("vethA_dst");
  sys::set_interface_up("vethA_dst", false);
  EXPECT_FALSE(status()[0].ready());
  up({});
  EXPECT_EQ(sys::interface_index("vethA_dst"), before);
  EXPECT_TRUE(status()[0].ready());
}

TEST_F(Lab, APairThatDiffersIsReplaced) {
  unsigned before = 0;
  const auto expect_replaced = [&](const LabOptions& options) {
    up(options);
    EXPECT_TRUE(status()[0].ready());
    const unsigned after = sys::interface_index("vethA_dst");
    EXPECT_NE(std::exchange(before, after), after);
  };
  expect_replaced({});
  expect_replaced({.mtu = 2000});
  expect_replaced({.queues = 2, .mtu = 2000});
  set_mtu("vethA_src", 1500);
  expect_replaced({.queues = 2, .mtu = 2000});
  set_mtu("vethA_dst", 1500);
  expect_replaced({.queues = 2, .mtu = 2000});
}

TEST_F(Lab, AVethThatIsNotOneOfAPairIsReplacedOrRemovedAlone) {
  make_link("vethA_dst", "veth");
  ASSERT_EQ(status().size(), 1u);
  EXPECT_FALSE(status()[0].source);
  EXPECT_FALSE(status()[0].ready());
  EXPECT_EQ(down(), std::vector<std::string>{"vethA_dst"});
  make_link("vethA_dst", "veth");
  up({.lines = 1});
  EXPECT_TRUE(status()[0].ready());
}

TEST_F(Lab, TwoVethsThatAreNotOnePairAreNoLine) {
  make_link("vethA_src", "veth");
  make_link("vethA_dst", "veth");
  sys::set_interface_up("vethA_src", true);
  sys::set_interface_up("vethA_dst", true);
  EXPECT_FALSE(status()[0].ready());
  up({.lines = 1});
  EXPECT_TRUE(status()[0].ready());
}

TEST_F(Lab, WhatIsNoVethIsNeitherReplacedNorRemoved) {
  make_link("vethB_dst", "bridge");
  EXPECT_EQ(error_text([] { up({}); }),
            "make vethB_dst: an interface of this name is there and is not a veth; rename or "
            "remove it");
  EXPECT_FALSE(sys::find_interface("vethA_dst")) << "refused after it had changed something";
  EXPECT_TRUE(down().empty());
  EXPECT_TRUE(sys::find_interface("vethB_dst"));
  EXPECT_FALSE(status()[0].ready());
  remove_link("vethB_dst");
  make_link("vethB_src", "bridge");
  EXPECT_EQ(error_text([] { up({}); }),
            "make vethB_src: an interface of this name is there and is not a veth; rename or "
            "remove it");
  remove_link("vethB_src");
}

TEST_F(Lab, OptionsOutOfRangeAreRefused) {
  const struct {
    LabOptions options;
    const char* text;
  } rows[] = {
      {{.lines = 0}, "lab with 0 lines: it has 1 to 8"},
      {{.lines = 9}, "lab with 9 lines: it has 1 to 8"},
      {{.queues = 0}, "lab with 0 queues: it has 1 to 64"},
      {{.queues = 65}, "lab with 65 queues: it has 1 to 64"},
      {{.mtu = 67}, "lab with 67 bytes of MTU: it has 68 to 65521"},
      {{.mtu = 65522}, "lab with 65522 bytes of MTU: it has 68 to 65521"},
  };
  for (const auto& row : rows) EXPECT_EQ(error_text([&] { up(row.options); }), row.text);
  up({.lines = 8, .queues = 64, .mtu = 65521});
  EXPECT_EQ(status().size(), 8u);
}

TEST_F(Lab, WithoutTheRightItSaysWhichOneIsMissing) {
  up({.lines = 1});
  const test::WithoutCapability without(CAP_NET_ADMIN);
  EXPECT_EQ(error_text([] { up({.lines = 2}); }),
            "set interface vethA_src up: Operation not permitted; it needs root or CAP_NET_ADMIN");
  EXPECT_EQ(error_text([] { down(); }),
            "remove vethA_src: Operation not permitted; it needs root or CAP_NET_ADMIN");
}

TEST_F(Lab, WithoutTheRightNoPairIsMade) {
  const test::WithoutCapability without(CAP_NET_ADMIN);
  EXPECT_EQ(error_text([] { up({}); }),
            "make veth pair vethA_src and vethA_dst: Operation not permitted; it needs root or "
            "CAP_NET_ADMIN, and the kernel's veth driver");
}

}  // namespace
}  // namespace linearb::lab
