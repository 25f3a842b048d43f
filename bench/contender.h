// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/board.h"

namespace linearb::bench {

/// What is measured: a program of bench/peers, and what it is told.
struct Contender {
  std::string name;     ///< in tables and JSON: "first design"
  std::string program;  ///< in the directory of the suite: "peer_first_design"
  std::vector<std::string> arguments{};
  /// Its packets go through the kernel's stack: the lines have no hook, and GRO takes them.
  bool uses_stack = false;
};

/// A contender that runs, in a process of its own; it does not outlive this.
class RunningContender {
 public:
  /// Starts it on a CPU, for these lines, and waits until it receives. Throws Error.
  RunningContender(const Contender& contender, const std::vector<std::string>& interfaces,
                   unsigned cpu, std::uint32_t channels);
  RunningContender(const RunningContender&) = delete;
  RunningContender& operator=(const RunningContender&) = delete;
  ~RunningContender();

  Board& board() noexcept { return *board_; }
  const std::string& name() const noexcept { return name_; }

  /// Ends it. Returns which messages it delivered. Throws Error when it failed.
  Digest stop();
  /// Throws Error when it has ended by itself.
  void require_alive();

 private:
  std::string name_;
  SharedBoard board_;
  pid_t process_ = -1;
};

}  // namespace linearb::bench
