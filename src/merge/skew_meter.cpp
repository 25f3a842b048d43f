// SPDX-License-Identifier: Apache-2.0
#include "merge/skew_meter.h"

#include "core/skew.h"

namespace linearb::merge {

void SkewMeter::decided(const sequencer::Packet& packet,
                        const sequencer::Decision& decision) noexcept {
  if (decision.outcome != sequencer::Outcome::malformed) measure(packet, decision);
  parts_.next.decided(packet, decision);
}

/// A retransmission comes when it was asked for, not when its line would have brought it. What
/// belongs to no epoch yet has numbers that say nothing; identifiers have no epochs.
void SkewMeter::measure(const sequencer::Packet& packet,
                        const sequencer::Decision& decision) noexcept {
  if (!packet.datagram.numbered || packet.kind == LB_KIND_RETRANSMISSION) return;
  if (decision.epoch == 0 && dedup_ == Dedup::window) return;
  WinnerTimes& winners = winners_[packet.channel];
  const WinnerTimes::Winner shown{decision.epoch, packet.line,
                                  parts_.packets[packet.handle].time_ns};
  for (const lb_run& run : decision.news) winners.won(run, shown);
  const std::uint64_t number = lb_skew_sampled(packet.first(), packet.datagram.count);
  if (number == 0) return;
  if (const auto behind_ns = winners.behind_ns(number, shown))
    lb_histogram_add(&parts_.counts[packet.line].skew_ns, *behind_ns);
}

}  // namespace linearb::merge
