// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/histogram.h"
#include "linearb/options.h"
#include "linearb/summary.h"
#include "sequencer/copy_check.h"
#include "sequencer/in_order.h"
#include "sequencer/sequencer.h"
#include "sequencer/streams.h"
#include "sink/file_sink.h"

namespace linearb::merge {

/// What a merge counted of a line beside the sequencer. `packets` is counted when a record is read,
/// one of the next three when it goes its way: nobody derives one from another.
struct LineCounts {
  std::uint64_t packets = 0;
  std::uint64_t not_feed = 0;
  std::uint64_t malformed = 0;
  std::uint64_t judged = 0;  ///< handed to the sequencer
  bool told_of_cut = false;
  lb_histogram skew_ns{};
};

/// What was handed to the application.
struct Delivered {
  std::uint64_t packets = 0;
  std::uint64_t messages = 0;
  /// Times that a packet was handed over in part, and something else before the rest of it.
  std::uint64_t parts = 0;
};

/// A merge that is over: everybody who counted.
struct FinishedMerge {
  const ReceiverOptions& options;
  const sequencer::ChannelPlaces& places;
  const sequencer::Sequencer& sequencer;
  const std::vector<LineCounts>& counts;
  const sequencer::CopyCheck& copies;
  const Delivered& delivered;
  const sequencer::InOrder* order = nullptr;
  const sink::FileSink* sink = nullptr;
  bool all_packets_are_back = true;  ///< in the pool
  double seconds = 0;
};

Summary sum_up(const FinishedMerge& merge);

}  // namespace linearb::merge
