// SPDX-License-Identifier: Apache-2.0
#include "merge/merge.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "config/check.h"
#include "core/checksum.h"
#include "linearb/error.h"
#include "sequencer/feed_event.h"

namespace linearb::merge {
namespace {

/// A merge can wait for its file: what is between them need not be larger.
constexpr std::size_t kRingBytes = 2 * 1024 * 1024;
/// Packets that may wait for their turn in the order of numbers, and their bytes: then the oldest
/// hold ends. At 100,000 packets/s a line may be 160 ms behind.
constexpr std::size_t kOrderedPackets = 16'384;
constexpr std::uint64_t kOrderedBytes = 32 * 1024 * 1024;
static_assert(kOrderedPackets * PacketPool::kKeptBytes <= kOrderedBytes);
/// Ticks in a row while packets are held: twice as many as the longest hold needs. Years without a
/// packet need no more.
constexpr std::uint64_t kTicksMax =
    2 * sequencer::Settings{}.hold_ns / sequencer::Sequencer::kTickNs;
static_assert(sequencer::InOrder::Limits{}.hold_ns <= sequencer::Settings{}.hold_ns);
/// Packets between two looks at how far the files are, for a display.
constexpr std::uint64_t kPacketsPerLook = 1024;

/// Identifiers have no order, and lines no place in it.
std::unique_ptr<sequencer::Watch> watch_of(const ReceiverOptions& options, const OnEvent& on_event,
                                           const sequencer::ChannelPlaces& places,
                                           sequencer::Decisions& next,
                                           sequencer::Notices& notices) {
  if (!on_event || options.dedup == Dedup::lru) return nullptr;
  auto watch = std::make_unique<sequencer::Watch>(
      places.size(), static_cast<std::uint32_t>(options.lines.size()), next, notices);
  for (std::size_t place = 0; place < places.size(); ++place) {
    const Channel& channel = options.channels[places.channel_of(place)];
    const double silence_seconds = channel.silence_seconds.value_or(options.silence_seconds);
    watch->begin_channel(static_cast<std::uint16_t>(place),
                         {.silence_ns = static_cast<std::uint64_t>(silence_seconds * 1e9),
                          .active_passive = channel.active_passive});
  }
  return watch;
}

ReceiverOptions checked(const MergeOptions& options) {
  if (options.captures.size() != options.receiver.lines.size())
    throw UsageError(fmt::format("{} captures for {} lines: each line has one",
                                 options.captures.size(), options.receiver.lines.size()));
  validate(options.receiver);
  return options.receiver;
}

/// For what the sequencer and the order hold, and the packet at hand.
std::size_t places_for(Order order) noexcept {
  return sequencer::Sequencer::kHeldMax + 1 + (order == Order::sequence ? kOrderedPackets : 0);
}

std::unique_ptr<sequencer::InOrder> order_of(Order order, std::size_t channels,
                                             sequencer::Decisions& decisions) {
  if (order == Order::arrival) return nullptr;
  return std::make_unique<sequencer::InOrder>(
      sequencer::InOrder::Limits{.channels = channels, .packets = kOrderedPackets}, decisions);
}

sequencer::ChannelPlaces places_of(const ReceiverOptions& options,
                                   const std::vector<config::Framing>& framings) {
  std::vector<sequencer::ChannelPlaces::Configured> channels;
  for (std::size_t i = 0; i < framings.size(); ++i)
    channels.push_back({&framings[i].descriptor, options.channels[i].keys.value_or(options.keys)});
  return sequencer::ChannelPlaces(channels);
}

sequencer::Settings settings_for(const ReceiverOptions& options) noexcept {
  sequencer::Settings settings;
  settings.lines = static_cast<std::uint32_t>(options.lines.size());
  settings.repair_lines = config::repair_mask(options);
  return settings;
}

bool verifies(const ReceiverOptions& options, const Channel& channel) noexcept {
  return channel.checksum.value_or(options.checksum) == Checksum::verify;
}

/// In a table of flows an interface has a number, 0 being none; here a line has.
std::uint32_t interface_of(std::size_t line) noexcept {
  return static_cast<std::uint32_t>(line) + 1;
}

hook::FlowTable flows_of(const ReceiverOptions& options) {
  std::vector<lb_flow> flows;
  for (std::size_t line = 0; line < options.lines.size(); ++line) {
    for (std::size_t i = 0; i < options.channels.size(); ++i) {
      const Channel& channel = options.channels[i];
      const std::string& name = options.lines[line].name;
      const Destination& destination = channel.destination_on(name);
      if (destination.port == 0) continue;
      const int flags = verifies(options, channel) ? LB_FLOW_CHECKSUM : 0;
      hook::add_flow(flows,
                     {.interface_index = interface_of(line),
                      .destination = destination.address,
                      .port = destination.port,
                      .channel = static_cast<lb_u16>(i),
                      .slot_group = 0,
                      .line = static_cast<lb_u8>(line),
                      .framing = 0,
                      .flags = static_cast<lb_u8>(flags)},
                     destination.sources);
    }
  }
  return hook::build_flow_table(flows, hook::buckets_for(flows.size()), 0);
}

/// Links and other names of a file are the file, too.
bool is_same_file(const std::string& left, const std::string& right) noexcept {
  struct stat one {
  }, other{};
  return ::stat(left.c_str(), &one) == 0 && ::stat(right.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

void refuse_to_write_onto(const MergeOptions& options) {
  for (std::size_t line = 0; line < options.captures.size(); ++line) {
    if (is_same_file(options.receiver.write_path, options.captures[line].path))
      throw UsageError(fmt::format("--write {}: that is the capture of line {}; name another file",
                                   options.receiver.write_path, options.receiver.lines[line].name));
  }
}

std::unique_ptr<sink::FileSink> sink_of(const MergeOptions& options) {
  if (!options.receiver.write_path.empty()) refuse_to_write_onto(options);
  return sink::open_file_sink(options.receiver.write_path, kRingBytes);
}

bool has_wrong_checksum(std::span<const std::uint8_t> frame, const lb_walk& walk) noexcept {
  return lb_checksum_is_wrong(frame.data(), frame.data() + frame.size(), walk.ip_offset,
                              walk.payload_offset - LB_HEADERS_MIN, walk.payload_length) != 0;
}

}  // namespace

Merge::Merge(const MergeOptions& options, Deliver deliver, Tell tell, OnEvent on_event)
    : options_(checked(options)),
      deliver_(std::move(deliver)),
      tell_(std::move(tell)),
      on_event_(std::move(on_event)),
      framings_(config::load_framings(options_)),
      flows_(flows_of(options_)),
      places_(places_of(options_, framings_)),
      packets_(places_for(options_.order)),
      counts_(options.captures.size()),
      order_(order_of(options_.order, places_.size(), *this)),
      meter_({.packets = packets_,
              .counts = counts_,
              .next = order_ ? static_cast<sequencer::Decisions&>(*order_) : *this},
             places_.size(), options_.dedup),
      copies_(meter_, on_event_ ? this : nullptr),
      watch_(watch_of(options_, on_event_, places_, copies_, *this)),
      sequencer_(places_.framings(), settings_for(options_),
                 options_.dedup == Dedup::lru ? sequencer::Sequencer::Dedup::identifiers
                                              : sequencer::Sequencer::Dedup::window,
                 watch_ ? static_cast<sequencer::Decisions&>(*watch_) : copies_) {
  copies_.follow(sequencer_);
  if (watch_) watch_->follow(sequencer_);
  if (order_)
    passed_ = std::make_unique<sequencer::PassedByAll>(
        sequencer_, *order_, static_cast<std::uint32_t>(options_.lines.size()));
  bool sizes_are_known = true;
  for (const Capture& capture : options.captures) {
    lines_.emplace_back(capture);
    bytes_ += lines_.back().file_size();
    sizes_are_known = sizes_are_known && lines_.back().file_size() != 0;
  }
  if (!sizes_are_known) bytes_ = 0;
  sink_ = sink_of(options);
  news_.reserve(32'768);  // as many runs as a datagram can have
}

Summary Merge::run() {
  while (!stopping_.load(std::memory_order_relaxed) && !(sink_ && sink_->failed())) {
    const std::size_t line = earliest();
    if (line == kNoLine) break;
    take(line);
    lines_[line].advance();
  }
  sequencer_.finish();
  if (order_) order_->finish();
  if (sink_) sink_->finish();
  publish_progress();
  return sum_up();
}

/// Of equal ones the first line's.
std::size_t Merge::earliest() const noexcept {
  std::size_t earliest = kNoLine;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].at_end()) continue;
    if (earliest == kNoLine || lines_[i].time_ns() < lines_[earliest].time_ns()) earliest = i;
  }
  return earliest;
}

/// None for a packet from a source that its channel does not take.
const lb_flow* Merge::flow_of(std::size_t line, const lb_walk& walk) const noexcept {
  const lb_flow* flow = hook::find_flow(flows_, interface_of(line), walk.destination, walk.port);
  if (!flow || !(flow->flags & LB_FLOW_SOURCES)) return flow;
  const std::span<const std::uint8_t> bytes = lines_[line].record().bytes;
  const std::uint32_t source =
      lb_walk_source(bytes.data(), bytes.data() + bytes.size(), walk.ip_offset);
  return hook::takes_source(flows_, *flow, source) ? flow : nullptr;
}

/// What the hook does before it judges (src/bpf/linearb.bpf.c), in the same order.
void Merge::take(std::size_t line) {
  const capture::Record& record = lines_[line].record();
  LineCounts& counts = counts_[line];
  if (counts.packets++ % kPacketsPerLook == 0) publish_progress();
  lb_walk walk{};
  const lb_walk_result walked =
      lb_walk_frame(record.bytes.data(), record.bytes.data() + record.bytes.size(), &walk);
  const lb_flow* flow = walked == LB_WALK_NOT_UDP ? nullptr : flow_of(line, walk);
  const bool is_cut = record.bytes.size() < record.original_length;
  if (is_cut && (flow ? walked == LB_WALK_INCONSISTENT : record.bytes.size() < LB_HEADERS_MIN))
    note_cut(line);
  if (!flow) {
    ++counts.not_feed;
  } else if (walked == LB_WALK_INCONSISTENT ||
             (flow->flags & LB_FLOW_CHECKSUM && has_wrong_checksum(record.bytes, walk))) {
    ++counts.malformed;
  } else {
    judge(line, *flow, walk);
  }
}

void Merge::judge(std::size_t line, const lb_flow& flow, const lb_walk& walk) {
  const std::uint64_t now_ns = clock_.at(lines_[line].time_ns());
  tick_until(now_ns);
  sequencer::Packet packet;
  packet.handle =
      packets_.take(lines_[line].record().bytes.first(walk.payload_offset + walk.payload_length),
                    walk.payload_offset, lines_[line].time_ns());
  packet.channel = flow.channel;
  packet.line = static_cast<std::uint8_t>(line);
  packet.arrival_ns = now_ns;
  packet.payload = packets_[packet.handle].payload();
  sequencer::decode(framings_[flow.channel].descriptor, packet);
  places_.assign(packet);
  if (first_ns_ == 0) first_ns_ = now_ns;
  last_ns_ = now_ns;
  ++counts_[line].judged;
  sequencer_.push(packet);
  while (order_ && packets_.bytes() > kOrderedBytes && order_->end_oldest()) {
  }
}

void Merge::note_cut(std::size_t line) {
  if (!tell_ || std::exchange(counts_[line].told_of_cut, true)) return;
  const CaptureLine& capture = lines_[line];
  tell_(
      fmt::format("{}: record {}: the capture has {} of {} bytes; packets that it cut off cannot "
                  "be delivered, and count as malformed (not_feed, where not even their ports "
                  "are there): capture whole packets",
                  capture.path(), capture.record_number(), capture.record().bytes.size(),
                  capture.record().original_length));
}

bool Merge::something_waits() const noexcept {
  return sequencer_.held() > 0 || (order_ && order_->held() > 0);
}

void Merge::tick(std::uint64_t now_ns) noexcept {
  sequencer_.tick(now_ns);
  if (watch_) look_at_channels(now_ns);
  if (!order_) return;
  order_->tick(now_ns);
  passed_->look(now_ns);
}

/// All that came by then was handed in.
void Merge::look_at_channels(std::uint64_t now_ns) noexcept {
  if (watch_->has_begun()) watch_->tell();
  watch_->begin(
      sequencer::Watch::places_per_tick(places_.size()), now_ns,
      [](std::uint16_t, std::uint32_t, std::uint64_t) { return std::uint64_t{0}; },
      [](std::uint16_t, std::uint32_t) { return std::uint64_t{0}; });
}

/// What the application does is its own: it cannot end the merge.
void Merge::tell(const sequencer::Notice& notice) noexcept {
  try {
    const std::size_t channel = places_.channel_of(notice.place);
    Event event = sequencer::feed_event(
        notice, places_.name_of(notice.place, options_.channels[channel].name),
        notice.line == sequencer::kNoLine ? std::string() : options_.lines[notice.line].name,
        notice.ns);
    event.channel_number = static_cast<std::uint32_t>(channel);
    event.key = places_.key_of(notice.place);
    on_event_(event);
  } catch (...) {
  }
}

/// As often as a receiver, as long as that makes a difference: while packets wait.
void Merge::tick_until(std::uint64_t now_ns) noexcept {
  constexpr std::uint64_t kTickNs = sequencer::Sequencer::kTickNs;
  if (next_tick_ns_ == 0) next_tick_ns_ = now_ns + kTickNs;
  for (std::uint64_t ticks = 0; next_tick_ns_ <= now_ns; ++ticks) {
    if (!something_waits() || ticks == kTicksMax)
      next_tick_ns_ = now_ns - (now_ns - next_tick_ns_) % kTickNs;
    tick(next_tick_ns_);
    next_tick_ns_ += kTickNs;
  }
  if (order_ && order_->held() > 0) passed_->look(now_ns);
}

void Merge::publish_progress() noexcept {
  std::uint64_t bytes = 0;
  std::uint64_t packets = 0;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    bytes += lines_[i].file_position();
    packets += counts_[i].packets;
  }
  bytes_read_.store(bytes, std::memory_order_relaxed);
  packets_read_.store(packets, std::memory_order_relaxed);
}

Progress Merge::progress() const noexcept {
  return {.bytes_read = bytes_read_.load(std::memory_order_relaxed),
          .bytes = bytes_,
          .packets = packets_read_.load(std::memory_order_relaxed)};
}

void Merge::decided(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept {
  if (decision.outcome == sequencer::Outcome::won ||
      decision.outcome == sequencer::Outcome::overlap ||
      decision.outcome == sequencer::Outcome::unsequenced) {
    ++delivered_.packets;
    deliver(packet, decision);
  }
  packets_.give(packet.handle);
}

void Merge::part(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept {
  ++delivered_.parts;
  deliver(packet, decision);
}

void Merge::deliver(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept {
  const KeptPacket& kept = packets_[packet.handle];
  for (const lb_run& run : decision.news) delivered_.messages += run.count;
  if (sink_) write(kept, packet, decision);
  if (!deliver_) return;
  news_.clear();
  for (const lb_run& run : decision.news) news_.push_back({run.first, run.count});
  deliver_({.channel = static_cast<std::uint32_t>(places_.channel_of(packet.channel)),
            .key = packet.key,
            .line = packet.line,
            .epoch = decision.epoch,
            .arrival_ns = kept.time_ns,
            .range = {packet.first(), packet.datagram.count},
            .news = news_,
            .payload = packet.payload,
            .packet = kept.bytes});
}

void Merge::write(const KeptPacket& kept, const sequencer::Packet& packet,
                  const sequencer::Decision& decision) noexcept {
  if (decision.outcome != sequencer::Outcome::overlap)
    return sink_->inlet().write(kept.time_ns, kept.bytes);
  sink_->inlet().write_trimmed(
      kept.time_ns, kept.bytes,
      {framings_[places_.channel_of(packet.channel)].descriptor, kept.payload_offset,
       static_cast<std::uint32_t>(packet.payload.size()), packet.first(), decision.news});
}

Summary Merge::sum_up() const {
  return merge::sum_up({.options = options_,
                        .places = places_,
                        .sequencer = sequencer_,
                        .counts = counts_,
                        .copies = copies_,
                        .delivered = delivered_,
                        .order = order_.get(),
                        .sink = sink_.get(),
                        .all_packets_are_back = packets_.all_are_back(),
                        .seconds = static_cast<double>(last_ns_ - first_ns_) / 1e9});
}

}  // namespace linearb::merge
