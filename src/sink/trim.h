// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/run.h"
#include "framing/framing.h"

namespace linearb::sink {

/// Which messages of a packet are new, and where they are.
struct Trim {
  const lb_framing& framing;
  std::uint32_t payload_offset;  // from the first byte of the frame
  std::uint32_t payload_length;
  std::uint64_t first;           // number of the packet's first message
  std::span<const lb_run> runs;  // ascending, without overlap, inside of the packet
};

/// Makes a packet out of each run of another: the messages of the run behind the packet's own
/// headers, with number, count, lengths and checksums as they then have to be. Everything else
/// stays as it was: addresses, VLAN tags, identification, what a header says beyond its framing.
/// A UDP checksum of 0 says that there is none (RFC 768) and stays 0.
///
///   Trimmer trimmer(frame, trim);
///   if (trimmer.possible()) while (trimmer.next()) trimmer.write(room of trimmer.size());
///
/// What it is bad at: framings that check their own payload, as OPRA does; that sum is not
/// corrected. It refers to the frame and to the trim, which have to live longer.
class Trimmer {
 public:
  Trimmer(std::span<const std::uint8_t> frame, const Trim& trim) noexcept;

  /// False where the framing cannot be walked, or frame and runs contradict each other.
  bool possible() const noexcept { return possible_; }

  /// Goes to the next run; false when there is none left.
  bool next() noexcept;
  /// Bytes of the frame that the current run makes.
  std::size_t size() const noexcept;
  /// Writes it to size() bytes.
  void write(std::uint8_t* frame) const noexcept;

 private:
  bool parse() noexcept;
  bool all_runs_are_there() noexcept;
  bool go_to(const lb_run& run) noexcept;
  bool skip_messages(std::uint64_t count) noexcept;
  void rewind() noexcept;
  void write_lengths(std::uint8_t* frame) const noexcept;

  std::span<const std::uint8_t> frame_;
  const Trim& trim_;
  std::span<const std::uint8_t> payload_;
  std::uint32_t ip_offset_ = 0;
  std::uint32_t message_count_ = 0;
  bool possible_ = false;

  std::size_t runs_done_ = 0;
  std::uint64_t index_ = 0;   // of the message behind the current run, in the packet
  std::uint32_t offset_ = 0;  // of that message, in the payload
  std::uint32_t begin_ = 0;   // of the current run, in the payload
  std::uint64_t first_ = 0;   // number of its first message
  std::uint32_t count_ = 0;
};

}  // namespace linearb::sink
