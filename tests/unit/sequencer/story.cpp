// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/story.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "framing/encode.h"
#include "sequencer/figures.h"

namespace linearb::sequencer::test {
namespace {

constexpr std::uint64_t kTickNs = 10'000'000;  // as the receiver's
/// Stories do not begin when the clock does.
constexpr std::uint64_t kBeginNs = 1'000'000'000'000;
constexpr std::uint64_t kLongestBatchNs = 1'000'000;  // a receiver that is alive comes sooner
constexpr std::uint32_t kMessageBytes = 8;
constexpr std::uint32_t kToldBytes = 4;
constexpr std::size_t kLinesOfComplaint = 12;

std::string name_of(std::size_t line) {
  return std::string(1, static_cast<char>('A' + line));
}

/// Numbers of a life that follow each other and fare alike, as one line of text.
class Runs {
 public:
  Runs(std::string& text, std::uint32_t life) : text_(text), life_(life) {}
  ~Runs() { say(); }

  void add(std::uint64_t number, std::uint32_t times) {
    if (count_ > 0 && times_ == times && first_ + count_ == number) {
      ++count_;
      return;
    }
    say();
    first_ = number;
    times_ = times;
    count_ = 1;
  }

 private:
  void say() {
    if (count_ == 0 || said_ == kLinesOfComplaint) return;
    ++said_;
    text_ += fmt::format("life {}: {} to {} delivered {} times\n", life_, first_,
                         first_ + count_ - 1, times_);
  }

  std::string& text_;
  std::uint32_t life_;
  std::uint64_t first_ = 0;
  std::uint64_t count_ = 0;
  std::uint32_t times_ = 0;
  std::size_t said_ = 0;
};

void write_mark(const lb_framing& framing, lb_kind kind, std::span<std::uint8_t> header) {
  for (std::uint32_t i = 0; i < framing.rule_count; ++i)
    if (framing.rules[i].kind == kind)
      lb_field_write(framing.rules[i].field, header.data(), header.data() + header.size(),
                     framing.rules[i].least);
}

/// Appends the payload to `bytes`. Returns its length.
std::uint32_t encode(const lb_framing& framing, const Sent& sent,
                     std::vector<std::uint8_t>& bytes) {
  const std::uint32_t message = std::max<std::uint32_t>(kMessageBytes, framing.smallest_message);
  const std::uint32_t length = framing.header_length + sent.messages * message;
  bytes.resize(bytes.size() + length);
  std::uint8_t* const payload = bytes.data() + bytes.size() - length;
  lb_header header{};
  header.first = sent.first;
  header.count = sent.count;
  header.session = reinterpret_cast<const lb_u8*>(sent.session.data());
  header.session_length = static_cast<lb_u32>(sent.session.size());
  header.payload_length = length;
  if (framing.session.width == 0) header.session_length = 0;
  lb_framing_encode_header(&framing, payload, length, &header);
  if (sent.marked_as) write_mark(framing, *sent.marked_as, {payload, framing.header_length});
  for (std::uint32_t i = 0; i < sent.messages; ++i) {
    std::uint8_t* const begin = &payload[framing.header_length + i * message];
    // The last bytes tell messages apart: a damaged number leaves those of another one.
    const std::uint64_t told = sent.is_poison ? ~0ull : (sent.first + i) << 8 | sent.life;
    std::memcpy(begin + message - kToldBytes, &told, kToldBytes);
    lb_message_encode_length(&framing, begin, message);
  }
  return length;
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
  if (is_resetting_) sent.marked_as = LB_KIND_RESET;
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

LineScript& LineScript::resets(std::uint64_t first, std::uint64_t last) {
  is_resetting_ = true;
  restarts().sends(first, last);
  is_resetting_ = false;
  return *this;
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

LineScript& LineScript::announces_poison(std::uint64_t next) {
  control(next, 0);
  sent_.back().is_poison = true;
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
      watch_(1, lines, *this, listener_),
      sequencer_(descriptors_, {.lines = lines}, dedup,
                 has_order_ ? static_cast<Decisions&>(watch_) : *this) {
  watch_.follow(sequencer_);
  dropped_.assign(lines, 0);
  for (std::uint8_t line = 0; line < lines; ++line) scripts_.emplace_back(line, kBeginNs, sent_);
}

void Story::play() {
  std::ranges::stable_sort(sent_, {}, [](const Sent& sent) { return sent.time_ns; });
  decisions_.assign(sent_.size(), 0);
  write_packets();
  note_what_came();
  std::uint64_t tick_ns = kBeginNs + kTickNs;
  for (const Packet& packet : packets_) {
    for (; tick_ns <= packet.arrival_ns; tick_ns += kTickNs) tick(tick_ns);
    hand_in(packet);
    most_held_ = std::max(most_held_, sequencer_.held());
  }
  drain();
  tick(tick_ns);
  sequencer_.finish();
  if (order_) order_->finish();
}

void Story::put_hook_in_front(std::size_t batch) {
  hook_ = std::make_unique<HookModel>(framing_.descriptor, Settings{}.ahead);
  batch_ = batch;
}

void Story::put_in_order() {
  order_ = std::make_unique<InOrder>(InOrder::Limits{.channels = 1, .packets = 4096}, ordered_end_);
  passed_ = std::make_unique<PassedByAll>(sequencer_, *order_, lines_);
}

void Story::tick(std::uint64_t now_ns) {
  if (hook_) hook_->tell_marks(sequencer_.channel(0), now_ns);
  sequencer_.tick(now_ns);
  if (has_order_) look(now_ns);
  if (!order_) return;
  order_->tick(now_ns);
  passed_->look(now_ns);
}

/// What the hook has seen is on its way until the batch was handed in.
void Story::look(std::uint64_t now_ns) {
  if (watch_.has_begun() && hook_ && !has_drained_ && !batched_.empty()) return;
  if (watch_.has_begun()) watch_.tell();
  has_drained_ = false;
  watch_.begin(
      1, now_ns,
      [&](std::uint16_t, std::uint32_t line, std::uint64_t epoch) {
        return hook_ ? hook_->mark_of(line, epoch) : 0;
      },
      [](std::uint16_t, std::uint32_t) { return std::uint64_t{0}; });
}

void Story::hand_in(const Packet& packet) {
  if (order_) passed_->look(packet.arrival_ns);
  if (!hook_) return sequencer_.push(packet);
  if (!batched_.empty() && packet.arrival_ns > batched_.front().packet.arrival_ns + kLongestBatchNs)
    drain();
  HookModel::Passed passed{packet};
  if (!hook_->lets_through(passed)) {
    ++decisions_[packet.handle];
    ++dropped_[packet.line];
    return;
  }
  batched_.push_back(passed);
  if (batched_.size() >= batch_) drain();
}

void Story::drain() {
  std::ranges::stable_sort(batched_, {}, [](const auto& passed) { return passed.packet.line; });
  for (HookModel::Passed& passed : batched_) {
    hook_->receive(passed);
    in_hand_ = &passed;
    sequencer_.push(passed.packet);
    hook_->follow(passed, sequencer_.channel(0));
  }
  batched_.clear();
  has_drained_ = true;
}

void Story::write_packets() {
  std::vector<std::uint32_t> lengths;
  for (const Sent& sent : sent_) {
    lengths.push_back(encode(framing_.descriptor, sent, bytes_));
    if (!sent.is_cut) continue;
    lengths.back() -= kMessageBytes;
    bytes_.resize(bytes_.size() - kMessageBytes);
  }
  const std::uint8_t* payload = bytes_.data();
  for (std::size_t i = 0; i < sent_.size(); ++i) {
    Packet packet;
    packet.line = sent_[i].line;
    packet.arrival_ns = sent_[i].time_ns;
    packet.payload = {payload, lengths[i]};
    packet.handle = i;
    packet.kind = lb_framing_decode(&framing_.descriptor, payload, payload + lengths[i], lengths[i],
                                    &packet.datagram);
    if (sent_[i].marked_as) packet.kind = *sent_[i].marked_as;
    packets_.push_back(packet);
    payload += lengths[i];
  }
}

bool Story::shows_numbers(const Packet& packet) const {
  const Sent& sent = sent_[packet.handle];
  if (sent.is_poison || sent.is_cut || !packet.datagram.numbered) return false;
  return packet.kind != LB_KIND_MALFORMED && packet.kind != LB_KIND_UNSEQUENCED;
}

void Story::note_what_came() {
  for (const Packet& packet : packets_) {
    if (!shows_numbers(packet)) continue;
    Life& life = lives_[sent_[packet.handle].life];
    life.first = std::min(life.first, packet.first());
    life.end = std::max(life.end, packet.end());
  }
  for (auto& [number, life] : lives_) life.messages.resize(life.end - life.first);
  for (const Packet& packet : packets_) {
    if (!shows_numbers(packet)) continue;
    Life& life = lives_[sent_[packet.handle].life];
    for (std::uint64_t i = packet.first(); i < packet.end(); ++i) life.at(i).came = true;
  }
}

void Story::decided(const Packet& packet, const Decision& decision) noexcept {
  if (order_)
    order_->decided(packet, decision);
  else
    note_decision(packet, decision);
}

void Story::note_decision(const Packet& packet, const Decision& decision) noexcept {
  ++decisions_[packet.handle];
  if (decision.outcome == Outcome::unsequenced) ++unsequenced_delivered_;
  if (decision.outcome == Outcome::malformed && hook_) hook_->undo(*in_hand_);
  if (decision.outcome == Outcome::overlap) {
    trimmed_.emplace_back();
    for (const lb_run& run : decision.news) trimmed_.back().emplace_back(run.first, run.count);
  }
  note_delivery(packet, decision);
}

void Story::note_delivery(const Packet& packet, const Decision& decision) noexcept {
  const Sent& sent = sent_[packet.handle];
  if (!is_trimmed_right(packet, decision)) ++wrongly_trimmed_;
  for (const lb_run& run : decision.news) {
    if (sent.is_poison) {
      poison_delivered_ += run.count;
      continue;
    }
    if (decision.epoch != 0) {
      const std::pair place(decision.epoch, run.first);
      if (place < come_to_) out_of_order_ += run.count;
      come_to_ = std::max(come_to_, std::pair(decision.epoch, run.first + run.count));
    }
    Life& life = lives_[sent.life];
    for (std::uint64_t number = run.first; number < run.first + run.count; ++number) {
      if (number < life.first || number >= life.end || !life.at(number).came)
        ++invented_;
      else
        ++life.at(number).times_delivered;
    }
  }
}

/// Ascending runs of the packet; all of it where the packet has won.
bool Story::is_trimmed_right(const Packet& packet, const Decision& decision) const noexcept {
  std::uint64_t from = packet.first();
  for (const lb_run& run : decision.news) {
    if (run.count == 0 || run.first < from || run.first + run.count > packet.end()) return false;
    from = run.first + run.count;
  }
  if (decision.outcome != Outcome::won) return true;
  return decision.news.size() == 1 && decision.news[0].count == packet.datagram.count;
}

std::vector<Missing> Story::gaps() const {
  std::vector<Missing> gaps;
  for (const auto& [number, life] : lives_) {
    bool is_open = false;
    for (const Life::Message& message : life.messages) {
      if (!message.came && !is_open) gaps.push_back({number, life.number_of(message), 0});
      if (!message.came) gaps.back().last = life.number_of(message);
      is_open = !message.came;
    }
  }
  return gaps;
}

std::uint64_t Story::messages_that_came() const {
  std::uint64_t messages = 0;
  for (const auto& [number, life] : lives_)
    messages +=
        static_cast<std::uint64_t>(std::ranges::count(life.messages, true, &Life::Message::came));
  return messages;
}

std::string Story::complaint() const {
  std::string text;
  complain_of_deliveries(text);
  complain_of_counts(text);
  if (has_order_) complain_of_gaps(text);
  if (has_order_ && !sequencer_.gaps().truncated()) complain_of_told_gaps(text);
  return text;
}

void Story::complain_of_deliveries(std::string& text) const {
  for (const auto& [number, life] : lives_) {
    Runs runs(text, number);
    for (const Life::Message& message : life.messages)
      if (message.came && message.times_delivered != 1)
        runs.add(life.number_of(message), message.times_delivered);
  }
  if (invented_ > 0) text += fmt::format("{} messages that no line brought\n", invented_);
  if (wrongly_trimmed_ > 0) text += fmt::format("{} packets trimmed wrongly\n", wrongly_trimmed_);
  if (order_ && out_of_order_ > order_->late_repairs())
    text += fmt::format("{} messages out of order, {} of them late repairs\n", out_of_order_,
                        order_->late_repairs());
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
    const auto packets = static_cast<std::uint64_t>(std::ranges::count(sent_, line, &Sent::line));
    const std::uint64_t handed_in = packets - dropped_[line];
    if (counts.packets != handed_in || outcomes != handed_in)
      text += fmt::format("line {}: {} packets, {} counted, {} outcomes\n", name_of(line),
                          handed_in, counts.packets, outcomes);
  }
  if (sequencer_.held() != 0) text += fmt::format("{} still held\n", sequencer_.held());
  if (order_ && order_->held() != 0) text += fmt::format("{} still waiting\n", order_->held());
  const std::uint64_t came = messages_that_came() + poison_delivered_;
  if (sequencer_.messages(0) != came)
    text += fmt::format("{} messages counted, {} came\n", sequencer_.messages(0), came);
}

/// While the feed went on and at its end, less what came late.
void Story::complain_of_told_gaps(std::string& text) const {
  text += listener_.gaps.complaint(gaps_of(sequencer_.gaps(), [](std::uint32_t) { return ""; }));
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
    reported.push_back(
        {static_cast<std::uint32_t>(gap.origin.epoch), gap.range.first, gap.range.end - 1});
  if (reported == expected) return;
  for (const Missing& gap : reported)
    text += fmt::format("reported: epoch {}, {} to {}\n", gap.life, gap.first, gap.last);
  for (const Missing& gap : expected)
    text += fmt::format("the feed's: life {}, {} to {}\n", gap.life, gap.first, gap.last);
  text += fmt::format("newest epoch {}\n", newest_epoch());
}

}  // namespace linearb::sequencer::test
