// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "bench/contender.h"
#include "bench/live_frames.h"
#include "bench/measurements.h"
#include "linearb/error.h"
#include "sys/clock.h"

namespace linearb::bench {
namespace {

constexpr std::uint32_t kPreamble = 64;
constexpr auto kPublished = std::chrono::milliseconds(300);

struct Course {
  Contender contender;
  double rate;
  std::uint32_t packets;
};

void measure(const Course& course, const Cpus& cpus, Figures& figures) {
  const Stage stage(2, course.contender);
  LiveFrames frames(stage.sources(), {});
  RunningContender contender(course.contender, stage.destinations(), cpus.receiver, 1);
  for (std::size_t line = 0; line < frames.lines(); ++line) frames.send(line, 0, kPreamble);
  std::this_thread::sleep_for(kPublished);
  const std::uint32_t timed = frames.send_in_time(kPreamble, course.packets, course.rate);
  const std::uint64_t all = kPreamble + course.packets;
  const std::uint64_t give_up_ns = sys::monotonic_ns() + 2'000'000'000;
  while (contender.board().delivered.load() < all)
    if (sys::monotonic_ns() > give_up_ns)
      throw Error(fmt::format("{}: {} of {} messages came", course.contender.name,
                              contender.board().delivered.load(), all));
  contender.stop();
  const auto& latency = contender.board().latency;
  if (latency.count != timed) throw Error("not every message was timed once");
  const std::string name =
      fmt::format("{} at {:.0f} k/s", course.contender.name, course.rate / 1e3);
  figures.add(name + ", p50, ns", static_cast<double>(latency.p50_ns));
  figures.add(name + ", p99, ns", static_cast<double>(latency.p99_ns));
}

}  // namespace

Measurements latency_measurements(const Settings& settings) {
  const Contender ceiling{"ceiling", "peer_ceiling", {"--timed"}};
  const Contender linearb{"linearb", "peer_linearb", {"--timed"}};
  const Contender kernel_sockets{"kernel sockets", "peer_kernel_sockets", {"--timed"}, true};
  Measurements measurements;
  for (const auto& [rate, packets] : {std::pair{20e3, 40'000u}, std::pair{200e3, 300'000u}})
    for (const Contender& contender : {ceiling, linearb, kernel_sockets}) {
      const Course course{contender, rate, settings.quick ? packets / 2 : packets};
      measurements.push_back(
          {fmt::format("latency of {} at {:.0f} k/s", contender.name, rate / 1e3),
           [course, cpus = settings.cpus](Figures& figures) { measure(course, cpus, figures); }});
    }
  return measurements;
}

}  // namespace linearb::bench
