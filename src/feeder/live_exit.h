// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "live/sender.h"
#include "sys/interface.h"
#include "sys/link_counters.h"

namespace linearb::feeder {

/// Where the packets of a line leave: live frames, cheaper than a socket where the line is a veth
/// pair. What has arrived is known by the interface's counters, and no more is sent before it has:
/// the queue of a veth takes 256 packets, and drops the next.
class LiveExit {
 public:
  /// Loads and attaches the source. The counters are the interface's, and outlive this. Throws
  /// Error.
  LiveExit(const std::string& interface, const sys::LinkCounters& counters)
      : in_dispatcher_(sender_.program_fd(), interface),
        index_(sys::interface_index(interface)),
        counters_(counters),
        before_(counters_.read()) {}

  /// Packets that are written one after the other, and sent with the next push().
  class Block {
   public:
    Block(LiveExit& exit, std::uint32_t most) noexcept
        : exit_(exit),
          room_(exit.completed_ == exit.sent_
                    ? std::min<std::uint32_t>(most, LB_LIVE_SLOTS - exit.written_)
                    : 0) {}
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    std::uint32_t room() const noexcept { return room_; }
    /// Where the next packet is to be written, of which put() then says how long it is. While there
    /// is room.
    std::byte* next() noexcept { return reinterpret_cast<std::byte*>(slot().bytes); }
    void put(std::uint32_t length_bytes) noexcept {
      slot().interface_index = exit_.index_;
      slot().length = length_bytes;
      ++exit_.written_;
      --room_;
    }

   private:
    lb_live_slot& slot() const noexcept { return exit_.slots_[exit_.written_]; }

    LiveExit& exit_;
    std::uint32_t room_;
  };

  Block begin(std::uint32_t most) noexcept { return Block(*this, most); }
  /// Sends what was written, and looks what has arrived. Returns how many have since the last look.
  /// Throws Error.
  std::uint32_t push();

  std::uint64_t sent() const noexcept { return sent_ + written_; }
  /// Taken by the other end, or dropped in front of it.
  std::uint64_t completed() const noexcept { return completed_; }
  /// They are the kernel's, made anew for each packet.
  static bool frames_conserved() noexcept { return true; }

 private:
  live::Sender sender_;
  live::InDispatcher in_dispatcher_;
  std::span<lb_live_slot> slots_ = sender_.slots();
  unsigned index_;
  const sys::LinkCounters& counters_;
  sys::LinkCounters::Transmitted before_;
  std::uint32_t written_ = 0;  ///< and not sent so far
  std::uint64_t sent_ = 0;
  std::uint64_t completed_ = 0;
};

}  // namespace linearb::feeder
