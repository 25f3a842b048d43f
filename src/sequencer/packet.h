// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/mark.h"
#include "core/run.h"
#include "framing/framing.h"

namespace linearb::sequencer {

/// A datagram of a channel, as it came on one line. The bytes belong to whoever handed it in, and
/// stay where they are until the packet was decided.
struct Packet {
  std::uint16_t channel = 0;
  std::uint8_t line = 0;  ///< LB_LINES_MAX: a retransmission that came on none
  lb_kind kind = LB_KIND_MALFORMED;
  lb_datagram datagram{};
  std::uint64_t key = 0;  ///< of its stream: lb_framing_key()
  /// Where it stands to its line's mark, if the hook said so: LB_PLACE_UNKNOWN otherwise.
  std::int32_t place = LB_PLACE_UNKNOWN;
  /// The hook has seen its line jump, and this packet go on from there.
  bool is_from_jump = false;
  /// False when somebody else counts what the line skipped before this packet.
  bool counts_skips = true;
  /// The hook has claimed its messages: it drops their copies.
  bool is_claimed = false;
  /// Of a stream for which there is no channel: it is not delivered.
  bool is_of_no_channel = false;
  std::uint64_t arrival_ns = 0;  ///< of the clock that the sequencer is told
  std::span<const std::uint8_t> payload;
  std::uint64_t handle = 0;  ///< the caller's: a frame, a record

  std::uint64_t first() const noexcept { return datagram.first; }
  std::uint64_t end() const noexcept { return datagram.first + datagram.count; }
  /// What the hook said of its place was said of another epoch.
  Packet without_place() const noexcept {
    Packet packet = *this;
    packet.place = LB_PLACE_UNKNOWN;
    return packet;
  }
};

/// Fills in what the payload says. Of a malformed packet only the kind is valid.
inline void decode(const lb_framing& framing, Packet& packet) noexcept {
  const std::uint8_t* const begin = packet.payload.data();
  const std::uint8_t* const end = begin + packet.payload.size();
  packet.kind = lb_framing_decode(
      &framing, begin, end, static_cast<std::uint32_t>(packet.payload.size()), &packet.datagram);
  packet.key = lb_framing_key(&framing, begin, end);
}

/// What became of a packet. One for each, exactly once.
enum class Outcome : std::uint8_t {
  won,          ///< delivered whole
  overlap,      ///< delivered in part, the rest was there before
  unsequenced,  ///< delivered, carries no number
  duplicate,    ///< nothing new, inside the window
  late,         ///< nothing new, behind the window
  old_epoch,    ///< nothing new, from an epoch that the channel has left
  control,      ///< heartbeat, end of session, reset
  unconfirmed,  ///< a jump that nothing confirmed and that could not be delivered
  malformed,    ///< the messages that its header promises are not there
  not_feed,     ///< of a stream beyond those that its channel may have
};
inline constexpr std::size_t kOutcomes = 10;

struct Decision {
  Outcome outcome = Outcome::malformed;
  std::uint64_t epoch = 0;
  std::span<const lb_run> news;  ///< the runs that are new: valid during the call
};

/// Whom the sequencer tells. A packet may be decided while a later one is handed in, or by the
/// clock: until then its bytes have to stay.
class Decisions {
 public:
  virtual void decided(const Packet& packet, const Decision& decision) noexcept = 0;
  /// Some of its news, and not the last: the packet is still to be decided. Only from InOrder.
  virtual void part(const Packet&, const Decision&) noexcept {}

 protected:
  ~Decisions() = default;
};

}  // namespace linearb::sequencer
