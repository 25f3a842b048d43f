// SPDX-License-Identifier: Apache-2.0
// Looks whether the pieces of the benchmarks work on this host, and how fast: the live frames by
// themselves, and the first design. Needs root; everything happens in a private network namespace.
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/drop_all.h"
#include "bench/first_design.h"
#include "bench/live_frames.h"
#include "lab/lab.h"
#include "linearb/error.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/netns.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kPacketsPerRound = 1'000'000;
constexpr std::size_t kRounds = 5;
constexpr std::uint32_t kBlock = 1024;

const std::vector<std::string> kSources = {lab::source_name('A'), lab::source_name('B')};
const std::vector<std::string> kDestinations = {lab::destination_name('A'),
                                                lab::destination_name('B')};

/// Sends a round on both lines and returns packets a second per line.
double rate_of_round(LiveFrames& frames, std::uint32_t first,
                     const std::function<void()>& after_block) {
  std::uint64_t begin_ns = sys::monotonic_ns();
  frames.run_all({.first = first, .count = kPacketsPerRound, .block = kBlock}, after_block);
  return kPacketsPerRound * 1e9 / static_cast<double>(sys::monotonic_ns() - begin_ns);
}

double median_rate(LiveFrames& frames, const std::function<void()>& after_block) {
  std::array<double, kRounds> rates{};
  std::uint32_t first = 1;
  for (double& rate : rates) {
    rate = rate_of_round(frames, first, after_block);
    first += kPacketsPerRound;
  }
  std::ranges::sort(rates);
  return rates[kRounds / 2];
}

/// Prints a row. Returns whether everything came that had to.
bool report(std::string_view hook, double rate, std::uint64_t came, std::uint64_t expected) {
  fmt::print("{:<14} {:>6.2f} M packets/s per line, {} of {} came\n", hook, rate / 1e6, came,
             expected);
  return came == expected;
}

bool check_drop_all(LiveFrames& frames) {
  DropAll hook(kDestinations);
  double rate = median_rate(frames, [] {});
  return report("drop-all", rate, hook.packets(), 2 * kRounds * kPacketsPerRound);
}

bool check_first_design(LiveFrames& frames) {
  FirstDesign design(kDestinations[0], kDestinations[1]);
  std::uint64_t came = 0;
  double rate = median_rate(frames, [&] { came += design.drain(); });
  return report("first design", rate, came, kRounds * kPacketsPerRound);
}

bool is_refused(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    fmt::print("refused, as it must be: {}\n", error.what());
    return true;
  }
  return false;
}

/// What would make a measurement one of something else is an error.
bool check_refusals(LiveFrames& frames) {
  DropAll hook(kDestinations);
  bool is_second_refused = is_refused([] { DropAll second(kDestinations); });
  bool is_batch_refused = is_refused([&] { frames.run(0, 1, 1000, 257); });
  bool is_generic_refused = is_refused([] { DropAll without_native_mode({"lo"}); });
  return is_second_refused && is_batch_refused && is_generic_refused;
}

int run() {
  sys::pin_this_thread(sys::allowed_cpus().back());
  sys::enter_private_namespace();
  lab::up({});
  LiveFrames frames(kSources);
  bool is_right = check_refusals(frames);
  is_right &= check_drop_all(frames);
  is_right &= check_first_design(frames);
  return is_right ? 0 : 1;
}

}  // namespace
}  // namespace linearb::bench

int main() {
  try {
    return linearb::bench::run();
  } catch (const linearb::Error& error) {
    fmt::print(stderr, "linearb_bench_check: {}\n", error.what());
    return 1;
  }
}
