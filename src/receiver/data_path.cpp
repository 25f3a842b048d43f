// SPDX-License-Identifier: Apache-2.0
#include "receiver/data_path.h"

#include <algorithm>
#include <utility>

#include "core/stream.h"
#include "receiver/remembrance.h"
#include "sys/clock.h"

namespace linearb::receiver {
namespace {

/// How far one line's packets may be read ahead of another's that wait.
constexpr std::uint64_t kApartNs = 1'000'000;

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
