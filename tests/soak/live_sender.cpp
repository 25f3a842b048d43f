// SPDX-License-Identifier: Apache-2.0
#include "soak/live_sender.h"

#include <array>
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

#include "live_packets.skel.h"
#include "sys/clock.h"
#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::soak {
namespace {

/// Each run takes one of 65,534 numbers for its pages (MEM_ID_MAX in net/core/xdp.c), and gives it
/// back after a grace period: ENOSPC when many runs came in a short time.
constexpr std::uint64_t kNumbersFreeNs = 10'000'000'000;

int quiet(libbpf_print_level, const char*, va_list) {
  return 0;
}

}  // namespace

void LiveSender::Destroy::operator()(live_packets_bpf* skeleton) const noexcept {
  live_packets_bpf__destroy(skeleton);
}

LiveSender::LiveSender() {
  libbpf_set_print(quiet);
  skeleton_.reset(live_packets_bpf__open_and_load());
  if (!skeleton_) sys::throw_errno("load the source of live frames", "this needs root");
  slots_ = sys::MappedMemory({.what = "the slots of the source of live frames",
                              .size_bytes = SOAK_SLOTS * sizeof(soak_slot),
                              .flags = MAP_SHARED,
                              .fd = bpf_map__fd(skeleton_->maps.slots)});
}

std::span<soak_slot> LiveSender::slots() const noexcept {
  return {reinterpret_cast<soak_slot*>(slots_.data()), SOAK_SLOTS};
}

void LiveSender::send(std::uint32_t count, std::uint32_t batch) {
  const std::array<std::uint8_t, SOAK_PACKET_ROOM> room{};
  auto& next_slot = skeleton_->bss->next_slot;
  next_slot = 0;
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kNumbersFreeNs;
  // A signal ends a run early; the slot that comes next says how early.
  while (next_slot < count) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = room.data(), .data_size_in = room.size(),
                .repeat = static_cast<int>(count - next_slot), .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                .batch_size = batch);
    const int error =
        bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.live_packets), &options);
    if (error == -ENOSPC && sys::monotonic_ns() < give_up_ns)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    else if (error && error != -EINTR)
      sys::throw_errno("send live frames (BPF_PROG_RUN)", "this needs Linux 5.18 or newer", error);
  }
}

int LiveSender::program_fd() const noexcept {
  return bpf_program__fd(skeleton_->progs.live_packets);
}

InDispatcher::InDispatcher(const LiveSender& sender, const std::string& interface) {
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
  const int link = bpf_link_create(
      sender.program_fd(), static_cast<int>(sys::interface_index(interface)), BPF_XDP, &options);
  if (link < 0)
    sys::throw_errno(fmt::format("attach the source of live frames to {}", interface), {}, link);
  link_ = sys::Fd(link);
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

}  // namespace linearb::soak
