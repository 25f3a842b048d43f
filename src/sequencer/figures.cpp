// SPDX-License-Identifier: Apache-2.0
#include "sequencer/figures.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace linearb::sequencer {

void add_outcomes(const LineCounts& counts, LineSummary& summary) noexcept {
  summary.won += counts.of(Outcome::won);
  summary.overlap += counts.of(Outcome::overlap);
  summary.unsequenced += counts.of(Outcome::unsequenced);
  summary.duplicate += counts.of(Outcome::duplicate);
  summary.late += counts.of(Outcome::late);
  summary.old_epoch += counts.of(Outcome::old_epoch);
  summary.control += counts.of(Outcome::control);
  summary.unconfirmed += counts.of(Outcome::unconfirmed);
  summary.malformed += counts.of(Outcome::malformed);
  summary.not_feed += counts.of(Outcome::not_feed);
}

ChannelSummary summary_of(std::string name, std::string framing, const Channel& channel) {
  return {.name = std::move(name),
          .framing = std::move(framing),
          .messages = channel.messages(),
          .gap_messages = channel.gap_messages(),
          .adopted = channel.adopted(),
          .epoch = channel.newest_epoch()};
}

std::vector<Gap> gaps_of(const GapList& gaps, const NameOf& name_of) {
  std::vector<Gap> result;
  for (const auto& [origin, range] : gaps.gaps())
    result.push_back({name_of(origin.channel), origin.epoch, range.first, range.end - range.first});
  return result;
}

SkewSummary summarize(const lb_histogram& histogram) noexcept {
  SkewSummary summary;
  summary.max = histogram.max_ns;
  for (const std::uint64_t samples : histogram.buckets) summary.count += samples;
  std::uint64_t below = 0;
  for (std::uint32_t bucket = 0; bucket < LB_HISTOGRAM_BUCKETS; ++bucket) {
    const std::uint64_t before = below;
    below += histogram.buckets[bucket];
    const std::uint64_t top = std::min(lb_histogram_bucket_top(bucket), summary.max);
    if (before * 2 < summary.count && below * 2 >= summary.count) summary.p50 = top;
    if (before * 100 < summary.count * 99 && below * 100 >= summary.count * 99) summary.p99 = top;
  }
  return summary;
}

}  // namespace linearb::sequencer
