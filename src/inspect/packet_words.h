// SPDX-License-Identifier: Apache-2.0
//
// What a decoded payload is, in words: for people, and in the names that --json has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "framing/framing.h"
#include "sequencer/packet.h"

namespace linearb::inspect {

using Payload = std::span<const std::uint8_t>;

/// A payload as the framing understands it. Of a malformed one only the kind is valid.
struct Decoded {
  lb_kind kind = LB_KIND_MALFORMED;
  lb_datagram datagram{};
};

Decoded decode(const lb_framing& framing, Payload payload) noexcept;

/// "data", "heartbeat", "end_of_session", ...
std::string_view kind_name(lb_kind kind) noexcept;
/// "won", "duplicate", "old_epoch", ...
std::string_view outcome_name(sequencer::Outcome outcome) noexcept;

/// The session that stands in a payload: as text where it is one, a number of up to two bytes as
/// such, else in hexadecimal. Nothing where the framing has none, or the payload is too short.
std::optional<std::string> session_text(const lb_framing& framing, Payload payload);
/// The same of the key that tells the sequences of one destination apart.
std::optional<std::string> key_of(const lb_framing& framing, Payload payload);

/// Why a payload is malformed: the first of the framing's rules that it breaks.
std::string why_malformed(const lb_framing& framing, Payload payload);

}  // namespace linearb::inspect
