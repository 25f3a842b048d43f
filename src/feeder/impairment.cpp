// SPDX-License-Identifier: Apache-2.0
#include "feeder/impairment.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "linearb/error.h"

namespace linearb::feeder {
namespace {

/// Each kind of choice has a stream of its own. The values are part of what a seed means.
enum Kind : std::uint64_t {
  kLoss,
  kBurst,
  kJitter,
  kReorder,
  kDepth,
  kDuplicate,
  kCorrupt,
  kBit,
};

void require(bool holds, std::string_view what, double value, std::string_view accepted) {
  if (!holds) throw UsageError(fmt::format("{} is {}; accepted is {}", what, value, accepted));
}

void require_probability(std::string_view what, double value) {
  require(value >= 0 && value <= 1, what, value, "a probability from 0 to 1");
}

const LineImpairment& checked(const LineImpairment& settings) {
  require_probability("loss", settings.loss);
  require_probability("rate of burst loss", settings.burst.rate);
  require(settings.burst.mean_length >= 1 && settings.burst.mean_length <= kBurstLengthMax,
          "mean length of burst loss", settings.burst.mean_length,
          fmt::format("1 to {} packets", kBurstLengthMax));
  require(settings.skew_ns <= kDelayMaxNs, "skew in ns", static_cast<double>(settings.skew_ns),
          fmt::format("at most {}", kDelayMaxNs));
  require(settings.jitter_ns <= kDelayMaxNs, "jitter in ns",
          static_cast<double>(settings.jitter_ns), fmt::format("at most {}", kDelayMaxNs));
  require_probability("reorder", settings.reorder);
  require(settings.reorder_depth >= 1 && settings.reorder_depth <= kReorderDepthMax,
          "depth of reordering", settings.reorder_depth,
          fmt::format("1 to {} packets", kReorderDepthMax));
  require_probability("duplicate", settings.duplicate);
  require_probability("corrupt", settings.corrupt);
  return settings;
}

}  // namespace

void LostRuns::add(std::uint64_t index) noexcept {
  if (!runs_.empty() && runs_.back().first + runs_.back().count == index &&
      runs_.back().count < kLostRunLength) {
    ++runs_.back().count;
  } else if (runs_.size() < kLostRunsMax) {
    runs_.push_back({index, 1});
  } else {
    ++unlisted_;
  }
}

Impairment::Impairment(const LineImpairment& settings, std::uint64_t seed, std::uint64_t line)
    : settings_(checked(settings)),
      loss_stream_(seed, line, kLoss),
      burst_stream_(seed, line, kBurst),
      jitter_stream_(seed, line, kJitter),
      reorder_stream_(seed, line, kReorder),
      depth_stream_(seed, line, kDepth),
      duplicate_stream_(seed, line, kDuplicate),
      corrupt_stream_(seed, line, kCorrupt),
      bit_stream_(seed, line, kBit),
      loss_(settings.loss),
      burst_begins_(settings.burst.rate),
      burst_ends_(1 / settings.burst.mean_length),
      reorder_(settings.reorder),
      duplicate_(settings.duplicate),
      corrupt_(settings.corrupt) {
  held_.reserve(settings_.reorder_depth);
  departures_.reserve(2 * (1 + std::size_t{settings_.reorder_depth}));
}

std::span<const Departure> Impairment::offer(std::uint64_t base_ns,
                                             std::uint32_t payload_bytes) noexcept {
  departures_.clear();
  std::uint64_t index = ledger_.offered++;
  if (is_lost(index)) {
    ++ledger_.dropped;
    lost_.add(index);
    pass_held(false);
    return departures_;
  }

  Departure departure{base_ns + settings_.skew_ns, base_ns, index, kNoCorruptBit, true};
  departure.departure_ns += scale_to(jitter_stream_.at(index), settings_.jitter_ns + 1);
  if (payload_bytes != 0 && corrupt_.hits(corrupt_stream_.at(index)))
    departure.corrupt_bit =
        static_cast<std::uint32_t>(scale_to(bit_stream_.at(index), 8ull * payload_bytes));
  bool duplicate = duplicate_.hits(duplicate_stream_.at(index));

  if (held_.size() < settings_.reorder_depth && reorder_.hits(reorder_stream_.at(index))) {
    auto behind = scale_to(depth_stream_.at(index), settings_.reorder_depth);
    held_.push_back({departure, static_cast<std::uint32_t>(behind) + 1, false, duplicate});
    return departures_;
  }
  depart(departure, duplicate);
  pass_held(true);
  return departures_;
}

std::span<const Departure> Impairment::finish() noexcept {
  departures_.clear();
  for (const Held& held : held_) depart_held(held);
  held_.clear();
  return departures_;
}

bool Impairment::is_lost(std::uint64_t index) noexcept {
  std::uint64_t random = burst_stream_.at(index);
  if (in_burst_) {
    in_burst_ = !burst_ends_.hits(random);
    if (!in_burst_) random = mix64(random);  // the packet after a burst may begin the next one
  }
  if (!in_burst_) in_burst_ = burst_begins_.hits(random);
  return loss_.hits(loss_stream_.at(index)) || in_burst_;
}

void Impairment::depart(Departure departure, bool duplicate) noexcept {
  last_departure_ns_ = std::max(last_departure_ns_, departure.departure_ns);
  departure.departure_ns = last_departure_ns_;
  if (departure.departure_ns > departure.base_ns) ++ledger_.delayed;
  if (departure.corrupt_bit != kNoCorruptBit) ++ledger_.corrupted;
  departure.last = !duplicate;
  departures_.push_back(departure);
  if (!duplicate) return;
  ++ledger_.duplicated;
  departure.corrupt_bit = kNoCorruptBit;
  departure.last = true;
  departures_.push_back(departure);
}

void Impairment::depart_held(const Held& held) noexcept {
  if (held.overtaken) ++ledger_.reordered;
  depart(held.departure, held.duplicate);
}

void Impairment::pass_held(bool departed) noexcept {
  for (Held& held : held_) {
    held.overtaken |= departed;
    if (--held.remaining == 0) depart_held(held);
  }
  std::erase_if(held_, [](const Held& held) { return held.remaining == 0; });
}

}  // namespace linearb::feeder
