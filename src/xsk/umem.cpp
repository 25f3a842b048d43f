// SPDX-License-Identifier: Apache-2.0
#include "xsk/umem.h"

#include <bit>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "sys/error.h"

namespace linearb::xsk {

namespace {

constexpr std::size_t kHugePageBytes = 2u << 20;
/// MAP_HUGE_2MB of linux/mman.h, whose other macros clash with sys/mman.h.
constexpr int kMapHuge2Mb = 21 << MAP_HUGE_SHIFT;
/// 4 GiB of large frames: a bound for a mistyped number, above what one feed handler needs.
constexpr std::uint32_t kFramesMax = 1u << 20;
constexpr std::string_view kWhenShort = "free memory, or use fewer frames (--frames)";

void validate(const UmemOptions& options) {
  if (options.frame_size != kFrameSizeSmall && options.frame_size != kFrameSizeLarge)
    throw UsageError(fmt::format("frame size of {} bytes: it is {} or {}", options.frame_size,
                                 kFrameSizeSmall, kFrameSizeLarge));
  if (options.frames == 0 || options.frames > kFramesMax)
    throw UsageError(fmt::format("UMEM of {} frames: it has 1 to {}", options.frames, kFramesMax));
  if (!std::has_single_bit(options.fill_ring_entries))
    throw UsageError(fmt::format("fill ring of {} entries: the kernel wants a power of two",
                                 options.fill_ring_entries));
  if (!std::has_single_bit(options.completion_ring_entries))
    throw UsageError(fmt::format("completion ring of {} entries: the kernel wants a power of two",
                                 options.completion_ring_entries));
}

std::size_t bytes_of(const UmemOptions& options) {
  return static_cast<std::size_t>(options.frames) * options.frame_size;
}

/// libxdp makes the socket and registers the memory in one call; errno tells which it was.
[[noreturn]] void throw_create_error(std::size_t size_bytes, int error_number) {
  const std::string what = fmt::format("register a UMEM of {} bytes", size_bytes);
  constexpr const char* kSocket = "open an AF_XDP socket";
  switch (error_number) {
    case EAFNOSUPPORT:
      sys::throw_errno(kSocket, "this kernel was built without it (CONFIG_XDP_SOCKETS)",
                       error_number);
    case EPERM:
      sys::throw_errno(kSocket, "it needs root or CAP_NET_RAW", error_number);
    case EMFILE:
    case ENFILE:
      sys::throw_errno(kSocket, {}, error_number);
    case ENOBUFS:  // net/xdp/xdp_umem.c: xdp_umem_account_pages
      sys::throw_errno(what,
                       "it is locked memory: use fewer frames (--frames), raise RLIMIT_MEMLOCK "
                       "(ulimit -l), or run as root or with CAP_IPC_LOCK",
                       error_number);
    case ENOMEM:
      sys::throw_errno(what, kWhenShort, error_number);
    default:
      sys::throw_errno(what, {}, error_number);
  }
}

sys::MappedMemory map_huge_pages(std::size_t size_bytes) noexcept {
  return sys::MappedMemory::try_map(
      {.what = "UMEM",
       .size_bytes = (size_bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes,
       .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_HUGETLB | kMapHuge2Mb});
}

}  // namespace

void close_on_exec(int fd) {
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) sys::throw_errno("set an AF_XDP socket FD_CLOEXEC");
}

Umem::Umem(const UmemOptions& options) : options_(options) {
  validate(options);
  const std::size_t size_bytes = bytes_of(options);
  if (options.huge_pages) memory_ = map_huge_pages(size_bytes);
  huge_pages_ = static_cast<bool>(memory_);
  if (!huge_pages_)
    memory_ = sys::MappedMemory({.what = "UMEM",
                                 .when_short = kWhenShort,
                                 .size_bytes = size_bytes,
                                 .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE});

  const xsk_umem_config config{.fill_size = options.fill_ring_entries,
                               .comp_size = options.completion_ring_entries,
                               .frame_size = options.frame_size,
                               .frame_headroom = 0,
                               .flags = 0};
  xsk_umem* umem = nullptr;
  const int result = xsk_umem__create(&umem, memory_.data(), size_bytes, &first_rings_.fill,
                                      &first_rings_.completion, &config);
  if (result != 0) throw_create_error(size_bytes, -result);
  umem_.reset(umem);
  close_on_exec(xsk_umem__fd(umem));
  if (options.one_queue)
    owners_ = FrameOwners::make_table(
        {.first = 0, .frames = options.frames, .frame_size = options.frame_size});
}

/// libxdp 1.3 counts a socket that it could not make, and then refuses: interface and queue would
/// stay taken.
void Umem::Delete::operator()(xsk_umem* umem) const noexcept {
  const int fd = xsk_umem__fd(umem);
  if (xsk_umem__delete(umem) == -EBUSY) ::close(fd);
}

FrameSpan Umem::take_span(std::uint32_t frames) {
  if (frames > frames_left())
    throw UsageError(
        fmt::format("{} frames of the UMEM for one socket, {} of {} are left: "
                    "raise --frames",
                    frames, frames_left(), options_.frames));
  const FrameSpan span{.first = static_cast<std::uint64_t>(frames_taken_) * options_.frame_size,
                       .frames = frames,
                       .frame_size = options_.frame_size};
  frames_taken_ += frames;
  return span;
}

}  // namespace linearb::xsk
