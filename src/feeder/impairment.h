// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/run.h"
#include "feeder/random.h"

namespace linearb::feeder {

/// The longest skew and the longest jitter: more than any hold time, short enough that a queue of
/// delayed packets stays within kDelayQueueLimit at rates people ask for.
inline constexpr std::uint64_t kDelayMaxNs = 60'000'000'000;
/// By how many packets a reordered one can be overtaken.
inline constexpr std::uint32_t kReorderDepthMax = 64;
/// A packet is held back for at most so many offers: of those that may pass it, each may come
/// behind as many that are held back themselves.
inline constexpr std::uint32_t kHeldOffersMax = kReorderDepthMax * kReorderDepthMax;
/// The mean length of a burst, in packets.
inline constexpr double kBurstLengthMax = 1e6;
/// How many runs of lost packets a line remembers: 16 MiB, touched only as it fills.
inline constexpr std::size_t kLostRunsMax = 1 << 20;
/// The longest run of lost packets; a longer one goes on in the next. Small enough that the
/// messages of all its packets can be counted in 32 bits.
inline constexpr std::uint32_t kLostRunLength = 1 << 20;

/// Loss in bursts (Gilbert 1960, Elliott 1963, with a good state that loses nothing and a bad one
/// that loses everything).
struct BurstLoss {
  double rate = 0;         // probability that a burst begins with a packet
  double mean_length = 1;  // packets; lengths are geometric
};

/// What happens to the packets of one line. Probabilities are per packet, in [0, 1].
struct LineImpairment {
  double loss = 0;
  BurstLoss burst{};
  std::uint64_t skew_ns = 0;    // every packet is this much later
  std::uint64_t jitter_ns = 0;  // and up to this much more, uniformly
  double reorder = 0;
  std::uint32_t reorder_depth = 1;  // a reordered packet is sent after the next 1 to depth packets
  double duplicate = 0;
  double corrupt = 0;  // one bit of the UDP payload is flipped, after the checksum
};

inline constexpr std::uint32_t kNoCorruptBit = std::numeric_limits<std::uint32_t>::max();

/// One packet on its way out. A duplicate is a second departure with the same index, directly
/// behind the first.
struct Departure {
  std::uint64_t departure_ns;
  std::uint64_t base_ns;      // when it would have left without impairment
  std::uint64_t index;        // of the packet on its line, from 0
  std::uint32_t corrupt_bit;  // bit % 8 of byte bit / 8 of the UDP payload, or kNoCorruptBit
  bool last;                  // no other departure with this index follows
};

/// What was done to a line. offered = dropped + packets that depart; departures = offered -
/// dropped + duplicated.
struct Ledger {
  std::uint64_t offered = 0;
  std::uint64_t dropped = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  // left after a packet that was offered later
  std::uint64_t corrupted = 0;  // departures with a flipped bit
  std::uint64_t delayed = 0;    // packets that left later than their base time
};

/// Which packets were lost, as runs, in memory that is bounded and taken at the start.
class LostRuns {
 public:
  LostRuns() { runs_.reserve(kLostRunsMax); }

  void add(std::uint64_t index) noexcept;
  /// Ascending, without overlap; `first` counts packets of the line from 0.
  std::span<const lb_run> runs() const noexcept { return runs_; }
  /// Lost packets that are not in runs(), because it was full.
  std::uint64_t unlisted() const noexcept { return unlisted_; }

 private:
  std::vector<lb_run> runs_;
  std::uint64_t unlisted_ = 0;
};

/// Turns the packets of one line into departures. Pure: no clock, no I/O; the same seed, line and
/// settings give the same departures everywhere.
///
/// A line is a queue: departures come out in the order of their time, and a packet that jitter
/// delays also delays those behind it. Overtaking is what `reorder` is for: a packet that it holds
/// back leaves when the next 1 to depth packets that are not held back themselves have passed, or
/// were lost. A corrupt packet that is duplicated departs once corrupt and once whole.
class Impairment {
 public:
  /// Throws UsageError for settings that cannot be.
  Impairment(const LineImpairment& settings, std::uint64_t seed, std::uint64_t line);

  /// The next packet of the line. Base times do not decrease. Without a payload there is no bit
  /// to flip. What is returned is valid until the next call.
  std::span<const Departure> offer(std::uint64_t base_ns, std::uint32_t payload_bytes) noexcept;
  /// After the last packet: what was still held back.
  std::span<const Departure> finish() noexcept;

  /// The most departures that `packets` more offers and finish() can give.
  std::size_t most_departures(std::size_t packets) const noexcept {
    return 2 * (packets + held_.size());
  }
  const Ledger& ledger() const noexcept { return ledger_; }
  const LostRuns& lost() const noexcept { return lost_; }

 private:
  struct Held {
    Departure departure;
    std::uint32_t remaining;  // packets that are still to pass it, lost ones too
    bool overtaken;
    bool duplicate;
  };

  bool is_lost(std::uint64_t index) noexcept;
  void depart(Departure departure, bool duplicate) noexcept;
  void depart_held(const Held& held) noexcept;
  void pass_held(bool departed) noexcept;

  LineImpairment settings_;
  Stream loss_stream_, burst_stream_, jitter_stream_, reorder_stream_, depth_stream_,
      duplicate_stream_, corrupt_stream_, bit_stream_;
  Chance loss_, burst_begins_, burst_ends_, reorder_, duplicate_, corrupt_;
  bool in_burst_ = false;
  std::uint64_t last_departure_ns_ = 0;
  std::vector<Held> held_;
  std::vector<Departure> departures_;
  Ledger ledger_;
  LostRuns lost_;
};

}  // namespace linearb::feeder
