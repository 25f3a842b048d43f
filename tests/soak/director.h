// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/sender.h"
#include "soak/line_driver.h"
#include "soak/receiver_process.h"
#include "soak/verdict.h"
#include "sys/mapped_memory.h"

namespace linearb::soak {

struct Outcome {
  Figures figures;
  double seconds = 0;                 ///< while the lines were sending
  std::vector<std::string> findings;  ///< none: everything added up
  std::string summaries;              ///< of the receivers, when something did not
};

/// Plays scenarios, one after the other: starts receivers, has the lines sent, does to the receiver
/// what is to be done to it, and compares.
class Director {
 public:
  /// In the private namespace. Makes the lines. Throws Error.
  Director();

  /// `stop` ends it early; nothing is compared then, and there is no outcome. Throws Error when the
  /// system refuses.
  std::optional<Outcome> play(const Scenario& scenario, const std::atomic<bool>& stop);

 private:
  /// What receivers write into, whatever becomes of them.
  struct Shared {
    Findings findings;
    std::array<RunCounts, kLedgerRuns> counts;
  };

  void start_run(Stage& stage);
  void end_run(Stage& stage);
  void kill_run(Stage& stage);
  void disturb(Stage& stage, const Disturbance& disturbance, const std::atomic<bool>& stop);
  void watch(Stage& stage, Position until, const std::atomic<bool>& stop);
  void wait_until_quiet(const Stage& stage);

  Ledger ledger_;
  sys::MappedMemory memory_;
  Shared& shared_;
  std::array<live::Sender, 2> senders_;
  std::vector<live::InDispatcher> in_dispatcher_;
  std::unique_ptr<ReceiverProcess> receiver_;
  std::vector<EndedRun> runs_;
};

}  // namespace linearb::soak
