// SPDX-License-Identifier: Apache-2.0
//
// Captures of two or three lines, merged in either order. What is delivered is held against plain
// sets: of a feed that only loses, repeats and reorders its packets exactly what some line had; of
// whatever else may be in a capture, nothing that was not there, and nothing left out without a
// counter that says so. And any bytes as captures: merged, or refused.
#include "merge/merge.h"

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "capture/writer.h"
#include "config/framing_file.h"
#include "fuzz/fuzz.h"
#include "fuzz/memory_file.h"
#include "linearb/error.h"
#include "unit/sink/payload.h"

namespace linearb::fuzz {
namespace {

constexpr unsigned kRecordsMax = 1000;
constexpr std::uint64_t kBeginNs = 1'700'000'000'000'000'000;
constexpr std::uint64_t kFirst = 1000;

const lb_framing& mold() {
  static const lb_framing framing = config::builtin_framing("moldudp64").descriptor;
  return framing;
}

/// What one line sends next.
struct Sent {
  std::uint64_t first = kFirst;
  std::uint32_t count = 1;
  std::uint8_t life = 1;
};

test::Bytes payload_of(const Sent& sent) {
  std::vector<test::Bytes> messages;
  for (std::uint32_t i = 0; i < sent.count; ++i) {
    test::Bytes message(12, sent.life);
    for (unsigned byte = 0; byte < 8; ++byte)
      message[2 + byte] = static_cast<std::uint8_t>((sent.first + i) >> 8 * byte);
    messages.push_back(message);
  }
  return test::payload_of(mold(), sent.first, messages);
}

/// The feed as the lines have it, and the files.
class Lines {
 public:
  explicit Lines(std::uint32_t lines) : count_(lines) {
    for (std::uint32_t i = 0; i < lines; ++i) {
      memory_[i] = std::make_unique<MemoryFile>(std::span<const std::uint8_t>());
      writers_[i] = std::make_unique<capture::Writer>(memory_[i]->path());
    }
  }

  void write(std::size_t line, std::uint64_t time_ns, const Sent& sent) {
    for (std::uint32_t i = 0; i < sent.count; ++i) numbers_.insert(sent.first + i);
    if (sent.count == 0) announced_end_ = std::max(announced_end_, sent.first);
    if (sent.count == 0) announced_first_ = std::min(announced_first_, sent.first);
    write_payload(line, time_ns, payload_of(sent));
  }
  /// Of which the capture may have cut some bytes.
  void write_payload(std::size_t line, std::uint64_t time_ns, const test::Bytes& payload,
                     std::size_t cut = 0) {
    ++payloads_[payload];
    const test::Bytes frame = test::udp_packet().payload(payload).build();
    writers_[line]->write(time_ns,
                          std::span(frame).first(frame.size() - std::min(cut, frame.size())),
                          static_cast<std::uint32_t>(frame.size()));
    ++records_[line];
  }
  merge::MergeOptions options() {
    merge::MergeOptions options;
    options.receiver.lines = merge::lines_of(count_);
    options.receiver.channels = {{"itch", "moldudp64", {0, 30001}, {}}};
    for (std::size_t i = 0; i < count_; ++i) {
      writers_[i]->close();
      options.captures.push_back({.path = memory_[i]->path()});
    }
    return options;
  }

  /// Numbers that any line had.
  const std::set<std::uint64_t>& numbers() const { return numbers_; }
  unsigned times(const test::Bytes& payload) const {
    const auto found = payloads_.find(payload);
    return found == payloads_.end() ? 0 : found->second;
  }
  std::uint64_t announced_first() const { return announced_first_; }
  std::uint64_t announced_end() const { return announced_end_; }
  std::uint64_t records(std::size_t line) const { return records_[line]; }

 private:
  std::uint32_t count_;
  std::array<std::unique_ptr<MemoryFile>, 3> memory_;
  std::array<std::unique_ptr<capture::Writer>, 3> writers_;
  std::array<std::uint64_t, 3> records_{};
  std::map<test::Bytes, unsigned> payloads_;
  std::set<std::uint64_t> numbers_;
  std::uint64_t announced_first_ = ~0ull;
  std::uint64_t announced_end_ = 0;
};

/// What came out.
class Delivered {
 public:
  explicit Delivered(const Lines& lines) : lines_(lines) {}

  void add(const Delivery& delivery) {
    const test::Bytes payload(delivery.payload.begin(), delivery.payload.end());
    require(lines_.times(payload) > 0, "what is delivered was in a capture");
    std::uint64_t from = delivery.range.first;
    for (const Run& run : delivery.news) {
      require(run.count > 0 && run.first >= from &&
                  run.first + run.count <= delivery.range.first + delivery.range.count,
              "news are runs of the packet, in order");
      from = run.first + run.count;
      if (delivery.epoch != 0) note_order({delivery.epoch, run.first}, run.count);
      for (std::uint64_t number = run.first; number < from; ++number) note_message(number, payload);
    }
  }

  const std::set<std::uint64_t>& numbers() const { return numbers_; }
  std::uint64_t messages() const { return messages_; }
  std::uint64_t out_of_order() const { return out_of_order_; }
  /// No message of a packet more often than the packet was there.
  void check() const {
    for (const auto& [message, times] : times_)
      require(times <= lines_.times(message.second),
              "nothing is delivered more often than it came");
  }

 private:
  void note_message(std::uint64_t number, const test::Bytes& payload) {
    ++times_[{number, payload}];
    numbers_.insert(number);
    ++messages_;
  }
  void note_order(std::pair<std::uint64_t, std::uint64_t> place, std::uint32_t count) {
    if (place < come_to_) out_of_order_ += count;
    come_to_ = std::max(come_to_, std::pair(place.first, place.second + count));
  }

  const Lines& lines_;
  std::map<std::pair<std::uint64_t, test::Bytes>, unsigned> times_;
  std::set<std::uint64_t> numbers_;
  std::uint64_t messages_ = 0;
  std::pair<std::uint64_t, std::uint64_t> come_to_;
  std::uint64_t out_of_order_ = 0;
};

/// Packets cut anywhere, lost, repeated at once, or exchanged with the next.
void write_orderly(Input& input, Lines& lines, std::size_t line, std::uint64_t begin_ns) {
  Sent sent;
  std::uint64_t time_ns = begin_ns;
  for (unsigned i = 0; i < kRecordsMax / 4 && !input.empty(); ++i) {
    const std::uint8_t how = input.byte();
    sent.count = 1 + (how & 7);
    time_ns += (how >> 3 & 3) * 50'000u;
    const std::uint8_t fate = how >> 5;
    Sent next{.first = sent.first + sent.count, .count = 1u + (how & 3u), .life = 1};
    if (fate == 1) lines.write(line, time_ns, next);
    if (fate != 2) lines.write(line, time_ns, sent);
    if (fate == 3) lines.write(line, time_ns, sent);
    if (fate == 4) lines.write(line, time_ns, {.first = next.first, .count = 0, .life = 1});
    sent.first = fate == 1 ? next.first + next.count : next.first;
  }
}

/// Any number at any time, damaged packets, other traffic, records that are cut.
void write_anything(Input& input, Lines& lines, std::uint32_t line_count) {
  constexpr std::uint64_t kSteps[] = {1'000, 1'000'000, 30'000'000, 1'100'000'000};
  std::uint64_t time_ns = kBeginNs;
  Sent sent;
  for (unsigned i = 0; i < kRecordsMax && !input.empty(); ++i) {
    const std::uint8_t how = input.byte();
    const std::size_t line = how % line_count;
    time_ns += kSteps[how >> 6];
    if ((how >> 2 & 7) == 0) sent.first = input.take<std::uint16_t>();
    if ((how >> 2 & 7) == 1) sent.first += 37u * input.byte();
    if ((how >> 2 & 7) == 2) sent.first -= std::min<std::uint64_t>(sent.first, input.byte());
    if ((how >> 2 & 7) == 3) sent.life = input.byte() & 1;
    const std::uint8_t what = input.byte();
    sent.count = what & 7;
    if (what >> 3 == 31) {
      test::Bytes bytes(input.byte());
      const auto given = input.bytes(bytes.size());
      std::copy(given.begin(), given.end(), bytes.begin());
      lines.write_payload(line, time_ns, bytes);
    } else if (what >> 3 == 30) {
      lines.write_payload(line, time_ns, payload_of(sent), input.byte());
    } else if (what >> 3 == 29) {
      lines.write(line, time_ns - std::min<std::uint64_t>(time_ns, input.take<std::uint32_t>()),
                  sent);
    } else {
      lines.write(line, time_ns, sent);
    }
    sent.first += sent.count;
  }
}

Summary merge_and_hold(Lines& lines, Delivered& delivered, Order order) {
  merge::MergeOptions options = lines.options();
  options.receiver.order = order;
  merge::Merge merge(options, [&](const Delivery& delivery) { delivered.add(delivery); });
  const Summary summary = merge.run();
  require(summary.balanced, "a merge is balanced");
  for (std::size_t i = 0; i < summary.lines.size(); ++i) {
    require(summary.lines[i].packets == lines.records(i), "each record is a packet of its line");
    require(summary.lines[i].accounted() == summary.lines[i].packets, "each packet has one fate");
  }
  require(summary.messages == delivered.messages(), "what is counted was delivered");
  if (order == Order::sequence)
    require(delivered.out_of_order() <= summary.late_repairs, "out of order are late repairs");
  return summary;
}

void expect_exact(const Lines& lines, const Delivered& delivered, const Summary& summary) {
  require(delivered.numbers() == lines.numbers(), "what a line had is delivered");
  require(delivered.messages() == lines.numbers().size(), "once");
  if (lines.numbers().empty()) return;
  const std::uint64_t had = lines.numbers().size();
  const std::uint64_t first = *lines.numbers().begin();
  const std::uint64_t end = *lines.numbers().rbegin() + 1;
  // A heartbeat may have come before all messages, or behind them.
  const std::uint64_t most =
      std::max(end, lines.announced_end()) - std::min(first, lines.announced_first());
  require(*summary.gap_messages >= end - first - had, "what no line had is a gap");
  require(*summary.gap_messages <= most - had, "what a line had is no gap");
}

void merge_orderly(Input& input, Order order, std::uint32_t line_count) {
  Lines lines(line_count);
  for (std::size_t line = 0; line < line_count; ++line) {
    const std::uint64_t skew_ns = input.byte() * 500'000ull;
    const auto part = input.bytes(input.byte());
    Input own(part.data(), part.size());
    write_orderly(own, lines, line, kBeginNs + skew_ns);
  }
  Delivered delivered(lines);
  const Summary summary = merge_and_hold(lines, delivered, order);
  expect_exact(lines, delivered, summary);
}

/// In a feed of several lives nobody knows which of two messages with one number was meant; but
/// each number that came was delivered, or its packet was counted as something else.
void merge_anything(Input& input, Order order, std::uint32_t line_count) {
  Lines lines(line_count);
  write_anything(input, lines, line_count);
  Delivered delivered(lines);
  const Summary summary = merge_and_hold(lines, delivered, order);
  std::uint64_t not_delivered = 0;
  for (const LineSummary& line : summary.lines)
    not_delivered += line.late + line.old_epoch + line.unconfirmed + line.malformed;
  if (not_delivered > 0) return;
  for (const std::uint64_t number : lines.numbers())
    require(delivered.numbers().contains(number), "a number that came is delivered");
}

void merge_bytes(Input& input, Order order) {
  const auto first = input.bytes(input.take<std::uint16_t>());
  const MemoryFile a(first), b(input.rest());
  merge::MergeOptions options;
  options.receiver.lines = merge::lines_of(2);
  options.receiver.channels = {{"itch", "moldudp64", {0, 30001}, {}}};
  options.receiver.order = order;
  options.captures = {{.path = a.path()}, {.path = b.path()}};
  expect_used_or_refused(
      [&] { require(merge::Merge(options).run().balanced, "a merge is balanced"); });
}

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linearb;
  fuzz::Input input(data, size);
  const std::uint8_t what = input.byte();
  const Order order = what & 1 ? Order::sequence : Order::arrival;
  const std::uint32_t lines = 2 + (what >> 1 & 1);
  switch (what >> 2 & 3) {
    case 0:
      fuzz::merge_bytes(input, order);
      break;
    case 1:
      fuzz::merge_anything(input, order, lines);
      break;
    default:
      fuzz::merge_orderly(input, order, lines);
  }
  return 0;
}
