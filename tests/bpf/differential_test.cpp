// SPDX-License-Identifier: Apache-2.0
//
// The hook as the kernel runs it, and the same source compiled for this machine
// (support/native_hook): packet by packet the same, on states that go on changing. What the
// simulator and the fuzzers find of the one is then true of the other. A packet that fails is
// reported with the seed's number of it; run that test alone to see it again.
#include <array>
#include <cstring>
#include <map>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bpf/dice.h"
#include "bpf/rig.h"
#include "framing/encode.h"
#include "fuzz/any_framing.h"
#include "hook/takeover.h"
#include "support/native_hook/native_hook.h"
#include "sys/clock.h"

namespace linearb::test {
namespace {

constexpr unsigned kPackets = 40'000;
constexpr std::uint64_t kSeed = 20'260'102;
/// Packets between two states that have nothing to do with each other.
constexpr unsigned kPacketsOfAState = 24;

using BothMaps = std::array<const hook::Maps*, 2>;

/// The kernel's hook and the native one, told the same.
class Pair {
 public:
  Pair() : native_({.flows = kLines * kChannels}) {
    rig_.prepare({});
    // What the one was told; and its interfaces, which no view shows.
    const hook::Maps& from = rig_.maps();
    const hook::Maps& to = native_.maps();
    to.config() = from.config();
    std::ranges::copy(from.flows(), to.flows().begin());
    std::ranges::copy(from.framings(), to.framings().begin());
    std::ranges::copy(from.windows(), to.windows().begin());
    for (std::uint32_t channel = 0; channel < kChannels; ++channel)
      for (std::uint32_t line = 0; line < kLines; ++line)
        to.mark(channel, line) = from.mark(channel, line);
    to.set_interface(rig_.interface_index(On::A), 0);
    to.set_interface(rig_.interface_index(On::B), 1);
    for (std::uint32_t line = 0; line < kLines; ++line) {
      to.credit(line * LB_QUEUES_MAX) = from.credit(line * LB_QUEUES_MAX);
      open_slot(line);
    }
  }

  BothMaps both() const { return {&rig_.maps(), &native_.maps()}; }
  const hook::Maps& kernel() const { return rig_.maps(); }
  std::uint32_t interface_index(On on) const { return rig_.interface_index(on); }

  void open_slot(std::uint32_t line) {
    for (const hook::Maps* maps : both())
      maps->set_socket(line * LB_QUEUES_MAX, rig_.socket_fd(line));
  }
  void forget_identifiers() {
    for (const hook::Maps* maps : both()) maps->clear_seen_sessions();
  }

  /// What is different afterwards, or nothing.
  std::string run(const Bytes& packet, const Arrival& arrival);
  std::uint32_t last_action() const { return last_action_; }

 private:
  std::string compare_results(const Result& kernel, const native::Outcome& native,
                              std::uint32_t slot) const;

  Rig rig_;
  native::Hook native_;
  std::uint32_t last_action_ = 0;
};

/// Metadata of a result but for the time, as text.
std::string metadata_text(const Bytes& bytes) {
  Bytes copy = bytes;
  if (copy.size() == sizeof(lb_metadata))
    std::memset(copy.data() + offsetof(lb_metadata, arrival_ns), 0, sizeof(lb_u64));
  return fmt::format("{} bytes: {:02x}", copy.size(), fmt::join(copy, " "));
}

std::string Pair::compare_results(const Result& kernel, const native::Outcome& native,
                                  std::uint32_t slot) const {
  if (kernel.action != native.action)
    return fmt::format("the kernel's says {}, the native one {}", action_name(kernel.action),
                       action_name(native.action));
  if (kernel.packet != native.packet) return "one of them writes into the packet";
  if (metadata_text(kernel.metadata) != metadata_text(native.metadata))
    return fmt::format("metadata differ: {}; {}", metadata_text(kernel.metadata),
                       metadata_text(native.metadata));
  if (native.slot && *native.slot != slot) return "the native one takes another line's slot";
  return "";
}

/// The tag of a stamp: the rest of it is time.
constexpr lb_u64 kStampTag = ~((1ull << 48) - 1);

std::string compare_channel(const Snapshot::OfChannel& kernel, const Snapshot::OfChannel& native) {
  if (std::memcmp(kernel.memory.words, native.memory.words, sizeof(native.memory.words)) != 0)
    return "the windows differ";
  for (std::size_t i = 0; i < LB_SKEW_STAMPS; ++i)
    if ((kernel.memory.stamps[i] & kStampTag) != (native.memory.stamps[i] & kStampTag) ||
        !kernel.memory.stamps[i] != !native.memory.stamps[i])
      return "the stamps differ";
  if (std::memcmp(kernel.marks.data(), native.marks.data(), sizeof(native.marks)) != 0)
    return "the marks differ";
  return "";
}

std::string compare_line(const Snapshot::OfLine& kernel, const Snapshot::OfLine& native) {
  if (std::memcmp(kernel.counters.data(), native.counters.data(), sizeof(native.counters)) != 0)
    return "the counters differ";
  if (kernel.skew_samples != native.skew_samples) return "the samples of the skew differ";
  if (kernel.credits_taken != native.credits_taken) return "the credits differ";
  return "";
}

std::string compare_maps(const hook::Maps& kernel, const hook::Maps& native) {
  const Snapshot of_kernel(kernel);
  const Snapshot of_native(native);
  for (std::uint32_t i = 0; i < kChannels; ++i) {
    const std::string found = compare_channel(of_kernel.channels[i], of_native.channels[i]);
    if (!found.empty()) return fmt::format("{} of {}", found, kChannelNames[i]);
  }
  for (std::uint32_t i = 0; i < kLines; ++i) {
    const std::string found = compare_line(of_kernel.lines[i], of_native.lines[i]);
    if (!found.empty()) return fmt::format("{} of line {}", found, "AB"[i]);
  }
  return "";
}

std::string Pair::run(const Bytes& packet, const Arrival& arrival) {
  const Result of_kernel = run_program(rig_.program_fd(), packet, arrival);
  const native::Outcome of_native =
      native_.run(packet, {.interface_index = arrival.interface_index,
                           .queue = arrival.queue,
                           .now_ns = sys::monotonic_ns(),
                           .earlier_metadata = arrival.earlier_metadata});
  last_action_ = of_kernel.action;
  const std::uint32_t line = arrival.interface_index == interface_index(On::B) ? 1 : 0;
  const std::string found =
      compare_results(of_kernel, of_native, line * LB_QUEUES_MAX + arrival.queue);
  return found.empty() ? compare_maps(rig_.maps(), native_.maps()) : found;
}

// ---- what the dice make
// --------------------------------------------------------------------------

/// Where a line's next packet begins: mostly what continues it.
std::uint64_t any_number(Dice& dice, std::uint64_t mark) {
  if (dice.one_in(24)) return dice.below(1ull << 32);
  if (dice.one_in(24)) return (1ull << 32) - 1 - dice.below(300);  // the last that optiq has
  if (dice.one_in(8)) return mark + dice.below(6'000);
  if (dice.one_in(6)) return mark < 300 ? mark : mark - dice.below(300);
  return mark;
}

/// A header that its framing can say.
Header any_header(Dice& dice, Channel channel, std::uint64_t mark) {
  Header header{.first = any_number(dice, mark) & 0xffffffff,
                .count = dice.one_in(3) ? dice.below(255) : dice.between(1, 3)};
  if (channel == kMold && dice.one_in(32)) header.first = dice.below(1ull << 62);
  if (channel == kMold && dice.one_in(16)) header.count = 0xffff;
  if (channel == kPitch && dice.one_in(16)) header.first = 0;  // unsequenced
  if (dice.one_in(12)) header.session = "SESSION002";
  if (dice.one_in(24)) header.unit = 2;
  // Messages that are not there, or more than it says; and no more than a packet can hold.
  if (header.count == 0xffff) header.messages = 0;
  if (dice.one_in(16)) header.messages = dice.below(8);
  return header;
}

void wrap_up(Dice& dice, PacketBuilder& packet) {
  for (std::uint64_t tags = dice.one_in(4) ? dice.between(1, 3) : 0; tags > 0; --tags)
    packet.vlan(5, dice.one_in(2) ? 0x88a8 : 0x8100);
  if (dice.one_in(5)) packet.options(4 * dice.below(11));
  if (dice.one_in(6)) packet.padding(dice.below(1'900));  // beyond a frame's room, too
  if (dice.one_in(20)) packet.fragment(static_cast<std::uint16_t>(1u << dice.below(16)));
  if (dice.one_in(40)) packet.protocol(static_cast<std::uint8_t>(dice.below(256)));
  if (dice.one_in(40)) packet.ethertype(dice.one_in(2) ? 0x86dd : 0x0806);
  if (dice.one_in(40)) packet.wrong_ip_version(static_cast<std::uint8_t>(dice.below(16)));
  if (dice.one_in(40)) packet.wrong_ip_header_words(static_cast<std::uint8_t>(dice.below(16)));
  if (dice.one_in(40)) packet.wrong_ip_length(static_cast<std::uint16_t>(dice.below(2'000)));
  if (dice.one_in(40)) packet.wrong_udp_length(static_cast<std::uint16_t>(dice.below(2'000)));
  if (dice.one_in(40)) packet.to("239.7.7.7", static_cast<std::uint16_t>(dice.below(65'536)));
}

Bytes any_packet(Dice& dice, const hook::Maps& maps, std::uint32_t line) {
  const auto channel = static_cast<Channel>(dice.below(kChannels));
  const lb_mark& mark = maps.mark(channel, line);
  const std::uint64_t near =
      lb_mark_value(dice.one_in(3) && mark.jumped ? mark.jumped : mark.shown);
  PacketBuilder packet = feed_packet(channel, any_header(dice, channel, near));
  const Group& group = kGroups[channel];
  if (line == 1 && !group.on_b.empty()) packet.to(group.on_b, group.port);
  wrap_up(dice, packet);
  Bytes bytes = packet.build();
  if (dice.one_in(8)) damage(dice, bytes);
  return bytes;
}

/// How a channel is published to a line: to be judged by, not at all, in another life, or for
/// another session.
lb_u64 any_publication(Dice& dice, Channel channel) {
  if (dice.one_in(10)) return 0;
  const std::uint32_t generation = dice.one_in(12) ? 2 : kGeneration;
  return lb_mark_word(generation, dice.one_in(12) ? 77 : session_of(channel));
}

/// A state that a receiver could have left, in both.
void begin_anew(Dice& dice, Pair& pair) {
  for (std::uint16_t i = 0; i < kChannels; ++i) {
    const std::uint64_t start = dice.one_in(4) ? dice.below(3ull << 30) : kStart;
    const std::uint32_t generation = dice.one_in(12) ? 2 : kGeneration;
    const lb_run claimed{start + dice.below(20), static_cast<lb_u32>(dice.below(LB_CLAIM_MAX))};
    for (const hook::Maps* maps : pair.both()) {
      lb_channel& memory = maps->windows()[i];
      memory = {};
      lb_u32 lost_races = 0;
      if (claimed.count)
        lb_window_claim(memory.words, LB_WINDOW_ORDER, kGeneration, claimed.first, claimed.count,
                        &lost_races);
    }
    for (std::uint32_t line = 0; line < kLines; ++line) {
      lb_mark mark{};
      mark.shown = lb_mark_word(generation, start);
      mark.published = any_publication(dice, static_cast<Channel>(i));
      if (dice.one_in(3)) mark.jumped = lb_mark_word(generation, start + 9'000);
      for (const hook::Maps* maps : pair.both()) maps->mark(i, line) = mark;
    }
  }
  for (std::uint32_t line = 0; line < kLines; ++line) pair.open_slot(line);
}

/// What a receiver does between two packets.
void change_something(Dice& dice, Pair& pair) {
  const auto line = static_cast<std::uint32_t>(dice.below(kLines));
  const auto channel = static_cast<Channel>(dice.below(kChannels));
  const auto change = dice.below(8);
  const lb_u64 number = dice.between(1, kFrames);
  const lb_u64 published = any_publication(dice, channel);
  for (const hook::Maps* maps : pair.both()) {
    lb_credit& credit = maps->credit(line * LB_QUEUES_MAX);
    lb_config& config = maps->config();
    switch (change) {
      case 0:
        config.flags ^= LB_CONFIG_METADATA;
        break;
      case 1:
        config.bank ^= 1;
        break;
      case 2:
        config.ahead = number * 100;
        break;
      case 3:
        maps->mark(channel, line).published = published;
        break;
      case 4:
        maps->clear_socket(line * LB_QUEUES_MAX);
        break;
      case 5:
        credit.capacity = number / 4;  // and the line runs out of it
        break;
      default:
        credit.capacity = kFrames;
        credit.returned = credit.redirected;
    }
  }
}

std::uint64_t sum(const hook::Maps& maps, lb_u64 lb_counters::*counter) {
  std::uint64_t result = 0;
  for (std::uint32_t line = 0; line < kLines; ++line)
    for (std::uint32_t bank = 0; bank < LB_COUNTER_BANKS; ++bank)
      result += hook::sum_counters(maps, bank, line).*counter;
  return result;
}

/// Any framing that a file can describe (fuzz/any_framing.h).
lb_framing any_framing(Dice& dice) {
  std::array<std::uint8_t, 96> bytes;
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(dice.below(256));
  fuzz::Input input(bytes.data(), bytes.size());
  lb_framing framing = fuzz::any_framing(input);
  // Nobody meets four guards, a length and a large message by chance.
  if (dice.one_in(2)) framing.guard_count = 0;
  if (!dice.one_in(4)) framing.smallest_message = 1;
  return framing;
}

/// A payload of random bytes, with a header that says what it should where fields do not lie on one
/// another.
Bytes any_payload(Dice& dice, const lb_framing& framing) {
  Bytes payload(framing.header_length + dice.below(200));
  for (std::uint8_t& byte : payload) byte = static_cast<std::uint8_t>(dice.below(256));
  const lb_header header{.first = kStart,
                         .count = dice.below(4),
                         .key = 1,
                         .session = nullptr,
                         .session_length = 0,
                         .payload_length = static_cast<lb_u32>(payload.size())};
  if (!dice.one_in(3))
    lb_framing_encode_header(&framing, payload.data(), framing.header_length, &header);
  return payload;
}

using Differential = HookTest;

TEST_F(Differential, TheNativeHookDoesWhatTheKernelsDoes) {
  Pair pair;
  Dice dice(kSeed);
  std::map<std::uint32_t, unsigned> actions;
  for (unsigned i = 0; i < kPackets; ++i) {
    if (i % kPacketsOfAState == 0) begin_anew(dice, pair);
    if (i % (kPackets / 10) == 0) pair.forget_identifiers();  // slow: a million places
    if (dice.one_in(4)) change_something(dice, pair);
    const auto line = static_cast<std::uint32_t>(dice.below(kLines));
    const On on = dice.one_in(40) ? On::elsewhere : line == 0 ? On::A : On::B;
    const Arrival arrival{
        .interface_index = pair.interface_index(on),
        .queue = dice.one_in(40) ? static_cast<std::uint32_t>(dice.below(2)) : 0,
        .earlier_metadata = dice.one_in(40) ? 4 * static_cast<std::uint32_t>(dice.below(8)) : 0};
    ASSERT_EQ(pair.run(any_packet(dice, pair.kernel(), line), arrival), "") << "packet " << i;
    ++actions[pair.last_action()];
  }
  for (const Counter& counter : kWaysOut)
    EXPECT_GE(sum(pair.kernel(), counter.member), 100u)
        << "the dice have to reach " << counter.name;
  for (auto counter : {&lb_counters::oversized, &lb_counters::late, &lb_counters::no_metadata})
    EXPECT_GE(sum(pair.kernel(), counter), 10u);
}

/// The kernel's decodes with one load of eight bytes, whatever the width of a field is.
TEST_F(Differential, TheNativeHookDecodesAnyFramingAsTheKernelsDoes) {
  Pair pair;
  Dice dice(kSeed);
  constexpr unsigned kPacketsUnderAnyFraming = 10'000;
  for (unsigned i = 0; i < kPacketsUnderAnyFraming; ++i) {
    const lb_framing framing = any_framing(dice);
    const Bytes payload = any_payload(dice, framing);
    lb_datagram datagram{};
    lb_framing_decode(&framing, payload.data(), payload.data() + payload.size(),
                      static_cast<lb_u32>(payload.size()), &datagram);
    const lb_mark mark{.published = lb_mark_word(kGeneration, datagram.session),
                       .shown = lb_mark_word(kGeneration, datagram.first),
                       .skipped_unseen = 0,
                       .jumped = 0,
                       .jumped_unseen = 0,
                       .unused = {}};
    for (const hook::Maps* maps : pair.both()) {
      maps->framings()[kOptiq] = framing;
      maps->windows()[kOptiq] = {};
      maps->mark(kOptiq, 0) = mark;
      lb_credit& credit = maps->credit(0);
      credit.returned = credit.redirected;
    }
    const Bytes packet =
        udp_packet().to("239.1.2.3", kGroups[kOptiq].port).payload(payload).build();
    ASSERT_EQ(pair.run(packet, {.interface_index = pair.interface_index(On::A)}), "")
        << "packet " << i;
  }
  for (auto counter : {&lb_counters::claimed, &lb_counters::passed_up, &lb_counters::malformed})
    EXPECT_GE(sum(pair.kernel(), counter), 500u);
}

}  // namespace
}  // namespace linearb::test
