// SPDX-License-Identifier: Apache-2.0
//
// Wiring, while it runs: interfaces go, come back, and change.
#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "linearb/error.h"
#include "receiver/wiring.h"
#include "sys/grace.h"

namespace linearb::receiver {

void Wiring::look(const DataThreads& threads) noexcept {
  ownership_->dismiss_visitors();
  try {
    look_at_streams(threads);
  } catch (const std::exception&) {  // memory is short: the next look says it
  }
  for (LineInterface& interface : interfaces_) {
    try {
      look_at(interface, threads);
      interface.trouble.clear();
    } catch (const std::exception& error) {  // memory may be short, too
      if (std::exchange(interface.trouble, error.what()) != error.what())
        tell(Event::Kind::trouble, interface, error.what());
    }
  }
  tell_watches(threads);
}

/// What they cannot see of packets: whether lines can bring anything, and channels ought to.
void Wiring::tell_watches(const DataThreads& threads) const noexcept {
  for (const auto& thread : threads) {
    sequencer::Watch* const watch = thread->path().watch();
    if (!watch) return;
    for (std::uint32_t line = 0; line < options_.lines.size(); ++line) {
      const LineInterface& interface = interface_of(line);
      watch->set_line_down(line, interface.known.index == 0 || !interface.known.up);
    }
  }
  for (const RunningChannel& channel : channels_) {
    if (!channel.hours.are_limited()) continue;
    const bool in_hours = channel.hours.contain_now();
    for (const Sequence& sequence : sequences_of(channel))
      threads[channel.thread]->path().watch()->set_in_hours(sequence.place, in_hours);
  }
}

/// Said once for each channel: there will be more of them.
void Wiring::look_at_streams(const DataThreads& threads) {
  for (RunningChannel& channel : channels_) {
    const sequencer::StreamGroup* const group =
        threads[channel.thread]->path().streams()[channel.index].get();
    const auto key = group ? group->refused_key() : std::nullopt;
    if (!key || channel.has_told_of_keys) continue;
    tell_channel(Event::Kind::too_many_keys, channel.options.name, {},
                 fmt::format("more than {} keys; {} is one too many, and what has it is not "
                             "delivered (not_feed): raise --keys, or keys in its table",
                             group->places().size(), *key));
    channel.has_told_of_keys = true;
  }
}

void Wiring::look_at(LineInterface& interface, const DataThreads& threads) {
  tell_losses(interface);
  const LinkState seen = observe(interface);
  for (const LinkChange change : changes_between(interface.known, seen))
    act(change, interface, seen, threads);
}

/// It should not be: a redirect that holds a credit arrives. The operator has to know when it does
/// not.
void Wiring::tell_losses(LineInterface& interface) {
  const std::uint64_t losses = losses_on(interface);
  if (losses > interface.losses)
    tell(Event::Kind::losses, interface,
         fmt::format("lost {} packets between hook and socket (kernel_lost)",
                     losses - interface.losses));
  interface.losses = losses;
}

/// Between two of these questions the interface may go; then the next look finds out.
LinkState Wiring::observe(LineInterface& interface) {
  const auto found = sys::find_interface(interface.name);
  if (!found) return {};
  LinkState seen{.index = found->index, .up = found->up, .mtu = found->mtu};
  seen.queues = std::min<std::uint32_t>(sys::rx_queues(interface.name), LB_QUEUES_MAX);
  const hook::Attachment attachment = hook::attachment_of({interface.name, found->index});
  seen.program_id = attachment.program_id;
  seen.native = attachment.native;
  seen.sockets_dead = has_dead_sockets(interface);
  if (seen.index == interface.known.index) interface.counters = found->counters;
  if (!seen.sockets_dead) return seen;
  const auto afterwards = sys::find_interface(interface.name);
  return confirmed(seen, afterwards ? afterwards->index : 0);
}

/// An interface that was away between two looks may have its index and its hook as before, and what
/// the hook redirects goes nowhere: the kernel says so of the socket.
bool Wiring::has_dead_sockets(const LineInterface& interface) const {
  bool dead = false;
  for (const auto& port : ports_)
    if (port->interface_index == interface.known.index && port->is_dead()) dead = true;
  return dead;
}

std::uint64_t Wiring::losses_on(const LineInterface& interface) const noexcept {
  std::uint64_t losses = 0;
  for (const auto& port : ports_)
    if (port->interface_index == interface.known.index)
      losses += port->losses.load(std::memory_order_relaxed);
  return losses;
}

void Wiring::act(LinkChange change, LineInterface& interface, const LinkState& seen,
                 const DataThreads& threads) {
  switch (change) {
    case LinkChange::gone:
      close(interface, threads);
      return tell(Event::Kind::line_gone, interface,
                  "is gone; the other lines go on, and it is taken back when it is there again");
    case LinkChange::back:
      take_back(interface, seen, threads);
      return tell(Event::Kind::line_back, interface,
                  "is there again and received from" + larger_than_a_frame(seen.mtu));
    case LinkChange::sockets_dead:
      renew_sockets(interface, seen, threads);
      return;
    case LinkChange::down:
      interface.known.up = false;
      return tell(Event::Kind::line_down, interface,
                  fmt::format("is down; set it up (ip link set {} up)", interface.name));
    case LinkChange::up:
      interface.known.up = true;
      return tell(Event::Kind::line_up, interface, "is up again");
    case LinkChange::more_queues:
      open_more(interface, seen.queues, threads);
      return tell(Event::Kind::more_queues, interface,
                  fmt::format("has {} RX queues now, they are received from", seen.queues));
    case LinkChange::hook_gone:
      attach_again(interface, interface.known.index);
      return tell(Event::Kind::hook_again, interface,
                  "had lost its hook, it is attached again; to end it stop the receiver");
    case LinkChange::hook_replaced:
      interface.known.program_id = seen.program_id;
      return tell(
          Event::Kind::hook_foreign, interface,
          fmt::format("has another XDP program now (id {}), nothing comes from it; take "
                      "that off (ip link set dev {} {} off)",
                      seen.program_id, interface.name, seen.native ? "xdpdrv" : "xdpgeneric"));
    case LinkChange::larger_mtu:
      interface.known.mtu = seen.mtu;
      if (const std::string text = larger_than_a_frame(seen.mtu); !text.empty())
        tell(Event::Kind::larger_mtu, interface, fmt::format("has an MTU of {}{}", seen.mtu, text));
      return;
  }
}

/// The hook compares with one size for all lines, that of the start.
std::string Wiring::larger_than_a_frame(std::uint32_t mtu) const {
  if (largest_packet(mtu) <= xsk::frame_room(frame_size_)) return {};
  return fmt::format(
      "; packets of more than {} bytes do not fit a frame and go to the kernel: start "
      "the receiver again for larger frames",
      xsk::frame_room(frame_size_));
}

void Wiring::renew_sockets(LineInterface& interface, const LinkState& seen,
                           const DataThreads& threads) {
  close(interface, threads);
  take_back(interface, seen, threads);
  tell(Event::Kind::line_renewed, interface, "was away; its sockets are opened again");
}

/// The program went with the interface, so nothing new is redirected; what was is still in the
/// rings, which are ours.
void Wiring::close(LineInterface& interface, const DataThreads& threads) {
  std::vector<Change> changes(threads.size());
  std::vector<Port*> closing;
  for (const auto& port : closed_) changes[port->thread].forgotten.push_back(port.get());
  for (const auto& port : ports_) {
    if (port->interface_index != interface.known.index) continue;
    lb_store_release(&maps().credit(port->slot).capacity, 0);
    changes[port->thread].closed.push_back(port.get());
    closing.push_back(port.get());
  }
  // Without credit nothing is claimed; only then a slot may go that a hook has looked up.
  sys::wait_for_grace_period();
  for (const Port* port : closing) maps().clear_socket(port->slot);
  sys::wait_for_grace_period();
  for (Port* port : closing)
    changes[port->thread].wait_for.emplace_back(
        port, lb_load_acquire(&maps().credit(port->slot).redirected));
  if (!request(threads, changes)) return;

  for (const Change& change : changes)
    for (const Port* port : change.forgotten)
      std::erase_if(closed_, [port](const auto& closed) { return closed.get() == port; });
  for (const Port* port : closing) take_out(*port);
  for (const Port* port : closing) port->umem->release();  // when no socket is left
  interface.nic_lost_before = interface.nic_lost();
  interface.counters_before = interface.counters;
  interface.losses = 0;
  forget(interface);
}

/// The bytes stay as long as the sequencer may hold a packet in them; interface and queue are free.
void Wiring::take_out(const Port& port) {
  const auto place =
      std::ranges::find_if(ports_, [&](const auto& open) { return open.get() == &port; });
  closed_ports_.push_back(
      {.name = port.name,
       .line = port.line,
       .redirected = lb_load_acquire(&maps().credit(port.slot).redirected) - port.redirected_before,
       .received = port.received,
       .kernel_lost = port.kernel_lost,
       .frames_conserved = port.frames_conserved});
  closed_.push_back(std::move(*place));
  ports_.erase(place);
  closed_.back()->socket.reset();
}

void Wiring::take_back(LineInterface& interface, const LinkState& seen,
                       const DataThreads& threads) {
  attach_again(interface, seen.index);
  interface.known.index = seen.index;
  try {
    Ports opened = open_ports(interface, 0, seen.queues);
    interface.joins.emplace(join_groups(interface, channels_));
    auto flows = std::make_unique<hook::FlowTable>(hook::build_flow_table(
        flows_of(channels_), maps().flow_buckets(), hook::spare_flow_table(maps())));
    maps().set_interface(seen.index, interface.first_line);
    interface.counters_before = interface.counters = sys::query_interface(interface.name).counters;
    hook::publish_flows(maps(), *flows);  // may fail; nothing is redirected there yet
    add_flows(std::move(flows));
    hand_over(std::move(opened), interface, threads);
  } catch (...) {
    if (interface.known.index != 0) forget(interface);
    throw;
  }
  interface.known.up = true;
  interface.known.queues = seen.queues;
  interface.known.mtu = seen.mtu;
}

void Wiring::open_more(LineInterface& interface, std::uint32_t queues, const DataThreads& threads) {
  hand_over(open_ports(interface, interface.known.queues, queues), interface, threads);
  interface.known.queues = queues;
  // A veth gives its program to the queues that it has when it is attached (veth_enable_xdp in
  // drivers/net/veth.c): what comes on a newer one would pass the hook by.
  if (interface.native && sys::query_interface(interface.name).kind == "veth")
    hook_.renew(static_cast<std::size_t>(&interface - interfaces_.data()));
}

/// The data threads look at the sockets before the hook redirects to them.
void Wiring::hand_over(Ports opened, LineInterface& interface, const DataThreads& threads) {
  std::vector<Change> changes(threads.size());
  for (Change& change : changes) change.flows = &flows();
  for (const auto& port : opened) {
    begin_credit(*port);
    changes[port->thread].opened.push_back(port.get());
  }
  if (!request(threads, changes)) return;
  std::ranges::move(opened, std::back_inserter(ports_));
  try {
    for (const Change& change : changes)
      for (const Port* port : change.opened) open_slot(*port);
  } catch (...) {
    close(interface, threads);
    throw;
  }
}

/// As if there had never been one of that name: the next look finds it.
void Wiring::forget(LineInterface& interface) {
  maps().clear_interface(interface.known.index);
  interface.joins.reset();
  interface.known = {};
}

void Wiring::attach_again(LineInterface& interface, std::uint32_t index) {
  const auto place = static_cast<std::size_t>(&interface - interfaces_.data());
  hook_.attach_again(place, index, options_.mode);
  const bool was_native = std::exchange(interface.native, hook_.is_native(place));
  interface.known.program_id = hook::attachment_of({interface.name, index}).program_id;
  if (was_native) tell_if_unguarded(interface);  // else it was said before
}

void Wiring::tell(Event::Kind kind, const LineInterface& interface,
                  const std::string& text) const noexcept {
  try {
    const std::string subject =
        kind == Event::Kind::trouble
            ? fmt::format("line {}: ", interface.lines)
            : fmt::format("line {}: interface {} ", interface.lines, interface.name);
    Event event;
    event.kind = kind;
    event.lines = interface.lines;
    event.interface = interface.name;
    event.text = subject + text;
    tell(std::move(event));
  } catch (...) {  // memory is short
  }
}

}  // namespace linearb::receiver
