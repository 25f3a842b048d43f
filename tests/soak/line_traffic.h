// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "feeder/impairment.h"
#include "sim/random.h"
#include "soak/messages.h"
#include "soak/scenario.h"

namespace linearb::soak {

/// What one line sends, in its order: the packets of all channels in turn, cut and impaired as the
/// line does. Pure.
class LineTraffic {
 public:
  LineTraffic(const Scenario& scenario, std::size_t line);

  /// The next packet that ends at or before the position; nothing when there is none yet.
  std::optional<Outgoing> next(Position limit);
  /// Every packet of the life was taken, and what was held back is on its way.
  bool life_is_over() const noexcept { return packet_ == packets_of_life_ && due_.empty(); }
  /// Of the life that is next, or under way.
  Position life_begin() const noexcept { return life_ * scenario_.messages; }
  /// Goes on with the next life; false when there is none.
  bool begin_next_life();

 private:
  /// A packet of the life by its number: channel by channel, so that all are about as far.
  Outgoing packet_at(std::uint64_t index) const noexcept;
  Position end_of(const Outgoing& packet) const noexcept;
  bool is_silent(const Outgoing& packet) const noexcept;
  void offer();
  void depart(std::uint64_t index);
  bool poisons(const Outgoing& packet) noexcept;

  const Scenario& scenario_;
  const LineHabits& habits_;
  feeder::Impairment impairment_;
  sim::Random random_;
  std::uint32_t life_ = 0;
  std::uint64_t packets_of_life_;
  std::uint64_t packet_ = 0;        ///< of the life: the next that is offered
  std::uint64_t not_impaired_ = 0;  ///< packets that went past the impairment, of all lives
  std::vector<Outgoing> due_;       ///< the next one last
};

}  // namespace linearb::soak
