// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "linearb/summary.h"
#include "receiver/balance.h"
#include "receiver/data_thread.h"
#include "receiver/wiring.h"

namespace linearb::receiver {

/// A run that is over: everybody who counted, and nobody counts any more.
struct FinishedRun {
  const Wiring& wiring;
  const DataThreads& threads;
  std::uint32_t bank = 0;  ///< of the hook's counters
  const sink::FileSink* sink = nullptr;
};

/// The figures of all, side by side, for the balance.
Ledger ledger_of(const FinishedRun& run);

Summary sum_up(const FinishedRun& run);

}  // namespace linearb::receiver
