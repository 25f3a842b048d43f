// SPDX-License-Identifier: Apache-2.0
#include "sys/multicast.h"

#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::sys {

namespace {

std::string dotted(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

std::string describe(const std::string& interface, const Membership& membership) {
  return fmt::format("join {}{}{} on {}", dotted(membership.group),
                     membership.source == 0 ? "" : " from ",
                     membership.source == 0 ? "" : dotted(membership.source), interface);
}

void store(sockaddr_storage& storage, std::uint32_t address) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = ::htonl(address);
  std::memcpy(&storage, &in, sizeof in);
}

/// Returns 0 or errno.
int join_any_source(int socket, unsigned index, const Membership& membership) {
  ip_mreqn request{};
  request.imr_multiaddr.s_addr = ::htonl(membership.group);
  request.imr_ifindex = static_cast<int>(index);
  return ::setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0 ? 0
                                                                                            : errno;
}

/// By MCAST_JOIN_SOURCE_GROUP, since IP_ADD_SOURCE_MEMBERSHIP takes the interface by an address,
/// which a feed's interface often lacks. Returns 0 or errno.
int join_one_source(int socket, unsigned index, const Membership& membership) {
  group_source_req request{};
  request.gsr_interface = index;
  store(request.gsr_group, membership.group);
  store(request.gsr_source, membership.source);
  return ::setsockopt(socket, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request) == 0
             ? 0
             : errno;
}

int try_join(int socket, unsigned index, const Membership& membership) {
  return membership.source == 0 ? join_any_source(socket, index, membership)
                                : join_one_source(socket, index, membership);
}

}  // namespace

MulticastJoins::MulticastJoins(const std::string& interface,
                               std::span<const Membership> memberships) {
  const unsigned index = interface_index(interface);
  for (const Membership& membership : memberships) {
    if (!IN_MULTICAST(membership.group))
      throw UsageError(fmt::format("{}: not a multicast address (224.0.0.0 to 239.255.255.255)",
                                   describe(interface, membership)));
    if (joined_.insert(membership).second) join(interface, index, membership);
  }
}

void MulticastJoins::join(const std::string& interface, unsigned index,
                          const Membership& membership) {
  // The last socket may be full (ENOBUFS), or hold the group from every source while one source
  // is wanted now (EINVAL): a fresh one has neither trouble.
  if (!sockets_.empty() && try_join(sockets_.back().get(), index, membership) == 0) return;
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) throw_errno(describe(interface, membership));
  const int error = try_join(socket.get(), index, membership);
  if (error != 0)
    throw_errno(describe(interface, membership),
                error == ENOBUFS ? "raise sysctl net.ipv4.igmp_max_memberships" : "", error);
  sockets_.push_back(std::move(socket));
}

}  // namespace linearb::sys
