// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "bench/course.h"
#include "bench/measurements.h"
#include "linearb/error.h"
#include "sys/clock.h"

namespace linearb::bench {
namespace {

/// The hash of the first design is full behind this, and a new session costs twice as much.
constexpr std::uint64_t kHashIsFull = 1'100'000;
constexpr std::uint64_t kDrained = 1024;  // messages that wait when a drain begins
constexpr std::size_t kDrains = 101;

/// The application holds still while a block comes on all lines, and then takes it: nothing else
/// runs meanwhile, so the time is the receiver's own.
void measure_drain(const Course& course, const Cpus& cpus, Figures& figures) {
  RunningCourse running(course, cpus);
  Board& board = running.board();
  std::vector<double> ns;
  for (std::size_t i = 0; i < kDrains; ++i) {
    board.watch_ns.store(0);
    board.stop_watch_at.store(board.delivered.load() + kDrained);
    board.held.store(1);
    running.send_blind(kDrained);
    board.held.store(0, std::memory_order_release);
    const std::uint64_t give_up_ns = sys::monotonic_ns() + 2'000'000'000;
    while (board.watch_ns.load(std::memory_order_acquire) == 0)
      if (sys::monotonic_ns() > give_up_ns) throw Error("a block was not delivered");
    ns.push_back(static_cast<double>(board.watch_ns.load()) / kDrained);
    // The copies of the other lines, where they come up too.
    while (board.read.load() < running.sent() * board.copies)
      if (sys::monotonic_ns() > give_up_ns) throw Error("a block did not come");
  }
  running.finish();
  figures.add(course.figure, spread_of(ns).median);
}

const Contender kBareReceiver{"bare loop behind the hook", "peer_bare_receiver"};
const Contender kInSequence{"linearb, in sequence", "peer_linearb", {"--in-sequence"}};

}  // namespace

Measurements path_measurements(const Settings& settings) {
  const std::vector<Course> courses = {
      {.contender = kCeiling, .figure = "ceiling, M frames/s"},
      {.contender = kLinearb, .figure = "linearb, M frames/s"},
      {.contender = kBareReceiver, .figure = "bare loop behind the hook, M frames/s"},
      {.contender = kInSequence, .figure = "linearb in sequence, M frames/s"},
      {.contender = kFirstDesign, .figure = "first design, M frames/s", .warm_up = kHashIsFull},
      {.contender = kFirstDesign,
       .figure = "first design in its first million, M frames/s",
       .packets = 800'000},
      {.contender = kKernelSockets,
       .figure = "kernel sockets, M frames/s",
       .packets = 200'000,
       .warm_up = 20'000},
      {.contender = kPacketRing,
       .figure = "AF_PACKET, M frames/s",
       .packets = 300'000,
       .warm_up = 30'000},
      {.contender = kDpdk, .figure = "DPDK, M frames/s"},
      {.contender = kLinearb, .figure = "linearb, B leading, M frames/s", .lead = Lead::b},
      {.contender = kLinearb, .figure = "linearb, lines racing, M frames/s", .lead = Lead::racing},
      {.contender = kCeiling, .figure = "ceiling, lines racing, M frames/s", .lead = Lead::racing},
      {.contender = kLinearb,
       .figure = "linearb, 1,024 channels and 4 lines, M frames/s",
       .packets = 1024 * 1024,
       .warm_up = 1024 * 128,
       .lines = 4,
       .traffic = {.channels = 1024}},
      {.contender = kCeiling,
       .figure = "ceiling, 4 lines, M frames/s",
       .packets = 1024 * 1024,
       .lines = 4},
  };
  const std::vector<Course> drains = {
      {.contender = kCeiling, .figure = "bare loop, ns/message"},
      {.contender = kLinearb, .figure = "linearb, ns/message"},
      {.contender = kInSequence, .figure = "linearb in sequence, ns/message"},
      {.contender = kKernelSockets, .figure = "kernel sockets, ns/message", .warm_up = 20'000},
      {.contender = kPacketRing, .figure = "AF_PACKET, ns/message", .warm_up = 20'000},
      {.contender = kDpdk, .figure = "DPDK, ns/message"},
  };
  Measurements measurements;
  for (Course course : courses) {
    if (settings.quick) course.packets /= 4;
    measurements.push_back({course.figure, [course, cpus = settings.cpus](Figures& figures) {
                              measure_rate(course, cpus, figures);
                            }});
  }
  for (const Course& course : drains)
    measurements.push_back({course.figure, [course, cpus = settings.cpus](Figures& figures) {
                              measure_drain(course, cpus, figures);
                            }});
  return measurements;
}

}  // namespace linearb::bench
