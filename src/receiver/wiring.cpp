// SPDX-License-Identifier: Apache-2.0
#include "receiver/wiring.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config/check.h"
#include "core/walk.h"
#include "receiver/remembrance.h"
#include "sequencer/feed_event.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/error.h"
#include "sys/kernel.h"

namespace linearb::receiver {
namespace {

/// The framings by their place in the hook's map.
std::vector<lb_framing> descriptors_of(const std::vector<RunningChannel>& channels) {
  std::vector<lb_framing> descriptors;
  for (const RunningChannel& channel : channels) {
    if (descriptors.size() <= channel.framing_index) descriptors.resize(channel.framing_index + 1u);
    descriptors[channel.framing_index] = channel.framing.descriptor;
  }
  return descriptors;
}

std::string name_of_stream(const RunningChannel& channel, std::uint64_t key) {
  return sequencer::stream_name(channel.options.name, channel.framing.descriptor, key);
}

std::vector<std::string> names_of(const std::vector<Line>& lines) {
  std::vector<std::string> names;
  for (const Line& line : lines) names.push_back(line.name);
  return names;
}

std::uint32_t queues_of(const std::string& interface) {
  const std::uint32_t queues = sys::rx_queues(interface);
  if (queues > LB_QUEUES_MAX)
    throw Error(
        fmt::format("interface {} has {} RX queues, linearb takes up to {}; reduce them "
                    "(ethtool -L {} combined {})",
                    interface, queues, static_cast<int>(LB_QUEUES_MAX), interface,
                    static_cast<int>(LB_QUEUES_MAX)));
  return queues;
}

std::vector<LineInterface> interfaces_of(const std::vector<Line>& lines) {
  std::vector<LineInterface> interfaces;
  for (std::uint32_t i = 0; i < lines.size(); ++i) {
    const std::string& name = lines[i].interface;
    if (const auto shared = std::ranges::find(interfaces, name, &LineInterface::name);
        shared != interfaces.end()) {
      shared->lines += ", " + lines[i].name;
      continue;
    }
    const sys::Interface found = sys::query_interface(name);
    if (!found.up)
      throw Error(fmt::format("line {}: interface {} is down; set it up (ip link set {} up)",
                              lines[i].name, name, name));
    LineInterface& interface = interfaces.emplace_back();
    interface.name = name;
    interface.lines = lines[i].name;
    interface.first_line = i;
    interface.place = static_cast<std::uint32_t>(interfaces.size() - 1);
    interface.known = {
        .index = found.index, .up = true, .queues = queues_of(name), .mtu = found.mtu};
    interface.counters_before = interface.counters = found.counters;
  }
  return interfaces;
}

/// One size for all: the hook compares with one.
std::uint32_t frame_size_for(const std::vector<LineInterface>& interfaces) {
  for (const LineInterface& interface : interfaces)
    if (largest_packet(interface.known.mtu) > xsk::frame_room(xsk::kFrameSizeSmall))
      return xsk::kFrameSizeLarge;
  return xsk::kFrameSizeSmall;
}

lb_u8 flow_flags(const ReceiverOptions& options, const Channel& channel, const std::string& line) {
  const bool verifies = channel.checksum.value_or(options.checksum) == Checksum::verify;
  return static_cast<lb_u8>((options.dedup == Dedup::lru ? LB_FLOW_LRU : 0) |
                            (verifies ? LB_FLOW_CHECKSUM : 0) |
                            (options.only_repairs(line) ? LB_FLOW_REPAIR : 0));
}

/// That the hook's table has to have room for.
std::uint32_t flow_places(const ReceiverOptions& options) {
  std::size_t places = 0;
  for (const Line& line : options.lines)
    for (const Channel& channel : options.channels)
      places += 1 + channel.destination_on(line.name).sources.size();
  return static_cast<std::uint32_t>(places);
}

hook::Capacity capacity_of(const ReceiverOptions& options,
                           const std::vector<RunningChannel>& channels) {
  std::size_t places = 0;
  for (const RunningChannel& channel : channels) places += places_of(channel);
  return {.channels = static_cast<std::uint32_t>(places),
          .flows = flow_places(options),
          .remembers = options.keep_hook && options.dedup == Dedup::window,
          .identifiers = options.dedup == Dedup::lru ? std::uint32_t{LB_SEEN_SESSIONS} : 0u};
}

ReceiverOptions validated(const ReceiverOptions& options) {
  validate(options);
  for (const unsigned cpu : options.cpus) sys::require_cpu(cpu);
  return spelled_out(options);
}

}  // namespace

std::uint32_t largest_packet(std::uint32_t mtu) noexcept {
  return mtu + LB_ETHERNET_HEADER + LB_VLAN_TAGS_MAX * LB_VLAN_TAG;
}

bool is_unguarded(const std::string& kernel_release, bool native, unsigned threads) noexcept {
  return threads > 1 && !native && !sys::is_at_least(kernel_release, 6, 15);
}

std::uint64_t LineInterface::nic_lost() const noexcept {
  return nic_lost_before + counters.rx_missed - counters_before.rx_missed + counters.rx_dropped -
         counters_before.rx_dropped;
}

Wiring::Wiring(const ReceiverOptions& options, OnEvent on_event)
    : options_(validated(options)),
      on_event_(std::move(on_event)),
      channels_(plan_channels({}, options_.channels, config::load_framings(options_), {},
                              {.threads = options_.threads})
                    .added),
      labels_(channels_.begin(), channels_.end()),
      interfaces_(interfaces_of(options_.lines)),
      hook_(hook_interfaces(), capacity_of(options_, channels_)),
      frame_size_(frame_size_for(interfaces_)) {
  for (const RunningChannel& channel : channels_)
    stream_count_ += static_cast<std::uint32_t>(channel.streams.size());
  ownership_.emplace(hook_.maps());
  hook_.attach(options_.mode);
  std::vector<hook::Setup::InterfaceLine> lines;
  for (std::size_t i = 0; i < interfaces_.size(); ++i) {
    LineInterface& interface = interfaces_[i];
    interface.native = hook_.is_native(i);
    interface.known.program_id =
        hook::attachment_of({interface.name, interface.known.index}).program_id;
    tell_if_unguarded(interface);
    if (!hook_.was_attached_here(i))
      tell(Event::Kind::hook_there, interface,
           "has the hook already; it stays there at the end (linearb detach takes it off)");
    lines.push_back({interface.known.index, interface.first_line});
    for (auto& port : open_ports(interface, 0, interface.known.queues))
      ports_.push_back(std::move(port));
  }
  const std::vector<std::string> line_names = names_of(options_.lines);
  take_remembered_places(channels_, maps().memories());
  remember_marks(maps());
  // Identifiers have no order: nothing is remembered of them.
  const bool remembers = options_.dedup == Dedup::window;
  claim_memories(maps().memories(), maps().config(),
                 remembers ? channels_ : std::vector<RunningChannel>(), line_names);
  const std::vector<lb_flow> flows = flows_of(channels_);
  const std::vector<lb_framing> framings = descriptors_of(channels_);
  add_flows(std::make_unique<hook::FlowTable>(
      hook::take_over(maps(), {.flows = flows,
                               .framings = framings,
                               .interfaces = lines,
                               .lines = line_names,
                               .frame_room = xsk::frame_room(frame_size_)})));
  for (LineInterface& interface : interfaces_)
    interface.joins.emplace(join_groups(interface, channels_));
}

void Wiring::tell_if_unguarded(const LineInterface& interface) const {
  const std::string release = sys::kernel_release();
  if (is_unguarded(release, interface.native, options_.threads))
    tell(Event::Kind::unguarded, interface,
         fmt::format("has the hook in generic mode, where threads share a fill ring that Linux {} "
                     "guards only if it has the change of 6.15 (net/xdp/xsk.c): packets may be "
                     "mixed up; use --mode native, or one thread",
                     release));
}

Wiring::~Wiring() {
  try {
    empty_slots();  // of a run that failed, or never was
  } catch (const Error&) {
    for (const auto& port : ports_) maps().clear_socket(port->slot);
  }
}

void Wiring::start(const DataThreads& threads) {
  std::vector<Change> changes(threads.size());
  for (const RunningChannel& channel : channels_) {
    DataPath& path = threads[channel.thread]->path();
    Change& change = changes[channel.thread];
    const std::size_t before = change.added.size();
    add_channel(channel, path, change);
    for (std::size_t i = before; i < change.added.size(); ++i)
      if (channel.streams.empty() || i - before < channel.keys.size())
        go_on(*change.added[i].channel, channel, change.added[i].index, path);
  }
  for (const auto& port : ports_) changes[port->thread].opened.push_back(port.get());
  for (std::size_t i = 0; i < threads.size(); ++i) {
    changes[i].flows = &flows();
    threads[i]->carry_out(changes[i]);
  }
}

void Wiring::add_channel(const RunningChannel& channel, DataPath& path, Change& change) {
  for (const Sequence& sequence : sequences_of(channel))
    change.added.push_back(
        {sequence.place,
         path.make_channel(sequence.serial, channel.framing.descriptor, sequence.place),
         identity_of(channel), channel.serial, alarms_of(channel)});
  if (channel.streams.empty()) return;
  change.streams_opened.push_back(
      {channel.index, std::make_unique<sequencer::StreamGroup>(channel.framing.descriptor,
                                                               channel.streams, channel.keys)});
}

/// From where the receiver before this one stood, if the hook remembers it.
void Wiring::go_on(sequencer::Channel& channel, const RunningChannel& running, std::uint16_t place,
                   DataPath& path) {
  lb_memory* const memory = path.memory_of(place);
  if (!memory || memory->identity != identity_of(running) || !channel.adopt()) return;
  path.expect_skips(place);
  const std::string name =
      memory->is_stream ? name_of_stream(running, memory->key) : running.options.name;
  tell_channel(Event::Kind::went_on, name, {},
               fmt::format("goes on at message {}, where the receiver before this one was",
                           channel.newest_end()));
  for (const lb_range& range : doubtful(*memory))
    tell_channel(Event::Kind::in_hand, name, range,
                 fmt::format("the receiver before this one died when the application had messages "
                             "{} to {}: if a line brings them again, it gets them again",
                             range.first, range.end - 1));
  settle_doubts(*memory);
}

void Wiring::tell_channel(Event::Kind kind, const std::string& channel, lb_range messages,
                          const std::string& text) const noexcept {
  try {
    Event event;
    event.kind = kind;
    event.text = fmt::format("channel {}: {}", channel, text);
    event.channel = channel;
    event.first = messages.first;
    event.count = messages.end - messages.first;
    tell(std::move(event));
  } catch (...) {  // memory is short
  }
}

void Wiring::tell(Event event) const {
  event.time_ns = sys::realtime_ns();
  if (on_event_) on_event_(event);
}

void Wiring::open_slots() {
  if (options_.keep_hook) hook_.keep();  // not before: a start that fails leaves nothing
  slots_are_open_ = true;
  if (options_.dedup == Dedup::lru)
    for (const RunningChannel& channel : channels_)
      hook::publish_identifiers(maps(), channel.index,
                                static_cast<std::uint32_t>(options_.lines.size()));
  for (const auto& port : ports_) {
    begin_credit(*port);
    open_slot(*port);
  }
}

void Wiring::empty_slots() {
  if (std::exchange(slots_are_open_, false)) hook::empty_slots(maps());
}

/// Nothing is outstanding: no hook redirects into an empty slot. Before the data path looks at it.
void Wiring::begin_credit(Port& port) {
  lb_credit& credit = maps().credit(port.slot);
  port.redirected_before = lb_load_acquire(&credit.redirected);
  lb_store_release(&credit.returned, port.redirected_before);
}

/// Credit first, then the socket: the hook looks for the socket first.
void Wiring::open_slot(const Port& port) {
  lb_store_release(&maps().credit(port.slot).capacity, options_.frames);
  maps().set_socket(port.slot, port.socket->fd());
}

const LineInterface& Wiring::interface_of(std::size_t line) const noexcept {
  return *std::ranges::find(interfaces_, options_.lines[line].interface, &LineInterface::name);
}

std::vector<hook::Interface> Wiring::hook_interfaces() const {
  std::vector<hook::Interface> result;
  for (const LineInterface& interface : interfaces_)
    result.push_back({interface.name, interface.known.index});
  return result;
}

ChannelRoom Wiring::room() const noexcept {
  return {.channels = maps().windows().size(),
          .framings = maps().framings().size(),
          .threads = options_.threads};
}

Wiring::Ports Wiring::open_ports(LineInterface& interface, std::uint32_t first_queue,
                                 std::uint32_t queues) {
  std::vector<bool> taken(kPortsMax);
  for (const Ports* ports : {&ports_, &closed_})
    for (const auto& port : *ports) taken[port->id] = true;
  Ports opened;
  std::uint32_t id = 0;
  for (std::uint32_t queue = first_queue; queue < queues; ++queue) {
    std::shared_ptr<xsk::Umem> umem;
    for (std::uint32_t thread = 0; thread < options_.threads; ++thread, ++id) {
      while (taken[id]) ++id;
      opened.push_back(open_port({.interface = interface.name,
                                  .interface_index = interface.known.index,
                                  .queue = queue,
                                  .slot_group = lb_slot_group_of(interface.place, thread),
                                  .line = interface.first_line,
                                  .thread = thread,
                                  .frame_size = frame_size_,
                                  .generic = !interface.native,
                                  .umem = umem},
                                 options_));
      Port& port = *opened.back();
      port.id = id;
      umem = port.umem;
      interface.zero_copy = port.socket->zero_copy();
    }
  }
  return opened;
}

/// Before a data path has the new ones: it may have the last two.
void Wiring::add_flows(std::unique_ptr<hook::FlowTable> flows) {
  constexpr std::size_t kKept = 3;
  flows_.reserve(kKept + 1);
  flows_.push_back(std::move(flows));
  if (flows_.size() > kKept) flows_.erase(flows_.begin());
}

std::vector<lb_flow> Wiring::flows_of(const std::vector<RunningChannel>& channels) const {
  std::vector<lb_flow> flows;
  for (std::size_t line = 0; line < options_.lines.size(); ++line) {
    const LineInterface& interface = interface_of(line);
    if (interface.known.index == 0) continue;
    for (const RunningChannel& channel : channels) {
      const std::string& name = options_.lines[line].name;
      const Destination& destination = channel.options.destination_on(name);
      if (destination.port == 0) continue;
      hook::add_flow(
          flows,
          {.interface_index = interface.known.index,
           .destination = destination.address,
           .port = destination.port,
           .channel = channel.index,
           .slot_group = static_cast<lb_u8>(lb_slot_group_of(interface.place, channel.thread)),
           .line = static_cast<lb_u8>(line),
           .framing = channel.framing_index,
           .flags = flow_flags(options_, channel.options, name)},
          destination.sources);
    }
  }
  return flows;
}

sys::MulticastJoins Wiring::join_groups(const LineInterface& interface,
                                        const std::vector<RunningChannel>& channels) const {
  std::vector<sys::Membership> memberships;
  for (const Line& line : options_.lines) {
    if (line.interface != interface.name) continue;
    for (const RunningChannel& channel : channels) {
      const Destination& destination = channel.options.destination_on(line.name);
      if (destination.port == 0 || !lb_is_multicast(destination.address)) continue;
      if (destination.sources.empty()) memberships.push_back({destination.address, 0});
      for (const std::uint32_t source : destination.sources)
        memberships.push_back({destination.address, source});
    }
  }
  return {interface.name, memberships};
}

std::uint64_t Wiring::skipped_unseen(std::uint32_t line) const noexcept {
  std::uint64_t skipped = skipped_on_removed_[line];
  for (const RunningChannel& channel : channels_)
    for (const Sequence& sequence : sequences_of(channel))
      skipped += maps().mark(sequence.place, line).skipped_unseen;
  return skipped;
}

const RunningChannel& Wiring::channel_for(std::uint32_t serial,
                                          std::span<const std::uint8_t> payload) const {
  const auto channel = std::ranges::find(channels_, serial, &RunningChannel::serial);
  if (channel == channels_.end())
    throw UsageError(fmt::format("inject: there is no channel of number {}", serial));
  const auto refuse = [&](const std::string& reason) {
    throw UsageError(fmt::format("inject: channel {}: {}", channel->options.name, reason));
  };
  if (payload.size() > Injections::kPayloadMax)
    refuse(fmt::format("a payload of {} bytes; it can have up to {}", payload.size(),
                       Injections::kPayloadMax));
  sequencer::Packet packet;
  packet.payload = payload;
  sequencer::decode(channel->framing.descriptor, packet);
  if (packet.kind == LB_KIND_MALFORMED)
    refuse(
        fmt::format("{} bytes that are no packet of {}", payload.size(), channel->options.framing));
  if (!packet.datagram.numbered || packet.datagram.count == 0)
    refuse("a packet without numbered messages");
  return *channel;
}

Event Wiring::event_of(const TaggedNotice& tagged) const {
  const ChannelLabel& label = labels_[tagged.channel];
  const sequencer::Notice& notice = tagged.notice;
  const std::uint64_t age_ns = sys::monotonic_ns() - notice.ns;
  Event event = sequencer::feed_event(
      notice, tagged.is_stream ? label.of_stream(tagged.key) : label.name,
      notice.line < options_.lines.size() ? options_.lines[notice.line].name : std::string(),
      sys::realtime_ns() - age_ns);
  event.channel_number = tagged.channel;
  event.key = tagged.key;
  return event;
}

std::string Wiring::name_of(std::uint32_t serial, const DataThreads& threads) const {
  if (serial < kStreamSerials) return labels_[serial].name;
  const std::uint32_t number = serial - kStreamSerials;
  for (const RemovedChannel& removed : removed_)
    if (number - removed.channel.first_stream < removed.channel.streams.size())
      return removed.summaries[number - removed.channel.first_stream].name;
  for (const RunningChannel& channel : channels_)
    if (number - channel.first_stream < channel.streams.size())
      return name_of_stream(channel, threads[channel.thread]
                                         ->path()
                                         .streams()[channel.index]
                                         ->keys()[number - channel.first_stream]);
  return {};
}

void Wiring::finish() {
  for (LineInterface& interface : interfaces_) {
    const auto now = sys::find_interface(interface.name);
    if (now && now->index == interface.known.index) interface.counters = now->counters;
  }
}

}  // namespace linearb::receiver
