// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "xsk/socket.h"
#include "xsk/umem.h"

namespace linearb::feeder {

/// Where the packets of a line leave: an AF_XDP socket.
///
/// Nothing in here waits. A kick that the kernel answers with "not now" is repeated by the next
/// push(), as long as anything is outstanding: so a full TX or completion ring delays and never
/// stalls.
class XskExit {
 public:
  /// The UMEM has to outlive it. `line` is what it is called where it fails. Throws as xsk::Socket
  /// does.
  XskExit(xsk::Umem& umem, const xsk::SocketOptions& options, std::string line)
      : umem_(umem), socket_(umem, options), line_(std::move(line)) {}

  /// Packets that are written one after the other, and sent with the next push().
  class Block {
   public:
    Block(XskExit& exit, std::uint32_t most) noexcept
        : exit_(exit), batch_(exit.socket_.send(std::min(most, exit.socket_.pool().size()))) {}
    ~Block() { exit_.sent_ += count_; }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    std::uint32_t room() const noexcept { return batch_.room(); }
    /// Where the next packet is to be written, of which put() then says how long it is. While there
    /// is room.
    std::byte* next() noexcept {
      frame_ = exit_.socket_.pool().take();
      return exit_.umem_.data(frame_);
    }
    void put(std::uint32_t length_bytes) noexcept {
      batch_.put(frame_, length_bytes);
      ++count_;
    }

   private:
    XskExit& exit_;
    xsk::TxBatch batch_;
    std::uint64_t frame_ = 0;
    std::uint32_t count_ = 0;
  };

  Block begin(std::uint32_t most) noexcept { return Block(*this, most); }
  /// Kicks the kernel and takes completions back. Returns how many. Throws Error when the kernel
  /// will not send (the interface is down).
  std::uint32_t push();

  const std::string& interface() const noexcept { return socket_.options().interface; }
  std::uint64_t sent() const noexcept { return sent_; }
  std::uint64_t completed() const noexcept { return completed_; }
  bool frames_conserved() const noexcept { return socket_.conserved(); }

 private:
  xsk::Umem& umem_;
  xsk::Socket socket_;
  std::string line_;
  std::uint64_t sent_ = 0;
  std::uint64_t completed_ = 0;
};

}  // namespace linearb::feeder
