// SPDX-License-Identifier: Apache-2.0
#include "bench/contender.h"

#include <chrono>
#include <csignal>
#include <thread>

#include <fmt/format.h>
#include <sys/wait.h>

#include "bench/program.h"
#include "linearb/error.h"
#include "sys/clock.h"

namespace linearb::bench {
namespace {

constexpr std::uint64_t kPatienceNs = 20'000'000'000;
constexpr std::uint64_t kPatienceWithPacketsNs = 5'000'000'000;

}  // namespace

RunningContender::RunningContender(const Contender& contender,
                                   const std::vector<std::string>& interfaces, unsigned cpu,
                                   std::uint32_t channels)
    : name_(contender.name) {
  std::vector<std::string> arguments{"--board",    fmt::format("{}", board_.fd()),
                                     "--cpu",      fmt::format("{}", cpu),
                                     "--channels", fmt::format("{}", channels)};
  for (const std::string& interface : interfaces)
    arguments.insert(arguments.end(), {"--interface", interface});
  arguments.insert(arguments.end(), contender.arguments.begin(), contender.arguments.end());
  process_ = start_program(contender.program, arguments);
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kPatienceNs;
  while (board_->ready.load(std::memory_order_acquire) == 0) {
    require_alive();
    if (sys::monotonic_ns() > give_up_ns) throw Error(name_ + " does not get ready");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

RunningContender::~RunningContender() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void RunningContender::require_alive() {
  int status = 0;
  if (process_ < 0 || ::waitpid(process_, &status, WNOHANG) != process_) return;
  process_ = -1;
  throw Error(name_ + " has ended by itself");
}

void RunningContender::wait_for(const std::atomic<std::uint64_t>& counter, std::uint64_t value,
                                std::string_view what) {
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kPatienceWithPacketsNs;
  while (counter.load(std::memory_order_acquire) < value) {
    if (sys::monotonic_ns() < give_up_ns) continue;
    require_alive();
    throw Error(fmt::format("{}: {} of {} {}", name_, counter.load(), value, what));
  }
}

void RunningContender::wait_until_delivered(std::uint64_t messages) {
  wait_for(board_->delivered, messages, "messages were delivered");
}

void RunningContender::wait_until_read(std::uint64_t packets) {
  wait_for(board_->read, packets, "packets came");
}

Digest RunningContender::stop() {
  board_->stop.store(1);
  int status = 0;
  const std::uint64_t give_up_ns = sys::monotonic_ns() + kPatienceNs;
  while (::waitpid(process_, &status, WNOHANG) != process_) {
    if (sys::monotonic_ns() > give_up_ns) throw Error(name_ + " does not end");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  process_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw Error(name_ + " has failed");
  return board_->digest;
}

}  // namespace linearb::bench
