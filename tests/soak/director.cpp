// SPDX-License-Identifier: Apache-2.0
#include "soak/director.h"

#include <chrono>
#include <new>
#include <thread>

#include "hook/removal.h"
#include "lab/lab.h"
#include "linearb/error.h"
#include "sys/clock.h"

namespace linearb::soak {
namespace {

using namespace std::chrono_literals;

/// After the last packet: longer than user space holds one that it doubts.
constexpr std::uint64_t kQuietNs = 5'000'000'000;

Position slowest(const Stage& stage) {
  Position least = ~Position{0};
  for (std::uint32_t i = 0; i < stage.scenario.senders; ++i)
    least = std::min(least, stage.positions[i].load());
  return least;
}

/// A receiver that was killed leaves its hook, in its mode.
void detach_hooks() {
  std::vector<hook::Interface> interfaces;
  for (const lab::LineStatus& line : lab::status())
    if (line.destination) interfaces.push_back({line.destination->name, line.destination->index});
  hook::remove_hooks(interfaces, hook::WhenOwned::refuse);
}

/// Threads that send, joined whatever happens.
class Senders {
 public:
  Senders(Stage& stage, std::array<live::Sender, 2>& senders) : stage_(stage) {
    for (std::uint32_t i = 0; i < stage.scenario.senders; ++i)
      drivers_.push_back(std::make_unique<LineDriver>(stage, senders[i], i));
    for (auto& driver : drivers_) threads_.emplace_back([&driver] { driver->run(); });
  }
  ~Senders() {
    stage_.stop = true;
    threads_.clear();
  }
  Senders(const Senders&) = delete;
  Senders& operator=(const Senders&) = delete;

 private:
  Stage& stage_;
  std::vector<std::unique_ptr<LineDriver>> drivers_;
  std::vector<std::jthread> threads_;
};

}  // namespace

Director::Director()
    : memory_({.what = "what receivers share",
               .size_bytes = sizeof(Shared),
               .flags = MAP_SHARED | MAP_ANONYMOUS}),
      shared_(*new (memory_.data()) Shared) {
  lab::up({.lines = kLedgerLines});
  for (std::size_t line = 0; line < kLedgerLines; ++line)
    live::take_live_frames(lab::destination_name(static_cast<char>('A' + line)));
  for (std::size_t i = 0; i < senders_.size(); ++i)
    in_dispatcher_.emplace_back(senders_[i].program_fd(),
                                lab::source_name(static_cast<char>('A' + i)));
}

std::optional<Outcome> Director::play(const Scenario& scenario, const std::atomic<bool>& stop) {
  ledger_.begin(scenario);
  shared_.findings.clear();
  for (RunCounts& counts : shared_.counts) {
    counts.ready = false;
    counts.packets = counts.poison = counts.out_of_order = 0;
  }
  runs_.clear();
  Stage stage{.scenario = scenario, .ledger = ledger_, .findings = shared_.findings};
  start_run(stage);
  const std::uint64_t begin_ns = sys::monotonic_ns();
  {
    const Senders sending(stage, senders_);
    for (const Disturbance& disturbance : scenario.disturbances) disturb(stage, disturbance, stop);
    watch(stage, ~Position{0}, stop);
  }
  const std::uint64_t end_ns = sys::monotonic_ns();
  if (stop) {
    receiver_.reset();
    detach_hooks();
    return {};
  }
  wait_until_quiet(stage);
  end_run(stage);
  detach_hooks();
  Outcome outcome{.figures = check(stage, runs_),
                  .seconds = static_cast<double>(end_ns - begin_ns) / 1e9,
                  .findings = {},
                  .summaries = stage.summaries};
  outcome.findings = shared_.findings.texts();
  return outcome;
}

void Director::start_run(Stage& stage) {
  const std::size_t run = runs_.size();
  receiver_ = std::make_unique<ReceiverProcess>(stage.scenario, run, ledger_, shared_.findings,
                                                shared_.counts[run]);
  receiver_->wait_until_ready();
  stage.views[run] = std::make_unique<HookView>(stage.scenario);
  stage.phase = Stage::certain(run);
  runs_.push_back({.run = run});
}

void Director::end_run(Stage& stage) {
  EndedRun& run = runs_.back();
  stage.phase = Stage::uncertain(run.run);
  run.summary = receiver_->end();
  run.packets = shared_.counts[run.run].packets;
  run.poison = shared_.counts[run.run].poison;
  run.out_of_order = shared_.counts[run.run].out_of_order;
  receiver_.reset();
  stage.phase = Stage::uncertain(run.run + 1);
}

void Director::kill_run(Stage& stage) {
  stage.phase = Stage::uncertain(runs_.back().run);
  receiver_->kill();
  receiver_.reset();
  stage.phase = Stage::uncertain(runs_.size());
}

void Director::disturb(Stage& stage, const Disturbance& disturbance,
                       const std::atomic<bool>& stop) {
  watch(stage, disturbance.where.begin, stop);
  if (stop || stage.stop) return;
  switch (disturbance.kind) {
    case Disturbance::Kind::stopped:
      stage.may_wait = false;
      receiver_->stop();
      watch(stage, disturbance.where.end, stop);
      receiver_->go_on();
      stage.may_wait = true;
      return;
    case Disturbance::Kind::killed:
      kill_run(stage);
      return start_run(stage);
    case Disturbance::Kind::ended:
      end_run(stage);
      return start_run(stage);
  }
}

/// Until all senders have come so far.
void Director::watch(Stage& stage, Position until, const std::atomic<bool>& stop) {
  while (slowest(stage) < until) {
    if (stop) stage.stop = true;
    if (stage.stop) return;
    if (!stage.findings.empty()) stage.stop = true;
    if (!receiver_->is_running()) throw Error("the receiver has ended by itself");
    std::this_thread::sleep_for(1ms);
  }
}

/// All frames are back, for a while: what is doubted is still held.
void Director::wait_until_quiet(const Stage& stage) {
  const HookView& view = *stage.views[runs_.back().run];
  const std::uint64_t end_ns = sys::monotonic_ns() + kQuietNs;
  int quiet = 0;
  while (quiet < 20 && sys::monotonic_ns() < end_ns) {
    std::this_thread::sleep_for(5ms);
    std::uint64_t outstanding = 0;
    for (std::size_t line = 0; line < stage.scenario.lines.size(); ++line)
      outstanding += view.outstanding(line);
    quiet = outstanding == 0 ? quiet + 1 : 0;
  }
}

}  // namespace linearb::soak
