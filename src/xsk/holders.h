// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace linearb::xsk {

/// The other processes of this network namespace that have an AF_XDP socket: "linearb (pid 1234)".
/// Those that this process may look at: root sees all. Of which interface and queue a socket is
/// the kernel tells only where it was built with XDP_SOCKETS_DIAG, which is rare.
std::vector<std::string> socket_holders();

}  // namespace linearb::xsk
