// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "capture/raw_datagrams.h"
#include "capture/reader.h"
#include "linearb/options.h"

namespace linearb::inspect {

/// Between packets of a file that has no times.
inline constexpr std::uint64_t kStepNs = 1'000;

/// One packet of a file.
struct Datagram {
  std::optional<std::uint64_t> time_ns;    ///< since the epoch; a file of payloads has no times
  std::optional<Destination> destination;  ///< none where it is not UDP over IPv4, or a payload
  std::uint32_t source = 0;                ///< host byte order; 0 where there is no destination
  bool is_whole = true;  ///< false: its lengths contradict each other, or it is cut off
  std::span<const std::uint8_t> payload;  ///< valid until the next one is asked for
};

/// The packets of a capture, or of a file in which UDP payloads stand back to back: the framing
/// says where one of them ends.
///
/// Whatever is wrong with a file is a UsageError that names it.
class Datagrams {
 public:
  Datagrams(const std::string& path, const lb_framing& framing);

  std::optional<Datagram> next();
  bool is_capture() const noexcept { return capture_.has_value(); }

 private:
  Datagram of_record(const capture::Record& record) const noexcept;

  std::optional<capture::Reader> capture_;  ///< one of the two
  std::optional<capture::RawDatagrams> payloads_;
};

}  // namespace linearb::inspect
