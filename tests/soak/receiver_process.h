// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include <sys/types.h>

#include <nlohmann/json.hpp>

#include "soak/deliveries.h"
#include "soak/findings.h"
#include "soak/ledger.h"
#include "soak/scenario.h"
#include "sys/fd.h"

namespace linearb::soak {

/// A receiver in a process of its own, so that it can be stopped and killed. It ends with the
/// process that started it.
class ReceiverProcess {
 public:
  /// Forks. The ledger, the findings and the counts lie in shared memory. Throws Error.
  ReceiverProcess(const Scenario& scenario, std::size_t run, Ledger& ledger, Findings& findings,
                  RunCounts& counts);
  /// Kills it if it is there still.
  ~ReceiverProcess();
  ReceiverProcess(const ReceiverProcess&) = delete;
  ReceiverProcess& operator=(const ReceiverProcess&) = delete;

  /// Its hook is attached and its sockets are open. Throws Error with its own words when it ends
  /// instead.
  void wait_until_ready();
  bool is_running();

  void stop() const;
  void go_on() const;
  /// Returns when it is gone.
  void kill();
  /// Ends the run, and returns its summary. Throws Error when it fails, or takes too long.
  nlohmann::json end();

 private:
  [[noreturn]] void give_up(const std::string& what);
  void read_output(int timeout_ms);

  RunCounts& counts_;
  pid_t pid_ = -1;
  sys::Fd output_;
  std::string text_;
  bool output_is_over_ = false;
};

}  // namespace linearb::soak
