// SPDX-License-Identifier: Apache-2.0
//
// The hook itself (support/native_hook) on any packets and any state of its maps: it reads nothing
// outside the packet, the counters add up, credits go with redirects, and what is the kernel's
// changes nothing.
#include <array>
#include <cstring>
#include <optional>

#include <linux/bpf.h>

#include "config/framing_file.h"
#include "fuzz/any_framing.h"
#include "fuzz/fuzz.h"
#include "hook/takeover.h"
#include "support/native_hook/native_hook.h"

namespace linearb::fuzz {
namespace {

using test::native::Arrival;
using test::native::Hook;
using test::native::Outcome;

constexpr std::uint32_t kLines = 2;
constexpr std::uint32_t kInterfaces[kLines] = {7, 8};
constexpr std::uint16_t kChannels = 4;  // optiq, mold, pitch, and identifiers
constexpr std::uint16_t kPorts[kChannels] = {30001, 26400, 30011, 30002};
constexpr std::uint64_t kFrameRoom = 1792;
constexpr unsigned kPacketsMax = 64;

class Bench {
 public:
  Bench() {
    std::vector<lb_flow> flows;
    for (std::uint16_t channel = 0; channel < kChannels; ++channel)
      for (std::uint32_t line = 0; line < kLines; ++line) flows.push_back(flow(channel, line));
    const hook::FlowTable table = hook::build_flow_table(flows, maps().flow_buckets(), 0);
    std::ranges::copy(table.buckets, maps().flows().begin());
    maps().config().flow_index = table.index;
    for (std::uint32_t line = 0; line < kLines; ++line)
      maps().set_interface(kInterfaces[line], line);
  }

  void prepare(Input& input);
  void play(Input& input);

 private:
  const hook::Maps& maps() const { return hook_.maps(); }
  static lb_flow flow(std::uint16_t channel, std::uint32_t line);
  void change_state(Input& input);
  void run(Input& input);
  void look_at(const Outcome& outcome, const lb_counters& before, const lb_counters& after);
  lb_counters& counters(std::uint32_t line) const { return maps().counters(0, line, 0); }
  lb_credit& credit(std::uint32_t line) const { return maps().credit(line * LB_QUEUES_MAX); }

  Hook hook_{{.channels = kChannels, .flows = kLines * kChannels, .seen_sessions = 16}};
};

lb_flow Bench::flow(std::uint16_t channel, std::uint32_t line) {
  lb_flow result{};
  result.interface_index = kInterfaces[line];
  result.port = kPorts[channel];
  result.channel = channel;
  result.slot_group = static_cast<lb_u8>(line);
  result.line = static_cast<lb_u8>(line);
  result.framing = static_cast<lb_u8>(channel);
  result.flags = channel == 3 ? LB_FLOW_LRU : 0;
  return result;
}

/// What a receiver leaves when it takes over, and one framing that is anything.
void Bench::prepare(Input& input) {
  static const lb_framing optiq = config::builtin_framing("optiq").descriptor;
  static const lb_framing mold = config::builtin_framing("moldudp64").descriptor;
  static const lb_framing pitch = config::builtin_framing("cboe-pitch").descriptor;
  const bool has_own_framing = input.flag();
  const lb_framing framings[kChannels] = {optiq, mold, has_own_framing ? any_framing(input) : pitch,
                                          optiq};
  std::ranges::copy(framings, maps().framings().begin());
  maps().clear_seen_sessions();
  maps().config().frame_room = kFrameRoom;
  maps().config().flags = LB_CONFIG_METADATA;
  maps().config().ahead = LB_AHEAD_DEFAULT;
  for (lb_channel& channel : maps().windows()) channel = {};
  for (std::uint32_t line = 0; line < kLines; ++line) {
    for (std::uint16_t channel = 0; channel < kChannels; ++channel)
      maps().mark(channel, line) = {.published = lb_mark_word(1, 0),
                                    .shown = lb_mark_word(1, 1),
                                    .skipped_unseen = 0,
                                    .jumped = 0,
                                    .jumped_unseen = 0,
                                    .unused = {}};
    counters(line) = {};
    credit(line) = {};
    credit(line).capacity = 16;
    maps().set_socket(line * LB_QUEUES_MAX, test::native::kSocket);
  }
}

/// What a receiver does between two packets, and what other packets may have left.
void Bench::change_state(Input& input) {
  const std::uint32_t line = input.below(kLines);
  const auto channel = static_cast<std::uint16_t>(input.below(kChannels));
  lb_mark& mark = maps().mark(channel, line);
  switch (input.below(10)) {
    case 0:
      mark.published = input.take<lb_u64>();
      break;
    case 1:
      mark.shown = input.take<lb_u64>();
      break;
    case 9:
      mark.jumped = input.take<lb_u64>();
      break;
    case 2:
      mark.published = mark.shown >> LB_MARK_BITS << LB_MARK_BITS;
      break;
    case 3:
      maps().windows()[channel].words[input.below(LB_WINDOW_WORDS)] = input.take<lb_u64>();
      break;
    case 4:
      credit(line).capacity = input.byte();
      break;
    case 5:
      credit(line).returned = credit(line).redirected;
      break;
    case 6:
      maps().clear_socket(line * LB_QUEUES_MAX);
      break;
    case 7:
      maps().config().flags ^= LB_CONFIG_METADATA;
      break;
    default:
      maps().config().ahead = input.take<lb_u32>();
  }
}

std::uint64_t ways_out(const lb_counters& counters) {
  return hook::feed_packets(counters) + counters.not_feed;
}

void Bench::look_at(const Outcome& outcome, const lb_counters& before, const lb_counters& after) {
  const auto moved = [&](lb_u64 lb_counters::*counter) { return after.*counter - before.*counter; };
  require(moved(&lb_counters::packets) == 1, "a packet is counted once");
  require(ways_out(after) - ways_out(before) == 1, "a packet is in exactly one counter (I6)");
  const std::uint64_t redirected = moved(&lb_counters::claimed) + moved(&lb_counters::passed_up);
  const std::uint64_t dropped = moved(&lb_counters::duplicate) + moved(&lb_counters::no_credit);
  require(redirected == (outcome.action == XDP_REDIRECT), "what goes up is counted so");
  require(dropped == (outcome.action == XDP_DROP), "what is dropped is counted so");
  require(redirected + dropped == 1 || outcome.action == XDP_PASS, "there is no other action");
}

void look_at_metadata(const Outcome& outcome, std::uint32_t line) {
  if (outcome.action != XDP_REDIRECT || outcome.metadata.empty()) return;
  lb_metadata metadata;
  require(outcome.metadata.size() == sizeof(metadata), "metadata are the hook's");
  std::memcpy(&metadata, outcome.metadata.data(), sizeof(metadata));
  require(metadata.line == line && metadata.channel < kChannels, "metadata name line and channel");
  const lb_u32 verdict = metadata.verdict & ~static_cast<lb_u32>(LB_VERDICT_FROM_JUMP);
  require(verdict >= LB_VERDICT_CLAIMED && verdict <= LB_VERDICT_COUNT, "metadata say why");
  require(verdict == metadata.verdict || verdict <= LB_VERDICT_ORDINARY_LAST,
          "what goes on from a jump is ordinary");
  require(std::size_t{metadata.payload_offset} + metadata.payload_length <= outcome.packet.size(),
          "the payload is in the packet");
}

void Bench::run(Input& input) {
  const std::uint8_t how = input.byte();
  const std::uint32_t line = how & 1;
  const auto packet = input.bytes(input.below(2'048));
  const Arrival arrival{.interface_index = kInterfaces[line],
                        .queue = (how & 0x0e) == 0x0e ? how >> 4 : 0u,
                        .now_ns = 1'000,
                        .earlier_metadata = (how & 0x30) == 0x30 ? 4u * (how >> 6) : 0u,
                        .has_metadata_room = (how & 0xc0) != 0xc0};
  const lb_counters before = counters(line);
  const lb_counters of_other = counters(line ^ 1);
  const std::array credits{credit(0).redirected, credit(1).redirected};
  std::array<lb_mark, kChannels> marks;
  for (std::uint16_t i = 0; i < kChannels; ++i) marks[i] = maps().mark(i, line);
  const Outcome outcome = hook_.run(packet, arrival);

  look_at(outcome, before, counters(line));
  look_at_metadata(outcome, line);
  require(std::ranges::equal(outcome.packet, packet), "the packet itself is never written (I3)");
  require(std::memcmp(&of_other, &counters(line ^ 1), sizeof(of_other)) == 0,
          "the other line's counters are its own");
  require(credit(line ^ 1).redirected == credits[line ^ 1], "the other line's credits are its own");
  require(credit(line).redirected - credits[line] == (outcome.action == XDP_REDIRECT),
          "a redirect holds one credit (I2)");
  if (outcome.action != XDP_PASS) return;
  for (std::uint16_t i = 0; i < kChannels; ++i)
    require(std::memcmp(&marks[i], &maps().mark(i, line), sizeof(lb_mark)) == 0,
            "what is the kernel's changes nothing (I8)");
}

void Bench::play(Input& input) {
  for (unsigned i = 0; i < kPacketsMax && !input.empty(); ++i) {
    if (input.byte() & 1) change_state(input);
    run(input);
  }
}

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static linearb::fuzz::Bench bench;
  linearb::fuzz::Input input(data, size);
  bench.prepare(input);
  bench.play(input);
  return 0;
}
