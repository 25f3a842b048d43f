// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A receiver of several channels, on several threads perhaps, and what each of them brought: every
/// packet is compared byte by byte with what was sent.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "feeder/generator.h"
#include "linearb/receiver.h"
#include "support/packet.h"
#include "support/program.h"
#include "support/raw_line.h"

namespace linearb::test {

inline constexpr std::uint16_t kFeedPort = 30001;

inline Destination group_of(std::size_t channel) {
  return {0xe8010100 + static_cast<std::uint32_t>(channel), kFeedPort};  // 232.1.1.0 and so on
}

inline Bytes packet_of(std::size_t channel, std::uint64_t number) {
  const auto message = feeder::optiq_message(static_cast<std::uint32_t>(number), channel);
  return udp_packet()
      .to_address(group_of(channel).address, kFeedPort)
      .payload(Bytes(message.begin(), message.end()))
      .build();
}

/// What one channel has brought. Only the thread that handles the channel writes it.
struct Taken {
  std::vector<std::uint8_t> times;  ///< that each number came
  std::set<std::thread::id> threads;
  std::uint64_t wrong = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t highest = 0;
};

/// A receiver, and a feed on all of its channels, one packet of each in turn, on every line.
class FedChannels {
 public:
  static constexpr std::uint64_t kNumbersMax = 10'000;
  static constexpr std::uint64_t kAtOnce = 64;

  FedChannels(const ReceiverOptions& options, std::size_t channels)
      : taken_(channels),
        receiver_(
            options, [this](const Delivery& delivery) { take(delivery); },
            [this](const Event& event) {
              const std::lock_guard lock(mutex_);
              events_.push_back(event);
            }),
        result_(std::async(std::launch::async, [this] { return receiver_.run(); })) {
    for (Taken& taken : taken_) taken.times.resize(kNumbersMax);
  }
  ~FedChannels() { receiver_.stop(); }

  /// Numbers [first, first + count) of every channel; `carries(line, channel, number)`. Goes on
  /// when they were delivered, or after a while: so no thread runs out of credits because it is
  /// late.
  template <class Carries>
  void send(std::uint64_t first, std::uint64_t count, Carries carries) {
    for (std::uint64_t number = first; number < first + count; ++number) {
      for (std::size_t channel = 0; channel < taken_.size(); ++channel) {
        bool is_sent = false;
        for (std::size_t line = 0; line < lines_.size(); ++line) {
          if (!carries(line, channel, number)) continue;
          lines_[line].send(packet_of(channel, number));
          is_sent = true;
        }
        sent_ += is_sent;
      }
      if (number % kAtOnce == 0) let_them_take();
    }
  }
  void send(std::uint64_t first, std::uint64_t count) {
    send(first, count, [](std::size_t, std::size_t, std::uint64_t) { return true; });
  }

  Receiver& receiver() { return receiver_; }
  const std::vector<Taken>& taken() const { return taken_; }
  std::vector<Event> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  Summary end() {
    std::uint64_t before = ~0ull;
    while (before != std::exchange(before, receiver_.progress().packets))
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    receiver_.stop();
    return result_.get();
  }
  /// How long the application needs for each packet.
  void slow_down(std::uint32_t us) { slow_us_ = us; }
  /// The application does not come back from its callback for this channel; -1: for none.
  void block(int channel) { blocked_ = channel; }
  /// That many were delivered, of all channels.
  bool wait_for_packets(std::uint64_t packets) {
    return wait_until([&] { return receiver_.progress().packets >= packets; });
  }
  bool wait_for(Event::Kind kind) {
    return wait_until([&] {
      const std::vector<Event> events = this->events();
      return std::ranges::count(events, kind, &Event::kind) > 0;
    });
  }

  /// Of a run that ends by itself.
  Summary result() { return result_.get(); }
  /// Its interface is a new one.
  void renew_line(std::size_t line) {
    lines_[line] = RawLine(line == 0 ? "vethA_src" : "vethB_src");
  }

  void expect_once(std::uint64_t first, std::uint64_t count) const {
    std::vector<std::size_t> all(taken_.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    expect_once_in(all, first, count);
  }
  void expect_once_in(const std::vector<std::size_t>& channels, std::uint64_t first,
                      std::uint64_t count) const {
    for (const std::size_t channel : channels) {
      const Taken& taken = taken_[channel];
      EXPECT_EQ(taken.wrong, 0u) << "channel " << channel;
      EXPECT_EQ(std::ranges::count(taken.times, 1), static_cast<std::ptrdiff_t>(count));
      EXPECT_EQ(std::count(taken.times.begin() + static_cast<std::ptrdiff_t>(first),
                           taken.times.begin() + static_cast<std::ptrdiff_t>(first + count), 1),
                static_cast<std::ptrdiff_t>(count))
          << "channel " << channel;
    }
  }
  /// Each channel by one thread, as far as the run itself went; so many threads in all.
  std::size_t threads() const {
    std::set<std::thread::id> all;
    for (const Taken& taken : taken_) {
      EXPECT_EQ(taken.threads.size(), 1u);
      all.insert(taken.threads.begin(), taken.threads.end());
    }
    return all.size();
  }

 private:
  void let_them_take() const {
    for (int ms = 0;
         ms < 50 && blocked_ < 0 && slow_us_ == 0 && receiver_.progress().packets < sent_; ++ms)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void take(const Delivery& delivery) {
    while (blocked_.load() == static_cast<int>(delivery.channel))
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (const std::uint32_t us = slow_us_.load())
      std::this_thread::sleep_for(std::chrono::microseconds(us));
    Taken& taken = taken_[delivery.channel];
    taken.threads.insert(std::this_thread::get_id());
    const std::uint64_t number = delivery.range.first;
    const Bytes sent = packet_of(delivery.channel, number);
    const bool is_injected = delivery.line == kInjectedLine;
    if (!is_injected && !std::ranges::equal(sent, delivery.packet)) ++taken.wrong;
    if (number < taken.highest) ++taken.out_of_order;
    taken.highest = std::max(taken.highest, number);
    ++taken.times[number];
  }

  std::vector<Taken> taken_;
  std::atomic<int> blocked_ = -1;
  std::atomic<std::uint32_t> slow_us_ = 0;
  std::mutex mutex_;
  std::vector<Event> events_;
  std::array<RawLine, 2> lines_{RawLine("vethA_src"), RawLine("vethB_src")};
  std::uint64_t sent_ = 0;  ///< messages, on any line
  Receiver receiver_;
  std::future<Summary> result_;
};

}  // namespace linearb::test
