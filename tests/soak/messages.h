// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/framing_file.h"
#include "live/slots.bpf.h"
#include "soak/ledger.h"
#include "soak/scenario.h"
#include "xsk/packet_header.h"

namespace linearb::soak {

/// Messages that say which they are: their identity and a word that is made of it and of the
/// scenario's seed, so that nothing of another scenario, and no byte that changed, is taken for
/// one. As short as a message can be that does: packets are what the soak is about.
class Messages {
 public:
  explicit Messages(const Scenario& scenario);

  const lb_framing& framing() const noexcept { return framing_.descriptor; }
  /// Bytes of a message, its length field included.
  std::uint32_t length() const noexcept { return length_; }
  void write(const Identity& message, std::uint8_t* bytes) const noexcept;
  /// Nothing when not every byte is as it was written.
  std::optional<Identity> read(const std::uint8_t* bytes) const noexcept;

 private:
  config::Framing framing_;
  std::uint32_t length_;
  std::uint64_t salt_;
};

/// A packet on its way to a line.
struct Outgoing {
  Identity first;
  std::uint32_t count = 0;
  std::uint32_t session_life = 0;  ///< whose session it says it is of
};
/// The life of what is of none: poison.
inline constexpr std::uint32_t kNoLife = 15;

/// Writes the packets of all channels, as they leave on any line.
class PacketWriter {
 public:
  explicit PacketWriter(const Scenario& scenario);
  void write(const Outgoing& packet, lb_live_slot& slot) const noexcept;

 private:
  Messages messages_;
  std::vector<Life> lives_;
  std::vector<xsk::PacketHeader> headers_;  ///< by channel
};

/// Where a channel's packets go.
Destination destination_of(std::uint32_t channel) noexcept;

}  // namespace linearb::soak
