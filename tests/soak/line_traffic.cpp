// SPDX-License-Identifier: Apache-2.0
#include "soak/line_traffic.h"

#include <algorithm>

namespace linearb::soak {
namespace {

/// Messages at the beginning of a life that no line loses or moves, where numbers begin again in
/// one session: nothing but these tells of it.
constexpr Position kIntact = 256;
/// Poison is not the first that a receiver sees; that one it believes.
constexpr Position kNotPoisoned = 5'000;
/// Poison says a number that is so far beyond all others, or further.
constexpr std::uint64_t kFarBeyond = 100'000'000;
constexpr std::uint64_t kPoisonRange = 2'000'000'000;

std::uint64_t packets_of_life(const Scenario& scenario, std::uint32_t cut) {
  return (scenario.messages + cut - 1) / cut * scenario.channels;
}

}  // namespace

LineTraffic::LineTraffic(const Scenario& scenario, std::size_t line)
    : scenario_(scenario),
      habits_(scenario.lines[line]),
      impairment_(habits_.impairment, scenario.seed, line),
      random_(scenario.seed + 1000 * (line + 1)),
      packets_of_life_(packets_of_life(scenario, habits_.cut)) {}

std::optional<Outgoing> LineTraffic::next(Position limit) {
  while (due_.empty()) {
    if (packet_ == packets_of_life_ || end_of(packet_at(packet_)) > limit) return {};
    offer();
  }
  const Outgoing packet = due_.back();
  due_.pop_back();
  return packet;
}

bool LineTraffic::begin_next_life() {
  if (life_ + 1 == scenario_.lives.size()) return false;
  ++life_;
  packet_ = 0;
  return true;
}

Outgoing LineTraffic::packet_at(std::uint64_t index) const noexcept {
  const std::uint64_t offset = index / scenario_.channels * habits_.cut;
  const std::uint64_t left = scenario_.messages - offset;
  return {.first = {.channel = static_cast<std::uint32_t>(index % scenario_.channels),
                    .life = life_,
                    .number = scenario_.lives[life_].first + offset},
          .count = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, habits_.cut)),
          .session_life = life_};
}

Position LineTraffic::end_of(const Outgoing& packet) const noexcept {
  return life_begin() + packet.first.number + packet.count - scenario_.lives[life_].first;
}

bool LineTraffic::is_silent(const Outgoing& packet) const noexcept {
  const Position end = end_of(packet);
  const auto holds = [end](const Stretch& stretch) {
    return stretch.begin < end && end <= stretch.end;
  };
  if (packet.first.channel == 0 && holds(scenario_.hole)) return true;
  return std::ranges::any_of(habits_.silent, holds);
}

void LineTraffic::offer() {
  const std::uint64_t index = packet_++;
  const Position offset = index / scenario_.channels * habits_.cut;
  if (scenario_.restarts_in_session && offset < kIntact) {
    ++not_impaired_;
    depart(index);
  } else {
    const std::uint64_t before = life_ * packets_of_life_;
    for (const feeder::Departure& departure : impairment_.offer(0, 0))
      depart(departure.index + not_impaired_ - before);
  }
  if (packet_ == packets_of_life_)
    for (const feeder::Departure& departure : impairment_.finish())
      depart(departure.index + not_impaired_ - life_ * packets_of_life_);
  std::ranges::reverse(due_);
}

void LineTraffic::depart(std::uint64_t index) {
  const Outgoing packet = packet_at(index);
  if (is_silent(packet)) return;
  if (poisons(packet)) {
    const std::uint64_t beyond =
        scenario_.lives[life_].first + kFarBeyond + random_.below(kPoisonRange);
    due_.push_back(
        {.first = {packet.first.channel, kNoLife, beyond}, .count = 1, .session_life = life_});
  }
  due_.push_back(packet);
}

bool LineTraffic::poisons(const Outgoing& packet) noexcept {
  return habits_.poison_one_in != 0 && end_of(packet) > kNotPoisoned &&
         random_.one_in(habits_.poison_one_in);
}

}  // namespace linearb::soak
