// SPDX-License-Identifier: Apache-2.0
#include "receiver/port.h"

#include <bit>

#include <fmt/format.h>
#include <sys/socket.h>

namespace linearb::receiver {
namespace {

/// A receiver sends nothing; the kernel wants the ring all the same.
constexpr std::uint32_t kCompletionRingEntries = 64;

/// A hook in generic mode never sees a zero-copy queue.
ZeroCopy zero_copy_for(bool generic, ZeroCopy wanted) {
  return generic && wanted == ZeroCopy::automatic ? ZeroCopy::off : wanted;
}

/// Each of its sockets has as many frames as the options say.
std::shared_ptr<xsk::Umem> make_umem(const PortOptions& port, const ReceiverOptions& options) {
  const std::uint32_t frames = options.frames * options.threads;
  return std::make_shared<xsk::Umem>(
      xsk::UmemOptions{.frame_size = port.frame_size,
                       .frames = frames,
                       .huge_pages = options.hugepages,
                       .one_queue = options.threads > 1,
                       .fill_ring_entries = std::bit_ceil(frames),
                       .completion_ring_entries = kCompletionRingEntries});
}

}  // namespace

/// xsk_notifier in net/xdp/xsk.c reports ENETDOWN when the interface is unregistered, which moving
/// it to another network namespace does too.
bool Port::is_dead() noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket->fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    dead = true;
  return dead;
}

std::unique_ptr<Port> open_port(const PortOptions& wanted, const ReceiverOptions& options) {
  auto port = std::make_unique<Port>();
  port->slot = lb_slot_of(wanted.slot_group, wanted.queue);
  port->thread = wanted.thread;
  port->interface_index = wanted.interface_index;
  port->line = wanted.line;
  port->name = fmt::format("{} queue {}", wanted.interface, wanted.queue);
  if (options.threads > 1) port->name += fmt::format(" thread {}", wanted.thread);
  port->umem = wanted.umem ? wanted.umem : make_umem(wanted, options);
  xsk::SocketOptions socket{.interface = wanted.interface,
                            .queue = wanted.queue,
                            .receive_frames = options.frames,
                            .rx_ring_entries = options.frames,
                            .zero_copy = zero_copy_for(wanted.generic, options.zero_copy)};
  if (options.wait == Wait::busy_poll) socket.busy_poll = xsk::BusyPoll{};
  port->socket = std::make_unique<xsk::Socket>(*port->umem, socket);
  return port;
}

}  // namespace linearb::receiver
