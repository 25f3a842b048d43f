// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bench/course.h"
#include "bench/measurements.h"
#include "linearb/error.h"

namespace linearb::bench {
namespace {

void measure_latency(const Course& course, double rate, const Cpus& cpus, Figures& figures) {
  RunningCourse running(course, cpus);
  const std::uint32_t timed =
      running.send_in_time(static_cast<std::uint32_t>(course.packets), rate);
  running.finish();
  const auto& latency = running.board().latency;
  if (latency.count != timed) throw Error("not every message was timed once");
  figures.add(course.figure + ", p50, ns", static_cast<double>(latency.p50_ns));
  figures.add(course.figure + ", p99, ns", static_cast<double>(latency.p99_ns));
  figures.add(course.figure + ", p99 of the run, ns",
              static_cast<double>(latency.p99_of_the_run_ns));
}

}  // namespace

Measurements latency_measurements(const Settings& settings) {
  Measurements measurements;
  for (const auto& [rate, packets] : {std::pair{20e3, 40'000u}, std::pair{200e3, 300'000u}})
    for (Contender contender : {kCeiling, kLinearb, kKernelSockets}) {
      contender.arguments.emplace_back("--timed");
      const Course course{.contender = contender,
                          .figure = fmt::format("{} at {:.0f} k/s", contender.name, rate / 1e3),
                          .packets = settings.quick ? packets / 2 : packets,
                          .warm_up = 20'000};
      measurements.push_back({fmt::format("latency of {}", course.figure),
                              [course, rate, cpus = settings.cpus](Figures& figures) {
                                measure_latency(course, rate, cpus, figures);
                              }});
    }
  return measurements;
}

}  // namespace linearb::bench
