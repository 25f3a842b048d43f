// SPDX-License-Identifier: Apache-2.0
//
// Wiring, while it runs: interfaces go, come back, and change.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "linearb/error.h"
#include "receiver/wiring.h"
#include "sys/grace.h"

namespace linearb::receiver {

void Wiring::look(const Running& running) {
  ownership_.dismiss_visitors();
  for (LineInterface& interface : interfaces_) {
    try {
      look_at(interface, running);
      interface.trouble.clear();
    } catch (const Error& error) {
      if (std::exchange(interface.trouble, error.what()) != error.what())
        tell(Event::Kind::trouble, interface, error.what());
    }
  }
}

void Wiring::look_at(LineInterface& interface, const Running& running) {
  const LinkState seen = observe(interface);
  for (const LinkChange change : changes_between(interface.known, seen))
    act(change, interface, seen, running);
}

/// Between two of these questions the interface may go; then the next look finds out.
LinkState Wiring::observe(LineInterface& interface) const {
  const auto found = sys::find_interface(interface.name);
  if (!found) return {};
  LinkState seen{.index = found->index, .up = found->up};
  seen.queues = std::min<std::uint32_t>(sys::rx_queues(interface.name), LB_QUEUES_MAX);
  seen.program_id = hook::attachment_of({interface.name, found->index}).program_id;
  if (seen.index == interface.known.index) interface.counters = found->counters;
  return seen;
}

void Wiring::act(LinkChange change, LineInterface& interface, const LinkState& seen,
                 const Running& running) {
  switch (change) {
    case LinkChange::gone:
      close(interface, running);
      return tell(Event::Kind::line_gone, interface,
                  "is gone; the other lines go on, and it is taken back when it is there again");
    case LinkChange::back:
      take_back(interface, seen, running);
      return tell(Event::Kind::line_back, interface, "is there again and received from");
    case LinkChange::down:
      interface.known.up = false;
      return tell(Event::Kind::line_down, interface,
                  fmt::format("is down; set it up (ip link set {} up)", interface.name));
    case LinkChange::up:
      interface.known.up = true;
      return tell(Event::Kind::line_up, interface, "is up again");
    case LinkChange::more_queues:
      open_more(interface, seen.queues, running);
      return tell(Event::Kind::more_queues, interface,
                  fmt::format("has {} RX queues now, all are received from", seen.queues));
    case LinkChange::hook_gone:
      attach_again(interface, interface.known.index);
      return tell(Event::Kind::hook_again, interface,
                  "had lost its hook, it is attached again; to end it stop the receiver");
    case LinkChange::hook_replaced:
      interface.known.program_id = seen.program_id;
      return tell(Event::Kind::hook_foreign, interface,
                  fmt::format("has another XDP program now (id {}), nothing comes from it; take "
                              "that off (ip link set dev {} xdp off)",
                              seen.program_id, interface.name));
  }
}

/// The program went with the interface, so nothing new is redirected; what was is still in the
/// rings, which are ours.
void Wiring::close(LineInterface& interface, const Running& running) {
  Change change;
  for (const auto& port : closed_) change.forgotten.push_back(port.get());
  for (const auto& port : ports_) {
    if (port->interface_index != interface.known.index) continue;
    maps().clear_socket(port->slot);
    lb_store_release(&maps().credit(port->slot).capacity, 0);
    change.closed.push_back(port.get());
  }
  sys::wait_for_grace_period();
  for (Port* port : change.closed)
    change.wait_for.emplace_back(port, lb_load_acquire(&maps().credit(port->slot).redirected));
  if (!running.handover.request(change, running.wake)) return;

  for (const Port* port : change.forgotten)
    std::erase_if(closed_, [port](const auto& closed) { return closed.get() == port; });
  for (const Port* port : change.closed) {
    const auto place =
        std::ranges::find_if(ports_, [port](const auto& open) { return open.get() == port; });
    closed_ports_.push_back({.name = port->name,
                             .line = port->line,
                             .redirected = lb_load_acquire(&maps().credit(port->slot).redirected) -
                                           port->redirected_before,
                             .received = port->received,
                             .kernel_lost = port->kernel_lost,
                             .frames_conserved = port->frames_conserved});
    closed_.push_back(std::move(*place));
    closed_.back()->socket.reset();
    ports_.erase(place);
  }
  interface.nic_lost_before = interface.nic_lost();
  interface.counters_before = interface.counters = {};
  forget(interface);
}

void Wiring::take_back(LineInterface& interface, const LinkState& seen, const Running& running) {
  attach_again(interface, seen.index);
  interface.known.index = seen.index;
  try {
    Ports opened = open_ports(interface, 0, seen.queues);
    interface.joins.emplace(join_groups(interface, channels_));
    auto flows = std::make_unique<hook::FlowTable>(hook::build_flow_table(
        flows_of(channels_), maps().flow_buckets(), hook::spare_flow_table(maps())));
    maps().set_interface(seen.index, interface.first_line);
    flows_before_ = std::exchange(flows_, std::move(flows));
    hook::publish_flows(maps(), *flows_);
    hand_over(std::move(opened), interface, running);
  } catch (const Error&) {
    if (interface.known.index != 0) forget(interface);
    throw;
  }
  interface.known.up = true;
  interface.known.queues = seen.queues;
}

void Wiring::open_more(LineInterface& interface, std::uint32_t queues, const Running& running) {
  hand_over(open_ports(interface, interface.known.queues, queues), interface, running);
  interface.known.queues = queues;
  // A veth gives its program to the queues that it has when it is attached (veth_enable_xdp in
  // drivers/net/veth.c): what comes on a newer one would pass the hook by.
  if (interface.native && sys::query_interface(interface.name).kind == "veth")
    hook_.renew(static_cast<std::size_t>(&interface - interfaces_.data()));
}

/// The data path looks at the sockets before the hook redirects to them.
void Wiring::hand_over(Ports opened, LineInterface& interface, const Running& running) {
  Change change;
  change.flows = flows_.get();
  for (const auto& port : opened) {
    begin_credit(*port);
    change.opened.push_back(port.get());
  }
  if (!running.handover.request(change, running.wake)) return;
  std::ranges::move(opened, std::back_inserter(ports_));
  try {
    for (const Port* port : change.opened) open_slot(*port);
  } catch (const Error&) {
    close(interface, running);
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
  interface.native = hook_.is_native(place);
  interface.known.program_id = hook::attachment_of({interface.name, index}).program_id;
}

void Wiring::tell(Event::Kind kind, const LineInterface& interface, const std::string& text) const {
  if (!on_event_) return;
  on_event_({.kind = kind,
             .lines = interface.lines,
             .interface = interface.name,
             .text = kind == Event::Kind::trouble
                         ? fmt::format("line {}: {}", interface.lines, text)
                         : fmt::format("line {}: interface {} {}", interface.lines, interface.name,
                                       text)});
}

}  // namespace linearb::receiver
