// SPDX-License-Identifier: Apache-2.0
#include "sys/multicast.h"

#include <cstring>
#include <ranges>

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

std::string hint_for(int error, const Membership& membership) {
  if (error != ENOBUFS) return "";
  return membership.source == 0
             ? "raise sysctl net.ipv4.igmp_max_memberships"
             : "raise sysctl net.ipv4.igmp_max_memberships or net.core.optmem_max";
}

/// Joins on one interface, group by group. What the kernel lets a socket hold is found out by
/// asking: it may be told otherwise meanwhile.
class Joiner {
 public:
  Joiner(const std::string& interface, std::vector<Fd>& sockets)
      : interface_(interface), index_(interface_index(interface)), sockets_(sockets) {}

  /// All sources of a group follow each other.
  void join(const Membership& membership) {
    if (membership.group != group_) begin_group(membership.group);
    while (!join_at_place(membership)) {
      ++place_;
      holds_group_ = false;
    }
    holds_group_ = true;
  }

 private:
  void begin_group(std::uint32_t group) {
    group_ = group;
    place_ = first_with_room_;
    holds_group_ = false;
  }

  /// ENOBUFS: the socket has as many groups as it may (igmp_max_memberships), or as many sources of
  /// this one (igmp_max_msf). EADDRINUSE: it has the group from some sources, and now everybody's
  /// is wanted. A fresh socket has none of these troubles.
  bool join_at_place(const Membership& membership) {
    const bool is_fresh = place_ == sockets_.size();
    if (is_fresh) open_socket(membership);
    const int error = try_join(sockets_[place_].get(), index_, membership);
    if (error == 0) return true;
    if (is_fresh) throw_errno(describe(interface_, membership), hint_for(error, membership), error);
    if (error == ENOBUFS && !holds_group_ && place_ == first_with_room_) ++first_with_room_;
    return false;
  }

  void open_socket(const Membership& membership) {
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) throw_errno(describe(interface_, membership));
    sockets_.push_back(std::move(socket));
  }

  const std::string& interface_;
  unsigned index_;
  std::vector<Fd>& sockets_;
  std::uint32_t group_ = 0;
  std::size_t place_ = 0;            ///< of the socket that is asked
  bool holds_group_ = false;         ///< it has the group already, from another source
  std::size_t first_with_room_ = 0;  ///< those before it take no further group
};

}  // namespace

MulticastJoins::MulticastJoins(const std::string& interface,
                               std::span<const Membership> memberships)
    : joined_(memberships.begin(), memberships.end()) {
  Joiner joiner(interface, sockets_);
  // A group from everybody comes last: a socket that has it would be turned into one that has it
  // from a source alone (ip_mc_source in net/ipv4/igmp.c), the other way round it refuses.
  for (const Membership& membership : joined_ | std::views::reverse) {
    if (!IN_MULTICAST(membership.group))
      throw UsageError(fmt::format("{}: not a multicast address (224.0.0.0 to 239.255.255.255)",
                                   describe(interface, membership)));
    joiner.join(membership);
  }
}

}  // namespace linearb::sys
