// SPDX-License-Identifier: Apache-2.0
#include "linearb/receiver.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "config/check.h"
#include "hook/takeover.h"
#include "receiver/data_thread.h"
#include "receiver/remembrance.h"
#include "receiver/summing_up.h"
#include "receiver/wake.h"
#include "receiver/wiring.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/link_monitor.h"
#include "sys/thread.h"

namespace linearb {
namespace {

using receiver::DataThread;
using receiver::DataThreads;
using receiver::Wake;
using receiver::Wiring;

constexpr std::uint32_t kOrderedMin = 1024;
constexpr std::uint32_t kOrderedMax = 65'536;
/// How long nothing may come of what the hook redirected, when a run ends.
constexpr std::uint64_t kDrainNs = 2'000'000'000;
/// Between two looks at the interfaces, where the kernel says nothing: it does not tell of queues.
constexpr std::uint64_t kLookMs = 1'000;

/// Half of the frames of every socket can wait; sockets come and go.
std::uint32_t ordered_packets_of(const ReceiverOptions& options) noexcept {
  if (options.order == Order::arrival) return 0;
  return std::clamp<std::uint32_t>(4 * options.frames, kOrderedMin, kOrderedMax);
}

/// Before anything is taken that is as large as the options say.
std::unique_ptr<sink::FileSink> open_sink(const ReceiverOptions& options) {
  validate(options);
  return sink::open_file_sink(options.write_path, sink::FileSink::kRingBytes / options.threads,
                              options.threads);
}

}  // namespace

/// Three kinds of threads: the caller's and, where the options want more, others run a data path
/// each; one looks after the interfaces; any may reload. The last two share the wiring under a
/// mutex that a data path never takes.
///
/// Members are in the order in which they are made; destruction goes back the same way.
class Receiver::Implementation final : private receiver::RunEnd {
 public:
  Implementation(const ReceiverOptions& options, Deliver deliver, OnEvent on_event);
  ~Implementation();

  Summary run();
  void stop() noexcept;
  Reloaded reload(const ReceiverOptions& options);
  bool inject(std::uint32_t channel, std::span<const std::uint8_t> payload);
  Progress progress() const;

 private:
  const ReceiverOptions& options() const noexcept { return wiring_.options(); }
  std::unique_ptr<DataThread> make_data_thread(const ReceiverOptions& options, std::size_t number);
  class Companions;
  void receive(std::size_t number);
  void finish_requests();
  bool is_reached() noexcept override;
  bool is_reached_at(std::uint64_t now_ns) noexcept override;
  bool is_idle(std::uint64_t now_ns) noexcept;
  std::uint64_t feed_packets() const noexcept;
  class Caretaker;
  void take_care();
  void tell_events() noexcept;
  void tell(const Event& event) noexcept;
  void tell_notices() noexcept;
  bool may_sleep() noexcept;
  void drain();
  void empty_rings() noexcept;
  Summary sum_up();

  const Deliver deliver_;
  const OnEvent on_event_;
  std::vector<Event> events_;  ///< of wiring_, to be told without the lock
  Wake caretaker_wake_;
  std::unique_ptr<sink::FileSink> sink_;  ///< before the hook is there: a file may be refused
  Wiring wiring_;
  const std::size_t lines_;
  DataThreads threads_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> seen_feed_packets_ = 0;
  std::atomic<std::uint64_t> last_packet_ns_ = 0;  ///< 0: none yet
  bool has_summed_up_ = false;

  std::mutex control_;  ///< of wiring_, while the data threads run
  sys::LinkMonitor link_monitor_;
  std::atomic<bool> run_is_over_ = false;
};

Receiver::Implementation::Implementation(const ReceiverOptions& options, Deliver deliver,
                                         OnEvent on_event)
    : deliver_(std::move(deliver)),
      on_event_(std::move(on_event)),
      sink_(open_sink(options)),
      wiring_(options,
              on_event_ ? [this](const Event& event) { events_.push_back(event); } : OnEvent()),
      lines_(options.lines.size()) {
  for (std::size_t i = 0; i < options.threads; ++i)
    threads_.push_back(make_data_thread(options, i));
  wiring_.start(threads_);
  wiring_.open_slots();
  tell_events();
}

std::unique_ptr<DataThread> Receiver::Implementation::make_data_thread(
    const ReceiverOptions& options, std::size_t number) {
  std::function<void()> wake_teller;
  if (on_event_) wake_teller = [this] { caretaker_wake_.up(); };
  return std::make_unique<DataThread>(
      DataThread::Parts{.path = {.maps = wiring_.maps(),
                                 .uses_identifiers = options.dedup == Dedup::lru,
                                 .ordered_packets = ordered_packets_of(options),
                                 .lines = static_cast<std::uint32_t>(lines_),
                                 .repair_lines = config::repair_mask(wiring_.options()),
                                 .deliver = deliver_,
                                 .sink = sink_ ? &sink_->inlet(number) : nullptr},
                        .wait = options.wait,
                        .wake_teller = wake_teller});
}

/// Not before: until the caller is done with the summary it has not said what is missing.
Receiver::Implementation::~Implementation() {
  if (has_summed_up_) receiver::answer(wiring_.maps());
}

/// The thread that looks after the interfaces and tells what happens, for as long as the data
/// threads run.
class Receiver::Implementation::Caretaker {
 public:
  explicit Caretaker(Implementation& receiver) try
      : receiver_(receiver), thread_(sys::start_thread([&receiver] { receiver.take_care(); })) {
  } catch (...) {
    receiver.finish_requests();  // a reload may be waiting
  }
  /// Who waits for the data threads, or will, waits in vain from here on.
  ~Caretaker() {
    receiver_.finish_requests();
    receiver_.caretaker_wake_.up();
    thread_.join();
  }

 private:
  Implementation& receiver_;
  std::thread thread_;
};

/// The threads that run the data paths behind the first one.
class Receiver::Implementation::Companions {
 public:
  explicit Companions(Implementation& receiver) : receiver_(receiver) {
    try {
      for (std::size_t i = 1; i < receiver.threads_.size(); ++i)
        threads_.push_back(sys::start_thread([this, i] { receive(i); }));
    } catch (...) {
      end();
      throw;
    }
  }
  ~Companions() { end(); }

  /// After the end: throws what one of them could not begin for.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }
  void end() noexcept {
    receiver_.stop();
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }

 private:
  void receive(std::size_t number) noexcept {
    try {
      receiver_.receive(number);
    } catch (...) {
      if (!has_failed_.exchange(true)) failure_ = std::current_exception();
      receiver_.stop();
    }
  }

  Implementation& receiver_;
  std::atomic<bool> has_failed_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

Summary Receiver::Implementation::run() {
  {
    const Caretaker caretaker(*this);  // before this thread is pinned: it would be, too
    Companions companions(*this);
    receive(0);
    companions.end();
    companions.rethrow();
  }
  tell_notices();
  const std::lock_guard lock(control_);  // a reload that is refused now may still have it
  for (const auto& thread : threads_)
    thread->notices().tell_at_once(
        [this](const receiver::TaggedNotice& notice) { tell(wiring_.event_of(notice)); });
  drain();
  return sum_up();
}

void Receiver::Implementation::receive(std::size_t number) {
  if (!options().cpus.empty()) sys::pin_this_thread(options().cpus[number]);
  threads_[number]->receive_until(*this);
}

/// The data threads have ended, and this one does their work until nobody is at the wiring any
/// more: what one of them has carried out the others do, too.
void Receiver::Implementation::finish_requests() {
  run_is_over_.store(true);  // nobody begins
  std::unique_lock lock(control_, std::try_to_lock);
  while (!lock && !lock.try_lock()) {
    for (const auto& thread : threads_) thread->receive_once();
    threads_.front()->wait_briefly();
  }
  for (const auto& thread : threads_) thread->end_requests();
}

/// One that has come to the end ends all.
bool Receiver::Implementation::is_reached() noexcept {
  if (stopping_.load(std::memory_order_relaxed)) return true;
  const std::optional<std::uint64_t> wanted = options().packets;
  if (!wanted) return false;
  std::uint64_t delivered = 0;
  for (const auto& thread : threads_) delivered += thread->path().delivered();
  if (delivered < *wanted) return false;
  stop();
  return true;
}

bool Receiver::Implementation::is_reached_at(std::uint64_t now_ns) noexcept {
  if (!(sink_ && sink_->failed()) && !is_idle(now_ns)) return false;
  stop();
  return true;
}

/// What the lines have brought so far, dropped duplicates too: a line whose copies all come second
/// is not idle.
std::uint64_t Receiver::Implementation::feed_packets() const noexcept {
  const auto bank = static_cast<std::uint32_t>(wiring_.maps().config().bank & 1);
  std::uint64_t packets = 0;
  for (std::uint32_t line = 0; line < lines_; ++line)
    packets += hook::feed_packets(hook::sum_counters(wiring_.maps(), bank, line));
  return packets;
}

bool Receiver::Implementation::is_idle(std::uint64_t now_ns) noexcept {
  const std::optional<double> idle_exit = options().idle_exit_seconds;
  if (!idle_exit) return false;
  const std::uint64_t packets = feed_packets();
  // In this order: another thread that sees the packets has to see the time, too.
  if (packets != seen_feed_packets_.load()) {
    last_packet_ns_.store(now_ns);
    seen_feed_packets_.store(packets);
  }
  const std::uint64_t last_ns = last_packet_ns_.load();
  return last_ns != 0 && now_ns > last_ns &&
         static_cast<double>(now_ns - last_ns) / 1e9 >= *idle_exit;
}

/// A look each second, and when an interface changes; events are told when they come, and do not
/// put it off.
void Receiver::Implementation::take_care() {
  constexpr std::uint64_t kMs = 1'000'000;
  for (std::uint64_t look_ns = 0; !run_is_over_.load();) {
    if (sys::monotonic_ns() >= look_ns) {
      const std::lock_guard lock(control_);
      wiring_.look(threads_);
      look_ns = sys::monotonic_ns() + kLookMs * kMs;
    }
    tell_events();
    tell_notices();
    const std::uint64_t now_ns = sys::monotonic_ns();
    const std::uint64_t left_ns = look_ns - std::min(now_ns, look_ns);
    const int left_ms = static_cast<int>((left_ns + kMs - 1) / kMs);
    if (may_sleep() && link_monitor_.wait(caretaker_wake_.fd(), left_ms)) look_ns = 0;
    caretaker_wake_.reset();
  }
}

/// Without the lock: what is told may take its time, and may be answered by an injection.
void Receiver::Implementation::tell_events() noexcept {
  std::unique_lock lock(control_);
  const std::vector<Event> events = std::exchange(events_, {});
  lock.unlock();
  for (const Event& event : events) tell(event);
}

/// What the application does is its own: it cannot end the receiver.
void Receiver::Implementation::tell(const Event& event) noexcept {
  try {
    on_event_(event);
  } catch (...) {
  }
}

void Receiver::Implementation::tell_notices() noexcept {
  std::uint64_t lost = 0;
  for (const auto& thread : threads_) {
    receiver::TaggedNotice notice;
    while (thread->notices().pop(notice)) {
      std::unique_lock lock(control_);
      const Event event = wiring_.event_of(notice);
      lock.unlock();
      tell(event);
    }
    lost += thread->notices().take_lost();
  }
  if (lost == 0) return;
  Event event;
  event.kind = Event::Kind::events_lost;
  event.count = lost;
  event.text = fmt::format("{} events were not told: there were more than could be told", lost);
  event.time_ns = sys::realtime_ns();
  tell(event);
}

bool Receiver::Implementation::may_sleep() noexcept {
  return std::ranges::all_of(threads_,
                             [](const auto& thread) { return thread->notices().may_sleep(); });
}

Reloaded Receiver::Implementation::reload(const ReceiverOptions& options) {
  const std::lock_guard lock(control_);
  if (run_is_over_.load()) throw Error("reload: the run is over");
  return wiring_.reload(options, threads_);
}

bool Receiver::Implementation::inject(std::uint32_t channel,
                                      std::span<const std::uint8_t> payload) {
  if (run_is_over_.load()) return false;
  const std::lock_guard lock(control_);
  const receiver::RunningChannel& running = wiring_.channel_for(channel, payload);
  const auto feed = std::ranges::find_if(
      options().lines, [this](const Line& line) { return !options().only_repairs(line.name); });
  const Destination& destination = running.options.destination_on(feed->name);
  DataThread& thread = *threads_[running.thread];
  if (!thread.injections().push(channel, running.index, destination, payload)) return false;
  thread.wake();
  return true;
}

/// Slots first: from here on nothing new is redirected, and the rings run empty.
void Receiver::Implementation::drain() {
  for (const auto& thread : threads_) {
    thread->injections().close();
    thread->path().take_injected();
  }
  receiver::remember_marks(wiring_.maps());
  wiring_.empty_slots();
  empty_rings();
}

/// For as long as something comes: the application may need its time for each packet.
void Receiver::Implementation::empty_rings() noexcept {
  for (std::uint64_t last_ns = sys::monotonic_ns();;) {
    std::uint32_t received = 0;
    bool has_come = true;
    for (const auto& thread : threads_) {
      received += thread->path().receive();
      has_come = has_come && thread->path().drained();
    }
    const std::uint64_t now_ns = sys::monotonic_ns();
    if (received > 0) last_ns = now_ns;
    if (received > 0) continue;
    if (has_come || now_ns >= last_ns + kDrainNs) return;
    for (const auto& thread : threads_) thread->path().tick(now_ns);
    threads_.front()->wait_briefly();
  }
}

Summary Receiver::Implementation::sum_up() {
  const std::uint32_t bank = hook::change_bank(wiring_.maps(), static_cast<std::uint32_t>(lines_));
  for (const auto& thread : threads_) thread->path().finish();
  wiring_.finish();
  if (sink_) sink_->finish();
  has_summed_up_ = true;
  return receiver::sum_up(
      {.wiring = wiring_, .threads = threads_, .bank = bank, .sink = sink_.get()});
}

void Receiver::Implementation::stop() noexcept {
  stopping_.store(true);
  for (const auto& thread : threads_) thread->wake();
}

Progress Receiver::Implementation::progress() const {
  const auto bank = static_cast<std::uint32_t>(wiring_.maps().config().bank & 1);
  Progress progress;
  for (const auto& thread : threads_) {
    progress.packets += thread->path().delivered();
    progress.messages += thread->path().delivered_messages();
  }
  for (std::uint32_t line = 0; line < lines_; ++line) {
    const lb_counters counters = hook::sum_counters(wiring_.maps(), bank, line);
    std::uint64_t won = 0;
    for (const auto& thread : threads_) won += thread->path().won(line);
    progress.lines.push_back({hook::feed_packets(counters), won, counters.duplicate});
  }
  return progress;
}

Receiver::Receiver(const ReceiverOptions& options, Deliver deliver, OnEvent on_event)
    : implementation_(
          std::make_unique<Implementation>(options, std::move(deliver), std::move(on_event))) {}
Receiver::~Receiver() = default;
Summary Receiver::run() {
  return implementation_->run();
}
void Receiver::stop() noexcept {
  implementation_->stop();
}
Reloaded Receiver::reload(const ReceiverOptions& options) {
  return implementation_->reload(options);
}
bool Receiver::inject(std::uint32_t channel, std::span<const std::uint8_t> payload) {
  return implementation_->inject(channel, payload);
}
Progress Receiver::progress() const {
  return implementation_->progress();
}

}  // namespace linearb
