// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/layout.h"
#include "linearb/options.h"
#include "xsk/socket.h"

namespace linearb::receiver {

/// How many ports there can be at once: every slot, and as many again that are closed while the
/// sequencer still holds frames of theirs.
inline constexpr std::uint32_t kPortsMax = 2 * LB_SLOTS_MAX;

/// One AF_XDP socket of the receiver with the memory that it receives into, and what was counted
/// there. Each queue has a UMEM of its own: an interface that went away takes nothing with it, one
/// that came back brings new frames, and a line whose driver has zero-copy has it whatever the
/// others have.
///
/// The data thread owns the counts from Handover to Handover; who opens and closes ports reads them
/// only then.
struct Port {
  std::uint32_t id = 0;    ///< names it in handles; below kPortsMax
  std::uint32_t slot = 0;  ///< in xsks_map and credits
  std::uint32_t interface_index = 0;
  std::uint32_t line = 0;    ///< the first line on its interface: losses of the kernel are its own
  std::uint32_t thread = 0;  ///< number of the data thread
  std::string name;          ///< for reports: interface, queue, and thread where there are several

  std::uint64_t redirected_before = 0;  ///< the hook's count when the socket entered the map
  std::uint64_t returned = 0;           ///< frames given back to the hook since then
  std::uint64_t received = 0;
  std::uint64_t kernel_lost = 0;
  std::uint64_t held = 0;  ///< received, and neither in the pool nor with the kernel
  bool ring_was_empty = true;
  std::uint64_t seen_ns = 0;    ///< when the last packet arrived that was read
  std::uint64_t behind_ns = 0;  ///< the same while more may be in the ring; 0: it was emptied
  std::uint64_t quiet_redirected = 0;  ///< the hook's count when it last moved, or the ring did
  std::uint64_t quiet_since_ns = 0;
  /// Given up by the kernel's silence so far, for whoever looks after the interfaces.
  std::atomic<std::uint64_t> losses = 0;
  bool open = true;              ///< false: what is given back is not used again
  bool frames_conserved = true;  ///< when it was closed

  bool dead = false;  ///< is_dead() has found it so: the kernel says it once

  /// Before the socket, which points into it. Of all data threads' sockets on the queue together.
  std::shared_ptr<xsk::Umem> umem;
  std::unique_ptr<xsk::Socket> socket;

  /// The kernel has unbound it, because its interface went. For the thread that closes it.
  bool is_dead() noexcept;

  const std::byte* data(std::uint64_t address) const noexcept { return umem->data(address); }
};

struct PortOptions {
  std::string interface;
  std::uint32_t interface_index = 0;
  std::uint32_t queue = 0;
  std::uint32_t slot_group = 0;
  std::uint32_t line = 0;
  std::uint32_t thread = 0;
  std::uint32_t frame_size = xsk::kFrameSizeSmall;
  bool generic = false;  ///< the hook is in generic mode there
  /// Of the socket of another thread that is open on the same queue.
  std::shared_ptr<xsk::Umem> umem{};
};

/// Binds a socket and fills its fill ring; the hook does not know it yet. Throws Error.
std::unique_ptr<Port> open_port(const PortOptions& port, const ReceiverOptions& options);

/// What is left of a port that was closed.
struct ClosedPort {
  std::string name;
  std::uint32_t line = 0;
  std::uint64_t redirected = 0;
  std::uint64_t received = 0;
  std::uint64_t kernel_lost = 0;
  bool frames_conserved = true;
};

}  // namespace linearb::receiver
