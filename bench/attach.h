// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sys/fd.h"

struct bpf_map;

namespace linearb::bench {

/// Attaches an XDP program to an interface, in native mode or not at all: a measurement that fell
/// back to generic mode would be one of something else. The program is attached for as long as what
/// is returned is open. Throws Error.
sys::Fd attach(int program_fd, const std::string& interface);

/// Puts an AF_XDP socket into the first place of a map of sockets. Throws Error.
void put_into(bpf_map* sockets, int socket_fd);

}  // namespace linearb::bench
