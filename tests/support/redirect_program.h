// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "sys/fd.h"

namespace linearb::test {

/// What redirect_program writes in front of each packet.
constexpr std::uint32_t kRedirectMetadata = 0x6c62'7465;

/// The smallest XDP program that feeds AF_XDP sockets: four bytes of metadata, then a redirect to
/// the socket of the RX queue, and to the kernel where there is none. Attached to one interface
/// until it is destroyed.
class RedirectProgram {
 public:
  /// `xdp_flags`: XDP_FLAGS_DRV_MODE or XDP_FLAGS_SKB_MODE. Throws Error.
  RedirectProgram(const std::string& interface, std::uint32_t xdp_flags);
  ~RedirectProgram();
  RedirectProgram(const RedirectProgram&) = delete;
  RedirectProgram& operator=(const RedirectProgram&) = delete;

  void put_socket(std::uint32_t queue, int socket_fd);

 private:
  int interface_index_;
  std::uint32_t xdp_flags_;
  sys::Fd sockets_;
  sys::Fd program_;
};

}  // namespace linearb::test
