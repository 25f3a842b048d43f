// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <linux/bpf.h>

namespace linearb::xsk {

/// The smallest and the largest frame of a UMEM in aligned mode on 4 KiB pages
/// (Documentation/networking/af_xdp.rst, "XDP_UMEM_REG").
constexpr std::uint32_t kFrameSizeSmall = 2048;
constexpr std::uint32_t kFrameSizeLarge = 4096;

/// The largest packet in bytes that fits a frame: the kernel keeps XDP_PACKET_HEADROOM in front of
/// each packet it receives, and the metadata of the hook lies in there.
constexpr std::uint32_t frame_room(std::uint32_t frame_size) noexcept {
  return frame_size - XDP_PACKET_HEADROOM;
}
static_assert(frame_room(kFrameSizeSmall) >= 1514 + 2 * 4, "an MTU of 1500 with two VLAN tags");

/// The address of the frame that `address` lies in. A frame is named by the address of its first
/// byte, counted from the beginning of the UMEM.
constexpr std::uint64_t frame_of(std::uint64_t address, std::uint32_t frame_size) noexcept {
  return address & ~(static_cast<std::uint64_t>(frame_size) - 1);
}

/// A run of frames of a UMEM that belongs to one socket for as long as the UMEM lives; where
/// sockets share a queue, to begin with.
struct FrameSpan {
  std::uint64_t first = 0;  ///< frame
  std::uint32_t frames = 0;
  std::uint32_t frame_size = 0;

  constexpr std::uint64_t frame(std::uint32_t index) const noexcept {
    return first + static_cast<std::uint64_t>(index) * frame_size;
  }
  constexpr std::uint64_t end() const noexcept { return frame(frames); }
  constexpr bool contains(std::uint64_t address) const noexcept {
    return address >= first && address < end();
  }
  /// Of an address that the span contains.
  constexpr std::uint32_t index(std::uint64_t address) const noexcept {
    return static_cast<std::uint32_t>((address - first) / frame_size);
  }
};

}  // namespace linearb::xsk
