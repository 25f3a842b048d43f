// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "feeder/result.h"
#include "feeder/schedule.h"
#include "feeder/source.h"
#include "xsk/socket.h"
#include "xsk/umem.h"

namespace linearb::feeder {

struct LineSenderOptions {
  std::string name;
  std::size_t place = 0;  // among the lines
  std::uint32_t units_per_packet = 1;
  LineImpairment impairment;
  std::uint64_t seed = 1;
  std::size_t delay_queue = kDelayQueueLimit;
  xsk::SocketOptions socket;
};

/// One line of the feeder: its schedule, and the AF_XDP socket that what is due leaves by.
///
/// Nothing in here waits. A packet that finds no frame or no place in the TX ring stays in the
/// schedule; a kick that the kernel answers with "not now" is repeated, as long as anything is
/// outstanding, whether or not something was sent meanwhile. So a full TX or completion ring
/// delays and never stalls.
class LineSender {
 public:
  /// The UMEM has to outlive it.
  LineSender(xsk::Umem& umem, const LineSenderOptions& options);

  LineSchedule& schedule() noexcept { return schedule_; }
  const LineSchedule& schedule() const noexcept { return schedule_; }
  const std::string& name() const noexcept { return name_; }
  const std::string& interface() const noexcept { return socket_.options().interface; }

  /// Hands up to `most` packets that are due to the kernel. Returns how many.
  std::uint32_t send_due(Source& source, std::uint64_t now_ns, std::uint32_t most) noexcept;
  /// Kicks the kernel and takes completions back. Returns how many. Throws Error when the kernel
  /// will not send (the interface is down).
  std::uint32_t push();

  std::uint64_t sent() const noexcept { return sent_; }
  /// Handed to the kernel and not given back yet.
  std::uint64_t outstanding() const noexcept { return sent_ - completed_; }
  LineResult result() const;

 private:
  std::uint32_t write_packet(Source& source, const Departure& departure,
                             std::byte* data) const noexcept;

  std::string name_;
  std::size_t place_;
  LineSchedule schedule_;
  xsk::Umem& umem_;
  xsk::Socket socket_;
  std::uint64_t sent_ = 0;
  std::uint64_t completed_ = 0;
};

}  // namespace linearb::feeder
