// SPDX-License-Identifier: Apache-2.0
//
// What the demo knows because it has both ends in hand: the feeder's ledger says which message was
// put on which line, the callback of the receiver says which came out. A receiver alone cannot see
// what was lost before the first and behind the last packet.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/run.h"
#include "feeder/result.h"
#include "linearb/summary.h"

namespace linearb::cli {

/// Which of the numbers [1, count] were delivered. The data thread writes, and it is read when that
/// thread has ended.
class DeliveredNumbers {
 public:
  explicit DeliveredNumbers(std::uint64_t count) : count_(count), words_(count / 64 + 1) {}

  void add(std::uint64_t number) noexcept;
  /// Counts what is delivered but is not what was sent: another number, or other bytes.
  void add_wrong() noexcept { ++wrong_; }

  std::uint64_t delivered() const noexcept { return delivered_; }
  std::uint64_t twice() const noexcept { return twice_; }
  std::uint64_t wrong() const noexcept { return wrong_; }
  bool contains(std::uint64_t number) const noexcept;
  /// Of the numbers [1, sent] those that were not delivered, as runs.
  std::vector<lb_run> missing(std::uint64_t sent) const;

 private:
  std::uint64_t count_;
  std::vector<std::uint64_t> words_;
  std::uint64_t delivered_ = 0;
  std::uint64_t twice_ = 0;
  std::uint64_t wrong_ = 0;
};

/// How it ended, message by message. Every message that was generated is delivered, or on no line,
/// or lost before the hook, or lost.
struct Story {
  std::uint64_t generated = 0;
  std::uint64_t delivered = 0;
  std::uint64_t on_no_line = 0;        ///< the feeder lost it on every line
  std::uint64_t lost_before_hook = 0;  ///< sent, but a line's packets did not all reach the hook
  std::uint64_t lost = 0;              ///< by linearb
  std::uint64_t twice = 0;             ///< delivered more than once
  std::uint64_t wrong = 0;             ///< delivered, but never sent so
  struct OfLine {
    std::string name;
    std::uint64_t lost = 0;
    std::uint64_t repaired = 0;
  };
  std::vector<OfLine> lines;

  bool is_good() const noexcept {
    return lost == 0 && lost_before_hook == 0 && twice == 0 && wrong == 0;
  }
};

/// Tells the story, and gives the summary the gaps of all that was generated: those that the
/// receiver could not see, before the first and behind the last packet, included.
Story tell_story(const feeder::FeederResult& fed, const DeliveredNumbers& delivered,
                 Summary& summary);

nlohmann::ordered_json to_json(const Story& story);
void print_story(std::FILE* stream, const Story& story);

}  // namespace linearb::cli
