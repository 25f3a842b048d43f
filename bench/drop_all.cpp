// SPDX-License-Identifier: Apache-2.0
#include "bench/drop_all.h"

#include <numeric>

#include <bpf/libbpf.h>

#include "bench/attach.h"
#include "drop_all.skel.h"
#include "sys/error.h"

namespace linearb::bench {

void DropAll::Destroy::operator()(drop_all_bpf* skeleton) const noexcept {
  drop_all_bpf__destroy(skeleton);
}

DropAll::DropAll(const std::vector<std::string>& interfaces)
    : skeleton_(drop_all_bpf__open_and_load()) {
  if (!skeleton_) sys::throw_errno("load the hook that drops everything");
  for (const std::string& interface : interfaces)
    attached_.push_back(
        attach(bpf_program__fd(skeleton_->progs.drop_all), interface, Mode::native));
}

std::uint64_t DropAll::packets() const {
  std::vector<std::uint64_t> of_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  std::uint32_t only = 0;
  int error = bpf_map__lookup_elem(skeleton_->maps.packets, &only, sizeof(only), of_cpu.data(),
                                   of_cpu.size() * sizeof(std::uint64_t), 0);
  if (error) sys::throw_errno("read the counter of the hook that drops everything", {}, error);
  return std::accumulate(of_cpu.begin(), of_cpu.end(), std::uint64_t{0});
}

}  // namespace linearb::bench
