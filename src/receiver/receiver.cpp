// SPDX-License-Identifier: Apache-2.0
#include "linearb/receiver.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "config/framing_file.h"
#include "hook/hook.h"
#include "hook/takeover.h"
#include "receiver/data_path.h"
#include "receiver/ports.h"
#include "receiver/summing_up.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/error.h"

namespace linearb {
namespace {

using receiver::DataPath;
using receiver::Port;
using receiver::PortInterface;

constexpr std::uint64_t kTickNs = 100'000'000;
constexpr int kPollMs = 100;
/// Looks at the rings between two looks at the clock, when the thread spins.
constexpr std::uint32_t kSpinsPerTick = 1024;
/// How long the rings may take to hand over what the hook redirected, when a run ends.
constexpr std::uint64_t kDrainNs = 2'000'000'000;

std::vector<config::Framing> load_framings(const ReceiverOptions& options) {
  std::vector<config::Framing> framings;
  for (const Channel& channel : options.channels) {
    framings.push_back(config::load_framing(channel.framing));
    if (options.dedup == Dedup::lru && framings.back().descriptor.count.width != 0)
      throw UsageError(
          fmt::format("channel {}: --dedup lru is for framings with one identifier in "
                      "a packet; {} counts messages",
                      channel.name, channel.framing));
  }
  return framings;
}

/// The framings that the hook needs, each once, and which of them each channel has.
struct HookFramings {
  std::vector<lb_framing> descriptors;
  std::vector<std::uint8_t> of_channel;
};

HookFramings hook_framings(const ReceiverOptions& options,
                           const std::vector<config::Framing>& framings) {
  HookFramings result;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < options.channels.size(); ++i) {
    const auto found = std::ranges::find(names, options.channels[i].framing);
    result.of_channel.push_back(static_cast<std::uint8_t>(found - names.begin()));
    if (found != names.end()) continue;
    names.push_back(options.channels[i].framing);
    result.descriptors.push_back(framings[i].descriptor);
  }
  if (names.size() > LB_FRAMINGS_MAX)
    throw UsageError(fmt::format("the channels have {} framings, the hook takes {}", names.size(),
                                 static_cast<int>(LB_FRAMINGS_MAX)));
  return result;
}

std::vector<lb_flow> flows_of(const ReceiverOptions& options,
                              const std::vector<PortInterface>& interfaces,
                              const HookFramings& framings) {
  std::vector<lb_flow> flows;
  const std::uint32_t flags = options.dedup == Dedup::lru ? LB_FLOW_LRU : 0;
  for (std::size_t line = 0; line < options.lines.size(); ++line) {
    const auto interface =
        std::ranges::find(interfaces, options.lines[line].interface, &PortInterface::name);
    for (std::size_t channel = 0; channel < options.channels.size(); ++channel) {
      const Destination destination =
          options.channels[channel].destination_on(options.lines[line].name);
      flows.push_back(
          {.interface_index = interface->index,
           .destination = destination.address,
           .port = destination.port,
           .channel = static_cast<lb_u16>(channel),
           .slot_base = interface->slot_base,
           .line = static_cast<lb_u8>(line),
           .framing_and_flags = static_cast<lb_u8>(framings.of_channel[channel] | flags << 6)});
    }
  }
  return flows;
}

std::vector<hook::Interface> hook_interfaces(const std::vector<PortInterface>& interfaces) {
  std::vector<hook::Interface> result;
  for (const PortInterface& interface : interfaces)
    result.push_back({interface.name, interface.index});
  return result;
}

const ReceiverOptions& validated(const ReceiverOptions& options) {
  validate(options);
  return options;
}

hook::Capacity capacity_of(const ReceiverOptions& options) {
  return {static_cast<std::uint32_t>(options.channels.size()),
          static_cast<std::uint32_t>(options.channels.size() * options.lines.size())};
}

}  // namespace

/// Members are in the order in which they are made; destruction goes back the same way: sockets
/// before the hook, the hook before the ownership of it.
class Receiver::Implementation {
 public:
  Implementation(const ReceiverOptions& options, Deliver deliver);
  ~Implementation();

  Summary run();
  void stop() noexcept;
  Progress progress() const;

 private:
  void open_slots();
  void loop();
  void wait();
  bool is_over(std::uint64_t now_ns);
  std::uint64_t feed_packets() const noexcept;
  void drain();

  const ReceiverOptions options_;
  const Deliver deliver_;
  const std::vector<config::Framing> framings_;
  std::vector<const lb_framing*> descriptors_;
  std::unique_ptr<sink::FileSink> sink_;
  std::vector<PortInterface> interfaces_;
  hook::Hook hook_;
  hook::Ownership ownership_;
  std::deque<sys::MulticastJoins> joins_;
  hook::FlowTable flows_;
  std::unique_ptr<receiver::Ports> ports_;
  std::unique_ptr<DataPath> data_path_;
  sys::Fd wake_;
  std::vector<pollfd> poll_;
  std::atomic<bool> stopping_ = false;

  std::uint64_t seen_feed_packets_ = 0;
  std::uint64_t last_packet_ns_ = 0;  ///< 0: none yet
};

Receiver::Implementation::Implementation(const ReceiverOptions& options, Deliver deliver)
    : options_(validated(options)),
      deliver_(std::move(deliver)),
      framings_(load_framings(options_)),
      interfaces_(receiver::interfaces_of(options_.lines)),
      hook_(hook_interfaces(interfaces_), capacity_of(options_)),
      ownership_(hook_.maps()),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!wake_) sys::throw_errno("make an event descriptor");
  for (const config::Framing& framing : framings_) descriptors_.push_back(&framing.descriptor);
  hook_.attach(options_.mode);
  if (options_.keep_hook) hook_.keep();
  std::vector<bool> generic;
  for (std::size_t i = 0; i < interfaces_.size(); ++i) generic.push_back(!hook_.is_native(i));

  ports_ = std::make_unique<receiver::Ports>(interfaces_, generic, options_);
  const HookFramings framings = hook_framings(options_, framings_);
  const std::vector<lb_flow> flows = flows_of(options_, interfaces_, framings);
  std::vector<hook::Setup::InterfaceLine> lines;
  for (const PortInterface& interface : interfaces_)
    lines.push_back({interface.index, interface.first_line});
  flows_ =
      hook::take_over(hook_.maps(), {.flows = flows,
                                     .framings = framings.descriptors,
                                     .interfaces = lines,
                                     .lines = static_cast<std::uint32_t>(options_.lines.size()),
                                     .frame_room = xsk::frame_room(ports_->frame_size())});
  if (!options_.write_path.empty()) sink_ = std::make_unique<sink::FileSink>(options_.write_path);
  data_path_ = std::make_unique<DataPath>(
      DataPath::Parts{.maps = hook_.maps(),
                      .flows = flows_,
                      .ports = *ports_,
                      .framings = descriptors_,
                      .uses_identifiers = options_.dedup == Dedup::lru,
                      .lines = static_cast<std::uint32_t>(options_.lines.size()),
                      .deliver = deliver_,
                      .sink = sink_.get()});
  poll_.push_back({wake_.get(), POLLIN, 0});
  for (const Port& port : ports_->ports()) poll_.push_back({port.socket->fd(), POLLIN, 0});
  joins_ = receiver::join_groups(interfaces_, options_);
  open_slots();
}

Receiver::Implementation::~Implementation() {
  for (const Port& port : ports_->ports()) hook_.maps().clear_socket(port.slot);
}

/// Credit first, then the socket: the hook looks for the socket first.
void Receiver::Implementation::open_slots() {
  for (Port& port : ports_->ports()) {
    lb_credit& credit = hook_.maps().credit(port.slot);
    port.redirected_before = lb_load_acquire(&credit.redirected);
    lb_store_release(&credit.returned, port.redirected_before);
    lb_store_release(&credit.capacity, options_.frames);
    hook_.maps().set_socket(port.slot, port.socket->fd());
  }
}

Summary Receiver::Implementation::run() {
  if (options_.cpu) sys::pin_this_thread(*options_.cpu);
  loop();
  drain();
  const std::uint32_t bank =
      hook::change_bank(hook_.maps(), static_cast<std::uint32_t>(options_.lines.size()));
  data_path_->finish();
  if (sink_) sink_->close();
  const double seconds =
      static_cast<double>(data_path_->last_arrival_ns() - data_path_->first_arrival_ns()) / 1e9;
  return receiver::sum_up({.options = options_,
                           .hook = hook_,
                           .bank = bank,
                           .interfaces = interfaces_,
                           .ports = *ports_,
                           .data_path = *data_path_,
                           .sink = sink_.get(),
                           .seconds = seconds});
}

void Receiver::Implementation::loop() {
  std::uint64_t next_tick_ns = 0;
  for (std::uint32_t idle = 0; !stopping_.load(std::memory_order_relaxed);) {
    const std::uint32_t received = data_path_->receive();
    if (options_.packets && data_path_->delivered() >= *options_.packets) return;
    idle = received ? 0 : idle + 1;
    if (received == 0) wait();
    if (received == 0 && options_.wait != Wait::poll && idle % kSpinsPerTick != 0) continue;
    const std::uint64_t now_ns = sys::monotonic_ns();
    if (now_ns < next_tick_ns) continue;
    next_tick_ns = now_ns + kTickNs;
    data_path_->tick(now_ns);
    if (is_over(now_ns)) return;
  }
}

void Receiver::Implementation::wait() {
  if (options_.wait == Wait::poll) {
    ::poll(poll_.data(), poll_.size(), kPollMs);
    return;
  }
  for (Port& port : ports_->ports())
    if (options_.wait == Wait::busy_poll || port.socket->rx_needs_wakeup()) port.socket->wake_rx();
}

/// What the lines have brought so far, dropped duplicates too: a line whose copies all come second
/// is not idle.
std::uint64_t Receiver::Implementation::feed_packets() const noexcept {
  const auto bank = static_cast<std::uint32_t>(hook_.maps().config().bank & 1);
  std::uint64_t packets = 0;
  for (std::uint32_t line = 0; line < options_.lines.size(); ++line) {
    packets += hook::feed_packets(hook::sum_counters(hook_.maps(), bank, line));
  }
  return packets;
}

bool Receiver::Implementation::is_over(std::uint64_t now_ns) {
  const std::uint64_t packets = feed_packets();
  if (packets != seen_feed_packets_) {
    seen_feed_packets_ = packets;
    last_packet_ns_ = now_ns;
  }
  return options_.idle_exit_seconds && last_packet_ns_ != 0 &&
         static_cast<double>(now_ns - last_packet_ns_) / 1e9 >= *options_.idle_exit_seconds;
}

/// Slots first: from here on nothing new is redirected, and the rings run empty.
void Receiver::Implementation::drain() {
  hook::empty_slots(hook_.maps());
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kDrainNs;
  for (std::uint64_t now_ns = 0; now_ns < give_up_ns;) {
    now_ns = sys::monotonic_ns();
    if (data_path_->receive() > 0) continue;
    if (data_path_->drained()) break;
    data_path_->tick(now_ns);
    ::poll(poll_.data() + 1, poll_.size() - 1, 1);
  }
}

void Receiver::Implementation::stop() noexcept {
  stopping_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

Progress Receiver::Implementation::progress() const {
  const auto bank = static_cast<std::uint32_t>(hook_.maps().config().bank & 1);
  Progress progress{.packets = data_path_->delivered(),
                    .messages = data_path_->delivered_messages(),
                    .lines = {}};
  for (std::uint32_t line = 0; line < options_.lines.size(); ++line) {
    const lb_counters counters = hook::sum_counters(hook_.maps(), bank, line);
    progress.lines.push_back(
        {hook::feed_packets(counters), data_path_->won(line), counters.duplicate});
  }
  return progress;
}

Receiver::Receiver(const ReceiverOptions& options, Deliver deliver)
    : implementation_(std::make_unique<Implementation>(options, std::move(deliver))) {}
Receiver::~Receiver() = default;
Summary Receiver::run() {
  return implementation_->run();
}
void Receiver::stop() noexcept {
  implementation_->stop();
}
Progress Receiver::progress() const {
  return implementation_->progress();
}

}  // namespace linearb
