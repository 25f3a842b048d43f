// SPDX-License-Identifier: Apache-2.0
#include "xsk/socket.h"

#include <bit>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>

#include "sys/clock.h"
#include "sys/error.h"
#include "sys/interface.h"
#include "xsk/holders.h"
#include "xsk/turn.h"

namespace linearb::xsk {

namespace {

/// Socket option of include/uapi/linux/if_xdp.h since kernel 6.17; the kernel headers of Debian 12
/// are older. Other kernels answer ENOPROTOOPT.
constexpr int kXdpMaxTxSkbBudget = 9;
/// What a kick sends where nothing else was asked for, and the least that can be (TX_BATCH_SIZE in
/// net/xdp/xsk.c).
constexpr std::uint32_t kTxBudgetDefault = 32;
constexpr auto kBusyRetryPause = std::chrono::milliseconds(10);
constexpr std::uint64_t kNsPerMs = 1'000'000;

std::string name(const SocketOptions& options) {
  return fmt::format("AF_XDP socket on {} queue {}", options.interface, options.queue);
}

std::uint32_t ring_entries(std::string_view ring, std::uint32_t entries, std::uint32_t frames) {
  if (entries == 0 || frames == 0) return frames == 0 ? 0 : std::bit_ceil(frames);
  if (!std::has_single_bit(entries))
    throw UsageError(
        fmt::format("{} ring of {} entries: the kernel wants a power of two", ring, entries));
  return entries;
}

/// The options with every default filled in.
SocketOptions complete(const Umem& umem, SocketOptions options) {
  const std::uint32_t frames = options.receive_frames;
  options.rx_ring_entries = ring_entries("RX", options.rx_ring_entries, frames);
  options.tx_ring_entries = ring_entries("TX", options.tx_ring_entries, options.send_frames);
  if (options.rx_ring_entries == 0 && options.tx_ring_entries == 0)
    throw UsageError(fmt::format("{}: it neither receives nor sends", name(options)));
  // A frame that is received has a place in the RX ring: a redirect that holds a credit cannot
  // fail (core/credit.h).
  if (frames > options.rx_ring_entries)
    throw UsageError(fmt::format("{}: {} frames to receive into, RX ring of {} entries",
                                 name(options), frames, options.rx_ring_entries));
  if (umem.options().one_queue && options.send_frames > 0)
    throw UsageError(fmt::format("{}: sockets that share a queue only receive", name(options)));
  if (frames > umem.options().fill_ring_entries)
    throw UsageError(fmt::format("{}: {} frames to receive into, fill ring of {} entries",
                                 name(options), frames, umem.options().fill_ring_entries));
  if (options.tx_budget_packets < kTxBudgetDefault)
    throw UsageError(fmt::format("{}: a kick may send at least {} packets, not {}", name(options),
                                 kTxBudgetDefault, options.tx_budget_packets));
  return options;
}

std::uint16_t bind_flags(ZeroCopy zero_copy) {
  switch (zero_copy) {
    case ZeroCopy::automatic:
      return XDP_USE_NEED_WAKEUP;
    case ZeroCopy::require:
      return XDP_USE_NEED_WAKEUP | XDP_ZEROCOPY;
    case ZeroCopy::off:
      break;
  }
  return XDP_USE_NEED_WAKEUP | XDP_COPY;
}

/// The kernel tells who has AF_XDP sockets, not which queue each has.
std::string who_to_stop(const std::vector<std::string>& holders) {
  if (holders.empty()) return "stop its process (ss --xdp -p may name it)";
  return fmt::format("stop its process, {}", fmt::join(holders, " or "));
}

}  // namespace

void throw_bind_error(const SocketOptions& options, const BindRefusal& refusal) {
  const std::string what = fmt::format("bind {}", name(options));
  switch (refusal.error_number) {
    case EBUSY:
      sys::throw_errno(
          what, "another AF_XDP socket holds this queue: " + who_to_stop(refusal.holders), EBUSY);
    case EINVAL:
      sys::throw_errno(what,
                       fmt::format("the interface may have no queue {}: see ethtool -l {}",
                                   options.queue, options.interface),
                       EINVAL);
    case EOPNOTSUPP:
      if (refusal.umem_is_zero_copy)
        throw ZeroCopyMismatch(
            fmt::format("{}: its driver has no zero-copy, but an earlier line "
                        "has; use --zero-copy off for all",
                        what));
      sys::throw_errno(what, "its driver has no zero-copy: use --zero-copy auto or off",
                       EOPNOTSUPP);
    case EPERM:
      sys::throw_errno(what, "an AF_XDP socket needs root or CAP_NET_RAW", EPERM);
    case ENOBUFS:
    case ENOMEM:
      sys::throw_errno(what, "free memory, or use fewer frames (--frames)", refusal.error_number);
    case ENETDOWN:
      sys::throw_errno(what, fmt::format("ip link set {} up", options.interface), ENETDOWN);
    default:
      sys::throw_errno(what, {}, refusal.error_number);
  }
}

Socket::Socket(Umem& umem, const SocketOptions& options)
    : umem_(umem),
      options_(complete(umem, options)),
      rings_(umem.first_bound_ && !umem.options().one_queue ? own_rings_ : umem.first_rings_),
      owners_(owners_of(umem, options.receive_frames + options.send_frames)),
      pool_(owners_.span(),
            umem.options().one_queue ? umem.options().frames : owners_.span().frames),
      tx_budget_packets_(kTxBudgetDefault) {
  sys::interface_index(options_.interface);
  // Some drivers (igb) look at the fill ring once, when they are bound. libxdp makes the rings of
  // the first socket before the bind and those of the others during it.
  const bool first = !umem.first_bound_;
  if (first) refill(options_.receive_frames);
  bind();
  if (!first) refill(options_.receive_frames);
  if (rx_needs_wakeup()) wake_rx();
  if (options_.busy_poll) set_busy_poll(*options_.busy_poll);
  if (options_.send_frames > 0) set_tx_budget();
}

void Socket::bind() {
  const std::uint64_t deadline_ns = sys::monotonic_ns() + options_.busy_retry_ms * kNsPerMs;
  int error = try_bind();
  while (error == EBUSY && sys::monotonic_ns() < deadline_ns) {
    std::this_thread::sleep_for(kBusyRetryPause);
    error = try_bind();
  }
  if (error != 0)
    throw_bind_error(options_,
                     {.error_number = error,
                      .umem_is_zero_copy = umem_.zero_copy_,
                      .holders = error == EBUSY ? socket_holders() : std::vector<std::string>{}});
  close_on_exec(fd());
  read_back_mode();
  umem_.first_bound_ = true;
  umem_.zero_copy_ = zero_copy_;
}

int Socket::try_bind() noexcept {
  const xsk_socket_config config{.rx_size = options_.rx_ring_entries,
                                 .tx_size = options_.tx_ring_entries,
                                 .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
                                 .xdp_flags = 0,
                                 .bind_flags = bind_flags(options_.zero_copy)};
  xsk_socket* socket = nullptr;
  const int result = xsk_socket__create_shared(
      &socket, options_.interface.c_str(), options_.queue, umem_.umem_.get(),
      options_.rx_ring_entries > 0 ? &rx_ : nullptr, options_.tx_ring_entries > 0 ? &tx_ : nullptr,
      &rings_.fill, &rings_.completion, &config);
  socket_.reset(result == 0 ? socket : nullptr);
  return -result;
}

void Socket::read_back_mode() {
  xdp_options got{};
  socklen_t size = sizeof got;
  if (::getsockopt(fd(), SOL_XDP, XDP_OPTIONS, &got, &size) != 0)
    sys::throw_errno(fmt::format("read the mode of {}", name(options_)));
  zero_copy_ = (got.flags & XDP_OPTIONS_ZEROCOPY) != 0;
  if (options_.zero_copy == ZeroCopy::require && !zero_copy_)
    throw ZeroCopyMismatch(
        fmt::format("bind {}: an earlier socket of its UMEM copies, so it does "
                    "too; use --zero-copy require for all",
                    name(options_)));
}

void Socket::set_busy_poll(const BusyPoll& busy_poll) {
  const struct {
    int option;
    const char* text;
    int value;
  } settings[] = {
      {SO_PREFER_BUSY_POLL, "SO_PREFER_BUSY_POLL", 1},
      {SO_BUSY_POLL, "SO_BUSY_POLL", static_cast<int>(busy_poll.timeout_us)},
      {SO_BUSY_POLL_BUDGET, "SO_BUSY_POLL_BUDGET", static_cast<int>(busy_poll.budget_packets)},
  };
  for (const auto& [option, text, value] : settings) {
    if (::setsockopt(fd(), SOL_SOCKET, option, &value, sizeof value) == 0) continue;
    sys::throw_errno(fmt::format("set {} to {} on {}", text, value, name(options_)),
                     "busy polling needs kernel 5.11 and CAP_NET_ADMIN: use --wait poll or spin");
  }
}

void Socket::set_tx_budget() {
  const std::uint32_t budget = std::min(options_.tx_budget_packets, options_.tx_ring_entries);
  if (budget <= kTxBudgetDefault) return;
  if (::setsockopt(fd(), SOL_XDP, kXdpMaxTxSkbBudget, &budget, sizeof budget) == 0)
    tx_budget_packets_ = budget;
  else if (errno != ENOPROTOOPT)
    sys::throw_errno(fmt::format("set XDP_MAX_TX_SKB_BUDGET to {} on {}", budget, name(options_)));
}

FrameOwners Socket::owners_of(Umem& umem, std::uint32_t frames) {
  const FrameSpan span = umem.take_span(frames);
  return umem.options().one_queue ? FrameOwners(span, umem.owners_) : FrameOwners(span);
}

std::uint32_t Socket::refill(std::uint32_t max) noexcept {
  if (!umem_.options().one_queue) return fill_from_pool(max);
  if (pool_.empty()) return 0;
  const Turn turn(umem_.filling());
  return turn.is_mine() ? fill_from_pool(max) : 0;
}

std::uint32_t Socket::fill_from_pool(std::uint32_t max) noexcept {
  FillBatch batch = fill(std::min(max, pool_.size()));
  while (batch.room() > 0) batch.put(pool_.take());
  return batch.size();
}

std::uint32_t Socket::reclaim() noexcept {
  const CompletionBatch batch = completions(rings_.completion.size);
  for (std::uint32_t index = 0; index < batch.size(); ++index) pool_.give(batch[index]);
  return batch.size();
}

void Socket::wake_rx() noexcept {
  // It has nothing to report: packets show in the RX ring, and an interface that is down shows
  // when it is asked for.
  ::recvfrom(fd(), nullptr, 0, MSG_DONTWAIT, nullptr, nullptr);
}

Kick Socket::kick_tx() noexcept {
  if (::sendto(fd(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0) return Kick::kDone;
  if (errno == EAGAIN || errno == EBUSY || errno == ENOBUFS) return Kick::kAgain;
  return Kick::kFailed;
}

int Socket::fd() const noexcept {
  return xsk_socket__fd(socket_.get());
}

SocketStatistics Socket::statistics() const {
  xdp_statistics got{};
  socklen_t size = sizeof got;
  if (::getsockopt(fd(), SOL_XDP, XDP_STATISTICS, &got, &size) != 0)
    sys::throw_errno(fmt::format("read the statistics of {}", name(options_)));
  return {.rx_dropped = got.rx_dropped,
          .rx_invalid_descriptors = got.rx_invalid_descs,
          .tx_invalid_descriptors = got.tx_invalid_descs,
          .rx_ring_full = got.rx_ring_full,
          .rx_fill_ring_empty = got.rx_fill_ring_empty_descs,
          .tx_ring_empty = got.tx_ring_empty_descs};
}

}  // namespace linearb::xsk
