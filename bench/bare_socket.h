// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "xsk/socket.h"
#include "xsk/umem.h"

namespace linearb::bench {

/// One AF_XDP socket, and the bare loop over its RX ring: what every receiver is measured against.
class BareSocket {
 public:
  /// On queue 0. Throws Error.
  explicit BareSocket(const std::string& interface)
      : umem_({.frames = kFrames, .fill_ring_entries = kFrames}),
        socket_(umem_,
                {.interface = interface, .receive_frames = kFrames, .zero_copy = ZeroCopy::off}) {}

  int fd() const noexcept { return socket_.fd(); }

  /// Hands the packets that have come, one batch of them, to `take(data, length)`. The frames go
  /// straight back to the fill ring, which has room for all there are. Returns how many came.
  template <typename Take>
  std::uint32_t drain(Take&& take) {
    xsk::RxBatch batch = socket_.receive(kBatch);
    const std::uint32_t size = batch.size();
    if (size > 0) {
      xsk::FillBatch fill = socket_.fill(size);
      for (const xsk::RxPacket packet : batch) {
        take(reinterpret_cast<const std::uint8_t*>(packet.data), packet.length_bytes);
        fill.put(packet.frame);
      }
    }
    if (socket_.rx_needs_wakeup()) socket_.wake_rx();
    return size;
  }

  static constexpr std::uint32_t kFrames = 4096;
  static constexpr std::uint32_t kBatch = 64;

 private:
  xsk::Umem umem_;
  xsk::Socket socket_;
};

}  // namespace linearb::bench
