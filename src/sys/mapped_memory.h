// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include <sys/mman.h>

namespace linearb::sys {

/// What to map: the arguments of mmap(2) under names. `what` names the object in an error, and
/// `when_short` says what to do where memory is.
struct Mapping {
  std::string_view what;
  std::string_view when_short = "free memory, or raise its limit (ulimit -v)";
  std::size_t size_bytes = 0;
  int protection = PROT_READ | PROT_WRITE;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  int fd = -1;
  off_t offset = 0;
};

/// Owns a memory mapping and unmaps it. Movable, not copyable; empty has no data.
class MappedMemory {
 public:
  MappedMemory() noexcept = default;
  /// Throws Error when the kernel refuses.
  explicit MappedMemory(const Mapping& mapping);
  /// Empty when the kernel refuses: for callers that have a second choice.
  static MappedMemory try_map(const Mapping& mapping) noexcept;

  MappedMemory(MappedMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  MappedMemory& operator=(MappedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_bytes_, other.size_bytes_);
    return *this;
  }
  ~MappedMemory() {
    if (data_) ::munmap(data_, size_bytes_);
  }

  std::byte* data() const noexcept { return static_cast<std::byte*>(data_); }
  std::size_t size_bytes() const noexcept { return size_bytes_; }
  explicit operator bool() const noexcept { return data_ != nullptr; }

 private:
  void* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

}  // namespace linearb::sys
