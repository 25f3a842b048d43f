// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/histogram.h"
#include "linearb/summary.h"
#include "sequencer/gap_list.h"
#include "sequencer/sequencer.h"

// What a run came to, as a Summary has it: the same for packets of the kernel and of captures.
namespace linearb::sequencer {

/// Adds what became of a line's packets to what is there already.
void add_outcomes(const LineCounts& counts, LineSummary& summary) noexcept;

ChannelSummary summary_of(std::string name, std::string framing, const Channel& channel);

/// The name of a channel by its Channel::serial.
using NameOf = std::function<std::string(std::uint32_t serial)>;

std::vector<Gap> gaps_of(const GapList& gaps, const NameOf& name_of);

/// Percentiles of a histogram; each is the top of its bucket, never more than the largest sample.
SkewSummary summarize(const lb_histogram& histogram) noexcept;

}  // namespace linearb::sequencer
