// SPDX-License-Identifier: Apache-2.0
#include "bench/live_frames.h"

#include <bpf/libbpf.h>

#include "core/types.h"
#include "live_source.skel.h"
#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::bench {

void LiveFrames::Destroy::operator()(live_source_bpf* skeleton) const noexcept {
  live_source_bpf__destroy(skeleton);
}

LiveFrames::LiveFrames(const std::vector<std::string>& source_interfaces, const Traffic& traffic,
                       std::uint32_t first_line)
    : skeleton_(live_source_bpf__open_and_load()),
      traffic_(traffic),
      first_line_(first_line),
      template_packet_(traffic.packet()) {
  if (!skeleton_) sys::throw_errno("load the source of live frames");
  for (const std::string& interface : source_interfaces)
    source_interface_indexes_.push_back(sys::interface_index(interface));
  in_dispatcher_.emplace(bpf_program__fd(skeleton_->progs.live_source), source_interfaces.at(0));
}

void LiveFrames::send(std::size_t line, std::uint64_t first, std::uint32_t count) {
  auto& source = *skeleton_->bss;
  source.source_interface_index = source_interface_indexes_.at(line);
  source.channels = traffic_.channels;
  source.next_channel = static_cast<std::uint32_t>(first % traffic_.channels);
  source.next_number =
      static_cast<std::uint32_t>(1 + first / traffic_.channels * traffic_.messages_in_packet());
  source.mold_messages = traffic_.messages;
  source.next_packet = static_cast<std::uint32_t>(first);
  source.line = first_line_ + static_cast<std::uint32_t>(line);
  source.loss_of_2_32 = traffic_.loss_of_2_32();
  source.sent = 0;
  // A signal ends a run early, and the source knows how early.
  while (source.sent < count)
    live::run(bpf_program__fd(skeleton_->progs.live_source), template_packet_, count - source.sent);
}

}  // namespace linearb::bench
