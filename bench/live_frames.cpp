// SPDX-License-Identifier: Apache-2.0
#include "bench/live_frames.h"

#include <algorithm>

#include <sched.h>

#include <bpf/libbpf.h>

#include "core/layout.h"
#include "linearb/error.h"
#include "live_source.skel.h"
#include "sys/error.h"
#include "sys/interface.h"

namespace linearb::bench {
namespace {

/// Of a run that keeps time: while the kernel sends it does hardly anything else on its CPU, and
/// what waits there comes all at once when it is longer.
constexpr double kRunSeconds = 0.005;

}  // namespace

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
  skeleton_->data->lines = 1;
  skeleton_->bss->source_interface_indexes[0] = source_interface_indexes_.at(line);
  skeleton_->bss->first_line = first_line_ + static_cast<std::uint32_t>(line);
  skeleton_->bss->period_ns = 0;
  run(first, count, live::kBatch);
}

std::uint32_t LiveFrames::send_in_time(std::uint64_t first, std::uint32_t count, double rate) {
  if (lines() > LB_LINES_MAX) throw UsageError("live frames: there are too many lines");
  skeleton_->data->lines = static_cast<std::uint32_t>(lines());
  std::ranges::copy(source_interface_indexes_, skeleton_->bss->source_interface_indexes);
  skeleton_->bss->first_line = first_line_;
  skeleton_->bss->period_ns = static_cast<std::uint64_t>(1e9 / rate);
  const auto copies = static_cast<std::uint32_t>(lines());
  const auto in_one_run = static_cast<std::uint32_t>(std::max(rate * kRunSeconds, 2.0));
  std::uint32_t runs = 0;
  for (std::uint32_t sent = 0; sent < count; ++runs) {
    const std::uint32_t part = std::min(count - sent, in_one_run);
    skeleton_->bss->due_ns = 0;
    run(first + sent, part * copies, copies);
    sent += part;
    ::sched_yield();
  }
  return count - runs;
}

void LiveFrames::run(std::uint64_t first, std::uint32_t frames, std::uint32_t batch) {
  auto& source = *skeleton_->bss;
  source.next_line = 0;
  source.channels = traffic_.channels;
  source.next_channel = static_cast<std::uint32_t>(first % traffic_.channels);
  source.next_number =
      static_cast<std::uint32_t>(1 + first / traffic_.channels * traffic_.messages_in_packet());
  source.mold_messages = traffic_.messages;
  source.next_packet = static_cast<std::uint32_t>(first);
  source.loss_of_2_32 = traffic_.loss_of_2_32();
  source.sent = 0;
  // A signal ends a run early, and the source knows how early.
  while (source.sent < frames)
    live::run(bpf_program__fd(skeleton_->progs.live_source), template_packet_, frames - source.sent,
              batch);
}

}  // namespace linearb::bench
