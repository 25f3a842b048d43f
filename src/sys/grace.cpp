// SPDX-License-Identifier: Apache-2.0
#include "sys/grace.h"

#include <cstdint>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "sys/error.h"
#include "sys/fd.h"

namespace linearb::sys {

bool wait_by_membarrier() noexcept {
  return ::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0;
}

void wait_by_map_update() {
  constexpr const char* kNext = "it needs root or CAP_BPF";
  const Fd inner(
      ::bpf_map_create(BPF_MAP_TYPE_ARRAY, "grace_inner", sizeof(std::uint32_t), 8, 1, nullptr));
  if (!inner) throw_errno("wait for running XDP programs: create an array map", kNext);
  LIBBPF_OPTS(bpf_map_create_opts, options,
              .inner_map_fd = static_cast<std::uint32_t>(inner.get()));
  const Fd outer(::bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "grace_outer", sizeof(std::uint32_t),
                                  sizeof(std::uint32_t), 1, &options));
  if (!outer) throw_errno("wait for running XDP programs: create an array of maps", kNext);
  const std::uint32_t key = 0;
  const int value = inner.get();
  if (::bpf_map_update_elem(outer.get(), &key, &value, BPF_ANY) != 0)
    throw_errno("wait for running XDP programs: update an array of maps", kNext);
}

void wait_for_grace_period() {
  if (!wait_by_membarrier()) wait_by_map_update();
}

}  // namespace linearb::sys
