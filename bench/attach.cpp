// SPDX-License-Identifier: Apache-2.0
#include "bench/attach.h"

#include <cstdint>

#include <fmt/format.h>
#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::bench {

sys::Fd attach(int program_fd, const std::string& interface) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
  int link = bpf_link_create(program_fd, static_cast<int>(sys::interface_index(interface)), BPF_XDP,
                             &options);
  if (link < 0)
    sys::throw_errno(fmt::format("attach an XDP program to {} in native mode", interface),
                     "nothing else may be attached, and native mode needs a driver that has it",
                     link);
  return sys::Fd(link);
}

void put_into(bpf_map* sockets, int socket_fd) {
  const std::uint32_t first = 0;
  const int error =
      bpf_map__update_elem(sockets, &first, sizeof(first), &socket_fd, sizeof(socket_fd), BPF_ANY);
  if (error) sys::throw_errno("put a socket into its map", {}, error);
}

}  // namespace linearb::bench
