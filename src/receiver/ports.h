// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "hook/hook.h"
#include "linearb/options.h"
#include "sys/interface.h"
#include "sys/multicast.h"
#include "xsk/socket.h"

namespace linearb::receiver {

/// One AF_XDP socket of the receiver and what belongs to it. Data thread.
struct Port {
  std::uint32_t slot = 0;  ///< in xsks_map and credits
  std::uint32_t interface_index = 0;
  std::uint32_t line = 0;  ///< the first line on its interface: losses of the kernel are its own
  std::uint64_t redirected_before = 0;  ///< the hook's count when the socket entered the map
  std::uint64_t returned = 0;           ///< frames given back to the hook since then
  std::uint64_t received = 0;
  std::uint64_t kernel_lost = 0;
  bool ring_was_empty = true;
  std::uint64_t quiet_redirected = 0;  ///< the hook's count when it last moved, or the ring did
  std::uint64_t quiet_since_ns = 0;
  std::unique_ptr<xsk::Socket> socket;
};

/// The interfaces of the lines, each once: several lines may share one.
struct PortInterface {
  std::string name;
  std::uint32_t index = 0;
  std::uint32_t first_line = 0;
  std::uint16_t slot_base = 0;
  std::uint32_t queues = 0;
  sys::InterfaceCounters counters_before;
};

std::vector<PortInterface> interfaces_of(const std::vector<Line>& lines);

/// The UMEM and a socket for every RX queue of every interface; bound, filled, not yet in the map.
class Ports {
 public:
  /// `generic`: of each interface, whether the hook is attached in generic mode. Throws Error.
  Ports(const std::vector<PortInterface>& interfaces, const std::vector<bool>& generic,
        const ReceiverOptions& options);

  std::deque<Port>& ports() noexcept { return ports_; }
  const std::deque<Port>& ports() const noexcept { return ports_; }
  std::uint32_t frame_size() const noexcept { return frame_size_; }
  /// The port of a frame handle, see data_path.h.
  Port& by_slot(std::uint32_t slot) noexcept { return *by_slot_[slot]; }

 private:
  void bind_all(const std::vector<PortInterface>& interfaces, const std::vector<bool>& generic,
                const ReceiverOptions& options, bool allow_zero_copy);

  std::uint32_t frame_size_ = xsk::kFrameSizeSmall;
  std::unique_ptr<xsk::Umem> umem_;  ///< before the sockets, which point into it
  std::deque<Port> ports_;
  std::vector<Port*> by_slot_;
};

/// The groups of the channels on each interface, joined for as long as this lives.
std::deque<sys::MulticastJoins> join_groups(const std::vector<PortInterface>& interfaces,
                                            const ReceiverOptions& options);

}  // namespace linearb::receiver
