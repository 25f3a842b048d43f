// SPDX-License-Identifier: Apache-2.0
#include "sim/hook_cpu.h"

#include <algorithm>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <linux/bpf.h>

#include "sim/failure.h"
#include "sim/scheduler.h"
#include "sim/steps.h"

namespace linearb::sim {
namespace {

constexpr long kNotSupported = -95;
constexpr long kInvalid = -22;
constexpr long kAccess = -13;
constexpr int kMetadataMax = 32;

/// By fiber: whose packet a helper is called for.
std::map<Scheduler::Fiber, HookCpu*> cpus;

}  // namespace

HookCpu::HookCpu(const Settings& settings, Wire& wire, Reference& reference, Random random)
    : settings_(settings), wire_(wire), reference_(reference), random_(random) {}

HookCpu& HookCpu::current() {
  return *cpus.at(scheduler()->current());
}

void HookCpu::run() {
  cpus[scheduler()->current()] = this;
  while (wire_.next < wire_.packets->size()) {
    sleep_until_due((*wire_.packets)[wire_.next]);
    poll();
  }
}

/// A script says late when that is.
void HookCpu::sleep_until_due(const WirePacket& packet) const {
  while (scheduler()->now_ns() < packet.due_ns) scheduler()->wait(packet.due_ns);
}

bool HookCpu::take_next(WirePacket& packet) noexcept {
  if (wire_.next == wire_.packets->size()) return false;
  if ((*wire_.packets)[wire_.next].due_ns > scheduler()->now_ns()) return false;
  packet = (*wire_.packets)[wire_.next++];
  return true;
}

void HookCpu::poll() {
  WirePacket packet;
  const std::uint32_t batch = settings_.native ? settings_.batch : 1;
  kernel_.enter(settings_.id);
  for (std::uint32_t i = 0; i < batch && take_next(packet); ++i)
    if (!is_first_and_poison(packet)) process(packet);
  flush();
  tell({"flush"});
  kernel_.leave(settings_.id);
  scheduler()->step();
}

/// What a receiver sees first is believed: the feed does not ask that of it.
bool HookCpu::is_first_and_poison(const WirePacket& packet) const {
  return packet.kind == PacketKind::poison && !reference_.has_begun(packet.channel);
}

void HookCpu::process(const WirePacket& packet) {
  const auto data = std::span(buffer_).subspan(XDP_PACKET_HEADROOM);
  const std::uint32_t length = reference_.feed().build(packet, data);
  const auto begin = reinterpret_cast<lb_u64>(data.data());
  lb_native_context context{.data = begin,
                            .data_end = begin + length,
                            .data_meta = begin,
                            .ingress_ifindex = interface_index_of(packet.line),
                            .rx_queue_index = 0};
  target_ = nullptr;
  number_ = packet.first;
  holds_credit_ = false;
  tell({"packet", number_});
  const Counted before = counted();
  const int action = lb_native_program(&context);
  Reference::Seen seen{.packet = &packet,
                       .cpu = settings_.id,
                       .way_out = way_out(before),
                       .action = static_cast<std::uint32_t>(action)};
  tell(step_of(seen.way_out, number_));
  if (action != XDP_DROP && context.data_meta != context.data) {
    const auto* const metadata = reinterpret_cast<const lb_metadata*>(context.data_meta);
    seen.verdict = metadata->verdict;
    seen.place = metadata->place;
  }
  reference_.hook_saw(scheduler()->now_ns(), seen);
  if (action == XDP_REDIRECT) redirect_now(context);
}

/// The kernel does it when the program has returned, before it looks at the next packet.
void HookCpu::redirect_now(const lb_native_context& context) {
  if (!target_) fail("I2: the hook says redirect, and did not say where to");
  const auto bytes = [](lb_u64 from, lb_u64 to) {
    return std::span(reinterpret_cast<const std::byte*>(from), to - from);
  };
  const lb_credit& credit = kernel_.maps().credit(slot_);
  if (target_->used() >= credit.redirected - credit.returned)
    fail("I2: a packet goes into the RX ring, and no credit stands for it");
  target_->receive(bytes(context.data_meta, context.data), bytes(context.data, context.data_end));
  tell({"into_ring", number_});
  if (std::ranges::find(unflushed_, target_) == unflushed_.end()) unflushed_.push_back(target_);
  if (!settings_.native) flush();
}

void HookCpu::flush() {
  for (KernelSocket* socket : unflushed_) {
    scheduler()->step();
    socket->flush();
  }
  if (!unflushed_.empty()) kernel_.wake_reader();
  unflushed_.clear();
}

long HookCpu::redirect(std::uint32_t slot, std::uint64_t flags) noexcept {
  target_ = kernel_.socket_in(slot);
  slot_ = slot;
  tell({target_ ? "redirect" : "redirect_refused", number_});
  return target_ ? long{XDP_REDIRECT} : static_cast<long>(flags & 3);
}

/// As bpf_xdp_adjust_meta() in net/core/filter.c.
long HookCpu::adjust_metadata(lb_native_context& context, int delta) noexcept {
  if (settings_.refuses_metadata_one_in != 0 && random_.one_in(settings_.refuses_metadata_one_in))
    return kNotSupported;
  const lb_u64 moved = context.data_meta + static_cast<lb_u64>(static_cast<lb_s64>(delta));
  if (moved > context.data) return kInvalid;
  const auto length = static_cast<int>(context.data - moved);
  if (length > kMetadataMax || length % 4 != 0) return kAccess;
  context.data_meta = moved;
  return 0;
}

HookCpu::Counted HookCpu::counted() const noexcept {
  Counted result{.bank = kernel_.maps().config().bank, .banks = {}};
  for (std::uint32_t bank = 0; bank < LB_COUNTER_BANKS; ++bank)
    std::memcpy(result.banks[bank].data(),
                &kernel_.maps().counters(bank, settings_.line, settings_.id), sizeof(lb_counters));
  return result;
}

/// I6: the packet, and one way out of the hook. A bank that was cleared meanwhile began at zero; so
/// did the one that is counted in now, if it was not before.
WayOut HookCpu::way_out(const Counted& before) const {
  constexpr std::size_t kWays = 7;
  const Counted now = counted();
  WayOut result = WayOut::uncounted;
  std::uint64_t packets = 0;
  std::uint64_t ways = 0;
  for (std::uint32_t bank = 0; bank < LB_COUNTER_BANKS; ++bank) {
    const bool is_new = (now.bank != before.bank && (now.bank & 1) == bank) ||
                        now.banks[bank][0] < before.banks[bank][0];
    const auto moved = [&](std::size_t counter) {
      return now.banks[bank][counter] - (is_new ? 0 : before.banks[bank][counter]);
    };
    packets += moved(0);
    for (std::size_t way = 0; way < kWays; ++way) {
      if (moved(1 + way) == 0) continue;
      ways += moved(1 + way);
      result = static_cast<WayOut>(way);
    }
  }
  if (packets != ways || packets > 1)
    fail(fmt::format("I6: one packet was counted {} times, and {} ways out of the hook", packets,
                     ways));
  return result;
}

}  // namespace linearb::sim
