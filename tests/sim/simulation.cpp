// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "config/framing_file.h"
#include "sim/feed.h"
#include "sim/hook_cpu.h"
#include "sim/kernel.h"
#include "sim/random.h"
#include "sim/receiver_run.h"
#include "sim/reference.h"
#include "sim/scheduler.h"

namespace linearb::sim {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

const std::vector<lb_framing>& framings() {
  static const std::vector<lb_framing> known = {
      config::builtin_framing("moldudp64").descriptor,
      config::builtin_framing("cboe-pitch").descriptor,
      config::builtin_framing("optiq").descriptor,
  };
  return known;
}

Scheduler::Temper some_temper(Random& random, const Feed& feed) {
  Scheduler::Temper temper;
  temper.steps = random.one_of<std::uint32_t>({1, 2, 5, 20, 100});
  temper.stall_one_in = random.one_of<std::uint32_t>({0, 0, 30, 300}) * temper.steps;
  temper.stall_ns_at_most = random.one_of<std::uint64_t>({1000, 20'000, 500'000});
  // A CPU that falls behind makes a line late by more than lives are apart: two are remembered.
  if (feed.kind == Feed::Kind::sessions)
    temper.stall_ns_at_most = std::min<std::uint64_t>(temper.stall_ns_at_most, 20'000);
  if (feed.kind == Feed::Kind::restarts) temper.stall_ns_at_most = 1000;
  return temper;
}

/// Everything in one seed's world. Member order: what is used stands before who uses it.
class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed),
        feed_(random_.branch(), framings()),
        reference_(feed_),
        scheduler_(random_.branch(), some_temper(random_, feed_)) {
    plan_cpus();
    plan_receivers();
    Kernel::instance().begin(random_.branch(), static_cast<std::uint32_t>(cpus_.size()));
  }

  Figures run() {
    for (HookCpu& cpu : cpus_)
      scheduler_.spawn(fmt::format("CPU {}", cpu.id()), [&cpu] { cpu.run(); });
    scheduler_.spawn("receiver", [this] { receive(); });
    scheduler_.run();
    Figures figures{.delivered = reference_.deliveries(),
                    .steps = scheduler_.steps(),
                    .receivers = receivers_.size()};
    for (std::uint32_t line = 0; line < feed_.lines; ++line)
      figures.packets += reference_.packets(line);
    return figures;
  }

  std::string describe(bool everything) const {
    std::string text = fmt::format("{}, {} lines, {} channels, {} CPUs", to_string(feed_.kind),
                                   feed_.lines, feed_.channels, cpus_.size());
    for (const ReceiverRun::Settings& receiver : receivers_)
      text += fmt::format("\n  receiver from {} to {} ns, {} frames{}{}", receiver.begin_ns,
                          receiver.end_ns, receiver.frames,
                          receiver.metadata ? "" : ", no room for metadata",
                          receiver.breaks_off ? ", killed" : "");
    for (std::uint32_t channel = 0; channel < feed_.channels; ++channel)
      for (const Life& life : feed_.lives[channel])
        text += fmt::format("\n  channel {}: [{}, {})", channel, life.first, life.end);
    return everything ? text + "\n" + reference_.all_events() : text;
  }

 private:
  void plan_cpus() {
    wires_.resize(feed_.lines);
    cpus_.reserve(2 * feed_.lines);
    for (std::uint32_t line = 0; line < feed_.lines; ++line) {
      wires_[line].packets = &feed_.wires[line];
      HookCpu::Settings settings{.line = line,
                                 .batch = random_.one_of<std::uint32_t>({4, 16, 64}),
                                 .native = random_.one_in(2)};
      if (feed_.kind == Feed::Kind::one_life && random_.one_in(8))
        settings.refuses_metadata_one_in = random_.one_of<std::uint32_t>({1, 2, 10});
      const std::uint32_t count = settings.native || !feed_.cpus_race ? 1 : 2;
      for (std::uint32_t i = 0; i < count; ++i) {
        settings.id = static_cast<std::uint32_t>(cpus_.size());
        cpus_.emplace_back(settings, wires_[line], reference_, random_.branch());
      }
    }
  }

  void plan_receivers() {
    const bool restarts = feed_.kind == Feed::Kind::restarts;
    const std::uint64_t begin_ns = scheduler_.now_ns();
    const std::uint64_t last_ns = std::max(feed_.end_ns, begin_ns) + 5 * kMs;
    const bool is_taken_over = random_.one_in(4) && !restarts;
    ReceiverRun::Settings settings{
        .begin_ns = begin_ns,
        .end_ns = last_ns,
        .frames = restarts ? 256 : random_.one_of<std::uint32_t>({8, 16, 64, 64, 256}),
        .metadata = feed_.kind != Feed::Kind::one_life || !random_.one_in(10),
        .stall_one_in = restarts ? 0 : random_.one_of<std::uint32_t>({0, 0, 20, 200}),
        .stall_ns_at_most = random_.one_of<std::uint64_t>({10'000, 1 * kMs, 10 * kMs})};
    if (is_taken_over) {
      settings.end_ns = begin_ns + random_.below(last_ns - begin_ns);
      settings.breaks_off = random_.one_in(2);
      receivers_.push_back(settings);
      settings.begin_ns = settings.end_ns + random_.below(20 * kMs);
      settings.end_ns = last_ns;
      settings.breaks_off = false;
    }
    receivers_.push_back(settings);
  }

  void receive() {
    for (const ReceiverRun::Settings& settings : receivers_) {
      scheduler_.sleep_until(settings.begin_ns);
      ReceiverRun(settings, feed_, reference_, random_.branch()).run();
    }
  }

  Random random_;
  Feed feed_;
  Reference reference_;
  Scheduler scheduler_;
  std::vector<Wire> wires_;
  std::vector<HookCpu> cpus_;
  std::vector<ReceiverRun::Settings> receivers_;
};

World* current = nullptr;

}  // namespace

Figures simulate(std::uint64_t seed, std::string* story) {
  World world(seed);
  current = &world;
  const Figures figures = world.run();
  if (story) *story = world.describe(true);
  current = nullptr;
  return figures;
}

std::string describe_run(bool everything) {
  return current ? current->describe(everything) : "";
}

}  // namespace linearb::sim
