// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a capture, and as datagrams back to back under a built-in framing: they are read to
// the end, or refused as a damaged file.
#include <string>

#include "capture/raw_datagrams.h"
#include "capture/reader.h"
#include "config/framing_file.h"
#include "fuzz/fuzz.h"
#include "fuzz/memory_file.h"
#include "linearb/error.h"

namespace linearb::fuzz {
namespace {

/// A gzip file of a kilobyte can be a megabyte of records.
constexpr unsigned kRecordsMax = 10'000;

unsigned sum_of(std::span<const std::uint8_t> bytes) {
  unsigned sum = 0;
  for (const std::uint8_t byte : bytes) sum += byte;
  return sum;
}

void read_capture(const std::string& path) {
  capture::Reader reader(path);
  unsigned sum = 0;
  for (unsigned i = 0; i < kRecordsMax; ++i) {
    const auto record = reader.next();
    if (!record) break;
    sum += sum_of(record->bytes);  // each byte is there
  }
  static_cast<void>(sum);
}

void read_datagrams(const std::string& path, const lb_framing& framing) {
  capture::RawDatagrams reader(path, framing);
  unsigned sum = 0;
  for (unsigned i = 0; i < kRecordsMax; ++i) {
    const auto datagram = reader.next();
    if (!datagram) break;
    require(datagram->size() >= framing.header_length, "a datagram has its header");
    sum += sum_of(*datagram);
  }
  static_cast<void>(sum);
}

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace linearb;
  static const lb_framing mold = config::builtin_framing("moldudp64").descriptor;
  static const lb_framing pitch = config::builtin_framing("cboe-pitch").descriptor;
  const fuzz::MemoryFile file({data, size});
  fuzz::expect_used_or_refused([&] { fuzz::read_capture(file.path()); });
  for (const lb_framing& framing : {mold, pitch})
    fuzz::expect_used_or_refused([&] { fuzz::read_datagrams(file.path(), framing); });
  return 0;
}
