// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linearb/error.h"
#include "linearb/options.h"
#include "xsk/frame_pool.h"
#include "xsk/rings.h"
#include "xsk/umem.h"

namespace linearb::xsk {

/// The socket drives the driver's NAPI itself instead of waiting for its interrupt
/// (Documentation/networking/napi.rst, "Busy polling"). Good on a shared core; the interface wants
/// napi_defer_hard_irqs and gro_flush_timeout set.
struct BusyPoll {
  std::uint32_t timeout_us = 20;
  std::uint32_t budget_packets = 64;
};

struct SocketOptions {
  std::string interface;
  std::uint32_t queue = 0;
  std::uint32_t receive_frames = 0;  ///< 0: the socket does not receive
  std::uint32_t send_frames = 0;     ///< 0: the socket does not send
  /// Powers of two; 0: just large enough for the frames.
  std::uint32_t rx_ring_entries = 0;
  std::uint32_t tx_ring_entries = 0;
  /// Off also for a hook in generic mode: it never sees the packets of a zero-copy queue.
  ZeroCopy zero_copy = ZeroCopy::automatic;
  std::optional<BusyPoll> busy_poll{};
  /// Packets that one kick may send in copy mode, where the kernel can be told (6.17 and later).
  /// 128 gave 395 k packets/s where the kernel's 32 gave 205 k.
  std::uint32_t tx_budget_packets = 128;
  /// How long a queue that is busy is tried again: the kernel takes a socket down after close()
  /// has returned.
  std::uint32_t busy_retry_ms = 2000;
};

/// What the kernel counted (XDP_STATISTICS). A redirect from the wrong interface or queue is in
/// none of them.
struct SocketStatistics {
  std::uint64_t rx_dropped;
  std::uint64_t rx_invalid_descriptors;
  std::uint64_t tx_invalid_descriptors;
  std::uint64_t rx_ring_full;
  std::uint64_t rx_fill_ring_empty;
  std::uint64_t tx_ring_empty;
};

/// What became of a kick.
enum class Kick {
  kDone,    ///< the kernel has taken all of the TX ring
  kAgain,   ///< it took a part (EAGAIN, EBUSY, ENOBUFS): reclaim what is completed, then kick again
  kFailed,  ///< it took nothing and will not: errno says why (ENETDOWN: the interface is down)
};

/// Thrown when a driver has no zero-copy but the first socket of the UMEM has it. The way on is a
/// new UMEM whose sockets all have ZeroCopy::off.
class ZeroCopyMismatch : public Error {
 public:
  using Error::Error;
};

struct BindRefusal {
  int error_number = 0;
  bool umem_is_zero_copy = false;      ///< what an earlier socket of the UMEM got
  std::vector<std::string> holders{};  ///< where the queue is busy: socket_holders()
};

/// Throws the Error for a bind that the kernel refused: what, why, and what the operator can do.
[[noreturn]] void throw_bind_error(const SocketOptions& options, const BindRefusal& refusal);

/// One AF_XDP socket: one RX queue of one interface, to receive, to send, or both.
///
/// Its frames begin in pool(), but for receive_frames, which are in the fill ring. What it receives
/// is the user's until refill() or a FillBatch gives it back; what it sends comes back by
/// reclaim() or a CompletionBatch. The path of a packet neither allocates nor throws.
///
/// Where the UMEM is of one queue its sockets share the fill ring, and it is refill() alone that
/// gives back. Each has as many frames as it asked for, but not always the same ones: the kernel
/// takes any for the packet of any.
///
/// It loads no XDP program and enters no map: the hook's owner does, with fd(). One thread at a
/// time. Neither movable nor copyable, because libxdp keeps pointers to the rings: keep sockets in
/// a std::deque or behind std::unique_ptr. The UMEM has to outlive it.
class Socket {
 public:
  /// Throws UsageError for options that contradict each other, ZeroCopyMismatch, or Error. The
  /// frames it took are spent then, and so is a UMEM whose first socket it was to be. Not while
  /// another thread uses a socket of the same queue.
  Socket(Umem& umem, const SocketOptions& options);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  RxBatch receive(std::uint32_t max) noexcept { return {rx_, umem_.data(0), owners_, max}; }
  /// How many of the packets that receive() gives next, up to `max`, a caller wants who is asked
  /// for each by its first byte: up to the first that it does not. All stay in the ring.
  template <class Wants>
  std::uint32_t count_next(std::uint32_t max, Wants&& wants) noexcept {
    std::uint32_t first = 0;
    const std::uint32_t size = xsk_ring_cons__peek(&rx_, max, &first);
    std::uint32_t count = 0;
    while (count < size && wants(umem_.data(xsk_ring_cons__rx_desc(&rx_, first + count)->addr)))
      ++count;
    xsk_ring_cons__cancel(&rx_, size);
    return count;
  }
  FillBatch fill(std::uint32_t wanted) noexcept { return {rings_.fill, owners_, wanted}; }
  TxBatch send(std::uint32_t wanted) noexcept { return {tx_, owners_, wanted}; }
  CompletionBatch completions(std::uint32_t max) noexcept {
    return {rings_.completion, owners_, max};
  }

  /// Moves up to `max` frames from the pool to the fill ring. Returns how many went; what found no
  /// room, or another thread at the ring that sockets of one queue share, stays in the pool for the
  /// next call.
  std::uint32_t refill(std::uint32_t max) noexcept;
  /// Moves every completed frame to the pool. Returns how many came.
  std::uint32_t reclaim() noexcept;

  /// Whether the driver waits for wake_rx() before it takes frames out of the fill ring.
  bool rx_needs_wakeup() const noexcept { return xsk_ring_prod__needs_wakeup(&rings_.fill) != 0; }
  /// Makes the driver look at the fill ring; with BusyPoll it also runs the driver's NAPI once.
  void wake_rx() noexcept;
  /// Whether the kernel waits for kick_tx(). In copy mode it always does.
  bool tx_needs_wakeup() const noexcept { return xsk_ring_prod__needs_wakeup(&tx_) != 0; }
  /// Sends what is in the TX ring, at most tx_budget_packets of it in copy mode.
  Kick kick_tx() noexcept;

  /// For poll(2) and for the hook's map of sockets.
  int fd() const noexcept;
  /// What the bind got (XDP_OPTIONS).
  bool zero_copy() const noexcept { return zero_copy_; }
  /// What one kick sends at most in copy mode.
  std::uint32_t tx_budget_packets() const noexcept { return tx_budget_packets_; }
  const SocketOptions& options() const noexcept { return options_; }
  SocketStatistics statistics() const;

  Umem& umem() const noexcept { return umem_; }
  FramePool& pool() noexcept { return pool_; }
  const FrameOwners& owners() const noexcept { return owners_; }
  /// Invariant I5, with `held` the frames that the caller keeps outside of the pool.
  bool conserved(std::uint64_t held = 0) const noexcept {
    return owners_.conserved(pool_.size() + held);
  }

 private:
  static FrameOwners owners_of(Umem& umem, std::uint32_t frames);
  std::uint32_t fill_from_pool(std::uint32_t max) noexcept;
  void bind();
  int try_bind() noexcept;
  void read_back_mode();
  void set_busy_poll(const BusyPoll& busy_poll);
  void set_tx_budget();

  Umem& umem_;
  SocketOptions options_;
  FrameRings own_rings_;
  FrameRings& rings_;  ///< own_rings_, or the UMEM's for its first socket, and for all of one queue
  xsk_ring_cons rx_{};
  xsk_ring_prod tx_{};
  FrameOwners owners_;
  FramePool pool_;
  bool zero_copy_ = false;
  std::uint32_t tx_budget_packets_;
  struct Delete {
    void operator()(xsk_socket* socket) const noexcept { xsk_socket__delete(socket); }
  };
  /// Last, so that it goes first: libxdp unmaps the rings that the members above describe.
  std::unique_ptr<xsk_socket, Delete> socket_;
};

}  // namespace linearb::xsk
