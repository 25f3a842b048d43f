// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "sys/fd.h"

namespace linearb::fuzz {

/// The input as a file that has a path, and is on no disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes) : fd_(::memfd_create("fuzz", 0)) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    require(written == static_cast<ssize_t>(bytes.size()), "the input becomes a file");
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_.get()); }

 private:
  sys::Fd fd_;
};

}  // namespace linearb::fuzz
