// SPDX-License-Identifier: Apache-2.0
#include "soak/line_driver.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include <fmt/format.h>
#include <sys/prctl.h>

#include "lab/lab.h"
#include "linearb/error.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/interface.h"

namespace linearb::soak {
namespace {

/// However slow the machine is: nothing that is waited for takes so long.
constexpr std::uint64_t kGiveUpNs = 20'000'000'000;
/// Senders on two CPUs stay together within so many steps, or so many messages.
constexpr Position kStepsApart = 4;
constexpr Position kMessagesApart = 256;
/// The pause after which numbers may begin again (ARCHITECTURE.md), and then some.
constexpr auto kPause = std::chrono::milliseconds(100);

/// Between two blocks while no receiver runs: it is to miss a part of the feed, not most of it.
constexpr auto kNobodyThere = std::chrono::microseconds(500);

/// After this a receiver is not slow: it holds what it has.
constexpr std::uint64_t kHeldNs = 200'000;

/// Looks, and after some looks lets whoever else is on this CPU run: what is waited for may be done
/// there. Throws Error when it took too long.
class Patience {
 public:
  explicit Patience(std::string what) : what_(std::move(what)) {}
  void look_again() {
    if (++looks_ < kLooks) return;
    if (sys::monotonic_ns() - begin_ns_ > kGiveUpNs) throw Error(what_);
    std::this_thread::sleep_for(kNap);
  }

 private:
  static constexpr std::uint32_t kLooks = 200;
  static constexpr auto kNap = std::chrono::microseconds(10);

  std::string what_;
  std::uint64_t begin_ns_ = sys::monotonic_ns();
  std::uint32_t looks_ = 0;
};

char name_of(std::size_t line) {
  return static_cast<char>('A' + line);
}

}  // namespace

LineDriver::LineDriver(Stage& stage, live::Sender& sender, std::size_t place)
    : stage_(stage),
      scenario_(stage.scenario),
      sender_(sender),
      place_(place),
      writer_(stage.scenario) {
  for (std::size_t line = place; line < scenario_.lines.size(); line += scenario_.senders)
    lines_.push_back({line, sys::interface_index(lab::source_name(name_of(line))),
                      LineTraffic(scenario_, line)});
  for (const LineHabits& line : scenario_.lines) furthest_lag_ = std::max(furthest_lag_, line.lag);
}

void LineDriver::run() noexcept {
  try {
    const std::vector<unsigned> cpus = sys::allowed_cpus();
    sys::pin_this_thread(cpus[place_ % cpus.size()]);
    ::prctl(PR_SET_TIMERSLACK, 1ul);  // naps are short
    send_all();
  } catch (const std::exception& error) {
    stage_.findings.add(error.what());
    stage_.stop = true;
  }
  stage_.positions[place_] = ~Position{0};
}

void LineDriver::send_all() {
  bool goes_on = true;
  while (goes_on && !stage_.stop) {
    send_life();
    if (scenario_.restarts_in_session) pause();
    goes_on = false;
    for (Driven& driven : lines_) goes_on |= driven.traffic.begin_next_life();
  }
}

/// How far each line may get before it is another one's turn.
Position LineDriver::step() const noexcept {
  return std::max<Position>(scenario_.block / scenario_.channels, 1);
}

/// One life where numbers begin again within a session, else all of them.
void LineDriver::send_life() {
  const Position begin = lines_.front().traffic.life_begin();
  const Position end = scenario_.restarts_in_session ? begin + scenario_.messages : scenario_.end();
  for (Position position = begin; position < end + furthest_lag_ && !stage_.stop;) {
    position = std::min(position + step(), end + furthest_lag_);
    wait_for_other_sender(position);
    stage_.positions[place_] = position;
    send_up_to(position);
  }
}

void LineDriver::send_up_to(Position position) {
  for (Driven& driven : lines_) {
    const Position lag = scenario_.lines[driven.line].lag;
    if (position > lag) send_line_up_to(driven, position - lag);
  }
}

void LineDriver::wait_for_other_sender(Position position) const {
  if (scenario_.senders == 1) return;
  const Position apart = std::max(kStepsApart * step(), kMessagesApart / scenario_.channels + 1);
  Patience patience("the other sender does not come on");
  while (position > apart && position - apart > stage_.positions[1 - place_].load() && !stage_.stop)
    patience.look_again();
}

void LineDriver::send_line_up_to(Driven& driven, Position limit) {
  while (!stage_.stop) {
    const std::uint32_t room = wait_for_room(driven.line);
    const std::uint32_t count = fill(driven, limit, room);
    if (count != 0) send_block(driven.line, count);
    if (count < room && !driven.traffic.life_is_over()) return;
    if (!driven.traffic.life_is_over()) continue;
    if (scenario_.restarts_in_session || !driven.traffic.begin_next_life()) return;
  }
}

/// How many packets may be sent now; 0 only when the stage is stopped.
std::uint32_t LineDriver::wait_for_room(std::size_t line) {
  Patience patience(
      fmt::format("line {} has no credit for its next packet, and gets none", name_of(line)));
  const std::uint64_t begin_ns = sys::monotonic_ns();
  while (!stage_.stop) {
    const std::uint32_t phase = stage_.phase;
    if (!stage_.may_wait || !Stage::is_certain(phase)) {
      std::this_thread::sleep_for(kNobodyThere);
      return scenario_.block;
    }
    const HookView& view = *stage_.views[Stage::run_of(phase)];
    if (!scenario_.lines[line].waits_for_room && view.is_published(line)) return scenario_.block;
    const HookView::Room room = view.room(line);
    // In sequence the receiver keeps up to half of them behind a hole, until more come.
    const bool may_be_held =
        scenario_.order == Order::sequence && sys::monotonic_ns() >= begin_ns + kHeldNs;
    const std::uint64_t packets = may_be_held ? room.for_news : room.for_any;
    if (packets >= std::min(scenario_.block, scenario_.frames / 4))
      return static_cast<std::uint32_t>(std::min<std::uint64_t>(packets, scenario_.block));
    patience.look_again();
  }
  return 0;
}

std::uint32_t LineDriver::fill(Driven& driven, Position limit, std::uint32_t most) {
  block_.clear();
  while (block_.size() < most) {
    const auto packet = driven.traffic.next(limit);
    if (!packet) break;
    lb_live_slot& slot = sender_.slots()[block_.size()];
    slot.interface_index = driven.interface_index;
    writer_.write(*packet, slot);
    block_.push_back(*packet);
  }
  return static_cast<std::uint32_t>(block_.size());
}

void LineDriver::send_block(std::size_t line, std::uint32_t count) {
  const std::uint32_t before = stage_.phase;
  HookView::Counts counts;
  if (Stage::is_certain(before)) counts = stage_.views[Stage::run_of(before)]->counts(line);
  sender_.send(count, scenario_.batch);
  if (Stage::is_certain(before)) {
    wait_until_seen(before, line, counts.packets + count);
    const HookView::Counts now = stage_.views[Stage::run_of(before)]->counts(line);
    counts = {.packets = now.packets - counts.packets,
              .no_credit = now.no_credit - counts.no_credit,
              .no_receiver = now.no_receiver - counts.no_receiver};
  }
  enter(line, before, stage_.phase, counts, count);
}

/// So none is lost on the way: see live::Sender::send.
void LineDriver::wait_until_seen(std::uint32_t phase, std::size_t line,
                                 std::uint64_t packets) const {
  Patience patience(fmt::format("packets on line {} do not reach the hook", name_of(line)));
  const HookView& view = *stage_.views[Stage::run_of(phase)];
  while (view.counts(line).packets < packets && stage_.phase == phase && !stage_.stop)
    patience.look_again();
}

void LineDriver::enter(std::size_t line, std::uint32_t before, std::uint32_t after,
                       const HookView::Counts& counts, std::uint32_t count) {
  LineLedger& ledger = stage_.lines[line];
  ledger.packets += count;
  for (const Outgoing& packet : block_) {
    if (packet.first.life == kNoLife) ++ledger.poison;
    ledger.messages += packet.count;
  }
  const std::size_t run = Stage::run_of(after);
  if (before != after || !Stage::is_certain(before)) {
    ledger.certain = false;
    enter_messages(line, Stage::run_of(before), Ledger::Certainty::perhaps, count);
    enter_messages(line, run, Ledger::Certainty::perhaps, count);
    return;
  }
  if (counts.packets != count || counts.no_receiver != 0)
    stage_.findings.add(fmt::format("of {} packets on line {} the hook saw {}, {} without receiver",
                                    count, name_of(line), counts.packets, counts.no_receiver));
  ledger.to_run[run] += count;
  ledger.no_credit += counts.no_credit;
  if (counts.no_credit == 0) return enter_messages(line, run, Ledger::Certainty::taken, count);
  if (counts.no_credit == count) return;
  ledger.no_credit_mixed += counts.no_credit;
  enter_messages(line, run, Ledger::Certainty::perhaps, count);
}

void LineDriver::enter_messages(std::size_t line, std::size_t run, Ledger::Certainty certainty,
                                std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const Outgoing& packet = block_[i];
    if (packet.first.life == kNoLife) continue;
    const std::uint64_t place = stage_.ledger.place_of(packet.first);
    for (std::uint32_t j = 0; j < packet.count; ++j)
      stage_.ledger.sent(line, place + j, run, certainty);
  }
}

/// Until all that was sent is delivered, and then so long that numbers may begin again.
void LineDriver::pause() {
  const HookView& view = *stage_.views[Stage::run_of(stage_.phase)];
  Patience patience("the receiver does not empty its rings");
  for (const Driven& driven : lines_)
    while (view.outstanding(driven.line) != 0 && !stage_.stop) patience.look_again();
  std::this_thread::sleep_for(kPause);
}

}  // namespace linearb::soak
