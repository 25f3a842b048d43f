// SPDX-License-Identifier: Apache-2.0
//
// Invariant I7 on the real path: after its start the data thread neither allocates nor locks, logs
// or throws. It is watched from the first packets on for a million more.
#include <cstdlib>
#include <cstring>
#include <future>
#include <mutex>
#include <new>
#include <shared_mutex>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "data_thread/thread_watch.h"
#include "e2e/arbitration.h"

namespace linearb::test {
namespace {

/// The feeder's rate. The hook runs on its CPU; a line that overflows loses packets before the
/// hook, which does not matter here.
constexpr double kRate = 200'000;
constexpr std::uint64_t kUnwatched = 5'000;  ///< packets: the channel is published by then
constexpr std::uint64_t kMillion = 1'000'000;

/// optiq, as the feeder makes it. Allocates nothing.
bool is_as_sent(const Delivery& delivery) {
  std::uint64_t timestamp_ns = 0;
  std::memcpy(&timestamp_ns, delivery.payload.data() + 12, sizeof(timestamp_ns));
  return std::ranges::equal(
      delivery.payload,
      feeder::optiq_message(static_cast<std::uint32_t>(delivery.range.first), timestamp_ns));
}

/// A receiver whose application watches the thread that it is called on.
class Watched {
 public:
  /// `deed` is done by the application once while it is watched; may be empty.
  Watched(const ReceiverOptions& options, std::uint64_t packets, std::function<void()> deed = {})
      : packets_(packets),
        deed_(std::move(deed)),
        receiver_(options, [this](const Delivery& delivery) { take(delivery); }),
        result_(std::async(std::launch::async, [this] { return receiver_.run(); })) {}

  /// Feeds until so many packets were delivered while it was watched.
  Deeds feed_all(double loss = 0) {
    std::uint64_t first = 1;
    for (int parts = 0; !watch_.has_ended() && watch_.error() == 0 && parts < 20; ++parts) {
      auto options = feed_on("AB", first, kUnwatched + packets_);
      options.rate = kRate;
      for (auto& line : options.lines) line.impairment.loss = loss;
      feed(options);
      first += options.packets;
    }
    return end();
  }
  Deeds end() {
    receiver_.stop();
    summary_ = result_.get();
    EXPECT_EQ(watch_.error(), 0) << "seccomp: " << std::strerror(watch_.error());
    EXPECT_TRUE(watch_.has_ended()) << "only " << delivered_ << " packets were delivered";
    EXPECT_EQ(wrong_, 0u) << "packets that nobody sent so";
    return watch_.deeds();
  }
  const Summary& summary() const { return summary_; }
  ThreadWatch& watch() { return watch_; }
  Receiver& receiver() { return receiver_; }

 private:
  void take(const Delivery& delivery) {
    if (!is_as_sent(delivery)) ++wrong_;
    ++delivered_;
    if (delivered_ == kUnwatched) watch_.begin();
    if (delivered_ == kUnwatched + 1 && deed_) deed_();
    if (delivered_ == kUnwatched + packets_) watch_.end();
  }

  ThreadWatch watch_;
  std::uint64_t packets_;
  std::function<void()> deed_;
  std::uint64_t delivered_ = 0;
  std::uint64_t wrong_ = 0;
  Receiver receiver_;
  std::future<Summary> result_;  ///< behind the watch: its thread ends first
  Summary summary_;
};

struct HowReceived {
  const char* name;
  Wait wait;
  bool writes;
  Order order = Order::arrival;
  unsigned threads = 1;  ///< the last of them is watched
};

void PrintTo(const HowReceived& how, std::ostream* out) {
  *out << how.name;
}

using DataThreadTest = LabTest;
class DataThread : public LabTest, public testing::WithParamInterface<HowReceived> {};

TEST_P(DataThread, AllocatesLocksLogsAndThrowsNothingOverAMillionPackets) {
  ReceiverOptions options;
  options.wait = GetParam().wait;
  options.order = GetParam().order;
  options.threads = GetParam().threads;
  options.channels[0].thread = options.threads - 1;
  if (GetParam().writes) options.write_path = "/dev/null";
  Watched watched(options, kMillion);
  // So that packets wait, where there is an order to wait for.
  EXPECT_EQ(watched.feed_all(options.order == Order::sequence ? 0.01 : 0), Deeds{});
  EXPECT_TRUE(watched.summary().balanced) << text(watched.summary().imbalances);
  EXPECT_GE(watched.summary().packets, kMillion);
}

INSTANTIATE_TEST_SUITE_P(
    Waits, DataThread,
    testing::Values(HowReceived{"Poll", Wait::poll, false}, HowReceived{"Spin", Wait::spin, false},
                    HowReceived{"BusyPoll", Wait::busy_poll, false},
                    HowReceived{"PollAndWrite", Wait::poll, true},
                    HowReceived{"PollInSequence", Wait::poll, false, Order::sequence},
                    HowReceived{"TheSecondOfTwo", Wait::poll, true, Order::arrival, 2}),
    [](const auto& how) { return std::string(how.param.name); });

/// The thread that clears the window is woken: the one system call that a feed can make the data
/// thread ask for, once for each epoch.
TEST_F(DataThreadTest, AChangeOfEpochWakesTheThreadThatClearsAndDoesNothingElse) {
  constexpr std::uint64_t kPackets = 10'000;
  Watched watched(ReceiverOptions{}, 2 * kPackets - kUnwatched - 1'000);
  feed(feed_on("AB", 1, kPackets));
  EXPECT_TRUE(wait_until([&] { return watched.receiver().progress().packets == kPackets; }));
  ::usleep(100'000);  // numbers that begin again after a pause are not taken for copies
  feed(feed_on("AB", 1, kPackets));
  Deeds deeds = watched.end();
  EXPECT_LE(std::exchange(deeds.futexes, 0), 1u);
  EXPECT_EQ(deeds, Deeds{});
  EXPECT_EQ(watched.summary().channels[0].epoch, 2u);
  EXPECT_EQ(watched.summary().packets, 2 * kPackets);
}

// ---- that the watch can see ---------------------------------------------------------------------

struct Deed {
  const char* name;
  std::uint64_t Deeds::*count;
  void (*deed)();
};

void PrintTo(const Deed& deed, std::ostream* out) {
  *out << deed.name;
}

std::mutex some_mutex;
std::shared_mutex some_shared_mutex;
/// Volatile, so that the compiler does not leave the allocation out.
void* volatile kept = nullptr;

void allocate_and_free() {
  kept = std::malloc(10);
  std::free(kept);
}
void throw_and_catch() {
  try {
    throw 1;
  } catch (int) {
  }
}
void wake_nobody() {
  std::uint32_t word = 0;
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

const Deed kDeeds[] = {
    {"Malloc", &Deeds::allocations, [] { kept = std::malloc(10); }},
    {"Realloc", &Deeds::allocations, [] { kept = std::realloc(nullptr, 10); }},
    {"New", &Deeds::allocations, [] { kept = new char; }},
    {"AlignedNew", &Deeds::allocations, [] { kept = ::operator new (64, std::align_val_t{64}); }},
    {"Free", &Deeds::frees, allocate_and_free},
    {"Mutex", &Deeds::locks, [] { const std::lock_guard lock(some_mutex); }},
    {"TryMutex", &Deeds::locks, [] { const std::unique_lock lock(some_mutex, std::try_to_lock); }},
    {"SharedMutex", &Deeds::locks, [] { const std::lock_guard lock(some_shared_mutex); }},
    {"ReadSharedMutex", &Deeds::locks, [] { const std::shared_lock lock(some_shared_mutex); }},
    {"Throw", &Deeds::throws, throw_and_catch},
    {"Wake", &Deeds::futexes, wake_nobody},
    {"Log", &Deeds::system_calls, [] { EXPECT_EQ(::write(STDERR_FILENO, "", 0), 0); }},
};

class DataThreadCanary : public LabTest, public testing::WithParamInterface<Deed> {};

TEST_P(DataThreadCanary, WhatTheApplicationDoesIsSeen) {
  Watched watched(ReceiverOptions{}, 2'000, GetParam().deed);
  EXPECT_EQ(watched.feed_all().*GetParam().count, 1u);
}

INSTANTIATE_TEST_SUITE_P(Deeds, DataThreadCanary, testing::ValuesIn(kDeeds),
                         [](const auto& deed) { return std::string(deed.param.name); });

/// glibc asks for a futex from within: no interposed function would see it.
TEST(ThreadWatch, SeesTheFutexOfAMutexThatSomebodyElseHas) {
  ThreadWatch watch;
  std::mutex mutex;
  mutex.lock();
  std::thread waits([&] {
    watch.begin();
    { const std::lock_guard lock(mutex); }
    watch.end();
  });
  EXPECT_TRUE(wait_until([&] { return watch.futexes() > 0 || watch.error() != 0; }));
  mutex.unlock();
  waits.join();
  EXPECT_EQ(watch.deeds().locks, 1u);
  EXPECT_GE(watch.deeds().futexes, 1u);
  EXPECT_EQ(watch.deeds().system_calls, 0u) << watch.deeds().last_system_call;
}

}  // namespace
}  // namespace linearb::test
