// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace linearb::feeder {

inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// Consecutive units of a source that travel in one packet.
struct UnitRange {
  std::uint64_t first;
  std::uint32_t count;
};

/// One moment on both clocks.
struct StartTime {
  std::uint64_t monotonic_ns;
  std::uint64_t realtime_ns;
};

/// What every line carries. A source is a sequence of units, counted from 0: messages that are
/// generated, or datagrams of a capture. Every line carries all of them, in packets of its own
/// cut, and a unit has the same bytes on every line.
///
/// Times are CLOCK_MONOTONIC, and arguments: a source knows no clock. One thread. What may read a
/// file may throw.
class Source {
 public:
  virtual ~Source() = default;

  /// Before the first unit: the time that unit 0 is due at.
  virtual void start(const StartTime& time) noexcept = 0;
  /// When the next unit is due: kNever when there is none, or none for the time being because the
  /// lines still need what the source has in memory.
  virtual std::uint64_t due_ns() = 0;
  /// True when there will be no further unit; due_ns() finds it out.
  virtual bool finished() const noexcept = 0;
  /// Takes the next unit, which is due at `now_ns`, and returns its base time: base times do not
  /// decrease.
  virtual std::uint64_t take(std::uint64_t now_ns) noexcept = 0;

  /// The UDP payload of a packet with these units, which were taken, in bytes.
  virtual std::uint32_t payload_length(UnitRange units) const noexcept = 0;
  /// Where the payload begins in what write() gives.
  virtual std::uint32_t payload_offset(UnitRange units) const noexcept = 0;
  /// Writes the packet for a line and returns its length in bytes. `base_ns` is the base time of
  /// its last unit.
  virtual std::uint32_t write(std::size_t line, UnitRange units, std::uint64_t base_ns,
                              std::uint8_t* frame) const noexcept = 0;
  /// A line needs these units no more: called once for each line and packet.
  virtual void release(UnitRange units) noexcept = 0;
};

}  // namespace linearb::feeder
