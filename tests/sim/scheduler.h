// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/random.h"

namespace linearb::sim {

/// Simulated CPUs and threads: fibers on one thread, and a clock that only this class moves. Who
/// goes on at a scheduling point is the seed's choice, or a script's, so a run repeats exactly.
class Scheduler {
 public:
  using Fiber = std::uint32_t;

  /// How a seed treats the fibers: each is a hostile machine of another kind.
  struct Temper {
    std::uint32_t steps = 1;         ///< between two switches, on average
    std::uint32_t stall_one_in = 0;  ///< switches after which a fiber stands still; 0: never
    std::uint64_t stall_ns_at_most = 0;
    std::uint64_t step_ns = 5;  ///< what a step costs
  };

  Scheduler(Random random, const Temper& temper) noexcept;

  Fiber spawn(std::string name, std::function<void()> body);
  /// Until every fiber has ended.
  void run();

  std::uint64_t now_ns() const noexcept { return now_ns_; }
  std::uint64_t steps() const noexcept { return steps_; }

  // For the fiber that runs.
  Fiber current() const noexcept { return current_; }
  void step();
  void sleep_until(std::uint64_t ns);
  void sleep_for(std::uint64_t ns) { sleep_until(now_ns_ + ns); }
  /// Until somebody wakes it, or that time has come.
  void wait(std::uint64_t until_ns = kNever);

  void join(Fiber fiber);

  // For who follows a script, between two turns of fibers: instead of run().
  /// As far as its next scheduling point, or until it waits or has ended.
  void resume(Fiber fiber);
  void advance_to(std::uint64_t ns) noexcept { now_ns_ = std::max(now_ns_, ns); }
  Fiber fibers() const noexcept { return static_cast<Fiber>(fibers_.size()); }
  const std::string& name_of(Fiber fiber) const noexcept { return fibers_[fiber].name; }
  std::uint64_t wake_ns(Fiber fiber) const noexcept { return fibers_[fiber].wake_ns; }
  /// Whose end it waits for; itself if nobody's.
  Fiber joined_by(Fiber fiber) const noexcept { return fibers_[fiber].joins.value_or(fiber); }

  void wake(Fiber fiber) noexcept { wake_at(fiber, now_ns_); }
  void wake_at(Fiber fiber, std::uint64_t ns) noexcept;
  bool has_ended(Fiber fiber) const noexcept { return fibers_[fiber].ended; }

  static constexpr std::uint64_t kNever = ~0ull;

 private:
  static constexpr Fiber kNobody = ~0u;
  static constexpr std::uint64_t kStepsMax = 20'000'000;  ///< a run that has more never ends

  struct State {
    std::string name;
    std::function<void()> body;
    void* stack_pointer = nullptr;
    std::uint64_t wake_ns = 0;  ///< it can run from then on
    std::uint32_t weight = 1;
    bool ended = false;
    std::optional<Fiber> joins{};  ///< it waits for that one's end
  };

  static void enter() noexcept;
  void switch_away();
  Fiber pick();

  Random random_;
  Temper temper_;
  std::vector<State> fibers_;
  void* main_stack_pointer_ = nullptr;
  Fiber current_ = kNobody;
  bool follows_script_ = false;
  std::uint64_t now_ns_ = 1'000'000'000;
  std::uint64_t steps_ = 0;
  std::uint64_t countdown_ = 1;
};

/// Of the run that is going on; null between two.
Scheduler* scheduler() noexcept;

}  // namespace linearb::sim
