// SPDX-License-Identifier: Apache-2.0
//
// linearb_soak: scenario after scenario on the real path, each from a seed. It plays them in a
// private network namespace, which goes with it however it ends.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iterator>
#include <optional>
#include <string>

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "linearb/error.h"
#include "soak/director.h"
#include "soak/scenario.h"
#include "sys/clock.h"
#include "sys/netns.h"

namespace linearb::soak {
namespace {

struct Options {
  double minutes = 1;
  std::optional<std::uint64_t> scenarios;
  std::uint64_t first = 1;
  std::optional<std::uint64_t> seed;
  std::string scenario;
  std::uint64_t packets = 4'000'000;
  bool list = false;
};

std::atomic<bool> stop = false;
void on_signal(int) {
  stop = true;
}

struct Totals {
  std::uint64_t scenarios = 0;
  std::uint64_t packets = 0;
  std::uint64_t delivered = 0;
  std::uint64_t gaps = 0;
  std::uint64_t refused = 0;
  double sending_seconds = 0;
};

void print_outcome(const Scenario& scenario, const Outcome& outcome) {
  const Figures& figures = outcome.figures;
  std::string lines;
  for (std::size_t i = 0; i < figures.lines.size(); ++i)
    lines += fmt::format(" {}: {} lost, {} refused;", static_cast<char>('A' + i),
                         figures.lines[i].lost_messages, figures.lines[i].refused);
  fmt::print("{:>6} {:<9} {:<7} {:>9} packets {:>9} messages {:>7} in gaps;{} {:.2f} M/s{}\n",
             scenario.seed, scenario.name, scenario.mode == Mode::native ? "native" : "generic",
             figures.packets, figures.delivered, figures.gaps, lines,
             static_cast<double>(figures.packets) / outcome.seconds / 1e6,
             outcome.findings.empty() ? "" : "  FAILED");
  std::fflush(stdout);
}

void print_failure(const Scenario& scenario, const Options& options,
                   const std::vector<std::string>& findings, const std::string& summaries = {}) {
  fmt::print("seed {}: {}\n", scenario.seed, describe(scenario));
  for (const std::string& finding : findings) fmt::print("  {}\n", finding);
  fmt::print("{}", summaries);
  fmt::print("replay it with: ./dev soak 1 --seed {} --scenario {} --packets {}\n", scenario.seed,
             scenario.name, options.packets);
}

void print_totals(const Totals& totals, double seconds) {
  fmt::print(
      "{} scenarios, {} packets in {:.0f} s, {:.2f} M packets/s while sending; {} messages "
      "delivered, {} in gaps, {} packets refused\n",
      totals.scenarios, totals.packets, seconds,
      totals.sending_seconds > 0
          ? static_cast<double>(totals.packets) / totals.sending_seconds / 1e6
          : 0,
      totals.delivered, totals.gaps, totals.refused);
}

void add(Totals& totals, const Outcome& outcome) {
  ++totals.scenarios;
  totals.packets += outcome.figures.packets;
  totals.delivered += outcome.figures.delivered;
  totals.gaps += outcome.figures.gaps;
  for (const Figures::OfLine& line : outcome.figures.lines) totals.refused += line.refused;
  totals.sending_seconds += outcome.seconds;
}

/// Whether there is another one, and time for it.
bool goes_on(const Options& options, const Totals& totals, double seconds) {
  if (stop) return false;
  if (options.seed) return totals.scenarios == 0;
  if (options.scenarios) return totals.scenarios < *options.scenarios;
  return seconds < options.minutes * 60;
}

double seconds_since(std::uint64_t begin_ns) {
  return static_cast<double>(sys::monotonic_ns() - begin_ns) / 1e9;
}

int soak(const Options& options) {
  sys::enter_private_namespace();
  Director director;
  Totals totals;
  const std::uint64_t begin_ns = sys::monotonic_ns();
  bool failed = false;
  while (!failed && goes_on(options, totals, seconds_since(begin_ns))) {
    const std::uint64_t seed = options.seed.value_or(options.first + totals.scenarios);
    const Scenario scenario = draw(seed, options.scenario, options.packets);
    if (options.seed) fmt::print("seed {}: {}\n", seed, describe(scenario));
    try {
      const std::optional<Outcome> outcome = director.play(scenario, stop);
      if (!outcome) break;
      print_outcome(scenario, *outcome);
      add(totals, *outcome);
      failed = !outcome->findings.empty();
      if (failed) print_failure(scenario, options, outcome->findings, outcome->summaries);
    } catch (const Error& error) {
      failed = true;
      print_failure(scenario, options, {error.what()});
    }
  }
  print_totals(totals, seconds_since(begin_ns));
  if (stop) fmt::print("ended by a signal\n");
  return failed ? 1 : 0;
}

int list() {
  for (const Kind& kind : kinds()) fmt::print("{:<9} {}\n", kind.name, kind.what);
  return 0;
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Plays scenario after scenario on the real path, each from a seed, and compares what "
      "was sent with what came, message by message.",
      "linearb_soak"};
  app.add_option("--minutes", options.minutes, "how long (1)")->check(CLI::PositiveNumber);
  app.add_option("--scenarios", options.scenarios, "so many, however long they take");
  app.add_option("--first", options.first, "seed of the first; each has the next one (1)");
  app.add_option("--seed", options.seed, "this one alone");
  app.add_option("--scenario", options.scenario, "of this kind only");
  app.add_option("--packets", options.packets,
                 "of a scenario, on all lines together, about (4000000)");
  app.add_flag("--list", options.list, "the kinds that there are");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.list) return list();
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  return soak(options);
}

}  // namespace
}  // namespace linearb::soak

int main(int argc, char** argv) {
  try {
    return linearb::soak::run(argc, argv);
  } catch (const linearb::UsageError& error) {
    fmt::print(stderr, "linearb_soak: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "linearb_soak: {}\n", error.what());
    return 1;
  }
}
