// SPDX-License-Identifier: Apache-2.0
#include "bench/board.h"

#include <algorithm>
#include <new>
#include <vector>

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

/// Of what is not empty. Sorts it.
std::uint64_t percentile(std::span<std::uint64_t> values, std::size_t percent) {
  std::ranges::sort(values);
  return values[values.size() * percent / 100];
}

}  // namespace

Latency latency_of(std::span<std::uint64_t> latencies_ns) {
  if (latencies_ns.empty()) return {};
  const std::size_t part = std::max<std::size_t>(latencies_ns.size() / kLatencyParts, 1);
  std::vector<std::uint64_t> of_parts;
  for (std::size_t first = 0; first + part <= latencies_ns.size(); first += part)
    of_parts.push_back(percentile(latencies_ns.subspan(first, part), 99));
  return {.count = latencies_ns.size(),
          .p50_ns = percentile(latencies_ns, 50),
          .p99_ns = percentile(of_parts, 50),
          .p99_of_the_run_ns = percentile(latencies_ns, 99)};
}

SharedBoard::SharedBoard()
    : fd_(new_file()), memory_(map(fd_.get())), board_(new (memory_.data()) Board) {}

SharedBoard::SharedBoard(int fd)
    : fd_(fd), memory_(map(fd)), board_(reinterpret_cast<Board*>(memory_.data())) {}

}  // namespace linearb::bench
