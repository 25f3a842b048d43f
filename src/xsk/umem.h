// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <xdp/xsk.h>

#include "sys/mapped_memory.h"
#include "xsk/frame.h"
#include "xsk/frame_owners.h"

namespace linearb::xsk {

/// The fill and completion ring of a socket: the half of its rings that moves bare frames.
struct FrameRings {
  xsk_ring_prod fill{};
  xsk_ring_cons completion{};
};

struct UmemOptions {
  std::uint32_t frame_size = kFrameSizeSmall;  ///< bytes; kFrameSizeSmall or kFrameSizeLarge
  std::uint32_t frames = 0;                    ///< of all sockets together
  bool huge_pages = false;                     ///< ask for pages of 2 MiB
  /// All its sockets are on one queue, each with a thread of its own: they have one fill ring and
  /// one completion ring together, and their frames too, as the kernel wants it
  /// (Documentation/networking/af_xdp.rst, "XDP_SHARED_UMEM bind flag"). They only receive.
  bool one_queue = false;
  /// Of each socket, powers of two: libxdp 1.3 keeps one size of these two rings for a UMEM. The
  /// fill ring has to hold all frames that a socket receives into, or all sockets of one queue.
  std::uint32_t fill_ring_entries = 4096;
  std::uint32_t completion_ring_entries = 2048;
};

/// libxdp opens its sockets without SOCK_CLOEXEC. A program that the application starts would keep
/// them, and with them the queue, after the application has ended.
void close_on_exec(int fd);

/// The memory that packets live in, of one socket or several: a frame is named by one number for
/// all of them. Each gets a span of its own to begin with.
///
/// All its sockets have one mode, zero-copy or copy: the first one decides, since the kernel binds
/// the others to the memory as it bound that one (xp_assign_dev_shared in
/// net/xdp/xsk_buff_pool.c). The first socket also shares its file descriptor with the UMEM, so
/// its interface and queue stay taken until the UMEM goes.
///
/// Neither movable nor copyable: sockets point into it, and it has to outlive them.
class Umem {
 public:
  /// Maps, touches and registers the memory. Throws UsageError for sizes that the kernel would
  /// refuse, Error when it refuses all the same.
  explicit Umem(const UmemOptions& options);
  Umem(const Umem&) = delete;
  Umem& operator=(const Umem&) = delete;

  const UmemOptions& options() const noexcept { return options_; }
  /// Whether the huge pages that were asked for were there.
  bool huge_pages() const noexcept { return huge_pages_; }
  /// The bytes at an address of a frame or a descriptor.
  std::byte* data(std::uint64_t address) const noexcept { return memory_.data() + address; }

  /// Lets the kernel go, when all sockets are closed: interface and queue are free, and the bytes
  /// stay readable.
  void release() noexcept { umem_.reset(); }

  /// The next frames that nobody has taken. They are spent when their socket closes, because the
  /// kernel may still hold them. Throws UsageError when fewer are left.
  FrameSpan take_span(std::uint32_t frames);
  /// With one_queue: the Turn of whoever puts frames into the fill ring, which has one producer.
  std::atomic<bool>& filling() noexcept { return filling_; }
  std::uint32_t frames_left() const noexcept { return options_.frames - frames_taken_; }

 private:
  friend class Socket;

  UmemOptions options_;
  sys::MappedMemory memory_;
  bool huge_pages_ = false;
  std::uint32_t frames_taken_ = 0;
  /// libxdp makes the first socket's rings together with the UMEM and remembers where they are.
  FrameRings first_rings_;
  bool first_bound_ = false;
  bool zero_copy_ = false;
  std::atomic<bool> filling_ = false;
  FrameOwners::Table owners_{};  ///< with one_queue: of all frames
  struct Delete {
    void operator()(xsk_umem* umem) const noexcept;
  };
  /// Last, so that it goes first: the kernel lets go of the memory before it is unmapped.
  std::unique_ptr<xsk_umem, Delete> umem_;
};

}  // namespace linearb::xsk
