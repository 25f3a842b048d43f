// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What an application got, in a file that outlives it: one entry for each delivery, counted when
/// it is whole. Whoever is killed in between has not got it.

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "sys/error.h"
#include "sys/fd.h"
#include "sys/mapped_memory.h"

namespace linearb::test {

struct LedgerEntry {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t run = 0;  ///< of the receiver
};

class Ledger {
 public:
  static constexpr std::size_t kEntries = 16'000'000;

  /// Makes the file if there is none; it takes room as it fills.
  explicit Ledger(const std::string& path) {
    const sys::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    const std::size_t bytes = sizeof(Header) + kEntries * sizeof(LedgerEntry);
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0)
      sys::throw_errno("make the ledger " + path);
    memory_ = sys::MappedMemory(
        {.what = "the ledger", .size_bytes = bytes, .flags = MAP_SHARED, .fd = file.get()});
  }

  void add(const LedgerEntry& entry) {
    const std::uint64_t place = header().entries.load();
    if (place >= kEntries) ::abort();
    room()[place] = entry;
    header().entries.store(place + 1);
  }
  void add_wrong_bytes() { ++header().wrong; }

  std::span<const LedgerEntry> entries() const { return {room(), header().entries.load()}; }
  std::uint64_t wrong_bytes() const { return header().wrong; }

 private:
  struct Header {
    std::atomic<std::uint64_t> entries;
    std::atomic<std::uint64_t> wrong;
  };
  Header& header() const { return *reinterpret_cast<Header*>(memory_.data()); }
  LedgerEntry* room() const {
    return reinterpret_cast<LedgerEntry*>(memory_.data() + sizeof(Header));
  }

  sys::MappedMemory memory_;
};

}  // namespace linearb::test
