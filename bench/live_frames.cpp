// SPDX-License-Identifier: Apache-2.0
#include "bench/live_frames.h"

#include <algorithm>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench/attach.h"
#include "feeder/generator.h"
#include "live_source.skel.h"
#include "sys/error.h"
#include "sys/interface.h"
#include "xsk/packet_header.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kGroup = 0xefc01e01;  // 239.192.30.1
constexpr std::uint16_t kPort = 30001;
constexpr std::size_t kUdpChecksum = xsk::kHeaderLength - 2;

/// Without UDP checksum, which the source would have to correct in each packet.
std::vector<std::uint8_t> optiq_packet() {
  auto message = feeder::optiq_message(0, 0);
  xsk::PacketHeader header({.source_mac = {0x02, 0, 0, 0, 0, 1},
                            .destination_mac = xsk::multicast_mac(kGroup),
                            .source = 0xc0000201,  // 192.0.2.1: TEST-NET-1, RFC 5737
                            .destination = kGroup,
                            .source_port = kPort,
                            .destination_port = kPort});
  std::vector<std::uint8_t> packet(xsk::kHeaderLength + message.size());
  std::ranges::copy(message, packet.begin() + xsk::kHeaderLength);
  header.write(packet.data(), static_cast<std::uint32_t>(message.size()));
  packet[kUdpChecksum] = packet[kUdpChecksum + 1] = 0;
  return packet;
}

}  // namespace

void LiveFrames::Destroy::operator()(live_source_bpf* skeleton) const noexcept {
  live_source_bpf__destroy(skeleton);
}

LiveFrames::LiveFrames(const std::vector<std::string>& source_interfaces)
    : skeleton_(live_source_bpf__open_and_load()), template_packet_(optiq_packet()) {
  if (!skeleton_) sys::throw_errno("load the source of live frames");
  for (const std::string& interface : source_interfaces)
    source_interface_indexes_.push_back(sys::interface_index(interface));
  in_dispatcher_ =
      attach(bpf_program__fd(skeleton_->progs.live_source), source_interfaces.at(0), Mode::generic);
}

void LiveFrames::run(std::size_t line, std::uint32_t first, std::uint32_t count,
                     std::uint32_t batch) {
  auto& source = *skeleton_->bss;
  source.source_interface_index = source_interface_indexes_.at(line);
  source.next_number = first;
  // A signal ends a run early; the number that comes next says how early.
  for (std::uint32_t sent = 0; sent < count; sent = source.next_number - first) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = template_packet_.data(),
                .data_size_in = static_cast<std::uint32_t>(template_packet_.size()),
                .repeat = static_cast<int>(count - sent), .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
                .batch_size = batch);
    int error = bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.live_source), &options);
    if (error && error != -EINTR)
      sys::throw_errno("send live frames (BPF_PROG_RUN)",
                       "this needs Linux 5.18, and batches of 1 to 256 frames", error);
  }
}

void LiveFrames::run_all(const Blocks& blocks, const std::function<void()>& after_block) {
  for (std::uint32_t sent = 0; sent < blocks.count; sent += blocks.block) {
    std::uint32_t count = std::min(blocks.block, blocks.count - sent);
    for (std::size_t line = 0; line < source_interface_indexes_.size(); line++)
      run(line, blocks.first + sent, count, blocks.batch);
    after_block();
  }
}

}  // namespace linearb::bench
