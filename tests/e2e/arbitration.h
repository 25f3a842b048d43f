// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A receiver at work on the lab's lines, and what came out of it: every payload is compared byte
/// by byte with what the feeder makes of its number.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "feeder/feeder.h"
#include "lab/lab.h"
#include "linearb/receiver.h"
#include "support/namespace.h"
#include "support/program.h"
#include "support/told_gaps.h"

namespace linearb::test {

inline std::vector<Line> lines_of(unsigned count, bool source) {
  std::vector<Line> lines;
  for (unsigned i = 0; i < count; ++i) {
    const char name = static_cast<char>('A' + i);
    lines.push_back(
        {std::string(1, name), source ? lab::source_name(name) : lab::destination_name(name)});
  }
  return lines;
}

/// Packets/s. LINEARB_TEST_RATE says less where a veth queue would overflow at it: on an emulated
/// CPU.
inline double feed_rate() {
  const char* slower = std::getenv("LINEARB_TEST_RATE");
  return slower ? std::stod(slower) : 20'000;
}

/// A feed of `packets` packets on the named lines ("AB"), without impairments.
inline feeder::FeederOptions feed_on(const std::string& lines, std::uint64_t first,
                                     std::uint64_t packets, const std::string& framing = "optiq") {
  feeder::FeederOptions options;
  for (const char name : lines) {
    feeder::FeederLine line;
    line.line = {std::string(1, name), lab::source_name(name)};
    options.lines.push_back(line);
  }
  options.framing = config::builtin_framing(framing);
  options.packets = packets;
  options.messages.first = first;
  options.rate = feed_rate();
  return options;
}

inline feeder::FeederResult feed(const feeder::FeederOptions& options) {
  feeder::Feeder feeder(options);
  return feeder.run();
}

/// LINEARB_TEST_THREADS says how many data threads there are where a test does not: the channels
/// are the last one's, so that one function is enough for all.
inline ReceiverOptions with_test_threads(ReceiverOptions options) {
  const char* threads = std::getenv("LINEARB_TEST_THREADS");
  if (!threads || options.threads != 1 || options.dedup == Dedup::lru) return options;
  options.threads = static_cast<unsigned>(std::stoul(threads));
  for (Channel& channel : options.channels) channel.thread = options.threads - 1;
  if (!options.cpus.empty()) options.cpus.resize(options.threads, options.cpus[0]);
  return options;
}

/// A receiver on a thread of its own.
class Running {
 public:
  explicit Running(const ReceiverOptions& options)
      : framing_(config::load_framing(options.channels[0].framing)),
        receiver_(
            with_test_threads(options), [this](const Delivery& delivery) { record(delivery); },
            [this](const Event& event) { record(event); }),
        result_(std::async(std::launch::async, [this] { return receiver_.run(); })) {}
  /// Of a test that has failed.
  ~Running() { receiver_.stop(); }

  /// Until nothing has come for a while, then ends the run.
  Summary end() {
    wait_until_quiet();
    receiver_.stop();
    return result_.get();
  }
  void wait_until_quiet() {
    using namespace std::chrono_literals;
    std::uint64_t before = 0;
    for (int quiet = 0; quiet < 6; ++quiet) {
      std::this_thread::sleep_for(50ms);
      std::uint64_t packets = receiver_.progress().packets;
      for (const auto& line : receiver_.progress().lines) packets += line.packets;
      if (packets != std::exchange(before, packets)) quiet = 0;
    }
  }
  Receiver& receiver() { return receiver_; }

  std::vector<Event> events() const {
    const std::lock_guard lock(events_mutex_);
    return events_;
  }
  /// Waits until so many events of the kind have come.
  bool wait_for(Event::Kind kind, std::ptrdiff_t times = 1) const {
    return wait_until([&] {
      const std::vector<Event> events = this->events();
      return std::ranges::count(events, kind, &Event::kind) >= times;
    });
  }
  std::string event_texts() const {
    std::string all;
    for (const Event& event : events()) all += event.text + "\n";
    return all;
  }

  /// What was told of gaps while the feed went on, against the summary: the same, each once.
  std::string complaint_of_told_gaps(const Summary& summary) const {
    if (!summary.gaps || summary.gaps_truncated) return {};
    ToldGaps told;
    for (const Event& event : events()) {
      const Gap gap{event.channel, event.epoch, event.first, event.count};
      if (event.kind == Event::Kind::gap) told.add(gap);
      if (event.kind == Event::Kind::late_repair) told.repair(gap);
      if (event.kind == Event::Kind::events_lost) return event.text;
    }
    return told.complaint(*summary.gaps);
  }

  /// While it is set, the application does not come back from its callback.
  std::atomic<bool> blocked = false;
  /// How long it needs for each packet.
  std::atomic<std::uint32_t> slow_us = 0;

  /// How often each number came, by epoch. After end().
  const std::map<std::uint64_t, std::map<std::uint64_t, int>>& delivered() const {
    return delivered_;
  }
  std::uint64_t wrong_bytes() const { return wrong_bytes_; }
  /// Messages that came after one with a higher number, or of a later epoch.
  std::uint64_t out_of_order() const { return out_of_order_; }

  /// Each number of [first, first + count) came in this epoch, once; nothing came twice.
  void expect_once(std::uint64_t epoch, std::uint64_t first, std::uint64_t count) const {
    const auto found = delivered_.find(epoch);
    ASSERT_NE(found, delivered_.end()) << "nothing was delivered in epoch " << epoch;
    std::uint64_t missing = 0, twice = 0;
    for (std::uint64_t number = first; number < first + count; ++number) {
      const auto times = found->second.find(number);
      if (times == found->second.end())
        ++missing;
      else if (times->second > 1)
        ++twice;
    }
    EXPECT_EQ(missing, 0u) << "of epoch " << epoch;
    EXPECT_EQ(twice, 0u) << "of epoch " << epoch;
  }

 private:
  void record(const Event& event) {
    const std::lock_guard lock(events_mutex_);
    events_.push_back(event);
  }
  void record(const Delivery& delivery) {
    while (blocked.load()) std::this_thread::yield();
    if (const std::uint32_t us = slow_us.load())
      std::this_thread::sleep_for(std::chrono::microseconds(us));
    const bool is_one_message = lb_framing_is_one_message(&framing_.descriptor) != 0;
    std::uint32_t offset = is_one_message ? 0 : framing_.descriptor.header_length;
    std::size_t run = 0;
    for (std::uint32_t i = 0; i < delivery.range.count; ++i) {
      const std::uint64_t number = delivery.range.first + i;
      const std::uint32_t length =
          is_one_message
              ? static_cast<std::uint32_t>(delivery.payload.size())
              : lb_message_length(&framing_.descriptor, delivery.payload.data(),
                                  static_cast<std::uint32_t>(delivery.payload.size()), offset);
      while (run < delivery.news.size() &&
             number >= delivery.news[run].first + delivery.news[run].count)
        ++run;
      if (run < delivery.news.size() && number >= delivery.news[run].first) {
        ++delivered_[delivery.epoch][number];
        const std::pair at(delivery.epoch, number);
        if (at < highest_) ++out_of_order_;
        highest_ = std::max(highest_, at);
        if (!is_as_sent(number, delivery.payload.subspan(offset, length))) ++wrong_bytes_;
      }
      offset += length;
    }
  }

  bool is_as_sent(std::uint64_t number, std::span<const std::uint8_t> message) const {
    if (framing_.name == "optiq") {
      std::uint64_t timestamp_ns = 0;
      std::memcpy(&timestamp_ns, message.data() + 12, sizeof(timestamp_ns));
      const auto sent = feeder::optiq_message(static_cast<std::uint32_t>(number), timestamp_ns);
      return std::ranges::equal(message, sent);
    }
    std::vector<std::uint8_t> sent(message.size());
    feeder::write_message(framing_.descriptor, number, sent);
    return std::ranges::equal(message, sent);
  }

  config::Framing framing_;
  std::map<std::uint64_t, std::map<std::uint64_t, int>> delivered_;
  std::uint64_t wrong_bytes_ = 0;
  std::uint64_t out_of_order_ = 0;
  std::pair<std::uint64_t, std::uint64_t> highest_;
  mutable std::mutex events_mutex_;
  std::vector<Event> events_;
  Receiver receiver_;
  std::future<Summary> result_;  ///< last: its thread uses all of the above
};

inline std::string text(const std::vector<std::string>& sentences) {
  std::string all;
  for (const std::string& sentence : sentences) all += sentence + "\n";
  return all;
}

inline std::uint64_t sum(const Summary& summary, std::uint64_t LineSummary::*field) {
  std::uint64_t total = 0;
  for (const LineSummary& line : summary.lines) total += line.*field;
  return total;
}

inline std::string mode_name(const ::testing::TestParamInfo<Mode>& test) {
  return test.param == Mode::native ? "Native" : "Generic";
}

/// Tests that run with the hook in native and in generic mode.
class BothModes : public LabTest, public ::testing::WithParamInterface<Mode> {
 protected:
  static ReceiverOptions options() {
    ReceiverOptions options;
    options.mode = GetParam();
    return options;
  }
  /// What is true of every run, whatever happened on the lines.
  static void expect_sound(const Summary& summary, const Running& running) {
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
    EXPECT_EQ(running.wrong_bytes(), 0u);
    EXPECT_EQ(running.complaint_of_told_gaps(summary), "");
    EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
    for (const LineSummary& line : summary.lines)
      EXPECT_EQ(line.mode, GetParam() == Mode::native ? "native" : "generic");
  }
};

}  // namespace linearb::test
