// SPDX-License-Identifier: Apache-2.0
#include "sim/receiver_run.h"

#include <algorithm>
#include <numeric>
#include <string>

#include <fmt/format.h>

#include "hook/takeover.h"
#include "receiver/balance.h"
#include "sim/failure.h"
#include "sim/hook_cpu.h"
#include "sim/scheduler.h"
#include "sys/clock.h"
#include "xsk/frame.h"

namespace linearb::sim {
namespace {

// As in receiver/receiver.cpp.
constexpr std::uint64_t kTickNs = 10'000'000;
constexpr std::uint64_t kPollNs = 100'000'000;
constexpr std::uint64_t kDrainNs = 2'000'000'000;

}  // namespace

ReceiverRun::ReceiverRun(const Settings& settings, const Feed& feed, Reference& reference,
                         Random random)
    : settings_(settings),
      feed_(feed),
      reference_(reference),
      random_(random),
      maps_(Kernel::instance().maps()),
      deliver_([this](const Delivery& delivery) {
        reference_.delivered(scheduler()->now_ns(), delivery);
      }) {}

void ReceiverRun::run() {
  reference_.receiver_begins();
  open_ports();
  take_over();
  start();
  stage_ = Stage::opening;
  open_slots();
  stage_ = Stage::running;
  reference_.receiver_is_there(true);
  loop();
  if (!settings_.breaks_off) {
    drain();
    sum_up();
  }
  reference_.receiver_is_there(false);
  // In this order the kernel would close what a dead process had open, too.
  const auto gaps = data_path_->sequencer().gaps();
  for (const auto& port : ports_) maps_.clear_socket(port->slot);
  data_path_.reset();
  ports_.clear();
  settings_.breaks_off ? reference_.receiver_breaks_off() : reference_.receiver_ends(gaps);
}

void ReceiverRun::end(bool breaks_off) noexcept {
  settings_.end_ns = 0;
  settings_.breaks_off = breaks_off;
}

void ReceiverRun::open_ports() {
  ReceiverOptions options;
  options.frames = settings_.frames;
  options.zero_copy = ZeroCopy::off;
  for (std::uint32_t line = 0; line < feed_.lines; ++line) {
    ports_.push_back(receiver::open_port({.interface = fmt::format("line{}", line),
                                          .interface_index = HookCpu::interface_index_of(line),
                                          .queue = 0,
                                          .slot_group = line,
                                          .line = line,
                                          .generic = true},
                                         options));
    ports_.back()->id = line;
  }
}

std::vector<lb_flow> ReceiverRun::flows() const {
  std::vector<lb_flow> result;
  for (std::uint32_t line = 0; line < feed_.lines; ++line)
    for (std::uint32_t channel = 0; channel < feed_.channels; ++channel)
      result.push_back({.interface_index = HookCpu::interface_index_of(line),
                        .destination = Feed::destination_of(channel),
                        .port = Feed::kPort,
                        .channel = static_cast<lb_u16>(channel),
                        .slot_group = static_cast<lb_u8>(line),
                        .line = static_cast<lb_u8>(line),
                        .framing = static_cast<lb_u8>(channel),
                        .flags = 0});
  return result;
}

void ReceiverRun::take_over() {
  const std::vector<std::string> names = {"A", "B", "C"};
  std::vector<linearb::hook::Setup::InterfaceLine> interfaces;
  for (std::uint32_t line = 0; line < feed_.lines; ++line)
    interfaces.push_back({HookCpu::interface_index_of(line), line});
  const std::vector<lb_flow> all_flows = flows();
  flow_table_ =
      linearb::hook::take_over(maps_, {.flows = all_flows,
                                       .framings = feed_.framings,
                                       .interfaces = interfaces,
                                       .lines = std::span(names).first(feed_.lines),
                                       .frame_room = xsk::frame_room(xsk::kFrameSizeSmall),
                                       .metadata = settings_.metadata});
}

void ReceiverRun::start() {
  data_path_ = std::make_unique<receiver::DataPath>(receiver::DataPath::Parts{
      .maps = maps_, .lines = feed_.lines, .deliver = deliver_, .sink = nullptr});
  receiver::Change change;
  change.flows = &flow_table_;
  for (std::uint16_t i = 0; i < feed_.channels; ++i)
    change.added.push_back({i, data_path_->make_channel(i, feed_.framings[i], i), 0, i});
  for (const auto& port : ports_) change.opened.push_back(port.get());
  data_path_->carry_out(change);
}

/// As Wiring::begin_credit and Wiring::open_slot.
void ReceiverRun::open_slots() {
  for (const auto& port : ports_) {
    lb_credit& credit = maps_.credit(port->slot);
    port->redirected_before = lb_load_acquire(&credit.redirected);
    lb_store_release(&credit.returned, port->redirected_before);
    lb_store_release(&credit.capacity, settings_.frames);
    maps_.set_socket(port->slot, port->socket->fd());
  }
}

void ReceiverRun::loop() {
  std::uint64_t next_tick_ns = 0;
  while (scheduler()->now_ns() < settings_.end_ns) {
    const std::uint32_t received = data_path_->receive();
    scheduler()->step();
    if (settings_.stall_one_in != 0 && random_.one_in(settings_.stall_one_in))
      scheduler()->sleep_for(random_.below(settings_.stall_ns_at_most + 1));
    if (received == 0) wait();
    const std::uint64_t now_ns = sys::monotonic_ns();
    if (now_ns < next_tick_ns) continue;
    next_tick_ns = now_ns + kTickNs;
    data_path_->tick(now_ns);
  }
}

void ReceiverRun::wait() {
  const auto is_readable = [](const KernelSocket* socket) { return socket->readable(); };
  Kernel& kernel = Kernel::instance();
  if (std::ranges::any_of(kernel.sockets, is_readable)) return;
  kernel.reader = scheduler()->current();
  scheduler()->wait(std::min(scheduler()->now_ns() + kPollNs, settings_.end_ns));
  kernel.reader = ~0u;
}

void ReceiverRun::drain() {
  linearb::hook::empty_slots(maps_);
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kDrainNs;
  for (std::uint64_t now_ns = 0; now_ns < give_up_ns;) {
    now_ns = sys::monotonic_ns();
    if (data_path_->receive() > 0) continue;
    if (data_path_->drained()) break;
    data_path_->tick(now_ns);
    scheduler()->sleep_for(1'000'000);
  }
}

/// As receiver::ledger_of(), which wants a Wiring.
void ReceiverRun::sum_up() {
  const std::uint32_t bank = linearb::hook::change_bank(maps_, feed_.lines);
  data_path_->finish();
  const sequencer::Sequencer& sequencer = data_path_->sequencer();
  receiver::Ledger ledger;
  for (std::uint32_t line = 0; line < feed_.lines; ++line) {
    const sequencer::LineCounts& counts = sequencer.line(line);
    ledger.lines.push_back({.name = std::to_string(line),
                            .hook = linearb::hook::sum_counters(maps_, bank, line),
                            .judged = data_path_->judged(line),
                            .decided = std::accumulate(counts.outcomes.begin(),
                                                       counts.outcomes.end(), std::uint64_t{0}),
                            .kernel_lost = ports_[line]->kernel_lost});
    for (const auto outcome :
         {sequencer::Outcome::won, sequencer::Outcome::overlap, sequencer::Outcome::unsequenced})
      ledger.won_overlap_unsequenced += counts.of(outcome);
    if (ports_[line]->kernel_lost != 0)
      fail(fmt::format("I2: {} packets were redirected on line {} and never came",
                       ports_[line]->kernel_lost, line));
  }
  for (const auto& port : ports_)
    ledger.sockets.push_back(
        {.name = port->name,
         .redirected = maps_.credit(port->slot).redirected - port->redirected_before,
         .received = port->received,
         .kernel_lost = port->kernel_lost,
         .frames_conserved = port->socket->conserved(port->held)});
  ledger.delivered = data_path_->delivered();
  ledger.delivered_messages = data_path_->delivered_messages();
  for (std::uint32_t channel = 0; channel < feed_.channels; ++channel)
    ledger.sequencer_messages += sequencer.messages(channel);
  for (const std::string& sentence : receiver::imbalances(ledger)) fail("I6: " + sentence);
}

}  // namespace linearb::sim
