// SPDX-License-Identifier: Apache-2.0
#include "feeder/feeder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "feeder/pace.h"
#include "feeder/replay.h"
#include "feeder/stall.h"
#include "linearb/error.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/interface.h"

namespace linearb::feeder {
namespace {

/// Powers of two; what a ring of the kernel can be.
constexpr std::uint32_t kFramesMin = 64;
constexpr std::uint32_t kFramesMax = 65'536;

void require_option(bool holds, std::string_view option, double value, std::string_view accepted) {
  if (!holds) throw UsageError(fmt::format("--{} {}: accepted is {}", option, value, accepted));
}

std::vector<sys::Interface> interfaces_of(const FeederOptions& options) {
  std::vector<sys::Interface> interfaces;
  for (const FeederLine& line : options.lines)
    interfaces.push_back(sys::query_interface(line.line.interface));
  return interfaces;
}

/// What every line can send: all of them carry the same.
std::uint32_t smallest_mtu(const std::vector<sys::Interface>& interfaces) {
  return std::min_element(interfaces.begin(), interfaces.end(),
                          [](const auto& a, const auto& b) { return a.mtu < b.mtu; })
      ->mtu;
}

std::uint32_t frame_size(const FeederOptions& options) {
  if (options.engine == Engine::live) return LB_LIVE_PACKET_ROOM;
  std::uint32_t largest = smallest_mtu(interfaces_of(options)) + LB_ETHERNET_HEADER + LB_VLAN_TAG;
  return largest <= xsk::kFrameSizeSmall ? xsk::kFrameSizeSmall : xsk::kFrameSizeLarge;
}

xsk::PacketHeader header_of(const FeederOptions& options, const FeederLine& line,
                            const sys::Interface& interface) {
  std::uint32_t address = line.destination.address;
  if (address == 0) address = kDefaultDestination.address;
  const std::vector<std::uint32_t>& sources = line.destination.sources;
  return xsk::PacketHeader(
      {.source_mac = interface.mac,
       .destination_mac = lb_is_multicast(address)
                              ? xsk::multicast_mac(address)
                              : line.destination_mac.value_or(xsk::kBroadcastMac),
       .source = sources.empty() ? options.source.address : sources.front(),
       .destination = address,
       .source_port = options.source.port,
       .destination_port = line.destination.port});
}

std::vector<xsk::PacketHeader> headers_of(const FeederOptions& options,
                                          const std::vector<sys::Interface>& interfaces) {
  std::vector<xsk::PacketHeader> headers;
  for (std::size_t line = 0; line < interfaces.size(); ++line)
    headers.push_back(header_of(options, options.lines[line], interfaces[line]));
  return headers;
}

std::unique_ptr<Generator> make_generator(const FeederOptions& options, std::uint32_t mtu,
                                          std::vector<xsk::PacketHeader> headers) {
  Messages messages(options.framing, options.messages);
  std::uint32_t largest = std::min(mtu + LB_ETHERNET_HEADER, frame_size(options));
  for (const FeederLine& line : options.lines)
    messages.require_packet(line.messages_per_packet,
                            largest - static_cast<std::uint32_t>(xsk::kHeaderLength));
  std::uint32_t cut = options.lines.front().messages_per_packet;
  return std::make_unique<Generator>(
      std::move(messages),
      GeneratorOptions{.units = options.packets * cut, .units_per_second = options.rate * cut},
      std::move(headers));
}

std::unique_ptr<Replay> make_replay(const FeederOptions& options, std::uint32_t mtu,
                                    std::vector<xsk::PacketHeader> headers) {
  ReplayOptions replay{.path = options.replay_path,
                       .units = options.packets,
                       .units_per_second = options.rate,
                       .speed = options.speed};
  return std::make_unique<Replay>(replay, options.framing.descriptor, frame_size(options), mtu,
                                  std::move(headers));
}

LineSenderOptions sender_of(const FeederOptions& options, std::size_t place) {
  const FeederLine& line = options.lines[place];
  return {.name = line.line.name,
          .place = place,
          .units_per_packet = line.messages_per_packet,
          .impairment = line.impairment,
          .seed = options.seed,
          .delay_queue = options.delay_queue,
          .socket = {.interface = line.line.interface,
                     .queue = line.queue,
                     .send_frames = options.frames,
                     .zero_copy = options.zero_copy,
                     .busy_poll = {}}};
}

/// A completion ring that has room for every frame of its line is never full.
xsk::UmemOptions umem_of(const FeederOptions& options) {
  return {.frame_size = frame_size(options),
          .frames = options.frames * static_cast<std::uint32_t>(options.lines.size()),
          .fill_ring_entries = options.frames,
          .completion_ring_entries = options.frames};
}

const FeederOptions& validated(const FeederOptions& options) {
  validate(options);
  return options;
}

}  // namespace

void validate(const FeederOptions& options) {
  require_option(!options.lines.empty() && options.lines.size() <= kLinesMax, "line",
                 static_cast<double>(options.lines.size()),
                 fmt::format("1 to {} lines", kLinesMax));
  require_option(options.batch >= 1 && options.batch <= kBatchMax, "batch", options.batch,
                 fmt::format("1 to {} packets", kBatchMax));
  require_option(std::has_single_bit(options.frames) && options.frames >= kFramesMin &&
                     options.frames <= kFramesMax,
                 "frames", options.frames,
                 fmt::format("a power of two from {} to {}", kFramesMin, kFramesMax));
  require_option(std::has_single_bit(options.delay_queue) &&
                     options.delay_queue >= kDelayQueueMin &&
                     options.delay_queue <= kDelayQueueLimit,
                 "delay-queue", static_cast<double>(options.delay_queue),
                 fmt::format("a power of two from {} to {}", kDelayQueueMin, kDelayQueueLimit));
  require_option(options.rate >= 0 && options.rate <= kRateMax, "rate", options.rate,
                 fmt::format("0 to {} packets a second", kRateMax));
  require_option(options.speed >= 0 && std::isfinite(options.speed), "speed", options.speed,
                 "0, as fast as it goes, or a multiple of the recorded pace");
  for (const FeederLine& line : options.lines) {
    std::uint32_t cut = line.messages_per_packet;
    require_option(cut >= 1, "messages-per-packet", cut, "at least 1");
    require_option(cut == 1 || options.replay_path.empty(), "messages-per-packet", cut,
                   "1 when a capture is replayed: its packets are sent as they are");
  }
  if (options.replay_path.empty()) Messages(options.framing, options.messages);
}

Feeder::Feeder(const FeederOptions& options) : batch_(validated(options).batch), cpu_(options.cpu) {
  if (options.engine == Engine::af_xdp) umem_.emplace(umem_of(options));
  std::vector<sys::Interface> interfaces = interfaces_of(options);
  std::uint32_t mtu = smallest_mtu(interfaces);
  std::vector<xsk::PacketHeader> headers = headers_of(options, interfaces);
  if (options.replay_path.empty()) {
    source_ = make_generator(options, mtu, std::move(headers));
  } else {
    auto replay = make_replay(options, mtu, std::move(headers));
    skipped_ = replay->skipped();
    source_ = std::move(replay);
  }
  for (std::size_t place = 0; place < options.lines.size(); ++place)
    lines_.emplace_back(umem_ ? &*umem_ : nullptr, sender_of(options, place));
}

FeederResult Feeder::run() {
  if (cpu_) sys::pin_this_thread(*cpu_);
  std::uint64_t start_ns = sys::monotonic_ns();
  source_->start({start_ns, sys::realtime_ns()});
  last_base_ns_ = start_ns;
  StallWatch watch(start_ns);
  while (!done()) {
    std::uint64_t now_ns = sys::monotonic_ns();
    if (!behind(now_ns)) take_units(now_ns);
    finish_lines();
    std::uint64_t moved = move_packets(now_ns);
    if (watch.stalled(now_ns, moved, outstanding())) give_up();
    if (!done()) sleep_towards(next_event_ns(now_ns));
  }
  return result(sys::monotonic_ns() - start_ns);
}

/// Takes what is due, in blocks, so that no line waits for long while another is filled.
void Feeder::take_units(std::uint64_t now_ns) {
  for (std::uint32_t block = 0; block < batch_ && may_take(now_ns); ++block) {
    last_base_ns_ = source_->take(now_ns);
    ++units_;
    for (LineSender& line : lines_) line.schedule().take(*source_, last_base_ns_);
  }
  progress_.units.store(units_, std::memory_order_relaxed);
}

bool Feeder::may_take(std::uint64_t now_ns) {
  if (finished_ || stopped()) return false;
  std::uint64_t due_ns = source_->due_ns();
  bool room = lines_have_room();
  bool waits = due_ns == kNever ? !source_->finished() : due_ns <= now_ns && !room;
  if (waits && !paused_) ++pauses_;
  paused_ = waits;
  return due_ns <= now_ns && room;
}

bool Feeder::lines_have_room() const noexcept {
  return std::all_of(lines_.begin(), lines_.end(),
                     [](const LineSender& line) { return line.schedule().has_room(); });
}

/// True when a line has packets that are late already. Nothing is taken then: what is sent as fast
/// as it goes would otherwise fill the queues instead of the wire.
bool Feeder::behind(std::uint64_t now_ns) const noexcept {
  return std::any_of(lines_.begin(), lines_.end(), [now_ns](const LineSender& line) {
    return line.schedule().due_ns() <= now_ns;
  });
}

void Feeder::finish_lines() {
  if (finished_ || !(source_->finished() || stopped()) || !lines_have_room()) return;
  for (LineSender& line : lines_) line.schedule().finish(*source_, last_base_ns_);
  finished_ = true;
}

std::uint64_t Feeder::move_packets(std::uint64_t now_ns) {
  std::uint64_t due_before_ns = stopped() ? kNever - 1 : now_ns;
  std::uint64_t moved = 0;
  for (std::size_t place = 0; place < lines_.size(); ++place) {
    moved += lines_[place].send_due(*source_, due_before_ns, batch_);
    progress_.sent[place].store(lines_[place].sent(), std::memory_order_relaxed);
  }
  for (LineSender& line : lines_) moved += line.push();
  return moved;
}

/// When there is something to do again. While the kernel holds packets that is now: it may want
/// another kick.
std::uint64_t Feeder::next_event_ns(std::uint64_t now_ns) {
  if (outstanding() != 0 || stopped()) return now_ns;
  std::uint64_t next_ns = kNever;
  for (const LineSender& line : lines_) next_ns = std::min(next_ns, line.schedule().due_ns());
  if (!finished_ && lines_have_room()) next_ns = std::min(next_ns, source_->due_ns());
  return next_ns;
}

std::uint64_t Feeder::outstanding() const noexcept {
  std::uint64_t packets = 0;
  for (const LineSender& line : lines_) packets += line.outstanding();
  return packets;
}

bool Feeder::done() const noexcept {
  return finished_ && std::all_of(lines_.begin(), lines_.end(), [](const LineSender& line) {
           return line.schedule().size() == 0 && line.outstanding() == 0;
         });
}

void Feeder::give_up() const {
  std::vector<Outstanding> lines;
  for (const LineSender& line : lines_)
    lines.push_back({line.name(), line.interface(), line.outstanding(), !umem_});
  throw_stalled(lines);
}

FeederResult Feeder::result(std::uint64_t elapsed_ns) const {
  FeederResult result{.lines = {},
                      .units = units_,
                      .skipped = skipped_,
                      .pauses = pauses_,
                      .seconds = static_cast<double>(elapsed_ns) / 1e9};
  for (const LineSender& line : lines_) result.lines.push_back(line.result());
  return result;
}

}  // namespace linearb::feeder
