// SPDX-License-Identifier: Apache-2.0
// Measures linearb, its peers and its limits, interleaved in one run: every measurement once in
// each round, in an order that moves on with the rounds. Needs root; everything happens in a
// private network namespace.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/curves.h"
#include "bench/measurements.h"
#include "linearb/error.h"
#include "sys/cpu.h"
#include "sys/error.h"
#include "sys/netns.h"

namespace linearb::bench {
namespace {

const std::vector<Ratio> kRatios = {
    {"linearb against the ceiling", "linearb, M frames/s", "ceiling, M frames/s", Target{0.85}},
    {"1,024 channels and 4 lines against 1 and 2",
     "linearb, 1,024 channels and 4 lines, M frames/s", "linearb, M frames/s", Target{0.85}},
    {"linearb against the first design", "linearb, M frames/s", "first design, M frames/s",
     Target{2.0}},
    {"linearb against kernel sockets", "linearb, M frames/s", "kernel sockets, M frames/s",
     Target{8}},
    {"linearb against AF_PACKET", "linearb, M frames/s", "AF_PACKET, M frames/s", Target{3}},
    {"linearb against DPDK", "linearb, M frames/s", "DPDK, M frames/s", Target{0.95}},
    {"receiver against a bare loop behind the hook", "linearb, M frames/s",
     "bare loop behind the hook, M frames/s", Target{0.9}},
    {"linearb in sequence against in arrival order", "linearb in sequence, M frames/s",
     "linearb, M frames/s"},
    {"B leading against A leading", "linearb, B leading, M frames/s", "linearb, M frames/s"},
    {"linearb against the ceiling, lines racing", "linearb, lines racing, M frames/s",
     "ceiling, lines racing, M frames/s"},
    {"user-space time of a message against DPDK", "linearb, ns/message", "DPDK, ns/message",
     Target{0.6, true}},
    {"latency against kernel sockets, 20 k/s, p50", "linearb at 20 k/s, p50, ns",
     "kernel sockets at 20 k/s, p50, ns", Target{0.6, true}},
    {"latency against kernel sockets, 20 k/s, p99", "linearb at 20 k/s, p99, ns",
     "kernel sockets at 20 k/s, p99, ns", Target{0.5, true}},
    {"latency against kernel sockets, 200 k/s, p50", "linearb at 200 k/s, p50, ns",
     "kernel sockets at 200 k/s, p50, ns", Target{0.6, true}},
    {"latency against kernel sockets, 200 k/s, p99", "linearb at 200 k/s, p99, ns",
     "kernel sockets at 200 k/s, p99, ns", Target{0.5, true}},
    {"hook, duplicate, against the first design's", "hook: duplicate, ns",
     "first design's hook: duplicate, ns", Target{1.0, true}},
    {"hook, winner, against the first design's", "hook: winner, ns",
     "first design's hook: winner, ns", Target{0.5, true}},
    {"feeder against a bare loop", "feeder, M packets/s on each line",
     "bare sending loop, M packets/s on each line", Target{0.9}},
    {"feeder against the first design's", "feeder, M packets/s on each line",
     "first design's feeder, M packets/s on each line", Target{1.7}},
    {"merge against libpcap alone", "merge, M messages/s", "libpcap alone, M messages/s",
     Target{0.6}},
};

/// What --quick leaves out: two minutes are for the main ratios.
const std::vector<std::string> kSlow = {
    "1,024 channels",  "in sequence", "first million",      "AF_PACKET",   "B leading",
    "racing",          "4 lines",     "kernel sockets, ns", "idle",        "memory",
    "behind the hook", "of ceiling",  "live frames",        "and receiver"};

struct Options {
  std::optional<std::size_t> rounds;
  bool quick = false;
  bool curves = false;
  std::vector<std::string> only;
  std::string json_path;
  std::string compare_path;

  std::size_t rounds_or_default() const { return rounds.value_or(quick ? 3 : curves ? 5 : 9); }
};

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

Measurements choose(const Options& options, const Settings& settings, const Curves& curves) {
  Measurements all;
  if (options.curves) all = curves.measurements;
  for (const auto& group : {path_measurements, latency_measurements, feeding_measurements,
                            merging_measurements, hook_measurements, footprint_measurements})
    if (!options.curves) std::ranges::move(group(settings), std::back_inserter(all));
  if (options.quick)
    std::erase_if(all, [](const Measurement& measurement) {
      return std::ranges::any_of(
          kSlow, [&](const std::string& text) { return measurement.name.contains(text); });
    });
  if (options.only.empty()) return all;
  std::erase_if(all, [&](const Measurement& measurement) {
    return std::ranges::none_of(
        options.only, [&](const std::string& text) { return measurement.name.contains(text); });
  });
  if (all.empty()) throw UsageError("--only: no measurement has this in its name");
  return all;
}

/// Each on a thread of its own, so that what it ties to a CPU is no other's. Returns whether there
/// is a result.
bool measure(const Measurement& measurement, const Settings& settings, Figures& figures) {
  std::string error;
  std::thread thread([&] {
    try {
      sys::pin_this_thread(settings.cpus.sender);
      measurement.run(figures);
    } catch (const Error& failure) {
      error = failure.what();
    }
  });
  thread.join();
  if (!error.empty()) fmt::print(stderr, "{}: no result: {}\n", measurement.name, error);
  return error.empty();
}

void print(const std::string& name, const Spread& spread, const std::string& remark) {
  fmt::print("{:<58} {:>9.3f}   {:.3f} to {:.3f}{}\n", name, spread.median, spread.least,
             spread.most, remark);
}

std::string against_target(const Ratio& ratio, const Spread& spread) {
  if (!ratio.target) return "";
  return fmt::format("   {} {} {}", ratio.target->is_met_by(spread.median) ? "meets" : "MISSES",
                     ratio.target->at_most ? "at most" : "at least", ratio.target->value);
}

void add_curves(nlohmann::ordered_json& json, const Curves& curves, const Figures& figures) {
  for (const Curve& curve : curves.curves) {
    nlohmann::ordered_json points = nlohmann::ordered_json::array();
    for (const Curve::Point& point : curve.points) {
      const auto spread = figures.of(point.figure);
      if (!spread) continue;
      nlohmann::ordered_json entry = to_json(*spread);
      entry["at"] = point.at;
      points.push_back(entry);
    }
    json["curves"].push_back({{"name", curve.name},
                              {"axis", curve.axis},
                              {"series", curve.series},
                              {"unit", curve.unit},
                              {"points", points}});
  }
}

/// Before anything is measured: what is wrong with the file is not to be said after an hour.
nlohmann::ordered_json read_results(const std::string& path) {
  std::ifstream file(path);
  auto results = nlohmann::ordered_json::parse(file, nullptr, false);
  if (!results.is_object() || !results.contains("machine") || !results["machine"].is_string())
    throw UsageError(fmt::format("--compare {}: that is no file of --json", path));
  return results;
}

void write_results(const nlohmann::ordered_json& json, const std::string& path) {
  std::ofstream file(path);
  file << json.dump(2) << '\n';
  file.close();
  if (!file) sys::throw_errno("write the results to " + path, "is there such a folder, and room?");
}

/// Two runs are of two times, and a machine is not the same twice: what is beyond both spreads is
/// said, and nothing is a failure.
void compare(const nlohmann::ordered_json& json, const nlohmann::ordered_json& old,
             const std::string& path) {
  fmt::print("\nagainst {} ({})\n\n", path, old["machine"].get<std::string>());
  for (const char* part : {"figures", "ratios"}) {
    if (!json.contains(part) || !old.contains(part)) continue;
    for (const auto& [name, now] : json[part].items()) {
      if (!old[part].contains(name)) continue;
      const auto& before = old[part][name];
      const double median = now["median"], old_median = before["median"];
      const bool apart = now["min"] > before["max"] || now["max"] < before["min"];
      fmt::print("{:<58} {:>9.3f}   {:.3f} before, {:+.1f} %{}\n", name, median, old_median,
                 old_median != 0 ? 100 * (median / old_median - 1) : 0.0,
                 apart ? "   beyond both spreads" : "");
    }
  }
}

nlohmann::ordered_json report(const Figures& figures) {
  nlohmann::ordered_json json{{"machine", machine()}};
  fmt::print("{}\nmedian, least to most of the rounds\n\n", machine());
  for (const std::string& name : figures.names()) {
    const Spread spread = *figures.of(name);
    print(name, spread, "");
    json["figures"][name] = to_json(spread);
  }
  fmt::print("\n");
  for (const Ratio& ratio : kRatios) {
    const auto spread = figures.of(ratio);
    if (!spread) continue;
    print(ratio.name, *spread, against_target(ratio, *spread));
    auto& entry = json["ratios"][ratio.name] = to_json(*spread);
    if (ratio.target) {
      entry["target"] = ratio.target->value;
      entry["at_most"] = ratio.target->at_most;
      entry["met"] = ratio.target->is_met_by(spread->median);
    }
  }
  return json;
}

int run(const Options& options) {
  const Settings settings{.cpus = choose_cpus(), .quick = options.quick};
  sys::enter_private_namespace();
  const Curves curves = make_curves(settings);
  const Measurements measurements = choose(options, settings, curves);
  nlohmann::ordered_json old;
  if (!options.compare_path.empty()) old = read_results(options.compare_path);
  Figures figures;
  std::size_t failures = 0;
  for (std::size_t round = 0; round < options.rounds_or_default(); ++round) {
    figures.begin_round();
    for (std::size_t i = 0; i < measurements.size(); ++i)
      if (!measure(measurements[(i + round) % measurements.size()], settings, figures)) ++failures;
    fmt::print(stderr, "round {} of {} is done\n", round + 1, options.rounds_or_default());
  }
  nlohmann::ordered_json json = report(figures);
  if (options.curves) add_curves(json, curves, figures);
  if (!options.json_path.empty()) write_results(json, options.json_path);
  if (!options.compare_path.empty()) compare(json, old, options.compare_path);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace linearb::bench

int main(int count, char** arguments) {
  linearb::bench::Options options;
  CLI::App app("Measures linearb beside its peers and its limits");
  app.add_option("--rounds", options.rounds,
                 "Each measurement so often (9; 5 of curves, 3 with --quick)");
  app.add_flag("--quick", options.quick, "The main ratios, with fewer packets: two minutes");
  app.add_flag("--curves", options.curves,
               "How cost grows with packets, messages, channels, lines, losses and rings");
  app.add_option("--only", options.only, "Measurements with this in their names (repeatable)")
      ->allow_extra_args(false);
  app.add_option("--json", options.json_path, "A file for the results");
  app.add_option("--compare", options.compare_path, "A file of an earlier --json, to compare with");
  CLI11_PARSE(app, count, arguments);
  try {
    return linearb::bench::run(options);
  } catch (const linearb::UsageError& error) {
    fmt::print(stderr, "linearb_bench: {}\n", error.what());
    return 2;
  } catch (const linearb::Error& error) {
    fmt::print(stderr, "linearb_bench: {}\n", error.what());
    return 1;
  }
}
