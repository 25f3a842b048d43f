// SPDX-License-Identifier: Apache-2.0
#include "sim/feed.h"

#include <algorithm>
#include <array>

#include "core/walk.h"
#include "core/window.h"
#include "feeder/impairment.h"
#include "framing/encode.h"

namespace linearb::sim {
namespace {

constexpr std::uint64_t kBeginNs = 1'000'000'000;
constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint32_t kHeadersLength = LB_HEADERS_MIN;

enum Framings {
  kMoldudp64,
  kCboePitch,
  kOptiq
};

void store_be(std::uint8_t* bytes, std::uint64_t value, std::uint32_t width) {
  for (std::uint32_t i = 0; i < width; ++i)
    bytes[i] = static_cast<std::uint8_t>(value >> 8 * (width - 1 - i));
}

void write_headers(std::uint8_t* frame, std::uint32_t destination, std::uint16_t port,
                   std::uint32_t payload_length) {
  constexpr std::array<std::uint8_t, 6> kGroupAddress = {0x01, 0x00, 0x5e, 0x7c, 0x00, 0x01};
  std::fill_n(frame, kHeadersLength, std::uint8_t{0});
  std::ranges::copy(kGroupAddress, frame);
  store_be(frame + 12, LB_ETHERTYPE_IPV4, 2);
  std::uint8_t* const ip = frame + LB_ETHERNET_HEADER;
  ip[0] = 0x45;
  store_be(ip + 2, LB_IPV4_HEADER + LB_UDP_HEADER + payload_length, 2);
  ip[8] = 16;
  ip[9] = LB_PROTOCOL_UDP;
  store_be(ip + 16, destination, 4);
  std::uint8_t* const udp = ip + LB_IPV4_HEADER;
  store_be(udp + 2, port, 2);
  store_be(udp + 4, LB_UDP_HEADER + payload_length, 2);
}

/// Traffic that only looks like the feed, or not even that.
void make_foreign(std::uint8_t* frame, std::uint64_t variant) {
  switch (variant % 4) {
    case 0:
      return store_be(frame + LB_ETHERNET_HEADER + LB_IPV4_HEADER + 2, Feed::kPort + 1, 2);
    case 1:
      return store_be(frame + LB_ETHERNET_HEADER + 6, LB_IPV4_MORE_FRAGMENTS, 2);
    case 2:
      return store_be(frame + 12, 0x0806, 2);  // ARP
    default:
      return store_be(frame + LB_ETHERNET_HEADER + 16, 0x0a000001, 4);
  }
}

}  // namespace

/// What one line does to the packets.
struct Feed::Habits {
  feeder::LineImpairment impairment;
  std::uint32_t packs_least = 1;
  std::uint32_t packs_most = 1;
  std::uint64_t clump = 1;  ///< messages that are sent at once
  std::uint64_t seed = 0;
  bool has_heartbeats = false;
};

Feed::Feed(Random random, const std::vector<lb_framing>& known) {
  salt_ = random.next();
  const std::uint64_t dice = random.below(100);
  kind = dice < 3    ? Kind::windows
         : dice < 30 ? Kind::sessions
         : dice < 55 ? Kind::restarts
                     : Kind::one_life;
  lines = random.one_in(4) ? 3 : 2;
  channels = random.one_in(3) && kind != Kind::windows ? 2 : 1;
  for (std::uint32_t i = 0; i < channels; ++i)
    framings.push_back(known[kind == Kind::windows || kind == Kind::sessions
                                 ? static_cast<std::uint64_t>(kMoldudp64)
                                 : random.below(known.size())]);
  packs_at_most_ = kind == Kind::windows ? std::uint32_t{LB_CLAIM_MAX}
                                         : random.one_of<std::uint32_t>({1, 3, 8, 8, 64});
  // Nor does a line lose a life whole: nobody could tell that from one that is far behind.
  if (kind == Kind::restarts) packs_at_most_ = std::min(packs_at_most_, 8u);
  cpus_race = random.one_in(3) && kind != Kind::windows;
  long_messages_ = kind != Kind::windows;
  interval_ns_ =
      kind == Kind::windows ? 40 : random.one_of<std::uint64_t>({1000, 5000, 20'000, 200'000});
  switch (kind) {
    case Kind::windows:
      skew_ns_at_most_ = 3 * LB_WINDOW_MESSAGES * interval_ns_;
      break;
    case Kind::one_life:
      skew_ns_at_most_ = random.one_of<std::uint64_t>({0, 2000, 50'000, 5 * kMs, 100 * kMs});
      break;
    case Kind::sessions:
      skew_ns_at_most_ = random.one_of<std::uint64_t>({0, 20'000, 50 * kMs});
      break;
    case Kind::restarts:
      skew_ns_at_most_ = random.one_of<std::uint64_t>({0, 20'000, 15 * kMs});
      break;
  }
  plan_lives(random);
  wires.resize(lines);
  for (std::uint32_t line = 0; line < lines; ++line) {
    for (std::uint32_t channel = 0; channel < channels; ++channel)
      plan_line(random.branch(), channel, line);
    std::ranges::stable_sort(wires[line], {}, &WirePacket::due_ns);
    if (!wires[line].empty()) end_ns = std::max(end_ns, wires[line].back().due_ns);
  }
}

Feed::Feed(Kind wanted, const lb_framing& framing, std::vector<std::vector<WirePacket>> chosen)
    : kind(wanted),
      lines(static_cast<std::uint32_t>(chosen.size())),
      lives(1),
      wires(std::move(chosen)),
      framings{framing} {
  for (const auto& wire : wires) {
    for (const WirePacket& packet : wire) {
      if (lives[0].size() <= packet.life) lives[0].resize(packet.life + 1u, {~0ull, 0});
      Life& life = lives[0][packet.life];
      life.first = std::min(life.first, packet.first);
      life.end = std::max(life.end, packet.first + packet.count);
    }
  }
}

/// All channels change at the same time.
void Feed::plan_lives(Random& random) {
  const std::uint64_t count =
      kind == Kind::sessions || kind == Kind::restarts ? random.between(2, 4) : 1;
  lives.resize(channels);
  // Of a restart only who has seen the numbering before knows.
  std::uint64_t begin_ns =
      kBeginNs +
      (kind == Kind::restarts || kind == Kind::windows ? 30 * kMs : random.below(20 * kMs));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t messages = kind == Kind::windows
                                       ? random.between(50'000, 250'000)
                                       : random.between(kind == Kind::restarts ? 300 : 50, 800);
    for (auto& of_channel : lives) {
      std::uint64_t first = kind == Kind::restarts
                                ? 1
                                : random.one_of<std::uint64_t>({1, 1, 1 + random.below(1'000'000)});
      // A receiver that starts later takes number 1, far behind everything, for a restart.
      if (kind == Kind::windows) first = 10'000 + random.below(1'000'000);
      of_channel.push_back({first, first + messages});
    }
    life_begins_ns_.push_back(begin_ns);
    begin_ns += messages * interval_ns_ + random.between(60 * kMs, 120 * kMs);
  }
}

Feed::Habits Feed::some_habits(Random& random) const {
  Habits habits;
  habits.seed = random.next();
  habits.packs_most = static_cast<std::uint32_t>(random.between(1, packs_at_most_));
  if (kind == Kind::windows) habits.packs_least = habits.packs_most = LB_CLAIM_MAX;
  if (kind == Kind::windows && random.one_in(2)) habits.packs_least = 100;
  feeder::LineImpairment& impairment = habits.impairment;
  impairment.loss = random.one_of({0.0, 0.02, 0.1, 0.1});
  if (random.one_in(2)) impairment.burst = {0.005, static_cast<double>(random.between(1, 60))};
  impairment.skew_ns = skew_ns_at_most_ == 0 ? 0 : random.below(skew_ns_at_most_ + 1);
  impairment.duplicate = random.one_of({0.0, 0.0, 0.1});
  // A network holds a packet back for a time, not until so many others have passed.
  if (interval_ns_ * habits.packs_most < 500'000) {
    impairment.reorder = random.one_of({0.0, 0.0, 0.05, 0.2});
    impairment.reorder_depth = static_cast<std::uint32_t>(random.between(1, 5));
    impairment.jitter_ns = random.one_of<std::uint64_t>({0, 0, 3000, 100'000});
  }
  return habits;
}

void Feed::plan_line(Random random, std::uint32_t channel, std::uint32_t line) {
  Habits habits = some_habits(random);
  const lb_framing& framing = framings[channel];
  habits.has_heartbeats = framing.count.width != 0 && !random.one_in(4);
  habits.clump = random.one_of<std::uint64_t>({1, 1, 30, 100});
  // A line that misses a life for want of credit cannot be told from one that goes on in the next.
  if (kind == Kind::restarts) habits.clump = 1;
  if (kind == Kind::restarts) habits.impairment.burst = {};
  if (framing.count.width == 0) habits.packs_least = habits.packs_most = 1;

  std::vector<WirePacket> wire;
  for (std::uint8_t life = 0; life < lives[channel].size(); ++life) {
    habits.seed = feeder::mix64(habits.seed);
    send(random, habits, lives[channel][life], life, wire);
  }
  const std::uint64_t length_ns = wire.empty() ? 1 : wire.back().due_ns - kBeginNs + 1;
  // Poison at a place of its own each time.
  if (kind == Kind::one_life && wire.size() > 10 && random.one_in(3)) {
    for (std::uint64_t i = 0; i <= random.below(3); ++i)
      wire.push_back({.due_ns = wire[random.between(10, wire.size() - 1)].due_ns,
                      .first = lives[channel][0].end + 1'000'000 * (1 + 10 * line + i),
                      .count = 1,
                      .life = kPoisonLife,
                      .kind = PacketKind::poison});
  }
  if (framing.flags & LB_FRAMING_ZERO_UNSEQUENCED)
    for (std::uint64_t i = 0; i < random.below(10); ++i)
      wire.push_back({.due_ns = kBeginNs + random.below(length_ns),
                      .first = 0,
                      .count = static_cast<std::uint16_t>(random.between(1, 3)),
                      .life = kUnsequencedLife,
                      .kind = PacketKind::unsequenced});
  for (std::uint64_t i = 0; i < random.below(6); ++i)
    wire.push_back({.due_ns = kBeginNs + random.below(length_ns),
                    .first = random.next(),
                    .count = 1,
                    .kind = PacketKind::foreign});
  // A line that is silent for a while, dead from some time on, or comes up late.
  const std::uint64_t silent_from_ns = kBeginNs + random.below(length_ns);
  const std::uint64_t silent_to_ns = silent_from_ns + random.below(length_ns);
  const bool is_silent = random.one_in(4) && kind != Kind::restarts;
  for (WirePacket& packet : wire) {
    if (is_silent && packet.due_ns >= silent_from_ns && packet.due_ns < silent_to_ns) continue;
    packet.channel = static_cast<std::uint8_t>(channel);
    packet.line = static_cast<std::uint8_t>(line);
    wires[line].push_back(packet);
  }
}

void Feed::send(Random& random, const Habits& habits, const Life& numbers, std::uint8_t life,
                std::vector<WirePacket>& wire) const {
  const std::uint64_t from_ns = life_begins_ns_[life];
  feeder::Impairment impairment(habits.impairment, habits.seed, 0);
  std::vector<WirePacket> offered;
  const auto depart = [&](std::span<const feeder::Departure> departures) {
    for (const feeder::Departure& departure : departures) {
      wire.push_back(offered[departure.index]);
      wire.back().due_ns = departure.departure_ns;
    }
  };
  const auto offer = [&](std::uint64_t at_ns, PacketKind what, std::uint64_t first,
                         std::uint16_t count) {
    offered.push_back({.first = first, .count = count, .life = life, .kind = what});
    depart(impairment.offer(at_ns, 0));
  };
  std::uint64_t base_ns = from_ns;
  for (std::uint64_t number = numbers.first; number < numbers.end;) {
    const std::uint64_t packs = random.between(habits.packs_least, habits.packs_most);
    const auto count = static_cast<std::uint16_t>(std::min(packs, numbers.end - number));
    base_ns = from_ns + (number - numbers.first) / habits.clump * habits.clump * interval_ns_;
    offer(base_ns, PacketKind::data, number, count);
    number += count;
    if (habits.has_heartbeats && random.one_in(30))
      offer(base_ns, PacketKind::heartbeat, number, 0);
  }
  for (std::uint64_t i = 1; habits.has_heartbeats && i <= 3; ++i)
    offer(base_ns + i * kMs, PacketKind::heartbeat, numbers.end, 0);
  depart(impairment.finish());
}

std::uint32_t Feed::message(std::uint32_t channel, std::uint32_t life, std::uint64_t number,
                            std::uint8_t* bytes) const {
  const lb_framing& framing = framings[channel];
  std::uint64_t mixed = feeder::mix64(salt_ ^ number << 16 ^ life << 8 ^ channel);
  std::uint32_t body = long_messages_ ? 4 + static_cast<std::uint32_t>(mixed & 7) : 4;
  if (framing.count.width == 0) body = framing.smallest_message;
  const std::uint32_t length = framing.message_length.width + body;
  std::uint8_t* const begin = bytes + framing.message_length.width;
  lb_message_encode_length(&framing, bytes, length);
  begin[0] = static_cast<std::uint8_t>(life);
  for (std::uint32_t i = 1; i < body; ++i) {
    begin[i] = static_cast<std::uint8_t>(mixed);
    mixed = mixed >> 8 | mixed << 56;
  }
  return length;
}

std::uint32_t Feed::build(const WirePacket& packet, std::span<std::uint8_t> frame) const {
  const lb_framing& framing = framings[packet.channel];
  std::uint8_t* const payload = frame.data() + kHeadersLength;
  std::uint32_t length = framing.header_length;
  for (std::uint64_t i = 0; i < packet.count; ++i)
    length += message(packet.channel, packet.life, packet.first + i, payload + length);
  const std::string session =
      kind == Kind::sessions ? "session" + std::to_string(packet.life) : "session";
  const lb_header header{.first = packet.kind == PacketKind::foreign ? 1 : packet.first,
                         .count = packet.count,
                         .key = 1,
                         .session = reinterpret_cast<const lb_u8*>(session.data()),
                         .session_length = static_cast<lb_u32>(session.size()),
                         .payload_length = length};
  lb_framing_encode_header(&framing, payload, framing.header_length, &header);
  write_headers(frame.data(), destination_of(packet.channel), kPort, length);
  if (packet.kind == PacketKind::foreign) make_foreign(frame.data(), packet.first);
  return kHeadersLength + length;
}

std::string to_string(PacketKind kind) {
  constexpr const char* kNames[] = {"data", "heartbeat", "unsequenced", "poison", "foreign"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string to_string(Feed::Kind kind) {
  constexpr const char* kNames[] = {"one life", "sessions", "restarts", "windows"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace linearb::sim
