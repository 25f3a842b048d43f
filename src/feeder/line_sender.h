// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "feeder/live_exit.h"
#include "feeder/result.h"
#include "feeder/schedule.h"
#include "feeder/source.h"
#include "feeder/xsk_exit.h"
#include "sys/link_counters.h"

namespace linearb::feeder {

struct LineSenderOptions {
  std::string name;
  std::size_t place = 0;  // among the lines
  std::uint32_t units_per_packet = 1;
  LineImpairment impairment;
  std::uint64_t seed = 1;
  std::size_t delay_queue = kDelayQueueLimit;
  xsk::SocketOptions socket;  // of a line with live frames its interface is all that counts
};

/// One line of the feeder: its schedule, and the exit that what is due leaves by.
///
/// Nothing in here waits. A packet that finds no room there stays in the schedule.
class LineSender {
 public:
  /// With live frames where there is no UMEM; else that has to outlive it.
  LineSender(xsk::Umem* umem, const LineSenderOptions& options);

  LineSchedule& schedule() noexcept { return schedule_; }
  const LineSchedule& schedule() const noexcept { return schedule_; }
  const std::string& name() const noexcept { return name_; }
  const std::string& interface() const noexcept { return interface_; }

  /// Hands up to `most` packets that are due to the kernel. Returns how many.
  std::uint32_t send_due(Source& source, std::uint64_t now_ns, std::uint32_t most) noexcept;
  /// Has the kernel send, and takes back what it is done with. Returns how many. Throws Error when
  /// the kernel will not send (the interface is down).
  std::uint32_t push();

  std::uint64_t sent() const noexcept;
  /// Handed to the kernel and not given back yet.
  std::uint64_t outstanding() const noexcept;
  /// Throws Error when the interface has gone.
  LineResult result() const;

 private:
  using Exit = std::variant<XskExit, LiveExit>;

  std::uint64_t completed() const noexcept;
  std::uint32_t write_packet(Source& source, const Departure& departure,
                             std::byte* data) const noexcept;

  std::string name_;
  std::string interface_;
  std::size_t place_;
  LineSchedule schedule_;
  sys::LinkCounters counters_;
  std::uint64_t dropped_before_;
  Exit exit_;
};

}  // namespace linearb::feeder
