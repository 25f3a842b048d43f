// SPDX-License-Identifier: Apache-2.0
#include "bench/board.h"

#include <new>

#include <sys/mman.h>
#include <unistd.h>

#include "sys/error.h"

namespace linearb::bench {
namespace {

constexpr std::size_t kSize = 4096;
static_assert(sizeof(Board) <= kSize);

sys::MappedMemory map(int fd) {
  return sys::MappedMemory(
      {.what = "the board of a peer", .size_bytes = kSize, .flags = MAP_SHARED, .fd = fd});
}

/// The peer is to inherit it.
int new_file() {
  const int fd = ::memfd_create("linearb_bench", 0);
  if (fd < 0 || ::ftruncate(fd, kSize) != 0) sys::throw_errno("make the board of a peer");
  return fd;
}

}  // namespace

SharedBoard::SharedBoard()
    : fd_(new_file()), memory_(map(fd_.get())), board_(new (memory_.data()) Board) {}

SharedBoard::SharedBoard(int fd)
    : fd_(fd), memory_(map(fd)), board_(reinterpret_cast<Board*>(memory_.data())) {}

}  // namespace linearb::bench
