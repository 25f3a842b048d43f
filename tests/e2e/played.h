// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A feed that is told as the sequencer's stories are (unit/sequencer/story.h), sent in real time
/// on the lab's lines, and what a receiver made of it: hook, AF_XDP and data thread included.

#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "e2e/arbitration.h"
#include "framing/encode.h"
#include "support/packet.h"
#include "support/raw_line.h"
#include "sys/clock.h"
#include "unit/sequencer/story.h"

namespace linearb::test {

using sequencer::test::A;
using sequencer::test::B;
using sequencer::test::C;
using sequencer::test::LineScript;
using sequencer::test::Sent;

class Played {
 public:
  /// Of its channels the first is played, to 239.192.30.1 and port 30001.
  explicit Played(const ReceiverOptions& options)
      : options_(options), framing_(config::load_framing(options.channels[0].framing)) {
    for (std::uint8_t line = 0; line < options.lines.size(); ++line)
      scripts_.emplace_back(line, 0, sent_);
  }

  LineScript& line(std::size_t index) { return scripts_[index]; }

  /// Sends it all, and ends the run when nothing has come for a while.
  void play() {
    Receiver receiver(options_, [this](const Delivery& delivery) { take(delivery); });
    auto result = std::async(std::launch::async, [&] { return receiver.run(); });
    send_all();
    wait_until_quiet(receiver);
    receiver.stop();
    summary_ = result.get();
  }

  /// What is wrong, a line each; empty when each message that came on any line was delivered once,
  /// as it was sent, when nothing else was, and when the gaps are the feed's.
  std::string complaint() const {
    std::string text = test::text(summary_.imbalances);
    if (wrong_bytes_ > 0) text += fmt::format("{} messages that nobody sent so\n", wrong_bytes_);
    std::map<Message, std::uint64_t> all = delivered_;
    for (const auto& [message, times] : came()) all.try_emplace(message, 0);
    for (const auto& [message, times] : all)
      if ((times != 1 || !came().contains(message)) && text.size() < kLongestComplaint)
        text +=
            fmt::format("life {}: {} delivered {} times\n", message.first, message.second, times);
    if (summary_.gap_messages != gap_messages())
      text +=
          fmt::format("{} in gaps, not {}\n", summary_.gap_messages.value_or(0), gap_messages());
    return text;
  }

  const Summary& summary() const { return summary_; }
  std::uint64_t epoch() const { return summary_.channels[0].epoch; }
  std::uint64_t poison_delivered() const { return poison_delivered_; }

 private:
  using Message = std::pair<std::uint32_t, std::uint64_t>;  ///< life and number
  static constexpr std::size_t kBodyLength = 12;
  static constexpr std::uint32_t kPoisonLife = 1000;
  static constexpr std::size_t kLongestComplaint = 1000;
  /// A thread that comes later than this has been away: what is still to come is late by as much,
  /// so that no pause of the feed gets shorter.
  static constexpr std::uint64_t kLateNs = 1'000'000;

  const lb_framing& framing() const { return framing_.descriptor; }

  Bytes payload_of(const Sent& sent) const {
    const std::uint32_t message_length = framing().message_length.width + kBodyLength;
    const std::uint32_t messages = sent.is_cut ? sent.messages - 1 : sent.messages;
    Bytes payload(framing().header_length + messages * message_length);
    const bool has_session = framing().session.width != 0;
    const lb_header header{
        .first = sent.first,
        .count = sent.count,
        .key = 1,
        .session = reinterpret_cast<const lb_u8*>(sent.session.data()),
        .session_length = has_session ? static_cast<lb_u32>(sent.session.size()) : 0,
        .payload_length = static_cast<lb_u32>(payload.size())};
    lb_framing_encode_header(&framing(), payload.data(), framing().header_length, &header);
    for (std::uint32_t i = 0; i < messages; ++i) {
      std::uint8_t* const message = &payload[framing().header_length + i * message_length];
      lb_message_encode_length(&framing(), message, message_length);
      const std::uint32_t life = sent.is_poison ? kPoisonLife : sent.life;
      const std::uint64_t number = sent.first + i;
      std::memcpy(message + framing().message_length.width, &life, sizeof(life));
      std::memcpy(message + framing().message_length.width + sizeof(life), &number, sizeof(number));
    }
    return payload;
  }
  /// What was damaged on its way has the checksum that it had before.
  Bytes packet_of(const Sent& sent) const {
    PacketBuilder packet = udp_packet().to("239.192.30.1", 30'001).payload(payload_of(sent));
    if (sent.is_poison || sent.is_cut) packet.wrong_udp_checksum();
    return packet.build();
  }

  void send_all() {
    std::ranges::stable_sort(sent_, {}, &Sent::time_ns);
    std::vector<Bytes> packets;
    for (const Sent& sent : sent_) packets.push_back(packet_of(sent));
    std::deque<RawLine> lines;
    for (const Line& line : lines_of(static_cast<unsigned>(scripts_.size()), true))
      lines.emplace_back(line.interface);
    std::uint64_t begin_ns = sys::monotonic_ns();
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      const std::uint64_t due_ns = begin_ns + sent_[i].time_ns;
      const std::uint64_t now_ns = sys::monotonic_ns();
      if (now_ns < due_ns) std::this_thread::sleep_for(std::chrono::nanoseconds(due_ns - now_ns));
      if (now_ns > due_ns + kLateNs) begin_ns += now_ns - due_ns;
      lines[sent_[i].line].send(packets[i]);
    }
  }

  static void wait_until_quiet(const Receiver& receiver) {
    using namespace std::chrono_literals;
    std::uint64_t before = 0;
    for (int quiet = 0; quiet < 4; ++quiet) {
      std::this_thread::sleep_for(50ms);
      const Progress progress = receiver.progress();
      std::uint64_t packets = progress.packets;
      for (const auto& line : progress.lines) packets += line.packets;
      if (packets != std::exchange(before, packets)) quiet = 0;
    }
  }

  void take(const Delivery& delivery) {
    std::uint32_t offset = framing().header_length;
    const auto length = static_cast<std::uint32_t>(delivery.payload.size());
    std::size_t run = 0;
    for (std::uint32_t i = 0; i < delivery.range.count; ++i) {
      const std::uint64_t number = delivery.range.first + i;
      while (run < delivery.news.size() &&
             number >= delivery.news[run].first + delivery.news[run].count)
        ++run;
      if (run < delivery.news.size() && number >= delivery.news[run].first)
        take_message(number, delivery.payload.subspan(offset));
      offset += lb_message_length(&framing(), delivery.payload.data(), length, offset);
    }
  }
  void take_message(std::uint64_t number, std::span<const std::uint8_t> message) {
    Message as_sent;
    std::memcpy(&as_sent.first, message.data() + framing().message_length.width,
                sizeof(as_sent.first));
    std::memcpy(&as_sent.second,
                message.data() + framing().message_length.width + sizeof(as_sent.first),
                sizeof(as_sent.second));
    if (as_sent.second != number) ++wrong_bytes_;
    if (as_sent.first == kPoisonLife)
      ++poison_delivered_;
    else
      ++delivered_[as_sent];
  }

  bool is_data(const Sent& sent) const {
    return !sent.is_poison && !sent.is_cut && sent.messages > 0;
  }
  /// On any line, each once.
  const std::map<Message, std::uint64_t>& came() const {
    if (!came_.empty()) return came_;
    for (const Sent& sent : sent_)
      for (std::uint32_t i = 0; is_data(sent) && i < sent.messages; ++i)
        came_[{sent.life, sent.first + i}] = 1;
    return came_;
  }
  /// What no line brought, between the first and the last number of a life.
  std::uint64_t gap_messages() const {
    std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> lives;
    for (const Sent& sent : sent_) {
      if (sent.is_poison || sent.is_cut) continue;
      auto& [first, end] = lives.try_emplace(sent.life, sent.first, sent.first).first->second;
      first = std::min(first, sent.first);
      end = std::max(end, sent.first + sent.messages);
    }
    std::uint64_t numbers = 0;
    for (const auto& [life, range] : lives) numbers += range.second - range.first;
    return numbers - came().size();
  }

  ReceiverOptions options_;
  config::Framing framing_;
  std::vector<Sent> sent_;
  std::deque<LineScript> scripts_;
  Summary summary_;
  std::map<Message, std::uint64_t> delivered_;
  mutable std::map<Message, std::uint64_t> came_;
  std::uint64_t poison_delivered_ = 0;
  std::uint64_t wrong_bytes_ = 0;
};

}  // namespace linearb::test
