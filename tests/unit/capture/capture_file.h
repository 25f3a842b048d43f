// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "unit/capture/temp_folder.h"

/// Files of captures, byte by byte, in every form that a reader knows.
namespace linearb::test::capture_file {

inline constexpr std::uint64_t kTime = 1'700'000'000'123'456'789;
inline constexpr std::uint32_t kEthernet = 1;  // LINKTYPE_ numbers: www.tcpdump.org/linktypes.html
inline constexpr std::uint32_t kWireless = 105;
inline constexpr std::uint32_t kCooked = 113;
inline constexpr std::uint32_t kRawIp = 101;
inline constexpr std::uint32_t kRawIpv4 = 228;
inline constexpr std::uint32_t kCooked2 = 276;

/// Integers in the byte order of a capture.
struct Builder {
  bool big_endian = false;
  Bytes bytes = {};

  Builder& integer(std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; i++)
      bytes.push_back(static_cast<std::uint8_t>(value >> 8 * (big_endian ? width - 1 - i : i)));
    return *this;
  }
  Builder& append(const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return *this;
  }
};

/// Classic pcap: draft-ietf-opsawg-pcap, sections 4 and 5.
struct Classic {
  bool nanoseconds = true;
  bool big_endian = false;
  std::uint32_t link_type = kEthernet;

  Builder header() const {
    Builder file{.big_endian = big_endian};
    file.integer(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 4).integer(2, 2).integer(4, 2);
    file.integer(0, 8).integer(65535, 4).integer(link_type, 4);
    return file;
  }
  Builder& record(Builder& file, std::uint64_t time_ns, const Bytes& frame,
                  std::size_t original) const {
    std::uint64_t fraction = time_ns % 1'000'000'000;
    file.integer(time_ns / 1'000'000'000, 4).integer(nanoseconds ? fraction : fraction / 1000, 4);
    return file.integer(frame.size(), 4).integer(original, 4).append(frame);
  }
  /// All at one time.
  Bytes file_of(const std::vector<Bytes>& frames, std::uint64_t time_ns = kTime) const {
    Builder file = header();
    for (const Bytes& frame : frames) record(file, time_ns, frame, frame.size());
    return file.bytes;
  }
};

/// pcapng with one section: draft-ietf-opsawg-pcapng, sections 4.1 to 4.3.
struct NextGeneration {
  Builder file = {};

  NextGeneration() {
    file.integer(0x0a0d0d0a, 4).integer(28, 4).integer(0x1a2b3c4d, 4).integer(1, 2).integer(0, 2);
    file.integer(~0ull, 8).integer(28, 4);
  }
  NextGeneration& interface(std::uint32_t link_type, std::uint8_t resolution) {
    file.integer(1, 4).integer(32, 4).integer(link_type, 2).integer(0, 2).integer(65535, 4);
    file.integer(9, 2).integer(1, 2).integer(resolution, 4).integer(0, 4).integer(32, 4);
    return *this;
  }
  /// The frame has a multiple of four bytes.
  NextGeneration& packet(std::uint32_t interface_id, std::uint64_t units, const Bytes& frame) {
    std::size_t length = 32 + frame.size();
    file.integer(6, 4).integer(length, 4).integer(interface_id, 4).integer(units >> 32, 4);
    file.integer(units & 0xFFFFFFFF, 4).integer(frame.size(), 4).integer(frame.size(), 4);
    file.append(frame).integer(length, 4);
    return *this;
  }
};

}  // namespace linearb::test::capture_file
