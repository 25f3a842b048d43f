// SPDX-License-Identifier: Apache-2.0
#include "live/sender.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "linearb/error.h"
#include "live_packets.skel.h"
#include "sys/clock.h"
#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::live {
namespace {

/// Each run takes one of 65,534 numbers for its pages (MEM_ID_MAX in net/core/xdp.c), and gives it
/// back after a grace period: ENOSPC when many runs came in a short time.
constexpr std::uint64_t kNumbersFreeNs = 10'000'000'000;

int quiet(libbpf_print_level, const char*, va_list) {
  return 0;
}

}  // namespace

bool run(int program_fd, std::span<const std::uint8_t> frame, std::uint32_t times,
         std::uint32_t batch) {
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kNumbersFreeNs;
  for (;;) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
                .data_size_in = static_cast<std::uint32_t>(frame.size()),
                .repeat = static_cast<int>(times), .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                .batch_size = batch);
    const int error = bpf_prog_test_run_opts(program_fd, &options);
    if (error == 0) return true;
    if (error == -EINTR) return false;
    if (error != -ENOSPC || sys::monotonic_ns() >= give_up_ns)
      sys::throw_errno("send live frames (BPF_PROG_RUN)", "this needs Linux 5.18 or newer", error);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

InDispatcher::InDispatcher(int program_fd, const std::string& interface) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
  const int link = bpf_link_create(program_fd, static_cast<int>(sys::interface_index(interface)),
                                   BPF_XDP, &options);
  if (link < 0)
    sys::throw_errno(fmt::format("attach the source of live frames to {}", interface),
                     "there may be another XDP program on it: `ip link show` says so", link);
  link_ = sys::Fd(link);
}

void Sender::Destroy::operator()(live_packets_bpf* skeleton) const noexcept {
  live_packets_bpf__destroy(skeleton);
}

Sender::Sender() {
  libbpf_set_print(quiet);
  skeleton_.reset(live_packets_bpf__open_and_load());
  if (!skeleton_) sys::throw_errno("load the source of live frames", "this needs root");
  slots_ = sys::MappedMemory({.what = "the slots of the source of live frames",
                              .size_bytes = LB_LIVE_SLOTS * sizeof(lb_live_slot),
                              .flags = MAP_SHARED,
                              .fd = bpf_map__fd(skeleton_->maps.slots)});
}

std::span<lb_live_slot> Sender::slots() const noexcept {
  return {reinterpret_cast<lb_live_slot*>(slots_.data()), LB_LIVE_SLOTS};
}

void Sender::send(std::uint32_t count, std::uint32_t batch) {
  static constexpr std::array<std::uint8_t, LB_LIVE_PACKET_ROOM> kRoom{};
  auto& next_slot = skeleton_->bss->next_slot;
  next_slot = 0;
  // A signal ends a run early; the slot that comes next says how early.
  while (next_slot < count) {
    const std::uint32_t before = next_slot;
    if (run(program_fd(), kRoom, count - next_slot, batch) && next_slot == before)
      throw Error(fmt::format("live frames: the kernel took none of slot {}, of {} bytes", before,
                              slots()[before].length));
  }
}

int Sender::program_fd() const noexcept {
  return bpf_program__fd(skeleton_->progs.live_packets);
}

void take_live_frames(const std::string& interface) {
  const sys::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_value value{.cmd = ETHTOOL_SGRO, .data = 1};
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0)
    sys::throw_errno(fmt::format("set generic receive offload of {} on", interface));
}

}  // namespace linearb::live
