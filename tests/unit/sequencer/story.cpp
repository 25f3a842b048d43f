// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/story.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "framing/encode.h"

namespace linearb::sequencer::test {
namespace {

constexpr std::uint64_t kTickNs = 100'000'000;  // as the receiver's
/// Stories do not begin when the clock does.
constexpr std::uint64_t kBeginNs = 1'000'000'000'000;
constexpr std::uint32_t kMessageBytes = 4;
constexpr std::size_t kLinesOfComplaint = 12;

std::string name_of(std::size_t line) { return std::string(1, static_cast<char>('A' + line)); }

/// Messages that follow each other and fare alike, as one line of text.
class Runs {
 public:
  explicit Runs(std::string& text) : text_(text) {}
  ~Runs() { say(); }

  void add(const Message& message, std::uint32_t times) {
    if (count_ > 0 && first_.life == message.life && times_ == times &&
        first_.number + count_ == message.number) {
      ++count_;
      return;
    }
    say();
    first_ = message;
    times_ = times;
    count_ = 1;
  }

 private:
  void say() {
    if (count_ == 0 || said_ == kLinesOfComplaint) return;
    ++said_;
    text_ += fmt::format("life {}: {} to {} delivered {} times\n", first_.life, first_.number,
                         first_.number + count_ - 1, times_);
  }

  std::string& text_;
  Message first_;
  std::uint64_t count_ = 0;
  std::uint32_t times_ = 0;
  std::size_t said_ = 0;
};

std::vector<std::uint8_t> encode(const lb_framing& framing, const Sent& sent) {
  const std::uint32_t message = std::max<std::uint32_t>(kMessageBytes, framing.smallest_message);
  const std::uint32_t length = framing.header_length + sent.messages * message;
  std::vector<std::uint8_t> payload(length);
  lb_header header{};
  header.first = sent.first;
  header.count = sent.count;
  header.session = reinterpret_cast<const lb_u8*>(sent.session.data());
  header.session_length = static_cast<lb_u32>(sent.session.size());
  header.payload_length = length;
  if (framing.session.width == 0) header.session_length = 0;
  lb_framing_encode_header(&framing, payload.data(), length, &header);
  for (std::uint32_t i = 0; i < sent.messages; ++i)
    lb_message_encode_length(&framing, &payload[framing.header_length + i * message], message);
  if (sent.is_cut) payload.pop_back();
  return payload;
}

}  // namespace

Sent LineScript::packet(std::uint64_t first, std::uint64_t count) const {
  Sent sent;
  sent.time_ns = now_ns_;
  sent.line = line_;
  sent.life = life_;
  sent.session = session_;
  sent.first = first;
  sent.count = count;
  sent.messages = static_cast<std::uint32_t>(count);
  return sent;
}

void LineScript::put(const Sent& sent) {
  sent_.push_back(sent);
  if (!repeats_) return;
  sent_.push_back(sent);
  sent_.back().time_ns += repeat_after_ns_;
}

LineScript& LineScript::sends(std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t number = first; number <= last; number += messages_) {
    put(packet(number, std::min<std::uint64_t>(messages_, last + 1 - number)));
    now_ns_ += interval_ns_;
  }
  return *this;
}

LineScript& LineScript::loses(std::uint64_t first, std::uint64_t last) {
  now_ns_ += (last + messages_ - first) / messages_ * interval_ns_;
  return *this;
}

LineScript& LineScript::sends_pairs_swapped(std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t number = first; number <= last; number += 2 * messages_) {
    const std::uint64_t second = number + messages_;
    if (second <= last) sends(second, std::min<std::uint64_t>(last, second + messages_ - 1));
    sends(number, std::min<std::uint64_t>(last, second - 1));
  }
  return *this;
}

LineScript& LineScript::repeats_each_after(nanoseconds time) {
  repeats_ = true;
  repeat_after_ns_ = to_ns(time);
  return *this;
}

LineScript& LineScript::opens_session(std::string session) {
  session_ = std::move(session);
  return restarts();
}

LineScript& LineScript::control(std::uint64_t next, std::uint64_t count) {
  Sent sent = packet(next, 0);
  sent.count = count;
  put(sent);
  return *this;
}

LineScript& LineScript::sends_unsequenced() {
  put(packet(0, 1));
  return *this;
}

LineScript& LineScript::sends_poison(std::uint64_t number) {
  return sends_poison_session(number, session_);
}

LineScript& LineScript::sends_poison_session(std::uint64_t number, std::string session) {
  Sent sent = packet(number, 1);
  sent.is_poison = true;
  sent.session = std::move(session);
  put(sent);
  return *this;
}

LineScript& LineScript::sends_cut(std::uint64_t first, std::uint64_t last) {
  Sent sent = packet(first, last + 1 - first);
  sent.is_cut = true;
  put(sent);
  now_ns_ += interval_ns_;
  return *this;
}

Story::Story(const std::string& framing, std::uint32_t lines, Dedup dedup)
    : framing_(config::builtin_framing(framing)),
      lines_(lines),
      has_order_(dedup == Dedup::window),
      sequencer_(descriptors_, {.lines = lines}, dedup, *this) {
  for (std::uint8_t line = 0; line < lines; ++line) scripts_.emplace_back(line, kBeginNs, sent_);
}

void Story::play() {
  std::ranges::stable_sort(sent_, {}, [](const Sent& sent) { return sent.time_ns; });
  decisions_.assign(sent_.size(), 0);
  for (const Sent& sent : sent_) payloads_.push_back(encode(framing_.descriptor, sent));
  std::uint64_t tick_ns = kBeginNs + kTickNs;
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    for (; tick_ns <= sent_[i].time_ns; tick_ns += kTickNs) sequencer_.tick(tick_ns);
    push(i);
    most_held_ = std::max(most_held_, sequencer_.held());
  }
  sequencer_.finish();
}

void Story::push(std::size_t index) {
  const Sent& sent = sent_[index];
  const std::vector<std::uint8_t>& payload = payloads_[index];
  Packet packet;
  packet.line = sent.line;
  packet.arrival_ns = sent.time_ns;
  packet.payload = payload;
  packet.handle = index;
  packet.kind = lb_framing_decode(&framing_.descriptor, payload.data(),
                                  payload.data() + payload.size(),
                                  static_cast<lb_u32>(payload.size()), &packet.datagram);
  note(sent, packet);
  sequencer_.push(packet);
}

/// What the feed knows of the packet.
void Story::note(const Sent& sent, const Packet& packet) {
  if (sent.is_poison || sent.is_cut || !packet.datagram.numbered) return;
  if (packet.kind == LB_KIND_MALFORMED || packet.kind == LB_KIND_UNSEQUENCED) return;
  Life& life = lives_[sent.life];
  life.first = std::min(life.first, packet.first());
  life.end = std::max(life.end, packet.end());
  for (std::uint64_t number = packet.first(); number < packet.end(); ++number)
    messages_.try_emplace({sent.life, number}, 0);
}

void Story::decided(const Packet& packet, const Decision& decision) noexcept {
  const Sent& sent = sent_[packet.handle];
  ++decisions_[packet.handle];
  if (decision.outcome == Outcome::unsequenced) ++unsequenced_delivered_;
  if (decision.outcome == Outcome::overlap) {
    trimmed_.emplace_back();
    for (const lb_run& run : decision.news) trimmed_.back().emplace_back(run.first, run.count);
  }
  for (const lb_run& run : decision.news) {
    if (sent.is_poison) {
      poison_delivered_ += run.count;
      continue;
    }
    for (std::uint64_t number = run.first; number < run.first + run.count; ++number) {
      const auto message = messages_.find({sent.life, number});
      if (message == messages_.end())
        ++invented_;
      else
        ++message->second;
    }
  }
}

std::vector<Missing> Story::gaps() const {
  std::vector<Missing> gaps;
  for (const auto& [life, range] : lives_) {
    std::uint64_t next = range.first;
    for (auto message = messages_.lower_bound({life, 0});
         message != messages_.end() && message->first.life == life; ++message) {
      const std::uint64_t number = message->first.number;
      if (number > next) gaps.push_back({life, next, number - 1});
      next = number + 1;
    }
    if (next < range.end) gaps.push_back({life, next, range.end - 1});
  }
  return gaps;
}

std::string Story::complaint() const {
  std::string text;
  complain_of_deliveries(text);
  complain_of_counts(text);
  if (has_order_) complain_of_gaps(text);
  return text;
}

void Story::complain_of_deliveries(std::string& text) const {
  {
    Runs runs(text);
    for (const auto& [message, times] : messages_)
      if (times != 1) runs.add(message, times);
  }
  if (invented_ > 0) text += fmt::format("{} messages that no line brought\n", invented_);
}

void Story::complain_of_counts(std::string& text) const {
  for (std::size_t i = 0; i < decisions_.size(); ++i)
    if (decisions_[i] != 1)
      text += fmt::format("packet {} of line {} was decided {} times\n", i, name_of(sent_[i].line),
                          decisions_[i]);
  for (std::size_t line = 0; line < lines_; ++line) {
    const LineCounts& counts = sequencer_.line(line);
    const std::uint64_t outcomes =
        std::accumulate(counts.outcomes.begin(), counts.outcomes.end(), std::uint64_t{0});
    const auto packets =
        static_cast<std::uint64_t>(std::ranges::count(sent_, line, &Sent::line));
    if (counts.packets != packets || outcomes != packets)
      text += fmt::format("line {}: {} packets, {} counted, {} outcomes\n", name_of(line), packets,
                          counts.packets, outcomes);
  }
  if (sequencer_.held() != 0) text += fmt::format("{} still held\n", sequencer_.held());
  const std::uint64_t messages = sequencer_.messages(0);
  if (messages != messages_.size() + poison_delivered_)
    text += fmt::format("{} messages counted, {} came\n", messages,
                        messages_.size() + poison_delivered_);
}

/// A life of the feed and an epoch of the sequencer are the same, in the same order.
void Story::complain_of_gaps(std::string& text) const {
  const std::vector<Missing> expected = gaps();
  std::uint64_t missing = 0;
  for (const Missing& gap : expected) missing += gap.last - gap.first + 1;
  const std::uint64_t counted = sequencer_.channel(0).gap_messages();
  if (counted != missing) text += fmt::format("{} in gaps, not {}\n", counted, missing);
  std::vector<Missing> reported;
  for (const GapList::Gap& gap : sequencer_.gaps().gaps())
    reported.push_back({static_cast<std::uint32_t>(gap.origin.epoch), gap.range.first,
                        gap.range.end - 1});
  if (reported == expected) return;
  for (const Missing& gap : reported)
    text += fmt::format("reported: epoch {}, {} to {}\n", gap.life, gap.first, gap.last);
  for (const Missing& gap : expected)
    text += fmt::format("the feed's: life {}, {} to {}\n", gap.life, gap.first, gap.last);
  if (newest_epoch() != lives_.rbegin()->first)
    text += fmt::format("newest epoch {}\n", newest_epoch());
}

}  // namespace linearb::sequencer::test
