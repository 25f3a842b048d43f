// SPDX-License-Identifier: Apache-2.0
#include "bench/first_design.h"

#include <bpf/libbpf.h>

#include "bench/attach.h"
#include "first_design.skel.h"
#include "sys/error.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kBatch = 64;

xsk::SocketOptions receive_on(const std::string& interface) {
  xsk::SocketOptions options;
  options.interface = interface;
  options.receive_frames = FirstDesign::kFrames;
  options.zero_copy = ZeroCopy::off;
  return options;
}

}  // namespace

void FirstDesign::Destroy::operator()(first_design_bpf* skeleton) const noexcept {
  first_design_bpf__destroy(skeleton);
}

FirstDesign::FirstDesign(const std::string& line_a, const std::string& line_b)
    : skeleton_(first_design_bpf__open_and_load()),
      umem_({.frames = kFrames, .fill_ring_entries = kFrames}),
      socket_(umem_, receive_on(line_a)) {
  if (!skeleton_) sys::throw_errno("load the hook of the first design");
  std::uint32_t only = 0;
  int fd = socket_.fd();
  int error =
      bpf_map__update_elem(skeleton_->maps.xsks_map, &only, sizeof(only), &fd, sizeof(fd), BPF_ANY);
  if (error) sys::throw_errno("put the socket of the first design into its map", {}, error);
  int program = bpf_program__fd(skeleton_->progs.first_design);
  for (const std::string& interface : {line_a, line_b})
    attached_.push_back(attach(program, interface, Mode::native));
}

std::uint32_t FirstDesign::drain() noexcept {
  std::uint32_t drained = 0;
  for (;;) {
    xsk::RxBatch batch = socket_.receive(kBatch);
    if (batch.empty()) break;
    drained += batch.size();
    for (const xsk::RxPacket packet : batch) socket_.pool().give(packet.frame);
    socket_.refill(kBatch);
  }
  if (socket_.rx_needs_wakeup()) socket_.wake_rx();
  return drained;
}

}  // namespace linearb::bench
