// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
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

  /// Until it has delivered so many messages, or until so many packets came to it. Spins. Throws
  /// Error when they do not come any more, and how far it is.
  void wait_until_delivered(std::uint64_t messages);
  void wait_until_read(std::uint64_t packets);

  /// Ends it. Returns which messages it delivered. Throws Error when it failed.
  Digest stop();

 private:
  void wait_for(const std::atomic<std::uint64_t>& counter, std::uint64_t value,
                std::string_view what);
  /// Throws Error when it has ended by itself.
  void require_alive();

  std::string name_;
  SharedBoard board_;
  pid_t process_ = -1;
};

}  // namespace linearb::bench
