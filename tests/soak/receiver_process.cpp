// SPDX-License-Identifier: Apache-2.0
#include "soak/receiver_process.h"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/lab.h"
#include "linearb/receiver.h"
#include "report/json.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/error.h"

namespace linearb::soak {
namespace {

constexpr std::uint64_t kStartNs = 30'000'000'000;
constexpr std::uint64_t kEndNs = 30'000'000'000;
constexpr int kPollMs = 5;

ReceiverOptions options_of(const Scenario& scenario) {
  ReceiverOptions options;
  options.lines.clear();
  for (std::size_t i = 0; i < scenario.lines.size(); ++i) {
    const char name = static_cast<char>('A' + i);
    options.lines.push_back({std::string(1, name), lab::destination_name(name)});
  }
  options.channels.clear();
  for (std::uint32_t i = 0; i < scenario.channels; ++i)
    options.channels.push_back(
        {fmt::format("{}", i), scenario.framing, destination_of(i), {}, scenario.checksum});
  options.mode = scenario.mode;
  options.wait = scenario.wait;
  options.order = scenario.order;
  options.frames = scenario.frames;
  options.threads = scenario.threads;
  if (scenario.senders == 1 && scenario.threads == 1) options.cpus = {sys::allowed_cpus().back()};
  return options;
}

Receiver* running = nullptr;

void end_run(int) {
  running->stop();
}

/// All that the child process does. It leaves its summary, or why there is none, in the pipe.
int receive(const Scenario& scenario, Deliveries& deliveries, RunCounts& counts,
            std::FILE* output) {
  std::signal(SIGINT, SIG_IGN);  // of the whole group: the parent ends the runs
  try {
    Receiver receiver(options_of(scenario),
                      [&](const Delivery& delivery) { deliveries.take(delivery); });
    running = &receiver;
    std::signal(SIGTERM, end_run);
    counts.ready = true;
    report::print_json(output, report::to_json(receiver.run()));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(output, "{}", error.what());
    std::fflush(output);
    return 1;
  }
}

}  // namespace

ReceiverProcess::ReceiverProcess(const Scenario& scenario, std::size_t run, Ledger& ledger,
                                 Findings& findings, RunCounts& counts)
    : counts_(counts) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) sys::throw_errno("make a pipe for a receiver");
  output_ = sys::Fd(pipe[0]);
  const sys::Fd input(pipe[1]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) sys::throw_errno("start a receiver");
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  Deliveries deliveries(scenario, run, ledger, findings, counts);
  const int status = receive(scenario, deliveries, counts, ::fdopen(input.get(), "w"));
  ::_exit(status);
}

ReceiverProcess::~ReceiverProcess() {
  if (pid_ > 0) kill();
}

void ReceiverProcess::wait_until_ready() {
  const std::uint64_t end_ns = sys::monotonic_ns() + kStartNs;
  while (!counts_.ready.load()) {
    read_output(kPollMs);
    if (output_is_over_) give_up("a receiver did not start");
    if (sys::monotonic_ns() > end_ns) give_up("a receiver takes too long to start");
  }
}

bool ReceiverProcess::is_running() {
  read_output(0);
  return !output_is_over_;
}

void ReceiverProcess::stop() const {
  ::kill(pid_, SIGSTOP);
}
void ReceiverProcess::go_on() const {
  ::kill(pid_, SIGCONT);
}
void ReceiverProcess::kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

nlohmann::json ReceiverProcess::end() {
  ::kill(pid_, SIGTERM);
  const std::uint64_t end_ns = sys::monotonic_ns() + kEndNs;
  while (!output_is_over_) {
    read_output(kPollMs);
    if (sys::monotonic_ns() > end_ns) give_up("a receiver does not end");
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) give_up("a receiver failed");
  return nlohmann::json::parse(text_);
}

void ReceiverProcess::give_up(const std::string& what) {
  throw Error(text_.empty() ? what : fmt::format("{}: {}", what, text_));
}

void ReceiverProcess::read_output(int timeout_ms) {
  pollfd wanted{.fd = output_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wanted, 1, timeout_ms) <= 0) return;
  std::array<char, 4096> part{};
  const ssize_t length = ::read(output_.get(), part.data(), part.size());
  if (length > 0) text_.append(part.data(), static_cast<std::size_t>(length));
  if (length == 0) output_is_over_ = true;
}

}  // namespace linearb::soak
