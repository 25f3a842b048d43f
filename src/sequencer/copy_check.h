// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/layout.h"
#include "sequencer/notice.h"
#include "sequencer/packet.h"
#include "sequencer/sequencer.h"

namespace linearb::sequencer {

/// Finds copies whose bytes differ from what was delivered under the same numbers.
///
/// It stands behind the sequencer and passes every decision on. Where copies come to user space, it
/// remembers a hash of each message that is delivered, and compares what comes again with it; what
/// the hook has claimed it passes over, since there the hook drops the copies. A message is
/// forgotten when another one takes its place in the table, some tens of thousands later.
///
/// Headers are not compared: lines may have sending times of their own in them. Where a framing
/// does not tell one message from the next, packets with the same messages are compared as a whole.
///
/// One thread; nothing allocates after the constructor.
class CopyCheck final : public Decisions {
 public:
  static constexpr std::size_t kMessages = 1 << 16;

  /// Both outlive it; `notices` may be null.
  CopyCheck(Decisions& next, Notices* notices);

  /// Whose decisions these are. Before the first packet.
  void follow(const Sequencer& sequencer) noexcept { sequencer_ = &sequencer; }

  void decided(const Packet& packet, const Decision& decision) noexcept override;

  /// Packets of the line with a message that differs from its copy.
  std::uint64_t divergent(std::size_t line) const noexcept { return divergent_[line]; }

 private:
  struct Message {
    std::uint64_t key = 0;  ///< of channel, epoch and number
    std::uint64_t hash = 0;
  };

  void compare(const Packet& packet, const Decision& decision) noexcept;

  Decisions& next_;
  Notices* notices_;
  const Sequencer* sequencer_ = nullptr;
  std::vector<Message> messages_;
  std::array<std::uint64_t, LB_LINES_MAX + 1> divergent_{};
};

}  // namespace linearb::sequencer
