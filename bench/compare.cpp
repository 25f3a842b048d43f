// SPDX-License-Identifier: Apache-2.0
//
// Arbitrated packets/s of linearb against the first design's hook, interleaved in one run: both on
// the same two veth lines, with the same live frames, line A leading by a block, the hook on one
// CPU and the receiver spinning on another. A round that did not deliver exactly what it had to is
// no result. Needs root; everything happens in a private network namespace.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/utsname.h>

#include <nlohmann/json.hpp>

#include "bench/first_design.h"
#include "bench/live_frames.h"
#include "lab/lab.h"
#include "linearb/receiver.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/netns.h"

namespace linearb::bench {
namespace {

constexpr std::size_t kRounds = 9;
constexpr std::uint32_t kPackets = 1'000'000;  // on each line, in each half of a round
constexpr std::uint32_t kBlock = 1024;         // a quarter of the frames of a socket
constexpr std::uint32_t kPreamble = 64;        // until the channel is published
constexpr auto kPublished = std::chrono::milliseconds(200);

/// One design in one round: the first million numbers, and the second, when an LRU hash is full.
struct Round {
  double first_rate = 0;  // packets/s of each line
  double second_rate = 0;
};

/// Two lines, and how far the receiver has come. It sends the next block when the last one was
/// taken: neither design is fed more than it has room for.
double send(LiveFrames& frames, std::uint32_t first, std::atomic<std::uint64_t>& taken) {
  const std::uint64_t before = taken.load();
  std::uint64_t sent = 0;
  const std::uint64_t begin_ns = sys::monotonic_ns();
  frames.run_all({.first = first, .count = kPackets, .block = kBlock}, [&] {
    sent = std::min<std::uint64_t>(sent + kBlock, kPackets);
    const std::uint64_t give_up_ns = sys::monotonic_ns() + 5'000'000'000;
    while (taken.load(std::memory_order_relaxed) < before + sent)
      if (sys::monotonic_ns() > give_up_ns)
        throw Error(fmt::format("{} of {} packets came", taken.load() - before, sent));
  });
  return kPackets * 1e9 / static_cast<double>(sys::monotonic_ns() - begin_ns);
}

Round measure(LiveFrames& frames, std::atomic<std::uint64_t>& taken) {
  sys::pin_this_thread(sys::allowed_cpus().front());
  frames.run_all({.first = 1, .count = kPreamble, .block = kPreamble}, [] {});
  std::this_thread::sleep_for(kPublished);
  Round round;
  round.first_rate = send(frames, 1 + kPreamble, taken);
  round.second_rate = send(frames, 1 + kPreamble + kPackets, taken);
  return round;
}

Round measure_first_design(LiveFrames& frames, unsigned receiver_cpu) {
  FirstDesign design(lab::destination_name('A'), lab::destination_name('B'));
  std::atomic<std::uint64_t> taken = 0;
  std::jthread receiver([&](const std::stop_token& stop) {
    sys::pin_this_thread(receiver_cpu);
    while (!stop.stop_requested())
      if (const std::uint32_t packets = design.drain()) taken += packets;
  });
  const Round round = measure(frames, taken);
  if (taken != kPreamble + 2ull * kPackets)
    throw Error(fmt::format("the first design delivered {} packets instead of {}", taken.load(),
                            kPreamble + 2ull * kPackets));
  return round;
}

Round measure_linearb(LiveFrames& frames, unsigned receiver_cpu) {
  ReceiverOptions options;
  options.mode = Mode::native;
  options.wait = Wait::spin;
  options.cpus = {receiver_cpu};
  std::atomic<std::uint64_t> taken = 0;
  Receiver receiver(options, [&](const Delivery&) {
    taken.store(taken.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  });
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  Round round;
  try {
    round = measure(frames, taken);
  } catch (...) {
    receiver.stop();
    throw;
  }
  receiver.stop();
  const Summary summary = result.get();
  if (!summary.balanced || summary.packets != kPreamble + 2ull * kPackets ||
      summary.gap_messages != 0u)
    throw Error(fmt::format("linearb delivered {} packets instead of {}, {}balanced",
                            summary.packets, kPreamble + 2ull * kPackets,
                            summary.balanced ? "" : "not "));
  return round;
}

struct Spread {
  double median, least, most;
};

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  return {values[values.size() / 2], values.front(), values.back()};
}

nlohmann::ordered_json to_json(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

std::string machine() {
  utsname name{};
  ::uname(&name);
  std::string model = "unknown CPU";
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; std::getline(cpus, line);)
    if (line.starts_with("model name")) model = line.substr(line.find(':') + 2);
  return fmt::format("{}, {} CPUs, Linux {}", model, std::thread::hardware_concurrency(),
                     name.release);
}

void print(const char* what, const Spread& spread, const char* unit) {
  fmt::print("{:<44} {:>7.2f}   {:.2f} to {:.2f} {}\n", what, spread.median, spread.least,
             spread.most, unit);
}

int run(const std::string& json_path) {
  const std::vector<unsigned> cpus = sys::allowed_cpus();
  if (cpus.size() < 2) throw Error("the benchmark needs two CPUs: one for hook, one for receiver");
  sys::enter_private_namespace();
  lab::up({});
  LiveFrames frames({lab::source_name('A'), lab::source_name('B')});
  std::vector<double> ours, theirs, theirs_empty, ratios, ratios_empty;
  for (std::size_t i = 0; i < kRounds; ++i) {
    // Each on a thread of its own, which measure() ties to a CPU when its receiver has started.
    const auto on_a_thread = [&](auto design) {
      return std::async(std::launch::async, design, std::ref(frames), cpus.back()).get();
    };
    Round linearb, first_design;
    try {
      linearb = on_a_thread(measure_linearb);
      first_design = on_a_thread(measure_first_design);
    } catch (const Error& error) {
      fmt::print(stderr, "round {} is no result: {}\n", i + 1, error.what());
      continue;
    }
    ours.push_back(linearb.second_rate / 1e6);
    theirs.push_back(first_design.second_rate / 1e6);
    theirs_empty.push_back(first_design.first_rate / 1e6);
    ratios.push_back(linearb.second_rate / first_design.second_rate);
    ratios_empty.push_back(linearb.first_rate / first_design.first_rate);
  }
  if (ratios.size() < kRounds / 2 + 1) throw Error("too few rounds delivered what they had to");
  const Spread ratio = spread_of(ratios), ratio_empty = spread_of(ratios_empty);
  fmt::print("{}\n{} rounds of {} packets on each line, interleaved; median, least to most\n\n",
             machine(), ratios.size(), kPackets);
  print("linearb, arbitrated", spread_of(ours), "M packets/s per line");
  print("first design, its hash full", spread_of(theirs), "M packets/s per line");
  print("first design, its first million", spread_of(theirs_empty), "M packets/s per line");
  print("linearb against the first design, hash full", ratio, "times");
  print("the same, both in their first million", ratio_empty, "times");
  if (json_path.empty()) return 0;
  std::ofstream(json_path)
      << nlohmann::ordered_json{{"machine", machine()},
                                {"rounds", ratios.size()},
                                {"packets_per_line", kPackets},
                                {"linearb_mpps_per_line", to_json(spread_of(ours))},
                                {"first_design_full_mpps_per_line", to_json(spread_of(theirs))},
                                {"first_design_empty_mpps_per_line",
                                 to_json(spread_of(theirs_empty))},
                                {"ratio_full", to_json(ratio)},
                                {"ratio_empty", to_json(ratio_empty)}}
             .dump(2)
      << '\n';
  return 0;
}

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  if (count > 2) {
    fmt::print(stderr, "usage: linearb_bench [FILE.json]\n");
    return 2;
  }
  try {
    return linearb::bench::run(count == 2 ? arguments[1] : "");
  } catch (const linearb::Error& error) {
    fmt::print(stderr, "linearb_bench: {}\n", error.what());
    return 1;
  }
}
