// SPDX-License-Identifier: Apache-2.0
#include "receiver/data_path.h"

#include <algorithm>
#include <utility>

#include "core/stream.h"
#include "core/walk.h"
#include "receiver/remembrance.h"
#include "sys/clock.h"

namespace linearb::receiver {
namespace {

/// How far one line's packets may be read ahead of another's that wait.
constexpr std::uint64_t kApartNs = 1'000'000;

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

sequencer::Sequencer::Dedup dedup_of(bool uses_identifiers) noexcept {
  return uses_identifiers ? sequencer::Sequencer::Dedup::identifiers
                          : sequencer::Sequencer::Dedup::window;
}

sequencer::Settings settings_of(const DataPath::Parts& parts) noexcept {
  sequencer::Settings settings;
  settings.ahead = parts.maps.config().ahead;
  settings.lines = parts.lines;
  settings.repair_lines = parts.repair_lines | 1u << kInjectedLine;
  return settings;
}

std::unique_ptr<sequencer::InOrder> order_of(const DataPath::Parts& parts,
                                             sequencer::Decisions& decisions) {
  if (parts.ordered_packets == 0) return nullptr;
  return std::make_unique<sequencer::InOrder>(
      sequencer::InOrder::Limits{.channels = parts.maps.windows().size(),
                                 .packets = parts.ordered_packets},
      decisions);
}

/// Whom the sequencer tells in the end.
sequencer::Decisions& behind(const std::unique_ptr<sequencer::InOrder>& order,
                             sequencer::Decisions& decisions) noexcept {
  return order ? static_cast<sequencer::Decisions&>(*order) : decisions;
}

/// Identifiers have no order, and lines no place in it.
std::unique_ptr<sequencer::Watch> watch_of(const DataPath::Parts& parts, sequencer::Decisions& next,
                                           sequencer::Notices& notices) {
  if (!parts.notices || parts.uses_identifiers) return nullptr;
  return std::make_unique<sequencer::Watch>(parts.maps.windows().size(), parts.lines, next,
                                            notices);
}

/// For a counter that this thread writes and a display reads.
void count(std::atomic<std::uint64_t>& counter, std::uint64_t summand) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + summand, std::memory_order_relaxed);
}

}  // namespace

DataPath::DataPath(const Parts& parts)
    : parts_(parts),
      memories_(parts.uses_identifiers ? std::span<lb_memory>() : parts.maps.memories()),
      skips_expected_(parts.maps.windows().size()),
      order_(order_of(parts, *this)),
      copies_(behind(order_, *this), parts.notices ? this : nullptr),
      watch_(watch_of(parts, copies_, *this)),
      sequencer_({}, settings_of(parts), dedup_of(parts.uses_identifiers),
                 watch_ ? static_cast<sequencer::Decisions&>(*watch_) : copies_,
                 parts.maps.windows().size()),
      streams_(parts.maps.windows().size()),
      origins_(parts.maps.windows().size()),
      publication_(parts.maps, static_cast<std::uint32_t>(parts.maps.windows().size()),
                   parts.lines),
      on_the_way_(parts.maps),
      realtime_offset_ns_(sys::realtime_ns() - sys::monotonic_ns()) {
  copies_.follow(sequencer_);
  if (watch_) watch_->follow(sequencer_);
  if (order_)
    passing_ =
        std::make_unique<Passing>(parts.maps, publication_, sequencer_, *order_, parts.lines);
  ports_.reserve(LB_SLOTS_MAX);
  news_.reserve(32'768);  // as many runs as a datagram can have
}

bool DataPath::carry_out(Change& change) noexcept {
  for (const auto& [port, redirected] : change.wait_for)
    if (!has_come(*port, redirected)) return false;
  for (Port* port : change.closed) close(*port);
  std::erase_if(change.forgotten, [](const Port* port) { return port->held != 0; });
  for (const Port* port : change.forgotten) by_id_[port->id] = nullptr;
  for (Change::OldChannel& removed : change.removed) {
    removed.channel = sequencer_.remove(removed.index);
    if (order_) order_->end(removed.index);
    publication_.forget(removed.index);
    if (lb_memory* const memory = memory_of(removed.index)) begin_memory(*memory, 0);
  }
  for (Change::StreamsOf& closed : change.streams_closed) {
    remove_streams(closed.place);
    closed.group = std::move(streams_[closed.place]);
  }
  for (Change::NewChannel& added : change.added) {
    lb_memory* const memory = memory_of(added.index);
    if (memory && memory->identity != added.identity) begin_memory(*memory, added.identity);
    origins_[added.index] = {.serial = added.origin};
    if (watch_) watch_->begin_channel(added.index, added.alarms);
    sequencer_.install(added.index, std::move(added.channel));
  }
  for (const auto& [place, alarms] : change.alarms)
    if (watch_) watch_->set_alarms(place, alarms);
  for (Change::StreamsOf& opened : change.streams_opened) {
    const sequencer::StreamGroup& group = *opened.group;
    streams_[opened.place] = std::move(opened.group);
    for (std::size_t i = 0; i < group.keys().size(); ++i)
      add_stream(opened.place, group.keys()[i], group.places()[i]);
  }
  for (Port* port : change.opened) open(*port);
  if (change.flows) flows_before_ = std::exchange(flows_, change.flows);
  return true;
}

/// From here on the hook knows it; where it has no room for it, what comes goes up.
void DataPath::add_stream(std::uint16_t of, std::uint64_t key, std::uint16_t place) noexcept {
  origins_[place].is_stream = true;
  origins_[place].key = key;
  if (lb_memory* const memory = memory_of(place)) {
    memory->key = key;
    lb_memory_store(&memory->is_stream, 1);
  }
  lb_stream_add(&bucket_of(of, key), of, key, place);
}

/// No hook looks for them any more.
void DataPath::remove_streams(std::uint16_t of) noexcept {
  for (const std::uint64_t key : streams_[of]->keys())
    lb_stream_remove(&bucket_of(of, key), of, key);
}

lb_stream_bucket& DataPath::bucket_of(std::uint16_t of, std::uint64_t key) const noexcept {
  const auto bits = static_cast<std::uint32_t>(parts_.maps.config().stream_bits);
  return parts_.maps.streams()[lb_stream_bucket_of(bits, of, key)];
}

/// All that the hook had redirected by then, or was given up. The hook takes a credit for a moment
/// and gives it back, so the count may have gone down since.
bool DataPath::has_come(const Port& port, std::uint64_t redirected) const noexcept {
  const std::uint64_t now = lb_load_acquire(&parts_.maps.credit(port.slot).redirected);
  return port.redirected_before + port.received + port.kernel_lost >= std::min(redirected, now);
}

void DataPath::open(Port& port) noexcept {
  by_id_[port.id] = &port;
  ports_.push_back(&port);
}

/// What the sequencer still holds of it stays where it is.
void DataPath::close(Port& port) noexcept {
  port.open = false;
  port.frames_conserved = port.socket->conserved(port.held);
  std::erase(ports_, &port);
}

/// Where rings are full the one whose packets are oldest goes first, and none gets ahead of
/// another: read in turns, a line with few packets would be shown as far ahead of one with many as
/// a ring is deep; read to its end, one would go on where the feed is now, while the other has what
/// came when nobody read. The sequencer remembers only so many holes from so far behind.
std::uint32_t DataPath::receive() noexcept {
  std::uint32_t received = 0;
  Port* oldest = furthest_behind();
  while (oldest) {
    const Port* const next = furthest_behind(oldest);
    const std::uint32_t taken = next ? receive_up_to(*oldest, kBatch, next->behind_ns + kApartNs)
                                     : receive_from(*oldest, kBatch);
    received += taken;
    if (taken > 0 && oldest->behind_ns != 0) break;
    oldest = furthest_behind();
  }
  for (Port* port : ports_) {
    if (port == oldest) continue;
    if (!oldest)
      received += receive_from(*port, kBatch);
    else if (port->seen_ns > oldest->behind_ns)
      port->ring_was_empty = false;  // nobody has looked
    else
      received += receive_up_to(*port, 1, oldest->behind_ns + kApartNs);
  }
  if (order_ && order_->held() > 0) look_at_holds();
  return received;
}

/// A socket whose frames wait to the half has to have some back, whoever holds the oldest.
void DataPath::look_at_holds() noexcept {
  for (const Port* port : ports_)
    while (port->held > port->socket->owners().span().frames / 2 && order_->end_oldest()) {
    }
  if (order_->held() > 0) passing_->look(ports_, sys::monotonic_ns());
}

/// Of all ports, or of all but one. Null when their rings were emptied the last time.
Port* DataPath::furthest_behind(const Port* except) const noexcept {
  Port* furthest = nullptr;
  for (Port* port : ports_)
    if (port != except && port->behind_ns != 0 &&
        (!furthest || port->behind_ns < furthest->behind_ns))
      furthest = port;
  return furthest;
}

/// What arrived until then. A packet without metadata does not say when it did.
std::uint32_t DataPath::receive_up_to(Port& port, std::uint32_t most,
                                      std::uint64_t until_ns) noexcept {
  std::uint64_t later_ns = 0;
  const std::uint32_t count = port.socket->count_next(most, [&](const std::byte* data) {
    const lb_metadata& metadata = reinterpret_cast<const lb_metadata*>(data)[-1];
    if (metadata.verdict == 0 || metadata.arrival_ns <= until_ns) return true;
    later_ns = metadata.arrival_ns;
    return false;
  });
  const std::uint32_t received = receive_from(port, count);
  if (later_ns != 0) {
    port.ring_was_empty = false;
    port.behind_ns = later_ns;
  }
  return received;
}

std::uint32_t DataPath::receive_from(Port& port, std::uint32_t most) noexcept {
  xsk::RxBatch batch = port.socket->receive(most);
  port.ring_was_empty = batch.empty();
  port.behind_ns = 0;
  if (batch.empty()) {
    if (!port.socket->pool().empty()) give_back_frames(port);
    return 0;
  }
  const std::uint32_t size = batch.size();
  for (std::uint32_t i = 0; i < kPrefetched; ++i) batch.prefetch(i);
  for (std::uint32_t i = 0; i < size; ++i) {
    batch.prefetch(i + kPrefetched);
    take(port, batch[i]);
  }
  if (size == most) port.behind_ns = port.seen_ns;
  port.received += size;
  const std::uint32_t returned = port.socket->refill(port.socket->pool().size());
  batch.release();
  return_credits(port, returned);
  if (port.kernel_lost > 0) take_back_late(port);
  if (port.socket->rx_needs_wakeup()) port.socket->wake_rx();
  return size;
}

/// Those that found no room, or another thread at the ring.
void DataPath::give_back_frames(Port& port) noexcept {
  return_credits(port, port.socket->refill(port.socket->pool().size()));
}

bool DataPath::has_to_go_on() const noexcept {
  if (order_ && order_->held() > 0) return true;
  return std::ranges::any_of(ports_, [](Port* port) { return !port->socket->pool().empty(); });
}

/// Pairs with the load of `returned` in lb_credit_take.
void DataPath::return_credits(Port& port, std::uint32_t frames) noexcept {
  if (frames == 0) return;
  port.returned += frames;
  lb_store_release(&parts_.maps.credit(port.slot).returned, port.redirected_before + port.returned);
}

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

void DataPath::tick(std::uint64_t now_ns) noexcept {
  tell_marks(now_ns);
  sequencer_.tick(now_ns);
  if (watch_) look_at_channels(now_ns);
  if (order_) order_->tick(now_ns);
  for (Port* port : ports_) {
    give_back_frames(*port);
    take_back_late(*port);
    give_up_lost(*port, now_ns);
  }
}

/// All channels take their turns; at once where something waits to be confirmed. Where packets have
/// the time at which this thread saw them, a mark is ahead of them: it says where, and not when.
void DataPath::tell_marks(std::uint64_t now_ns) noexcept {
  const std::uint64_t then_ns = walks_ ? 0 : now_ns;
  const bool all = sequencer_.held() > 0 || (order_ && order_->held() > 0);
  const auto room = static_cast<std::uint32_t>(sequencer_.room());
  const std::size_t channels = all ? room : sequencer::Watch::places_per_tick(room);
  for (std::size_t i = 0; i < channels; ++i) {
    next_told_ = next_told_ + 1 < room ? next_told_ + 1 : 0;
    if (sequencer_.has(next_told_))
      publication_.tell_marks(next_told_, sequencer_.channel(next_told_), then_ns, now_ns);
  }
}

/// See Passing: what is told is true of what was handed in.
void DataPath::look_at_channels(std::uint64_t now_ns) noexcept {
  if (watch_->has_begun()) {
    if (!watch_->may_be_told(now_ns) || !on_the_way_.has_come(ports_)) return;
    watch_->tell();
  }
  watch_->begin(
      sequencer::Watch::places_per_tick(sequencer_.room()), now_ns,
      [this](std::uint16_t place, std::uint32_t line, std::uint64_t epoch) {
        return publication_.mark_of(place, line, epoch);
      },
      [this](std::uint16_t place, std::uint32_t line) {
        return parts_.maps.mark(place, line).skipped_unseen;
      });
  on_the_way_.note(ports_);
}

bool DataPath::has_room() const noexcept {
  return parts_.notices->has_room();
}

void DataPath::tell(const sequencer::Notice& notice) noexcept {
  const Origin& origin = origins_[notice.place];
  parts_.notices->push({notice, origin.serial, origin.is_stream, origin.key});
}

void DataPath::give_up_lost(Port& port, std::uint64_t now_ns) noexcept {
  const std::uint64_t redirected = lb_load_acquire(&parts_.maps.credit(port.slot).redirected);
  const std::uint64_t outstanding =
      redirected - port.redirected_before - port.received - port.kernel_lost;
  if (!port.ring_was_empty || outstanding == 0 || redirected != port.quiet_redirected) {
    port.quiet_redirected = redirected;
    port.quiet_since_ns = now_ns;
    return;
  }
  // More received than redirected: nothing is outstanding, whatever the difference says.
  if (now_ns - port.quiet_since_ns < kQuietNs || outstanding > port.socket->owners().span().frames)
    return;
  port.kernel_lost += outstanding;
  port.losses.store(port.losses.load(std::memory_order_relaxed) + outstanding,
                    std::memory_order_relaxed);
  return_credits(port, static_cast<std::uint32_t>(outstanding));
}

/// What was given up has come after all: its credit was returned then, and again now.
void DataPath::take_back_late(Port& port) noexcept {
  const std::uint64_t redirected =
      lb_load_acquire(&parts_.maps.credit(port.slot).redirected) - port.redirected_before;
  if (port.received + port.kernel_lost <= redirected) return;
  const std::uint64_t late =
      std::min(port.received + port.kernel_lost - redirected, port.kernel_lost);
  port.kernel_lost -= late;
  port.returned -= late;
  lb_store_release(&parts_.maps.credit(port.slot).returned, port.redirected_before + port.returned);
}

bool DataPath::drained() const noexcept {
  return std::ranges::all_of(ports_, [this](const Port* port) {
    return lb_load_acquire(&parts_.maps.credit(port->slot).redirected) ==
           port->redirected_before + port->received + port->kernel_lost;
  });
}

void DataPath::finish() noexcept {
  for (std::uint32_t i = 0; i < sequencer_.room() && !parts_.uses_identifiers; ++i)
    if (sequencer_.has(i)) publication_.tell_ends(i, sequencer_.channel(i));
  sequencer_.finish();
  if (order_) order_->finish();
}

}  // namespace linearb::receiver
