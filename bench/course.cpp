// SPDX-License-Identifier: Apache-2.0
#include "bench/course.h"

#include <chrono>
#include <future>
#include <thread>

#include <fmt/format.h>

#include "bench/affinity.h"
#include "linearb/error.h"
#include "sys/clock.h"
#include "sys/cpu.h"

namespace linearb::bench {
namespace {

/// Until a channel of linearb is published to its hook.
constexpr std::uint64_t kPreamble = 64;
constexpr auto kPublished = std::chrono::milliseconds(200);

}  // namespace

RunningCourse::RunningCourse(const Course& course, const Cpus& cpus)
    : course_(course),
      cpus_(cpus),
      stage_(course.lines, course.contender),
      frames_(stage_.sources(), course.traffic),
      expected_(course.traffic, course.lines),
      contender_(course.contender, stage_.destinations(), cpus.receiver, course.traffic.channels) {
  send(kPreamble * course.traffic.channels, Lead::a);
  std::this_thread::sleep_for(kPublished);
  send(course.warm_up, course.lead == Lead::racing ? Lead::a : course.lead);
}

double RunningCourse::send(std::uint64_t packets, Lead lead) {
  if (lead == Lead::racing) return race(packets);
  Flood flood{.first = sent_, .packets = packets, .block = course_.block, .ahead = course_.ahead};
  for (std::size_t line = 0; line < frames_.lines(); ++line)
    flood.order.push_back(lead == Lead::a ? line : frames_.lines() - 1 - line);
  sent_ += packets;
  return bench::send(flood, frames_, expected_, contender_);
}

std::uint32_t RunningCourse::send_in_time(std::uint32_t packets, double rate) {
  const std::uint32_t timed = frames_.send_in_time(sent_, packets, rate);
  sent_ += packets;
  contender_.wait_until_delivered(expected_.messages_of(sent_));
  return timed;
}

void RunningCourse::send_blind(std::uint32_t packets) {
  for (std::size_t line = 0; line < frames_.lines(); ++line) frames_.send(line, sent_, packets);
  sent_ += packets;
}

void RunningCourse::finish() {
  if (contender_.stop() != expected_.digest_of(sent_))
    throw Error(fmt::format("{} did not deliver what was sent", contender_.name()));
}

double RunningCourse::race(std::uint64_t packets) {
  LiveFrames of_b({stage_.sources()[1]}, course_.traffic, 1);
  Expected expected_of_b(course_.traffic, course_.lines);
  const Flood flood{.first = sent_,
                    .packets = packets,
                    .block = course_.block,
                    .ahead = course_.ahead,
                    .order = {0}};
  const std::uint64_t begin_ns = sys::monotonic_ns();
  auto b = std::async(std::launch::async, [&] {
    run_anywhere();
    sys::pin_this_thread(cpus_.receiver);
    bench::send(flood, of_b, expected_of_b, contender_);
  });
  bench::send(flood, frames_, expected_, contender_);
  b.get();
  sent_ += packets;
  return static_cast<double>(packets) * 1e9 / static_cast<double>(sys::monotonic_ns() - begin_ns);
}

void measure_rate(const Course& course, const Cpus& cpus, Figures& figures) {
  RunningCourse running(course, cpus);
  const double rate = running.send(course.packets, course.lead);
  running.finish();
  figures.add(course.figure, rate * course.lines / 1e6);
}

}  // namespace linearb::bench
