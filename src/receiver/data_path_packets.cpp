// SPDX-License-Identifier: Apache-2.0
//
// The data path, packet by packet: what one is, what becomes of it, and where its frame goes.
#include "core/walk.h"
#include "receiver/data_path.h"
#include "receiver/remembrance.h"
#include "sys/clock.h"

namespace linearb::receiver {
namespace {

/// A handle names a packet by the port it came from and its address in the UMEM there.
constexpr std::uint32_t kPortShift = 48;
/// Stands for a port where the address is a slot of the injected packets.
constexpr std::uint32_t kInjectedPort = kPortsMax;
static_assert(kInjectedPort < 1 << 16);
static_assert(kInjectedLine == LB_LINES_MAX);

std::uint64_t handle_of(const Port& port, const std::byte* data) noexcept {
  return std::uint64_t{port.id} << kPortShift | static_cast<std::uint64_t>(data - port.data(0));
}
std::uint32_t port_of(std::uint64_t handle) noexcept {
  return static_cast<std::uint32_t>(handle >> kPortShift);
}
std::uint64_t address_of(std::uint64_t handle) noexcept {
  return handle & ((1ull << kPortShift) - 1);
}

/// For a counter that this thread writes and a display reads.
void count(std::atomic<std::uint64_t>& counter, std::uint64_t summand) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + summand, std::memory_order_relaxed);
}

}  // namespace

void DataPath::take(Port& port, const xsk::RxPacket& received) noexcept {
  sequencer::Packet packet;
  packet.handle = handle_of(port, received.data);
  ++port.held;
  const bool follows = describe(received, port, packet);
  ++judged_[packet.line];
  if (first_arrival_ns_ == 0) first_arrival_ns_ = packet.arrival_ns;
  last_arrival_ns_ = packet.arrival_ns;
  port.seen_ns = packet.arrival_ns;
  excuse_skip(packet);
  sequencer_.push(packet);
  if (parts_.uses_identifiers || !sequencer_.has(packet.channel)) return;
  sequencer::Channel& channel = sequencer_.channel(packet.channel);
  if (follows) publication_.follow(packet.channel, packet.line, channel);
  if (lb_memory* const memory = memory_of(packet.channel))
    remember_line(*memory, channel, packet.line, packet.arrival_ns);
}

/// The channel may have gone meanwhile.
void DataPath::take_injected() noexcept {
  while (const auto injected = parts_.injections->pop()) {
    sequencer::Packet packet;
    packet.handle = std::uint64_t{kInjectedPort} << kPortShift | injected->slot;
    packet.line = kInjectedLine;
    packet.channel = injected->place;
    packet.arrival_ns = sys::monotonic_ns();
    packet.payload = injected->frame.subspan(injected->payload_offset);
    ++judged_[kInjectedLine];
    if (origins_[injected->place].serial == injected->serial) decode(packet);
    sequencer_.push(packet);
  }
}

void DataPath::excuse_skip(sequencer::Packet& packet) noexcept {
  std::uint8_t& lines = skips_expected_[packet.channel];
  if ((lines >> packet.line & 1) == 0 || !packet.datagram.numbered) return;
  lines = static_cast<std::uint8_t>(lines & ~(1u << packet.line));
  packet.counts_skips = false;
}

/// Fills in what the hook knew, or parses again when the frame came without metadata. Returns
/// whether the packet may change what is published to the hook.
bool DataPath::describe(const xsk::RxPacket& received, const Port& port,
                        sequencer::Packet& packet) noexcept {
  const auto* data = reinterpret_cast<const std::uint8_t*>(received.data);
  auto* metadata = reinterpret_cast<lb_metadata*>(received.data) - 1;
  generation_ = 0;
  if (metadata->verdict == 0) return describe_by_walk({data, received.length_bytes}, port, packet);

  packet.channel = metadata->channel;
  packet.line = metadata->line;
  // A place that was measured against the mark of another epoch says nothing in this one.
  packet.place = metadata->generation == publication_.generation(metadata->channel)
                     ? metadata->place
                     : LB_PLACE_UNKNOWN;
  packet.arrival_ns = metadata->arrival_ns;
  packet.payload = {data + metadata->payload_offset, metadata->payload_length};
  const std::uint8_t verdict = metadata->verdict & ~LB_VERDICT_FROM_JUMP;
  if (verdict == LB_VERDICT_CLAIMED && packet.place != LB_PLACE_UNKNOWN &&
      sequencer_.has(packet.channel))
    believe(*metadata, packet);
  else
    decode(packet);
  packet.is_from_jump = verdict != metadata->verdict && packet.place != LB_PLACE_UNKNOWN;
  packet.is_claimed = verdict == LB_VERDICT_CLAIMED;
  if (verdict <= LB_VERDICT_ORDINARY_LAST) generation_ = metadata->generation;
  metadata->verdict = 0;  // so that the next packet in this frame is not taken for this one
  return verdict != LB_VERDICT_CLAIMED;
}

/// The hook has decoded it as decode() would, by the same lines. What it was judged against may be
/// over: so whose numbers they are is read again.
void DataPath::believe(const lb_metadata& metadata, sequencer::Packet& packet) const noexcept {
  packet.kind = LB_KIND_DATA;
  packet.datagram = {.first = metadata.first, .session = 0, .count = metadata.count, .numbered = 1};
  packet.key = origins_[metadata.channel].key;
  lb_framing_session(&sequencer_.channel(metadata.channel).framing(), packet.payload.data(),
                     packet.payload.data() + packet.payload.size(), &packet.datagram.session);
}

bool DataPath::describe_by_walk(std::span<const std::uint8_t> bytes, const Port& port,
                                sequencer::Packet& packet) noexcept {
  packet.line = static_cast<std::uint8_t>(port.line);
  packet.arrival_ns = sys::monotonic_ns();
  walks_ = true;
  lb_walk walk{};
  if (lb_walk_frame(bytes.data(), bytes.data() + bytes.size(), &walk) != LB_WALK_DATAGRAM)
    return false;
  const lb_flow* flow = hook::find_flow(*flows_, port.interface_index, walk.destination, walk.port);
  // It was on its way when the flows changed.
  if (!flow && flows_before_)
    flow = hook::find_flow(*flows_before_, port.interface_index, walk.destination, walk.port);
  if (!flow) return false;
  packet.line = flow->line;
  packet.channel = flow->channel;
  packet.payload = bytes.subspan(walk.payload_offset, walk.payload_length);
  decode(packet);
  // The hook adds them to the mark, once it has one.
  packet.is_claimed = parts_.maps.mark(packet.channel, packet.line).published != 0;
  packet.counts_skips = !packet.is_claimed;
  return true;
}

void DataPath::decode(sequencer::Packet& packet) noexcept {
  const std::uint16_t place = packet.channel;
  sequencer::StreamGroup* const streams = streams_[place].get();
  if (!streams && !sequencer_.has(place)) return;
  const lb_framing& framing = streams ? streams->framing() : sequencer_.channel(place).framing();
  sequencer::decode(framing, packet);
  if (streams && streams->assign(packet)) add_stream(place, packet.key, packet.channel);
}

void DataPath::decided(const sequencer::Packet& packet,
                       const sequencer::Decision& decision) noexcept {
  switch (decision.outcome) {
    case sequencer::Outcome::won:
      count(won_[packet.line], 1);
      [[fallthrough]];
    case sequencer::Outcome::overlap:
    case sequencer::Outcome::unsequenced:
      count(delivered_, 1);
      deliver(packet, decision);
      break;
    case sequencer::Outcome::malformed:
      // Claimed, and the messages are not there: another line's copy has to be able to win.
      if (packet.line != kInjectedLine && generation_ != 0 && packet.datagram.count <= LB_CLAIM_MAX)
        lb_window_release(parts_.maps.windows()[packet.channel].words, LB_WINDOW_ORDER, generation_,
                          packet.first(), packet.datagram.count);
      break;
    default:
      break;
  }
  if (lb_memory* const memory = memory_of(packet.channel))
    lb_memory_store(&memory->in_hand.count, 0);
  give_back(packet.handle);
}

void DataPath::part(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept {
  ++parts_delivered_;
  deliver(packet, decision);
}

void DataPath::deliver(const sequencer::Packet& packet,
                       const sequencer::Decision& decision) noexcept {
  std::uint64_t messages = 0;
  for (const lb_run& run : decision.news) messages += run.count;
  count(messages_, messages);
  if (!parts_.deliver && !parts_.sink) return;
  if (lb_memory* const memory = memory_of(packet.channel); memory && decision.epoch == 0)
    if (!decision.news.empty() && packet.line != kInjectedLine)
      remember_apart(memory->lines[packet.line], packet.first(), packet.datagram.count);

  const std::uint8_t* const begin = begin_of(packet.handle);
  const sequencer::Channel& channel = sequencer_.channel(packet.channel);
  const auto bytes = std::span(begin, packet.payload.data() + packet.payload.size());
  const auto payload_offset = static_cast<std::uint32_t>(packet.payload.data() - begin);
  if (parts_.sink) {
    const std::uint64_t realtime_ns = packet.arrival_ns + realtime_offset_ns_;
    if (decision.outcome != sequencer::Outcome::overlap)
      parts_.sink->write(realtime_ns, bytes);
    else
      parts_.sink->write_trimmed(
          realtime_ns, bytes,
          {channel.framing(), payload_offset, static_cast<std::uint32_t>(packet.payload.size()),
           packet.first(), decision.news});
  }
  if (!parts_.deliver) return;
  news_.clear();
  for (const lb_run& run : decision.news) news_.push_back({run.first, run.count});
  parts_.deliver({.channel = origins_[packet.channel].serial,
                  .key = packet.key,
                  .line = packet.line,
                  .epoch = decision.epoch,
                  .arrival_ns = packet.arrival_ns,
                  .range = {packet.first(), packet.datagram.count},
                  .news = news_,
                  .payload = packet.payload,
                  .packet = bytes});
}

const std::uint8_t* DataPath::begin_of(std::uint64_t handle) const noexcept {
  if (port_of(handle) == kInjectedPort)
    return parts_.injections->frame(static_cast<std::uint32_t>(address_of(handle))).data();
  const Port& port = *by_id_[port_of(handle)];
  return reinterpret_cast<const std::uint8_t*>(port.data(address_of(handle)));
}

void DataPath::give_back(std::uint64_t handle) noexcept {
  if (port_of(handle) == kInjectedPort)
    return parts_.injections->give_back(static_cast<std::uint32_t>(address_of(handle)));
  Port& port = *by_id_[port_of(handle)];
  --port.held;
  if (port.open)
    port.socket->pool().give(xsk::frame_of(address_of(handle), port.umem->options().frame_size));
}

}  // namespace linearb::receiver
