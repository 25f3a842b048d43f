// SPDX-License-Identifier: Apache-2.0
// Does one thing so often, for bench/instructions.py to count the instructions of under callgrind.
// What it costs to begin and to end cancels out: the script takes the difference of two counts.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/optiq_packet.h"
#include "config/framing_file.h"
#include "core/walk.h"
#include "core/window.h"
#include "framing/encode.h"
#include "framing/judge.h"
#include "sequencer/in_order.h"
#include "sequencer/sequencer.h"

namespace linearb::bench {
namespace {

using Times = std::uint64_t;

/// What the compiler cannot know to be unused.
volatile std::uint64_t sink;

// ---- window ---------------------------------------------------------------------------------

class Window {
 public:
  void claim(std::uint64_t first, std::uint32_t count) {
    lb_u32 lost_races = 0;
    sink = lb_window_claim(channel_->words, LB_WINDOW_ORDER, 1, first, count, &lost_races);
  }
  void holds(std::uint64_t first, std::uint32_t count) {
    sink = static_cast<std::uint64_t>(
        lb_window_holds(channel_->words, LB_WINDOW_ORDER, 1, first, count));
  }

 private:
  std::unique_ptr<lb_channel> channel_ = std::make_unique<lb_channel>();
};

void claim_new(Times times) {
  Window window;
  for (Times i = 0; i < times; ++i) window.claim(1 + i, 1);
}
void claim_ten(Times times) {
  Window window;
  for (Times i = 0; i < times; ++i) window.claim(1 + 10 * i, 10);
}
void claim_taken(Times times) {
  Window window;
  window.claim(1, 1);
  for (Times i = 0; i < times; ++i) window.claim(1, 1);
}
void hold(Times times) {
  Window window;
  window.claim(1, 1);
  for (Times i = 0; i < times; ++i) window.holds(1, 1);
}

// ---- framing --------------------------------------------------------------------------------

using Bytes = std::vector<std::uint8_t>;

void write_message(const lb_framing& framing, Bytes& payload, std::size_t length) {
  const std::size_t at = payload.size();
  payload.resize(at + length);
  lb_message_encode_length(&framing, &payload[at], static_cast<lb_u32>(length));
}

/// Of a framing whose packets can be made of a header and messages.
Bytes payload_of(const lb_framing& framing, std::uint64_t first, std::uint32_t count) {
  Bytes payload(framing.header_length);
  for (std::uint32_t i = 0; i < count; ++i)
    write_message(framing, payload, std::max<std::size_t>(framing.smallest_message, 20));
  const lb_header header{.first = first,
                         .count = count,
                         .key = 1,
                         .session = nullptr,
                         .session_length = 0,
                         .payload_length = static_cast<lb_u32>(payload.size())};
  lb_framing_encode_header(&framing, payload.data(), framing.header_length, &header);
  return payload;
}

void decode(const char* name, Times times) {
  const lb_framing framing = config::builtin_framing(name).descriptor;
  const Bytes payload = payload_of(framing, 5, 1);
  lb_datagram datagram{};
  for (Times i = 0; i < times; ++i)
    sink = lb_framing_decode(&framing, payload.data(), payload.data() + payload.size(),
                             static_cast<lb_u32>(payload.size()), &datagram);
}

void judge(Times times) {
  const lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  lb_datagram datagram{.first = 1000, .session = 7, .count = 1, .numbered = 1};
  lb_s32 place = 0;
  sink = 0;
  for (Times i = 0; i < times; ++i) {
    datagram.first = 1000 + sink;
    sink = lb_judge(LB_KIND_DATA, &datagram, &framing, lb_mark_word(1, 7), lb_mark_word(1, 1000), 0,
                    LB_AHEAD_DEFAULT, &place);
  }
}

void walk(Times times) {
  const Bytes packet = optiq_packet();
  lb_walk walked{};
  for (Times i = 0; i < times; ++i)
    sink = lb_walk_frame(packet.data(), packet.data() + packet.size(), &walked);
}

// ---- sequencer ------------------------------------------------------------------------------

/// Whoever is told.
class Listener final : public sequencer::Decisions {
 public:
  void decided(const sequencer::Packet& packet,
               const sequencer::Decision& decision) noexcept override {
    sink = packet.first() + decision.news.size();
  }
};

/// Packets of one channel, with `per_packet` messages each, on two lines.
class Feed {
 public:
  Feed(std::uint32_t per_packet, bool in_order) : per_packet_(per_packet) {
    payload_ = payload_of(framing_, 1, per_packet);
    if (in_order)
      order_ = std::make_unique<sequencer::InOrder>(
          sequencer::InOrder::Limits{.channels = 1, .packets = 1024}, listener_);
    const lb_framing* const framings[] = {&framing_};
    sequencer_.emplace(framings, sequencer::Settings{}, sequencer::Sequencer::Dedup::window,
                       order_ ? static_cast<sequencer::Decisions&>(*order_) : listener_);
  }

  void push(std::uint8_t line, std::uint64_t packet) {
    sequencer::Packet handed;
    handed.line = line;
    handed.kind = LB_KIND_DATA;
    handed.datagram = {
        .first = 1 + packet * per_packet_, .session = 0, .count = per_packet_, .numbered = 1};
    handed.arrival_ns = 1'000'000'000 + packet * 10'000;
    handed.payload = payload_;
    sequencer_->push(handed);
  }

 private:
  std::uint32_t per_packet_;
  lb_framing framing_ = config::builtin_framing("moldudp64").descriptor;
  Bytes payload_;
  Listener listener_;
  std::unique_ptr<sequencer::InOrder> order_;
  std::optional<sequencer::Sequencer> sequencer_;
};

/// As a receiver hands it in: the hook has dropped the copies.
void sequence_winners(std::uint32_t per_packet, bool in_order, Times times) {
  Feed feed(per_packet, in_order);
  for (Times i = 0; i < times; ++i) feed.push(0, i);
}
/// As a merge hands it in.
void sequence_both(std::uint32_t per_packet, Times times) {
  Feed feed(per_packet, false);
  for (Times i = 0; i < times; ++i) {
    feed.push(0, i);
    feed.push(1, i);
  }
}

const std::map<std::string, std::function<void(Times)>> kDeeds = {
    {"window: claim of a new message", claim_new},
    {"window: claim of ten new messages", claim_ten},
    {"window: claim of a taken message", claim_taken},
    {"window: test of a taken message", hold},
    {"frame: walk to the payload", walk},
    {"framing: optiq", [](Times times) { decode("optiq", times); }},
    {"framing: moldudp64", [](Times times) { decode("moldudp64", times); }},
    {"framing: nyse-pillar", [](Times times) { decode("nyse-pillar", times); }},
    {"framing: iex-tp", [](Times times) { decode("iex-tp", times); }},
    {"hook: judgement of an ordinary packet", judge},
    {"sequencer: a winner", [](Times times) { sequence_winners(1, false, times); }},
    {"sequencer: a winner with ten messages",
     [](Times times) { sequence_winners(10, false, times); }},
    {"sequencer: a winner, in order", [](Times times) { sequence_winners(1, true, times); }},
    {"sequencer: a winner and its copy", [](Times times) { sequence_both(1, times); }},
};

int run(int count, char** arguments) {
  if (count == 1) {
    for (const auto& [name, deed] : kDeeds) std::puts(name.c_str());
    return 0;
  }
  const auto deed = kDeeds.find(arguments[1]);
  Times times = 0;
  const char* const end = arguments[2] + std::strlen(arguments[2]);
  if (count != 3 || deed == kDeeds.end() || std::from_chars(arguments[2], end, times).ptr != end) {
    std::fputs("usage: linearb_instructions [DEED TIMES]; without, it names the deeds\n", stderr);
    return 2;
  }
  deed->second(times);
  return 0;
}

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  return linearb::bench::run(count, arguments);
}
