// SPDX-License-Identifier: Apache-2.0

/// sim --seed S             replays one seed; --trace: and tells all that happened
/// sim --seeds N [--first S] [--jobs J]   runs N of them; names the first that fails
/// sim --script FILE [--trace]            follows a schedule in place of a seed

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/failure.h"
#include "sim/feed.h"
#include "sim/replay.h"
#include "sim/script.h"
#include "sim/simulation.h"

namespace linearb::sim {
namespace {

constexpr std::uint64_t kNone = ~0ull;
constexpr unsigned kJobsMax = 256;

struct Options {
  std::optional<std::uint64_t> seed;
  std::uint64_t first = 1;
  std::uint64_t seeds = 1000;
  std::uint64_t jobs = 0;
  std::optional<std::string> script;
  bool trace = false;
};

/// What the processes tell each other.
struct Shared {
  std::atomic<std::uint64_t> first_failing = kNone;
  std::atomic<std::uint64_t> running[kJobsMax];
  std::atomic<std::uint64_t> packets = 0;
  std::atomic<std::uint64_t> delivered = 0;
  std::atomic<std::uint64_t> steps = 0;
};

std::string replayed;  ///< the seed or the script of this process, when it is to say what failed
std::string (*describe)(bool everything) = describe_run;
bool tells_everything = false;

[[noreturn]] void refuse(const std::string& what) {
  fmt::print(stderr,
             "sim: {}\nusage: sim --seed S [--trace] | --seeds N [--first S] [--jobs J] | "
             "--script FILE [--trace]\n",
             what);
  std::exit(2);
}

std::uint64_t number_of(std::string_view option, const char* text) {
  std::uint64_t value = 0;
  const char* const end = text ? text + std::strlen(text) : text;
  if (!text || std::from_chars(text, end, value).ptr != end || text == end)
    refuse(fmt::format("{} wants a number", option));
  return value;
}

Options options_of(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view option = arguments[i];
    const auto value = [&] { return number_of(option, i + 1 < count ? arguments[++i] : nullptr); };
    if (option == "--trace")
      options.trace = true;
    else if (option == "--seed")
      options.seed = value();
    else if (option == "--seeds")
      options.seeds = value();
    else if (option == "--first")
      options.first = value();
    else if (option == "--jobs")
      options.jobs = value();
    else if (option == "--script" && i + 1 < count)
      options.script = arguments[++i];
    else if (option == "--script")
      refuse("--script wants a file");
    else
      refuse(fmt::format("no option {}", option));
  }
  return options;
}

void raise_failing(Shared& shared, std::uint64_t seed) {
  std::uint64_t known = shared.first_failing.load();
  while (seed < known && !shared.first_failing.compare_exchange_weak(known, seed)) {
  }
}

/// One process of several: every `jobs`th seed. One that fails ends the process.
void run_seeds(const Options& options, Shared& shared, std::uint64_t job) {
  for (std::uint64_t i = job; i < options.seeds; i += options.jobs) {
    const std::uint64_t seed = options.first + i;
    if (seed > shared.first_failing.load()) break;
    shared.running[job] = seed;
    const Figures figures = simulate(seed);
    shared.packets += figures.packets;
    shared.delivered += figures.delivered;
    shared.steps += figures.steps;
  }
  shared.running[job] = kNone;
}

void run_in_processes(const Options& options, Shared& shared) {
  std::vector<pid_t> children;
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    const pid_t child = ::fork();
    if (child < 0) refuse("cannot start a process");
    if (child == 0) {
      run_seeds(options, shared, job);
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (std::size_t left = children.size(); left > 0; --left) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    const auto job = std::ranges::find(children, ended) - children.begin();
    if (status != 0) raise_failing(shared, shared.running[job]);
  }
}

int run_many(Options options) {
  if (options.jobs == 0) options.jobs = std::max(1u, std::thread::hardware_concurrency());
  options.jobs = std::min<std::uint64_t>(options.jobs, kJobsMax);
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) refuse("no memory");
  auto& shared = *new (memory) Shared;
  const auto begin = std::chrono::steady_clock::now();
  run_in_processes(options, shared);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (const std::uint64_t seed = shared.first_failing; seed != kNone) {
    fmt::print("seed {} fails; replay it with: ./dev sim --seed {}\n", seed, seed);
    std::fflush(stdout);
    replayed = fmt::format("seed {}", seed);
    simulate(seed);
    fmt::print("seed {} failed once and does not now: the simulation is not deterministic\n", seed);
    return 1;
  }
  fmt::print("{} seeds passed in {:.1f} s: {:.0f} seeds/s; {} packets, {} deliveries, {} steps\n",
             options.seeds, seconds.count(), static_cast<double>(options.seeds) / seconds.count(),
             shared.packets.load(), shared.delivered.load(), shared.steps.load());
  return 0;
}

int replay_seed(const Options& options) {
  replayed = fmt::format("seed {}", *options.seed);
  tells_everything = options.trace;
  std::string story;
  const Figures figures = simulate(*options.seed, options.trace ? &story : nullptr);
  fmt::print("{}", story);
  fmt::print("{} passed: {} packets, {} deliveries, {} receivers, {} steps\n", replayed,
             figures.packets, figures.delivered, figures.receivers, figures.steps);
  return 0;
}

int follow_script(const Options& options) {
  Script script;
  try {
    script = read_script(*options.script);
  } catch (const ScriptError& error) {
    refuse(error.what());
  }
  replayed = *options.script;
  describe = describe_replay;
  tells_everything = options.trace;
  std::string story;
  const std::string how_far = replay(script, options.trace ? &story : nullptr);
  fmt::print("{}{}: {}\n", story, replayed, how_far);
  return 0;
}

}  // namespace

void fail(const std::string& what) {
  if (!replayed.empty()) {
    fmt::print("{}: {}\n{}\n", replayed, what, describe(tells_everything));
    std::fflush(stdout);
  }
  ::_exit(1);
}

}  // namespace linearb::sim

int main(int count, char** arguments) {
  const auto options = linearb::sim::options_of(count, arguments);
  if (options.script) return linearb::sim::follow_script(options);
  return options.seed ? linearb::sim::replay_seed(options) : linearb::sim::run_many(options);
}
