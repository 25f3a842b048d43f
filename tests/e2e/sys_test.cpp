// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <iterator>
#include <thread>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "support/capability.h"
#include "support/error_text.h"
#include "support/namespace.h"
#include "sys/grace.h"
#include "sys/interface.h"
#include "sys/multicast.h"
#include "sys/netns.h"

namespace linearb::sys {
namespace {

using test::error_text;
using test::WithoutCapability;

TEST(PrivateNamespace, HasALoopbackThatIsUpAndABpffsOfItsOwn) {
  EXPECT_TRUE(query_interface("lo").up);
  EXPECT_FALSE(find_interface("eth0"));
  struct statfs bpffs {};
  ASSERT_EQ(::statfs("/sys/fs/bpf", &bpffs), 0);
  EXPECT_EQ(bpffs.f_type, BPF_FS_MAGIC);
  const auto device = [] {
    struct stat bpffs_root {};
    EXPECT_EQ(::stat("/sys/fs/bpf", &bpffs_root), 0);
    return bpffs_root.st_dev;
  };
  const dev_t before = device();
  enter_private_namespace();
  EXPECT_NE(device(), before);
}

TEST(PrivateNamespace, NeedsARightAndSaysWhich) {
  const WithoutCapability without(CAP_SYS_ADMIN);
  EXPECT_EQ(error_text([] { enter_private_namespace(); }),
            "make a private network namespace (unshare): Operation not permitted; it needs root "
            "or CAP_SYS_ADMIN");
}

TEST(GracePeriod, EndsInBothWays) {
  wait_for_grace_period();
  wait_by_map_update();
}

/// Makes membarrier(2) fail for the calling thread as it does with nohz_full CPUs.
void refuse_membarrier() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  ASSERT_EQ(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), 0);
}

TEST(GracePeriod, WhereMembarrierIsRefusedTheMapWaits) {
  std::string with_right;
  std::string without_right;
  std::thread([&] {
    refuse_membarrier();
    EXPECT_FALSE(wait_by_membarrier());
    with_right = error_text([] { wait_for_grace_period(); });
    const WithoutCapability without(CAP_BPF);
    const WithoutCapability without_all(CAP_SYS_ADMIN);
    without_right = error_text([] { wait_for_grace_period(); });
  }).join();
  EXPECT_EQ(with_right, "no error");
  EXPECT_EQ(without_right.substr(0, 34), "wait for running XDP programs: cre")
      << "the map was used";
}

TEST(GracePeriod, TheMapNeedsARightAndSaysWhich) {
  const WithoutCapability without(CAP_BPF);
  const WithoutCapability without_all(CAP_SYS_ADMIN);
  EXPECT_EQ(error_text([] { wait_by_map_update(); }),
            "wait for running XDP programs: create an array map: Operation not permitted; it "
            "needs root or CAP_BPF");
}

using InterfaceTest = test::LabTest;

TEST_F(InterfaceTest, UpAndDownAreSeen) {
  EXPECT_TRUE(query_interface("vethA_dst").up);
  set_interface_up("vethA_dst", false);
  EXPECT_FALSE(query_interface("vethA_dst").up);
}

/// The groups that the kernel has joined on an interface, as /proc/net/igmp lists them: the
/// address in hexadecimal of the host's byte order.
std::size_t groups_joined(const std::string& interface, std::uint32_t group_prefix) {
  std::ifstream file("/proc/thread-self/net/igmp");
  std::size_t count = 0;
  bool in_interface = false;
  for (std::string line; std::getline(file, line);) {
    if (line[0] != '\t') in_interface = line.find("\t" + interface) != std::string::npos;
    if (!in_interface || line[0] != '\t') continue;
    const auto group = __builtin_bswap32(static_cast<std::uint32_t>(std::stoul(line, nullptr, 16)));
    if (group >> 16 == group_prefix) ++count;
  }
  return count;
}

constexpr std::uint32_t kPrefix = 239u << 8 | 192;
constexpr std::uint32_t kGroup = kPrefix << 16;

using MulticastTest = test::LabTest;

TEST_F(MulticastTest, ManyGroupsTakeManySocketsAndAreLeftAtTheEnd) {
  std::vector<Membership> memberships;
  for (std::uint32_t index = 0; index < 45; ++index)
    memberships.insert(memberships.end(), 2, {.group = kGroup + index});
  {
    const MulticastJoins joins("vethA_dst", memberships);
    EXPECT_EQ(joins.groups(), 45u) << "a group that is named twice is joined once";
    EXPECT_EQ(joins.sockets(), 3u) << "igmp_max_memberships is 20 in a new namespace";
    EXPECT_EQ(groups_joined("vethA_dst", kPrefix), 45u);
    EXPECT_EQ(groups_joined("vethB_dst", kPrefix), 0u);
  }
  EXPECT_EQ(groups_joined("vethA_dst", kPrefix), 0u);
}

TEST_F(MulticastTest, AGroupFromOneSourceAndFromEverySource) {
  const std::uint32_t source = 10u << 24 | 1;
  std::vector<Membership> memberships = {{.group = kGroup, .source = source},
                                         {.group = kGroup, .source = source + 1},
                                         {.group = kGroup}};
  for (std::size_t order = 0; order < memberships.size(); ++order) {
    const MulticastJoins joins("vethA_dst", memberships);
    EXPECT_EQ(joins.groups(), 3u);
    EXPECT_EQ(joins.sockets(), 2u) << "one socket cannot hold a group both ways";
    EXPECT_EQ(groups_joined("vethA_dst", kPrefix), 1u);
    std::ifstream file("/proc/thread-self/net/mcfilter");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    EXPECT_NE(text.find("0x0a000001"), std::string::npos) << text;
    std::ranges::rotate(memberships, memberships.begin() + 1);
  }
}

/// How many sources the kernel has joined on an interface, as /proc/net/mcfilter lists them: by the
/// index first, because of the name there are six letters.
std::size_t sources_joined(const std::string& interface) {
  const unsigned index = interface_index(interface);
  std::ifstream file("/proc/thread-self/net/mcfilter");
  std::size_t count = 0;
  std::string line;
  std::getline(file, line);  // the heading
  while (std::getline(file, line))
    if (std::stoul(line) == index) ++count;
  return count;
}

TEST_F(MulticastTest, ManySourcesOfManyGroupsTakeAsManySocketsAsTheyMust) {
  std::vector<Membership> memberships;
  for (std::uint32_t source = 1; source <= 25; ++source)
    for (std::uint32_t index = 0; index < 45; ++index)
      memberships.push_back({.group = kGroup + index, .source = (10u << 24) + source});
  {
    const MulticastJoins joins("vethA_dst", memberships);
    EXPECT_EQ(joins.sockets(), 3u * 3u)
        << "20 groups a socket, and of each 10 sources: igmp_max_msf in a new namespace";
    EXPECT_EQ(groups_joined("vethA_dst", kPrefix), 45u);
    EXPECT_EQ(sources_joined("vethA_dst"), 45u * 25u);
    EXPECT_EQ(sources_joined("vethB_dst"), 0u);
  }
  EXPECT_EQ(sources_joined("vethA_dst"), 0u);
}

TEST_F(MulticastTest, WhereTheKernelRefusesItSaysWhatToRaise) {
  const std::string limit = "/proc/sys/net/ipv4/igmp_max_memberships";
  const auto join = [](Membership membership) {
    return error_text([&] { MulticastJoins("vethA_dst", {&membership, 1}); });
  };
  std::ofstream(limit) << 0;
  const std::string from_one = join({.group = kGroup, .source = 10u << 24 | 1});
  const std::string from_all = join({.group = kGroup});
  std::ofstream(limit) << 20;
  EXPECT_EQ(from_one,
            "join 239.192.0.0 from 10.0.0.1 on vethA_dst: No buffer space available; raise sysctl "
            "net.ipv4.igmp_max_memberships or net.core.optmem_max");
  EXPECT_EQ(from_all,
            "join 239.192.0.0 on vethA_dst: No buffer space available; raise sysctl "
            "net.ipv4.igmp_max_memberships");
}

TEST_F(MulticastTest, RefusalsNameGroupSourceAndInterface) {
  const auto join = [](const std::string& interface, Membership membership) {
    return error_text([&] { MulticastJoins(interface, {&membership, 1}); });
  };
  EXPECT_EQ(join("vethA_dst", {.group = 10u << 24 | 1}),
            "join 10.0.0.1 on vethA_dst: not a multicast address (224.0.0.0 to 239.255.255.255)");
  EXPECT_EQ(join("nosuch0", {.group = kGroup}),
            "find interface nosuch0: No such device; ip link shows those there are");
  EXPECT_EQ(join("vethA_dst", {.group = 224u << 24 | 251, .source = 224u << 24}), "no error");
}

TEST_F(MulticastTest, WithoutDescriptorsItSaysWhatToRaise) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Fd probe(::dup(0));
  std::string text;
  {
    // interface_index needs one descriptor for a moment, and a socket that stays takes it.
    const rlimit tight{.rlim_cur = static_cast<rlim_t>(probe.get()) + 2,
                       .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    std::vector<Membership> memberships;
    for (std::uint32_t index = 0; index < 200; ++index)
      memberships.push_back({.group = kGroup + index});
    text = error_text([&] { MulticastJoins("vethA_dst", memberships); });
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NE(
      text.find("on vethA_dst: Too many open files; raise the limit of open files (ulimit -n)"),
      std::string::npos)
      << text;
}

}  // namespace
}  // namespace linearb::sys
