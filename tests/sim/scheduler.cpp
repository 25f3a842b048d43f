// SPDX-License-Identifier: Apache-2.0
#include "sim/scheduler.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>
#include <sys/mman.h>

#include "sim/failure.h"

/// Keeps what a function call has to keep (System V ABI, x86-64, 3.2.1) on the stack that is left,
/// and goes on with another. swapcontext() asks the kernel for the signal mask each time.
extern "C" void lb_sim_switch(void** left, void* entered);
asm(R"(
.text
.type lb_sim_switch, @function
lb_sim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size lb_sim_switch, .-lb_sim_switch
)");

namespace linearb::sim {
namespace {

constexpr std::size_t kStackBytes = 256 * 1024;
constexpr std::size_t kFibersMax = 64;
constexpr std::size_t kSavedRegisters = 6;

Scheduler* running = nullptr;

/// Stacks are used again by the next seed. What is below them is unmapped sooner or later: an
/// overflow ends the process.
std::byte* stack_of(std::size_t index) {
  static std::vector<std::byte*> stacks;
  while (stacks.size() <= index) {
    void* const memory = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) fail("no memory for the stack of a fiber");
    stacks.push_back(static_cast<std::byte*>(memory));
  }
  return stacks[index];
}

}  // namespace

Scheduler* scheduler() noexcept {
  return running;
}

Scheduler::Scheduler(Random random, const Temper& temper) noexcept
    : random_(random), temper_(temper) {}

Scheduler::Fiber Scheduler::spawn(std::string name, std::function<void()> body) {
  if (fibers_.size() == kFibersMax) fail("more fibers than there are stacks");
  const auto fiber = static_cast<Fiber>(fibers_.size());
  // As if enter() had been called: its return address is never used.
  auto** top = reinterpret_cast<void**>(stack_of(fiber) + kStackBytes) - 2;
  *top = reinterpret_cast<void*>(&Scheduler::enter);
  top -= kSavedRegisters;
  std::fill_n(top, kSavedRegisters, nullptr);
  fibers_.push_back({.name = std::move(name),
                     .body = std::move(body),
                     .stack_pointer = top,
                     .wake_ns = now_ns_,
                     .weight = random_.one_in(4) ? 1u : 8u});
  return fiber;
}

void Scheduler::enter() noexcept {
  Scheduler& self = *running;
  try {
    const auto body = self.fibers_[self.current_].body;
    body();
  } catch (const std::exception& error) {
    fail(fmt::format("{} ended: {}", self.fibers_[self.current_].name, error.what()));
  }
  self.fibers_[self.current_].ended = true;
  self.switch_away();
}

void Scheduler::run() {
  running = this;
  current_ = pick();
  lb_sim_switch(&main_stack_pointer_, fibers_[current_].stack_pointer);
  current_ = kNobody;
  running = nullptr;
}

void Scheduler::resume(Fiber fiber) {
  running = this;
  follows_script_ = true;
  current_ = fiber;
  lb_sim_switch(&main_stack_pointer_, fibers_[fiber].stack_pointer);
  running = nullptr;
}

void Scheduler::step() {
  if (current_ == kNobody) return;
  if (++steps_ == kStepsMax) fail("the run does not end");
  now_ns_ += temper_.step_ns;
  if (follows_script_) return wait(now_ns_);
  if (--countdown_ > 0) return;
  countdown_ = random_.between(1, 2 * temper_.steps - 1);
  std::uint64_t stall_ns = 0;
  if (temper_.stall_one_in != 0 && random_.one_in(temper_.stall_one_in))
    stall_ns = random_.below(temper_.stall_ns_at_most + 1);
  fibers_[current_].wake_ns = now_ns_ + stall_ns;
  switch_away();
}

void Scheduler::sleep_until(std::uint64_t ns) {
  while (now_ns_ < ns) wait(ns);
}

void Scheduler::wait(std::uint64_t until_ns) {
  fibers_[current_].wake_ns = until_ns;
  switch_away();
}

void Scheduler::join(Fiber fiber) {
  const Fiber self = current_;
  fibers_[self].joins = fiber;
  while (!fibers_[fiber].ended) sleep_for(20'000);
  fibers_[self].joins.reset();
}

void Scheduler::wake_at(Fiber fiber, std::uint64_t ns) noexcept {
  fibers_[fiber].wake_ns = std::min(fibers_[fiber].wake_ns, ns);
}

void Scheduler::switch_away() {
  const Fiber left = current_;
  const Fiber next = follows_script_ ? kNobody : pick();
  if (next == left) return;
  current_ = next;
  void* const entered = next == kNobody ? main_stack_pointer_ : fibers_[next].stack_pointer;
  lb_sim_switch(&fibers_[left].stack_pointer, entered);
}

/// Nobody, when all have ended. When nobody can run, time goes on to where somebody can.
Scheduler::Fiber Scheduler::pick() {
  std::uint64_t earliest_ns = kNever;
  std::uint64_t weights = 0;
  bool all_ended = true;
  for (const State& fiber : fibers_) {
    if (fiber.ended) continue;
    all_ended = false;
    earliest_ns = std::min(earliest_ns, fiber.wake_ns);
    if (fiber.wake_ns <= now_ns_) weights += fiber.weight;
  }
  if (all_ended) return kNobody;
  if (earliest_ns == kNever) fail("every fiber waits for another one");
  if (weights == 0) {
    now_ns_ = earliest_ns;
    for (const State& fiber : fibers_)
      if (!fiber.ended && fiber.wake_ns <= now_ns_) weights += fiber.weight;
  }
  std::uint64_t drawn = random_.below(weights);
  for (Fiber i = 0;; ++i) {
    const State& fiber = fibers_[i];
    if (fiber.ended || fiber.wake_ns > now_ns_) continue;
    if (drawn < fiber.weight) return i;
    drawn -= fiber.weight;
  }
}

}  // namespace linearb::sim
