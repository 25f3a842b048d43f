// SPDX-License-Identifier: Apache-2.0
#include "bench/curves.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "bench/course.h"
#include "core/layout.h"
#include "sys/clock.h"

namespace linearb::bench {
namespace {

constexpr const char* kFrames = "M frames/s";

/// Adds the points of one axis for one contender.
class Axis {
 public:
  Axis(Curves& curves, const Settings& settings, std::string name, std::string axis)
      : curves_(curves), settings_(settings), name_(std::move(name)), axis_(std::move(axis)) {}

  void add(const Contender& contender, const std::vector<double>& points,
           const std::function<void(Course&, double)>& set) {
    Curve curve{name_, axis_, contender.name, kFrames, {}};
    for (const double at : points) {
      Course course{.contender = contender,
                    .figure = fmt::format("{} {}: {}, {}", name_, at, contender.name, kFrames),
                    .packets = settings_.quick ? 100'000u : 400'000u};
      set(course, at);
      curve.points.push_back({at, course.figure});
      curves_.measurements.push_back(
          {course.figure, [course, cpus = settings_.cpus](Figures& figures) {
             measure_rate(course, cpus, figures);
           }});
    }
    curves_.curves.push_back(std::move(curve));
  }

 private:
  Curves& curves_;
  const Settings& settings_;
  std::string name_;
  std::string axis_;
};

/// Packets of all channels together, so that each has some.
void set_channels(Course& course, double channels) {
  course.traffic.channels = static_cast<std::uint32_t>(channels);
  course.packets = std::max<std::uint64_t>(course.packets, 128 * course.traffic.channels);
  course.warm_up = std::max<std::uint64_t>(course.warm_up, 128 * course.traffic.channels);
}

void set_messages(Course& course, double messages) {
  course.traffic.messages = static_cast<std::uint32_t>(messages);
  course.contender.arguments.emplace_back("--mold");
}

void set_loss(Course& course, double percent) {
  course.traffic.loss = percent / 100;
  course.contender.arguments.emplace_back("--lossy");
}

/// No more than the rings have room for is on its way.
void set_frames(Course& course, double frames) {
  const auto quarter = static_cast<std::uint32_t>(frames / 4);
  course.block = std::min(course.block, quarter);
  course.ahead = std::min(course.ahead, quarter);
  course.contender.arguments.insert(course.contender.arguments.end(),
                                    {"--frames", fmt::format("{}", frames)});
}

/// As many packets as a peer takes at a time.
void set_batch(Course& course, double packets) {
  course.contender.arguments = {"--batch", fmt::format("{}", packets)};
  course.packets = 200'000;
  course.warm_up = 20'000;
}

/// ns of a claim in windows of 32 << order messages, one after the other round and round: what the
/// caches make of it.
void measure_window(lb_u32 order, const std::string& figure, Figures& figures) {
  constexpr std::uint64_t kClaims = 4'000'000;
  std::vector<lb_u64> words(std::size_t{1} << order);
  lb_u32 lost_races = 0;
  const auto claim_all = [&](std::uint64_t first) {
    for (std::uint64_t i = 0; i < kClaims; ++i)
      lb_window_claim(words.data(), order, 1, first + i, 1, &lost_races);
  };
  claim_all(1);
  const std::uint64_t begin_ns = sys::monotonic_ns();
  claim_all(1 + kClaims);
  figures.add(figure, static_cast<double>(sys::monotonic_ns() - begin_ns) / kClaims);
}

void add_windows(Curves& curves) {
  Curve curve{"window size", "messages of a window", "claim of one", "ns", {}};
  for (lb_u32 order = 7; order <= 19; order += 2) {
    const double messages = 32.0 * static_cast<double>(1u << order);
    const std::string figure = fmt::format("window size {}: a claim, ns", messages);
    curve.points.push_back({messages, figure});
    curves.measurements.push_back(
        {figure, [=](Figures& figures) { measure_window(order, figure, figures); }});
  }
  curves.curves.push_back(std::move(curve));
}

}  // namespace

Curves make_curves(const Settings& settings) {
  Curves curves;
  const auto set_size = [](Course& course, double bytes) {
    course.traffic.frame_bytes = static_cast<std::uint32_t>(bytes);
  };
  Axis sizes(curves, settings, "packet size", "bytes of a frame");
  for (const Contender& contender : {kLinearb, kCeiling})
    sizes.add(contender, {78, 128, 256, 512, 1024, 1514}, set_size);
  const auto set_lines = [](Course& course, double lines) {
    course.lines = static_cast<unsigned>(lines);
  };
  Axis lines(curves, settings, "lines", "lines");
  for (const Contender& contender : {kLinearb, kCeiling})
    lines.add(contender, {2, 3, 4, 6, 8}, set_lines);
  Axis(curves, settings, "channels", "channels")
      .add(kLinearb, {1, 4, 16, 64, 256, 1024, 4096}, set_channels);
  Axis(curves, settings, "messages", "messages of a packet")
      .add(kLinearb, {1, 2, 4, 8, 32, 128, 255}, set_messages);
  Axis(curves, settings, "loss", "% of each line's packets")
      .add(kLinearb, {0, 0.1, 1, 5, 20}, set_loss);
  Axis(curves, settings, "block", "packets of one line before the next")
      .add(kLinearb, {16, 32, 64, 128, 256, 512}, [](Course& course, double packets) {
        course.block = static_cast<std::uint32_t>(packets);
      });
  Axis(curves, settings, "ring size", "frames of a socket")
      .add(kLinearb, {64, 256, 1024, 4096, 16384}, set_frames);
  Axis batches(curves, settings, "batch of a peer", "packets at a time");
  batches.add(kKernelSockets, {8, 16, 32, 64, 128, 256}, set_batch);
  batches.add(kPacketRing, {8, 16, 32, 64, 128, 256}, set_batch);
  batches.add(kDpdk, {8, 16, 32, 64}, set_batch);
  add_windows(curves);
  return curves;
}

}  // namespace linearb::bench
