// SPDX-License-Identifier: Apache-2.0
#include "soak/deliveries.h"

#include <algorithm>

#include <fmt/format.h>

#include "sys/clock.h"

namespace linearb::soak {
namespace {

void add(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

void work_for(std::uint32_t duration_ns) {
  const std::uint64_t end_ns = sys::monotonic_ns() + duration_ns;
  while (sys::monotonic_ns() < end_ns) continue;
}

}  // namespace

Deliveries::Deliveries(const Scenario& scenario, std::size_t run, Ledger& ledger,
                       Findings& findings, RunCounts& counts)
    : messages_(scenario),
      order_(scenario.order),
      run_(run),
      slow_ns_(scenario.slow_ns),
      ledger_(ledger),
      findings_(findings),
      counts_(counts),
      channels_(scenario.channels) {}

void Deliveries::take(const Delivery& delivery) {
  if (!is_further_part(delivery)) add(counts_.packets);
  const std::size_t wanted =
      messages_.framing().header_length + std::size_t{delivery.range.count} * messages_.length();
  if (delivery.payload.size() != wanted)
    return findings_.add(
        fmt::format("a packet of {} messages from {} on came with {} bytes, not {}",
                    delivery.range.count, delivery.range.first, delivery.payload.size(), wanted));
  for (const Run& run : delivery.news)
    for (std::uint32_t i = 0; i < run.count; ++i) take_message(delivery, run.first + i);
  if (slow_ns_) work_for(slow_ns_);
}

/// In the order of numbers what another packet brought in its middle comes between two parts.
bool Deliveries::is_further_part(const Delivery& delivery) {
  if (order_ != Order::sequence || delivery.is_whole()) return false;
  return !channels_[delivery.channel]
              .in_part
              .emplace(delivery.epoch, delivery.line, delivery.range.first, delivery.range.count)
              .second;
}

void Deliveries::take_message(const Delivery& delivery, std::uint64_t number) {
  const std::uint64_t offset =
      messages_.framing().header_length + (number - delivery.range.first) * messages_.length();
  const auto message = messages_.read(delivery.payload.data() + offset);
  if (!message || message->channel != delivery.channel || message->number != number)
    return findings_.add(fmt::format(
        "message {} of channel {} came with other bytes than were sent", number, delivery.channel));
  if (message->life == kNoLife) return add(counts_.poison);
  const std::uint64_t place = ledger_.place_of(*message);
  if (place == Ledger::kNowhere)
    return findings_.add(
        fmt::format("message {} of channel {} came, which nobody sent", number, delivery.channel));
  ledger_.delivered(run_, place);
  check_epoch(delivery, message->life);
  check_order(delivery, number);
}

void Deliveries::check_order(const Delivery& delivery, std::uint64_t number) {
  if (delivery.epoch == 0) return;
  auto& highest = channels_[delivery.channel].highest;
  const std::pair at(delivery.epoch, number);
  if (at < highest) add(counts_.out_of_order);
  highest = std::max(highest, at);
}

/// An epoch is of one numbering. What is delivered apart is of none yet.
void Deliveries::check_epoch(const Delivery& delivery, std::uint32_t life) {
  OfChannel& channel = channels_[delivery.channel];
  if (delivery.epoch == 0 || (delivery.epoch == channel.epoch && life == channel.life)) return;
  channel.epoch = delivery.epoch;
  channel.life = life;
  const auto [known, is_new] = channel.life_of_epoch.try_emplace(delivery.epoch, life);
  if (known->second != life)
    findings_.add(
        fmt::format("message {} of numbering {} of channel {} was said to be of epoch {}, "
                    "which is numbering {}",
                    delivery.range.first, life, delivery.channel, delivery.epoch, known->second));
}

}  // namespace linearb::soak
