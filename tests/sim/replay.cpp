// SPDX-License-Identifier: Apache-2.0
#include "sim/replay.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "config/framing_file.h"
#include "sim/feed.h"
#include "sim/gap_rule.h"
#include "sim/hook_cpu.h"
#include "sim/kernel.h"
#include "sim/receiver_run.h"
#include "sim/reference.h"
#include "sim/scheduler.h"
#include "sim/steps.h"

namespace linearb::sim {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
/// How long a step may take, grace periods included. Who needs longer waits for somebody else.
constexpr std::uint64_t kPatienceNs = 10 * kMs;
/// When nobody has anything to do for so long, all is quiet. A receiver that waits looks up later.
constexpr std::uint64_t kQuietNs = 5 * kMs;
constexpr std::uint32_t kLines = 2;
/// What is left to chance where a script is followed: how long a grace period takes.
constexpr std::uint64_t kSeed = 1;

std::uint32_t line_of(const Script::Line& line) {
  return line.process == "hook-A" ? 0 : 1;
}

/// The packets of a script, on their lines; when they are due it says later.
std::vector<std::vector<WirePacket>> wires_of(const Script& script) {
  std::vector<std::vector<WirePacket>> wires(kLines);
  for (const Script::Line& line : script.lines) {
    if (line.step != "packet") continue;
    const std::uint32_t index = line_of(line);
    wires[index].push_back({.due_ns = Scheduler::kNever,
                            .first = line.values[1],
                            .count = static_cast<std::uint16_t>(line.values[2]),
                            .line = static_cast<std::uint8_t>(index),
                            .life = static_cast<std::uint8_t>(line.values[0] - 1)});
  }
  return wires;
}

/// Two lines with a CPU each in the hook, a receiver and the thread that clears windows, as the
/// model has them. Member order: what is used stands before who uses it.
class Replay {
 public:
  explicit Replay(const Script& script)
      : script_(script),
        feed_(script.one_session ? Feed::Kind::restarts : Feed::Kind::sessions,
              config::builtin_framing("moldudp64").descriptor, wires_of(script)),
        reference_(feed_),
        scheduler_(Random(kSeed), {}) {
    Kernel::instance().begin(Random(kSeed), kLines);
    wires_.resize(kLines);
    cpus_.reserve(kLines);
    for (std::uint32_t line = 0; line < kLines; ++line) {
      wires_[line].packets = &feed_.wires[line];
      cpus_.emplace_back(HookCpu::Settings{.id = line, .line = line}, wires_[line], reference_,
                         Random(kSeed));
      HookCpu& cpu = cpus_.back();
      scheduler_.spawn(line == 0 ? "hook-A" : "hook-B", [&cpu] { cpu.run(); });
    }
    scheduler_.spawn("receiver", [this] { receive(); });
  }

  std::string run() {
    quiet();  // the receiver is there
    listen([this](const Step& step) { hear(step); });
    for (const Script::Line& line : script_.lines) {
      at_ = &line;
      if (carry_out(line)) continue;
      refused_ = &line;
      break;
    }
    at_ = nullptr;
    finish();
    listen({});
    return fmt::format("{}, and all that has to hold holds", how_far());
  }

  /// "followed to the end", or which step the code did not take.
  std::string how_far() const {
    if (at_) return fmt::format("followed to line {}, `{}`", at_->number, to_string(*at_));
    if (!refused_) return "followed to the end";
    return fmt::format("cannot be followed at line {}, `{}`", refused_->number,
                       to_string(*refused_));
  }

  std::string all_events() const {
    std::string text;
    for (const std::string& event : events_) text += event + "\n";
    return text + reference_.all_events();
  }

 private:
  // ---- the fibers

  void receive() {
    for (bool goes_on = true; goes_on;) {
      ReceiverRun receiver(
          {.end_ns = Scheduler::kNever, .frames = script_.frames, .metadata = script_.metadata},
          feed_, reference_, Random(kSeed));
      receiver_ = &receiver;
      receiver.run();
      receiver_ = nullptr;
      goes_on = receiver.breaks_off();  // and the next one takes over
    }
  }

  void spawn_gaps() {
    asks_ = true;
    scheduler_.spawn("gaps", [this] {
      declare_if_missing(*receiver_, reference_,
                         static_cast<std::uint32_t>(script_.asked->epoch - 1),
                         script_.asked->number);
    });
  }

  // ---- following the script

  /// False when the code does not take the step.
  bool carry_out(const Script::Line& line) {
    if (line.process == "everybody") return line.step == "quiet" ? quiet() : pause(line.values[0]);
    if (line.step == "stops" || line.step == "dies") return end_receiver(line.step == "dies");
    if (line.step == "packet" && !release_packet(line_of(line))) return false;
    if (line.process == "gaps" && !asks_) spawn_gaps();
    const auto fiber = find(line.process);
    if (!fiber) return false;
    awaited_ = {.fiber = *fiber, .line = &line};
    const std::uint64_t give_up_ns = scheduler_.now_ns() + kPatienceNs;
    while (!awaited_.came && go_on(*fiber, give_up_ns)) {
    }
    return awaited_.came;
  }

  /// The one that lives, if several had the name.
  std::optional<Scheduler::Fiber> find(const std::string& name) const {
    for (Scheduler::Fiber fiber = scheduler_.fibers(); fiber-- > 0;)
      if (scheduler_.name_of(fiber) == name && !scheduler_.has_ended(fiber)) return fiber;
    return std::nullopt;
  }

  /// One scheduling point further. False when it has ended, or waits for somebody else.
  bool go_on(Scheduler::Fiber fiber, std::uint64_t give_up_ns) {
    const Scheduler::Fiber joined = scheduler_.joined_by(fiber);
    if (!scheduler_.has_ended(joined)) fiber = joined;
    if (scheduler_.has_ended(fiber) || scheduler_.wake_ns(fiber) > give_up_ns) return false;
    scheduler_.advance_to(scheduler_.wake_ns(fiber));
    scheduler_.resume(fiber);
    return true;
  }

  /// The next packet of the line is there. False while the CPU has the one before in hand.
  bool release_packet(std::uint32_t line) {
    if (is_in_hook_[line]) return false;
    feed_.wires[line][released_[line]++].due_ns = scheduler_.now_ns();
    scheduler_.wake(line);
    return true;
  }

  bool end_receiver(bool dies) {
    const auto fiber = find("receiver");
    if (!fiber || !receiver_) return false;
    receiver_->end(dies);
    scheduler_.wake(*fiber);
    return true;
  }

  /// Who can, goes on to its next scheduling point. False when nobody can before that time.
  bool take_turns(std::uint64_t until_ns) {
    bool went = false;
    std::uint64_t earliest_ns = Scheduler::kNever;
    for (Scheduler::Fiber fiber = 0; fiber < scheduler_.fibers(); ++fiber) {
      if (scheduler_.has_ended(fiber)) continue;
      if (scheduler_.wake_ns(fiber) <= scheduler_.now_ns()) {
        scheduler_.resume(fiber);
        went = true;
      } else {
        earliest_ns = std::min(earliest_ns, scheduler_.wake_ns(fiber));
      }
    }
    if (went) return true;
    if (earliest_ns > until_ns) return false;
    scheduler_.advance_to(earliest_ns);
    return true;
  }

  bool quiet() {
    while (take_turns(scheduler_.now_ns() + kQuietNs)) {
    }
    return true;
  }

  bool pause(std::uint64_t ms) {
    const std::uint64_t until_ns = scheduler_.now_ns() + ms * kMs;
    while (scheduler_.now_ns() < until_ns && take_turns(until_ns)) {
    }
    scheduler_.advance_to(until_ns);
    return true;
  }

  /// All packets that are left come, and then the receiver ends.
  void finish() {
    awaited_ = {};
    for (std::uint32_t line = 0; line < kLines; ++line) {
      for (; released_[line] < feed_.wires[line].size(); ++released_[line])
        feed_.wires[line][released_[line]].due_ns = scheduler_.now_ns();
      scheduler_.wake(line);
    }
    while (find("hook-A") || find("hook-B") || find("gaps")) take_turns(Scheduler::kNever - 1);
    quiet();
    if (receiver_) end_receiver(false);
    while (find("receiver")) take_turns(Scheduler::kNever - 1);
  }

  // ---- what they do

  void hear(Step step) {
    const Scheduler::Fiber fiber = scheduler_.current();
    if (step.name == "returned" && receiver_->stage() == ReceiverRun::Stage::taking_over)
      step.name = "credit_closed";
    if (step.name == "returned" && receiver_->stage() == ReceiverRun::Stage::opening)
      step.name = "credit_begins";
    note(scheduler_.name_of(fiber), step);
    if (step.name == "packet" || step.name == "flush") is_in_hook_[fiber] = step.name == "packet";
    if (!awaited_.line || awaited_.fiber != fiber || awaited_.line->step != step.name) return;
    const auto& values = awaited_.line->values;
    if (step.name == "packet" || values.empty() || values[0] == step.of) awaited_.came = true;
  }

  void note(const std::string& process, const Step& step) {
    if (step.name == "word" && step.of != 0) return;  // one stands for the whole window
    events_.push_back(fmt::format("{:9}{} {}", process, step.name, step.of));
  }

  struct Awaited {
    Scheduler::Fiber fiber = 0;
    const Script::Line* line = nullptr;
    bool came = false;
  };

  const Script& script_;
  Feed feed_;
  Reference reference_;
  Scheduler scheduler_;
  std::vector<Wire> wires_;
  std::vector<HookCpu> cpus_;
  std::size_t released_[kLines] = {};
  bool is_in_hook_[kLines] = {};
  bool asks_ = false;
  ReceiverRun* receiver_ = nullptr;
  Awaited awaited_;
  const Script::Line* at_ = nullptr;       ///< null: it is followed no more
  const Script::Line* refused_ = nullptr;  ///< the code does not take its step
  std::vector<std::string> events_;
};

Replay* current = nullptr;

}  // namespace

std::string replay(const Script& script, std::string* story) {
  Replay replayed(script);
  current = &replayed;
  std::string how_far = replayed.run();
  if (story) *story = replayed.all_events();
  current = nullptr;
  return how_far;
}

std::string describe_replay(bool everything) {
  if (!current) return {};
  return everything ? current->how_far() + "\n" + current->all_events() : current->how_far();
}

}  // namespace linearb::sim
