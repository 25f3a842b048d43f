// SPDX-License-Identifier: Apache-2.0
#include "sim/reference.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <linux/bpf.h>

#include "sim/failure.h"

namespace linearb::sim {

Reference::Reference(const Feed& feed) : feed_(feed) {
  numberings_.resize(feed.channels);
  for (std::uint32_t channel = 0; channel < feed.channels; ++channel)
    for (const Life& life : feed.lives[channel])
      numberings_[channel].push_back({life.first, std::vector<Message>(life.end - life.first)});
}

void Reference::receiver_begins() {
  for (auto& of_channel : numberings_)
    for (Numbering& numbering : of_channel) std::ranges::fill(numbering.messages, Message{});
  poison_.clear();
  life_of_epoch_.clear();
  unsequenced_up_ = unsequenced_delivered_ = 0;
}

Reference::Message& Reference::message(std::uint32_t channel, std::uint32_t life,
                                       std::uint64_t number) {
  if (life == Feed::kPoisonLife) return poison_[{channel, number}];
  if (life >= numberings_[channel].size()) fail(fmt::format("I3: a message of life {}", life));
  Numbering& numbering = numberings_[channel][life];
  if (number - numbering.first >= numbering.messages.size())
    fail(fmt::format("I3: message {} of life {} was never sent", number, life));
  return numbering.messages[number - numbering.first];
}

void Reference::hook_saw(std::uint64_t now_ns, const Seen& seen) {
  const WirePacket& packet = *seen.packet;
  events_.push_back({.now_ns = now_ns,
                     .first = packet.first,
                     .count = packet.count,
                     .channel = packet.channel,
                     .line = packet.line,
                     .life = packet.life,
                     .kind = packet.kind,
                     .way_out = seen.way_out,
                     .cpu = static_cast<std::uint8_t>(seen.cpu),
                     .verdict = seen.verdict,
                     .place = seen.place});
  ++packets_[packet.line];
  const bool goes_up = seen.way_out == WayOut::claimed || seen.way_out == WayOut::passed_up;
  const bool is_dropped = seen.way_out == WayOut::duplicate || seen.way_out == WayOut::no_credit;
  const std::uint32_t expected = goes_up ? XDP_REDIRECT : is_dropped ? XDP_DROP : XDP_PASS;
  const bool is_unknown = seen.way_out == WayOut::not_feed || seen.way_out == WayOut::uncounted;
  if (seen.action != expected)
    fail(fmt::format("I6: counted as {}, and the action is {}\n{}", to_string(seen.way_out),
                     seen.action, describe(events_.back())));
  if (seen.way_out == WayOut::no_receiver && seen.verdict == LB_VERDICT_CLAIMED &&
      receiver_is_there_)
    fail(fmt::format("I2: claimed, and goes to the kernel\n{}", describe(events_.back())));
  if (packet.kind == PacketKind::foreign && !is_unknown)
    fail(fmt::format("I8: no packet of the feed\n{}", describe(events_.back())));
  if (seen.way_out == WayOut::malformed)
    fail(fmt::format("I8: nothing is wrong with it\n{}", describe(events_.back())));
  const bool is_brought = goes_up || seen.way_out == WayOut::duplicate;
  if (is_brought && packet.kind == PacketKind::unsequenced) ++unsequenced_up_;
  if (packet.kind != PacketKind::data && packet.kind != PacketKind::poison) return;
  for (std::uint64_t i = 0; i < packet.count && is_brought; ++i)
    message(packet.channel, packet.life, packet.first + i).brought = true;
}

void Reference::delivered(std::uint64_t now_ns, const Delivery& delivery) {
  ++deliveries_;
  check_bytes(delivery, now_ns);
}

/// The packet is as it was sent, to the last byte; and which messages of it are new.
void Reference::check_bytes(const Delivery& delivery, std::uint64_t now_ns) {
  const lb_framing& framing = feed_.framings[delivery.channel];
  const std::uint8_t* const payload = delivery.payload.data();
  const auto length = static_cast<std::uint32_t>(delivery.payload.size());
  const std::uint32_t life = payload[framing.header_length + Feed::life_offset(framing)];
  events_.push_back({.now_ns = now_ns,
                     .first = delivery.range.first,
                     .count = static_cast<std::uint32_t>(delivery.range.count),
                     .channel = static_cast<std::uint8_t>(delivery.channel),
                     .line = delivery.line,
                     .life = static_cast<std::uint8_t>(life),
                     .is_delivery = true,
                     .epoch = delivery.epoch});
  const WirePacket sent{.first = delivery.range.first,
                        .count = static_cast<std::uint16_t>(delivery.range.count),
                        .channel = static_cast<std::uint8_t>(delivery.channel),
                        .life = static_cast<std::uint8_t>(life)};
  std::array<std::uint8_t, 2048> frame;
  const std::uint32_t frame_length = feed_.build(sent, frame);
  const std::uint32_t headers = frame_length - length;
  if (frame_length != delivery.packet.size() ||
      !std::equal(frame.begin() + headers, frame.begin() + frame_length, payload))
    fail(fmt::format("I3: a packet that nobody sent so\n{}", describe(events_.back())));
  if (life == Feed::kUnsequencedLife) {
    ++unsequenced_delivered_;
    return;
  }
  for (const Run& run : delivery.news)
    for (std::uint64_t i = 0; i < run.count; ++i) take_message(delivery, life, run.first + i);
}

void Reference::take_message(const Delivery& delivery, std::uint32_t life, std::uint64_t number) {
  Message& taken = message(delivery.channel, life, number);
  taken.is_apart = delivery.epoch == 0;
  if (++taken.delivered > 1)
    fail(fmt::format("I1: message {} of life {} delivered twice\n{}", number, life,
                     history(delivery.channel, number)));
  if (taken.declared_missing)
    fail(fmt::format("I4: message {} of life {} was declared missing, and is delivered\n{}", number,
                     life, history(delivery.channel, number)));
  if (!taken.brought) fail(fmt::format("I3: message {} delivered, and never came up", number));
  if (delivery.epoch != 0 && life != Feed::kPoisonLife)
    life_of_epoch_.try_emplace({delivery.channel, delivery.epoch}, life);
}

void Reference::declared_missing(std::uint32_t life, std::uint64_t number) {
  message(0, life, number).declared_missing = true;
}

void Reference::receiver_ends(const sequencer::GapList& gaps) {
  check_all_delivered();
  if (unsequenced_up_ != unsequenced_delivered_)
    fail(fmt::format("I1: {} unsequenced packets came up, {} were delivered", unsequenced_up_,
                     unsequenced_delivered_));
  check_gaps(gaps);
  receiver_begins();
}

void Reference::receiver_breaks_off() {
  receiver_begins();
}

void Reference::check_all_delivered() const {
  for (std::uint32_t channel = 0; channel < feed_.channels; ++channel) {
    for (std::size_t life = 0; life < numberings_[channel].size(); ++life) {
      const Numbering& numbering = numberings_[channel][life];
      for (std::uint64_t i = 0; i < numbering.messages.size(); ++i) {
        const Message& copy = numbering.messages[i];
        if (!copy.brought || copy.delivered != 0) continue;
        const std::uint64_t number = numbering.first + i;
        fail(fmt::format("I1: message {} of life {} of channel {} came, and was not delivered\n{}",
                         number, life, channel, history(channel, number)));
      }
    }
  }
  for (const auto& [key, poisoned] : poison_)
    if (poisoned.brought && poisoned.delivered == 0)
      fail(fmt::format("I1: message {} came, far ahead, and was not delivered\n{}", key.second,
                       history(key.first, key.second)));
}

/// I4: what no line delivered, between the first and the last message of a life that were.
void Reference::check_gaps(const sequencer::GapList& gaps) {
  std::vector<std::vector<std::vector<bool>>> reported(feed_.channels);
  for (std::uint32_t channel = 0; channel < feed_.channels; ++channel)
    for (const Numbering& numbering : numberings_[channel])
      reported[channel].emplace_back(numbering.messages.size());
  for (const sequencer::GapList::Gap& gap : gaps.gaps()) {
    const auto life = life_of_epoch_.find({gap.origin.channel, gap.origin.epoch});
    if (life == life_of_epoch_.end()) continue;  // nothing of it was delivered: heartbeats alone
    const Numbering& numbering = numberings_[gap.origin.channel][life->second];
    for (std::uint64_t number = gap.range.first; number < gap.range.end; ++number) {
      const std::uint64_t place = number - numbering.first;
      if (place >= numbering.messages.size())
        fail(fmt::format("I4: a gap [{}, {}) of life {}, which has no such messages",
                         gap.range.first, gap.range.end, life->second));
      if (numbering.messages[place].delivered != 0)
        fail(fmt::format("I4: message {} of life {} is in a gap, and was delivered\n{}", number,
                         life->second, history(gap.origin.channel, number)));
      reported[gap.origin.channel][life->second][place] = true;
    }
  }
  if (gaps.truncated()) return;
  for (const auto& [origin, life] : life_of_epoch_) {
    const auto& messages = numberings_[origin.first][life].messages;
    const auto is_delivered = [](const Message& one) {
      return one.delivered != 0 && !one.is_apart;
    };
    const auto first = std::ranges::find_if(messages, is_delivered);
    const auto last = std::find_if(messages.rbegin(), messages.rend(), is_delivered).base();
    for (auto i = first; i < last; ++i) {
      const auto place = static_cast<std::size_t>(i - messages.begin());
      if (i->delivered != 0 || reported[origin.first][life][place]) continue;
      const std::uint64_t number = numberings_[origin.first][life].first + place;
      fail(fmt::format("I4: message {} of life {} came on no line, and is in no gap\n{}", number,
                       life, history(origin.first, number)));
    }
  }
}

std::string Reference::describe(const Event& event) const {
  const std::string what =
      fmt::format("{:>14} ns  channel {} line {} life {} [{}, {})", event.now_ns, event.channel,
                  event.line, event.life, event.first, event.first + event.count);
  if (event.is_delivery) return fmt::format("{}  delivered, epoch {}", what, event.epoch);
  return fmt::format("{}  {} on CPU {}: {}, verdict {}, place {}", what, to_string(event.kind),
                     event.cpu, to_string(event.way_out), event.verdict, event.place);
}

std::string Reference::history(std::uint32_t channel, std::uint64_t number) const {
  std::string text;
  for (const Event& event : events_)
    if (event.channel == channel && event.first <= number && number < event.first + event.count)
      text += "  " + describe(event) + "\n";
  return text;
}

std::string Reference::all_events() const {
  std::string text;
  for (const Event& event : events_) text += describe(event) + "\n";
  return text;
}

std::string to_string(WayOut way_out) {
  constexpr const char* kNames[] = {"duplicate", "claimed",   "passed_up",   "no_credit",
                                    "not_feed",  "malformed", "no_receiver", "uncounted"};
  return kNames[static_cast<std::size_t>(way_out)];
}

}  // namespace linearb::sim
