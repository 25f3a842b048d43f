// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "linearb/event.h"

namespace linearb::sequencer {

/// Of a notice that no line is to be named in.
inline constexpr std::uint8_t kNoLine = 0xff;

using Condition = linearb::LineState;  ///< LineState is another thing here

/// Something that happened to a channel: small, and without a name, so that the thread that finds
/// out can leave it to another to tell.
struct Notice {
  enum class Kind : std::uint8_t {
    gap,          ///< no line delivered messages [first, first + count), and every line has passed
    late_repair,  ///< they were told as a gap, and are delivered after all
    epoch,        ///< an epoch has begun, with message `first`
    line,         ///< `line` is in another condition
    divergent,    ///< `line` brought other bytes under `count` numbers, the first of them `first`
  };

  Kind kind = Kind::gap;
  Condition condition = Condition::up;  ///< line
  std::uint8_t line = kNoLine;          ///< late_repair, where one is known; line, divergent
  std::uint16_t place = 0;              ///< of the channel
  std::uint64_t epoch = 0;              ///< all but line
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t ns = 0;  ///< when it was found out, of the clock of arrivals
};

/// Whom a watch tells. Must not wait.
class Notices {
 public:
  /// Without it what is told is lost. Gaps are told later then.
  virtual bool has_room() const noexcept = 0;
  virtual void tell(const Notice& notice) noexcept = 0;

 protected:
  ~Notices() = default;
};

}  // namespace linearb::sequencer
