// SPDX-License-Identifier: Apache-2.0
#include "feeder/schedule.h"

#include <algorithm>

namespace linearb::feeder {

void LineSchedule::take(Source& source, std::uint64_t base_ns) noexcept {
  ++taken_;
  if (taken_ % cut_ == 0) offer(source, base_ns);
}

void LineSchedule::finish(Source& source, std::uint64_t base_ns) noexcept {
  if (taken_ % cut_ != 0) offer(source, base_ns);
  enqueue(impairment_.finish());
}

UnitRange LineSchedule::units_of(std::uint64_t index) const noexcept {
  std::uint64_t first = index * cut_;
  return {first, static_cast<std::uint32_t>(std::min<std::uint64_t>(cut_, taken_ - first))};
}

std::vector<lb_run> LineSchedule::lost_units() const {
  std::vector<lb_run> units;
  for (const lb_run& packets : impairment_.lost().runs()) {
    std::uint64_t first = packets.first * cut_;
    std::uint64_t end = std::min((packets.first + packets.count) * cut_, taken_);
    units.push_back({first, static_cast<lb_u32>(end - first)});
  }
  return units;
}

void LineSchedule::offer(Source& source, std::uint64_t base_ns) noexcept {
  UnitRange units = units_of(ledger().offered);
  std::uint64_t dropped = ledger().dropped;
  enqueue(impairment_.offer(base_ns, source.payload_length(units)));
  if (ledger().dropped != dropped) source.release(units);
}

void LineSchedule::enqueue(std::span<const Departure> departures) noexcept {
  for (const Departure& departure : departures) queue_.push(departure);
}

}  // namespace linearb::feeder
