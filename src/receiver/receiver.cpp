// SPDX-License-Identifier: Apache-2.0
#include "linearb/receiver.h"

#include <atomic>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "hook/takeover.h"
#include "receiver/data_path.h"
#include "receiver/handover.h"
#include "receiver/notice_ring.h"
#include "receiver/remembrance.h"
#include "receiver/summing_up.h"
#include "receiver/wiring.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/error.h"
#include "sys/link_monitor.h"
#include "sys/thread.h"

namespace linearb {
namespace {

using receiver::Change;
using receiver::DataPath;
using receiver::Port;
using receiver::Wiring;

constexpr std::uint64_t kTickNs = sequencer::Sequencer::kTickNs;
constexpr int kPollMs = 100;
/// While packets wait for others: whether these have been lost has to be found out.
constexpr int kHoldPollMs = 1;
constexpr std::uint32_t kOrderedMin = 1024;
constexpr std::uint32_t kOrderedMax = 65'536;
/// Looks at the rings between two looks at the clock, when the thread spins.
constexpr std::uint32_t kSpinsPerTick = 1024;
/// How long the rings may take to hand over what the hook redirected, when a run ends.
constexpr std::uint64_t kDrainNs = 2'000'000'000;
/// Between two looks at the interfaces, where the kernel says nothing: it does not tell of queues.
constexpr int kLookMs = 1'000;

/// A descriptor that somebody who waits in poll() waits for, too.
class Wake {
 public:
  Wake() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!fd_) sys::throw_errno("make an event descriptor");
  }
  int fd() const noexcept { return fd_.get(); }
  /// Safe from a signal handler.
  void up() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
  }
  void reset() const noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t length = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  sys::Fd fd_;
};

}  // namespace

/// Three kinds of threads: the caller's runs the data path, one of its own looks after the
/// interfaces, and any may reload. The last two share the wiring under a mutex that the data path
/// never takes.
///
/// Members are in the order in which they are made; destruction goes back the same way.
class Receiver::Implementation {
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
  void loop();
  void wait();
  void carry_out(Change& change);
  void watch_ports();
  bool is_over(std::uint64_t now_ns);
  std::uint64_t feed_packets() const noexcept;
  class Caretaker;
  void take_care();
  void tell_events() noexcept;
  void tell(const Event& event) noexcept;
  void tell_notices() noexcept;
  void drain();
  Summary sum_up();

  const Deliver deliver_;
  const OnEvent on_event_;
  std::vector<Event> events_;  ///< of wiring_, to be told without the lock
  Wake caretaker_wake_;
  receiver::Injections injections_;
  receiver::NoticeRing notices_{[this] { caretaker_wake_.up(); }};
  std::unique_ptr<sink::FileSink> sink_;  ///< before the hook is there: a file may be refused
  Wiring wiring_;
  const Wait wait_;
  const std::size_t lines_;
  std::unique_ptr<DataPath> data_path_;
  Wake wake_;
  std::vector<pollfd> poll_;
  std::atomic<bool> stopping_ = false;
  std::uint64_t seen_feed_packets_ = 0;
  std::uint64_t last_packet_ns_ = 0;  ///< 0: none yet
  bool has_summed_up_ = false;

  receiver::Handover handover_;
  std::mutex control_;  ///< of wiring_, while the data path runs
  sys::LinkMonitor link_monitor_;
  std::atomic<bool> run_is_over_ = false;
};

/// Half of the frames of every socket can wait; sockets come and go.
std::uint32_t ordered_packets_of(const ReceiverOptions& options) noexcept {
  if (options.order == Order::arrival) return 0;
  return std::clamp<std::uint32_t>(4 * options.frames, kOrderedMin, kOrderedMax);
}

Receiver::Implementation::Implementation(const ReceiverOptions& options, Deliver deliver,
                                         OnEvent on_event)
    : deliver_(std::move(deliver)),
      on_event_(std::move(on_event)),
      sink_(sink::open_file_sink(options.write_path)),
      wiring_(options,
              on_event_ ? [this](const Event& event) { events_.push_back(event); } : OnEvent()),
      wait_(options.wait),
      lines_(options.lines.size()) {
  data_path_ =
      std::make_unique<DataPath>(DataPath::Parts{.maps = wiring_.maps(),
                                                 .uses_identifiers = options.dedup == Dedup::lru,
                                                 .ordered_packets = ordered_packets_of(options),
                                                 .lines = static_cast<std::uint32_t>(lines_),
                                                 .deliver = deliver_,
                                                 .sink = sink_.get(),
                                                 .notices = on_event_ ? &notices_ : nullptr,
                                                 .injections = &injections_});
  poll_.reserve(1 + LB_SLOTS_MAX);
  wiring_.start(*data_path_);
  watch_ports();
  wiring_.open_slots();
  tell_events();
}

/// Not before: until the caller is done with the summary it has not said what is missing.
Receiver::Implementation::~Implementation() {
  if (has_summed_up_) receiver::answer(wiring_.maps());
}

/// The thread that looks after the interfaces and tells what happens, for as long as the data path
/// runs.
class Receiver::Implementation::Caretaker {
 public:
  explicit Caretaker(Implementation& receiver) try
      : receiver_(receiver), thread_(sys::start_thread([&receiver] { receiver.take_care(); })) {
  } catch (...) {
    receiver.handover_.end();  // a reload may be waiting
  }
  /// Who waits for the data path, or will, waits in vain from here on.
  ~Caretaker() {
    receiver_.handover_.end();
    receiver_.run_is_over_.store(true);
    receiver_.caretaker_wake_.up();
    thread_.join();
  }

 private:
  Implementation& receiver_;
  std::thread thread_;
};

Summary Receiver::Implementation::run() {
  {
    const Caretaker caretaker(*this);  // before this thread is pinned: it would be, too
    if (options().cpu) sys::pin_this_thread(*options().cpu);
    loop();
  }
  tell_notices();
  const std::lock_guard lock(control_);  // a reload that is refused now may still have it
  notices_.tell_at_once(
      [this](const receiver::TaggedNotice& notice) { tell(wiring_.event_of(notice)); });
  drain();
  return sum_up();
}

void Receiver::Implementation::loop() {
  const std::optional<std::uint64_t> packets = options().packets;
  std::uint64_t next_tick_ns = 0;
  for (std::uint32_t idle = 0; !stopping_.load(std::memory_order_relaxed);) {
    const std::uint32_t received = data_path_->receive();
    data_path_->take_injected();
    if (Change* change = handover_.pending()) carry_out(*change);
    if (packets && data_path_->delivered() >= *packets) return;
    idle = received ? 0 : idle + 1;
    if (received == 0) wait();
    if (received == 0 && wait_ != Wait::poll && idle % kSpinsPerTick != 0) continue;
    const std::uint64_t now_ns = sys::monotonic_ns();
    if (now_ns < next_tick_ns) continue;
    next_tick_ns = now_ns + kTickNs;
    data_path_->tick(now_ns);
    if (is_over(now_ns)) return;
  }
}

void Receiver::Implementation::carry_out(Change& change) {
  if (!data_path_->carry_out(change)) return;
  watch_ports();
  handover_.done();
}

/// Within the reserved room.
void Receiver::Implementation::watch_ports() {
  poll_.clear();
  poll_.push_back({wake_.fd(), POLLIN, 0});
  for (const Port* port : data_path_->ports()) poll_.push_back({port->socket->fd(), POLLIN, 0});
}

void Receiver::Implementation::wait() {
  if (wait_ == Wait::poll) {
    ::poll(poll_.data(), poll_.size(), data_path_->holds() ? kHoldPollMs : kPollMs);
    if (poll_.front().revents != 0) wake_.reset();
    return;
  }
  for (Port* port : data_path_->ports())
    if (wait_ == Wait::busy_poll || port->socket->rx_needs_wakeup()) port->socket->wake_rx();
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

bool Receiver::Implementation::is_over(std::uint64_t now_ns) {
  if (sink_ && sink_->failed()) return true;
  const std::uint64_t packets = feed_packets();
  if (packets != seen_feed_packets_) {
    seen_feed_packets_ = packets;
    last_packet_ns_ = now_ns;
  }
  const std::optional<double> idle_exit = options().idle_exit_seconds;
  return idle_exit && last_packet_ns_ != 0 &&
         static_cast<double>(now_ns - last_packet_ns_) / 1e9 >= *idle_exit;
}

void Receiver::Implementation::take_care() {
  const Wiring::Running running{*data_path_, handover_, [this] { wake_.up(); }};
  for (bool looks = true; !run_is_over_.load();) {
    if (looks) {
      const std::lock_guard lock(control_);
      wiring_.look(running);
    }
    tell_events();
    tell_notices();
    looks = notices_.may_sleep() && link_monitor_.wait(caretaker_wake_.fd(), kLookMs);
    caretaker_wake_.reset();
  }
}

/// Without the lock: what is told may take its time, and may inject or ask for a reload.
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
  receiver::TaggedNotice notice;
  while (notices_.pop(notice)) {
    std::unique_lock lock(control_);
    const Event event = wiring_.event_of(notice);
    lock.unlock();
    tell(event);
  }
  const std::uint64_t lost = notices_.take_lost();
  if (lost == 0) return;
  Event event;
  event.kind = Event::Kind::events_lost;
  event.count = lost;
  event.text = fmt::format("{} events were not told: there were more than could be told", lost);
  event.time_ns = sys::realtime_ns();
  tell(event);
}

Reloaded Receiver::Implementation::reload(const ReceiverOptions& options) {
  const std::lock_guard lock(control_);
  return wiring_.reload(options, {*data_path_, handover_, [this] { wake_.up(); }});
}

bool Receiver::Implementation::inject(std::uint32_t channel,
                                      std::span<const std::uint8_t> payload) {
  if (run_is_over_.load()) return false;
  const std::lock_guard lock(control_);
  const receiver::RunningChannel& running = wiring_.channel_for(channel, payload);
  const Destination& destination = running.options.destination_on(options().lines.front().name);
  if (!injections_.push(channel, running.index, destination, payload)) return false;
  wake_.up();
  return true;
}

/// Slots first: from here on nothing new is redirected, and the rings run empty.
void Receiver::Implementation::drain() {
  injections_.close();
  data_path_->take_injected();
  receiver::remember_marks(wiring_.maps());
  wiring_.empty_slots();
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kDrainNs;
  for (std::uint64_t now_ns = 0; now_ns < give_up_ns;) {
    now_ns = sys::monotonic_ns();
    if (data_path_->receive() > 0) continue;
    if (data_path_->drained()) break;
    data_path_->tick(now_ns);
    ::poll(poll_.data() + 1, poll_.size() - 1, 1);
  }
}

Summary Receiver::Implementation::sum_up() {
  const std::uint32_t bank = hook::change_bank(wiring_.maps(), static_cast<std::uint32_t>(lines_));
  data_path_->finish();
  wiring_.finish();
  if (sink_) sink_->finish();
  has_summed_up_ = true;
  const double seconds =
      static_cast<double>(data_path_->last_arrival_ns() - data_path_->first_arrival_ns()) / 1e9;
  return receiver::sum_up({.wiring = wiring_,
                           .data_path = *data_path_,
                           .bank = bank,
                           .sink = sink_.get(),
                           .seconds = seconds});
}

void Receiver::Implementation::stop() noexcept {
  stopping_.store(true);
  wake_.up();
}

Progress Receiver::Implementation::progress() const {
  const auto bank = static_cast<std::uint32_t>(wiring_.maps().config().bank & 1);
  Progress progress{.packets = data_path_->delivered(),
                    .messages = data_path_->delivered_messages(),
                    .lines = {}};
  for (std::uint32_t line = 0; line < lines_; ++line) {
    const lb_counters counters = hook::sum_counters(wiring_.maps(), bank, line);
    progress.lines.push_back(
        {hook::feed_packets(counters), data_path_->won(line), counters.duplicate});
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
