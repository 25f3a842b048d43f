// SPDX-License-Identifier: Apache-2.0
#include "soak/scenario.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/window.h"
#include "linearb/error.h"
#include "live/slots.bpf.h"
#include "sequencer/delivered.h"
#include "sim/random.h"
#include "soak/ledger.h"

namespace linearb::soak {
namespace {

using sim::Random;

/// So many packets take about as long in generic mode as one in native mode.
constexpr std::uint64_t kGenericIsSlower = 4;
/// A run of live frames costs about as much as so many packets.
constexpr std::uint64_t kPacketsOfARun = 64;
/// Of so many numbers user space knows each; of those before it only a few holes.
constexpr Position kExactMemory = sequencer::Delivered::kMessages;
constexpr double kHolesBeyond = sequencer::Delivered::kMissing / 4.0;

/// The lines but for the first, which all others follow.
std::span<LineHabits> followers(Scenario& scenario) {
  return std::span(scenario.lines).subspan(1);
}

std::uint32_t largest_cut(const Scenario& scenario) {
  return std::ranges::max(scenario.lines, {}, &LineHabits::cut).cut;
}

/// Framing, packetisation, mode, sizes; lines that are whole and together.
void some_feed(Scenario& scenario, Random& random) {
  scenario.mode = random.one_in(3) ? Mode::generic : Mode::native;
  scenario.wait = random.one_of({Wait::poll, Wait::poll, Wait::spin, Wait::busy_poll});
  scenario.frames = random.one_of<std::uint32_t>({64, 256, 1024, 4096, 4096, 16'384});
  scenario.checksum = random.one_in(4) ? Checksum::verify : Checksum::ignore;
  scenario.framing = random.one_of<const char*>({"moldudp64", "moldudp64", "cboe-pitch", "optiq"});
  scenario.block = random.one_of<std::uint32_t>({16, 64, 256, 256});
  scenario.batch = random.one_of<std::uint32_t>({1, 16, 16, 64, 64, 64, 128, 128});
  scenario.lines.resize(random.one_of<std::size_t>({2, 2, 2, 3, 4}));
  // A receiver that never sleeps wants a CPU of its own; two senders leave it none.
  scenario.senders = scenario.wait == Wait::poll && random.one_in(2) ? 2 : 1;
  const auto cut = random.one_of<std::uint32_t>({1, 1, 2, 3, 8});
  for (LineHabits& line : scenario.lines) line.cut = scenario.framing == "optiq" ? 1 : cut;
  scenario.lives[0].first = random.one_in(2) ? 1 : 1 + random.below(1'000'000);
}

void some_cuts(Scenario& scenario, Random& random) {
  if (scenario.framing == "optiq") scenario.framing = "moldudp64";
  for (LineHabits& line : scenario.lines)
    line.cut = static_cast<std::uint32_t>(random.between(1, 16));
}

/// As many messages as make so many packets.
void some_messages(Scenario& scenario, std::uint64_t packets) {
  packets *= scenario.packets_factor;
  if (scenario.mode == Mode::generic) packets /= kGenericIsSlower;
  const std::uint64_t run = std::min(scenario.block, scenario.frames / 2);
  packets = packets * run / (run + kPacketsOfARun);
  const std::uint64_t cut = std::ranges::min(scenario.lines, {}, &LineHabits::cut).cut;
  const std::uint64_t sequences = scenario.channels * scenario.lives.size();
  scenario.messages = packets * cut / scenario.lines.size() / sequences;
  const std::uint64_t least = scenario.messages_least / scenario.channels;
  scenario.messages = std::clamp(scenario.messages, least, kLedgerMessages / sequences);
}

/// User space takes what was overtaken by more than 64 packets of its own size for a restart.
void some_reordering(const Scenario& scenario, LineHabits& line, Random& random) {
  const std::uint32_t deepest = 16 / largest_cut(scenario);
  if (deepest < 2) return;
  line.impairment.reorder = random.one_of({0.01, 0.1});
  line.impairment.reorder_depth = static_cast<std::uint32_t>(random.between(1, deepest - 1));
}

void some_lag(Scenario& scenario, Random& random, Position most) {
  for (LineHabits& line : followers(scenario))
    line.lag = random.below(std::min(most, scenario.messages / 2) + 1);
}

/// Somewhere in the feed, between two parts of it.
Position some_place(const Scenario& scenario, Random& random, double from, double to) {
  const auto end = static_cast<double>(scenario.end());
  return random.between(static_cast<Position>(from * end), static_cast<Position>(to * end));
}

Stretch some_stretch(const Scenario& scenario, Random& random) {
  const Position begin = some_place(scenario, random, 0.2, 0.5);
  return {begin, begin + some_place(scenario, random, 0.05, 0.2)};
}

// ---- each kind: first what decides how long it is, then what happens in it
// -----------------------

void nothing_more(Scenario&, Random&) {}

/// As the benchmark has it: as many packets as this machine can.
void full_flow(Scenario& scenario, Random& random) {
  scenario.mode = Mode::native;
  scenario.wait = Wait::spin;
  scenario.frames = 4096;
  scenario.senders = 1;
  scenario.block = LB_LIVE_SLOTS;
  scenario.batch = 64;
  scenario.checksum = Checksum::ignore;
  scenario.lines.resize(2);
  scenario.packets_factor = 8;
  const auto cut = random.one_of<std::uint32_t>({1, 1, 2});
  for (LineHabits& line : scenario.lines) line.cut = scenario.framing == "optiq" ? 1 : cut;
}

void a_little_loss(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines) line.impairment.loss = random.one_of({0.0, 0.0001, 0.01});
  some_lag(scenario, random, 2'000);
}

void race_of_two(Scenario& scenario, Random& random) {
  scenario.senders = 2;
  scenario.wait = Wait::poll;
  scenario.lines.resize(2);
  scenario.block = random.one_of<std::uint32_t>({64, 256});
}

void race_of_cuts(Scenario& scenario, Random& random) {
  race_of_two(scenario, random);
  some_cuts(scenario, random);
}

void perhaps_other_cuts(Scenario& scenario, Random& random) {
  if (random.one_in(2)) some_cuts(scenario, random);
}

void some_loss(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines)
    line.impairment.loss = random.one_of({0.0, 0.001, 0.02, 0.3});
  some_lag(scenario, random, 2'000);
}

void some_bursts(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines)
    line.impairment.burst = {random.one_of({0.00001, 0.001, 0.01}),
                             static_cast<double>(random.between(1, 500))};
  some_lag(scenario, random, 2'000);
}

void some_weather(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines) {
    line.impairment.loss = random.one_of({0.0, 0.01, 0.1});
    line.impairment.burst = {0.0005, static_cast<double>(random.between(1, 60))};
    line.impairment.duplicate = random.one_of({0.0, 0.01, 0.2});
    some_reordering(scenario, line, random);
  }
  some_lag(scenario, random, 5'000);
}

/// Packets large enough for a feed of many windows.
void large_packets(Scenario& scenario, Random& random) {
  if (scenario.framing == "optiq") scenario.framing = "moldudp64";
  const auto cut = random.one_of<std::uint32_t>({8, 12, 16});
  for (LineHabits& line : scenario.lines) line.cut = cut;
  scenario.lines.back().cut = random.one_of({cut, cut, 7u});
  scenario.messages_least = 8 * LB_WINDOW_MESSAGES;
}

void several_windows(Scenario& scenario, Random& random) {
  constexpr Position kMost = 4 * LB_WINDOW_MESSAGES;
  some_lag(scenario, random, kMost);
  LineHabits& second = scenario.lines[1];
  second.lag = std::min<Position>(random.between(LB_WINDOW_MESSAGES, kMost), scenario.messages / 2);
  const Position furthest = std::ranges::max(scenario.lines, {}, &LineHabits::lag).lag;
  const bool is_exact = furthest + LB_WINDOW_MESSAGES / 2 < kExactMemory;
  for (LineHabits& line : scenario.lines)
    line.impairment.loss =
        is_exact ? 0.02 : kHolesBeyond / static_cast<double>(kMost * scenario.lines.size());
}

/// One line is silent throughout, one from somewhere on, the others now and then.
void some_silence(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines) {
    line.impairment.loss = random.one_of({0.0, 0.01});
    const std::uint64_t habit = random.below(4);
    if (habit == 0) line.silent.push_back({0, scenario.end()});
    if (habit == 1) line.silent.push_back({some_place(scenario, random, 0.1, 0.9), scenario.end()});
    if (habit > 1) continue;
  }
  for (LineHabits& line : scenario.lines) {
    if (!line.silent.empty()) continue;
    Position position = 0;
    while (position < scenario.end()) {
      const Position begin = position + random.between(1, scenario.end() / 5);
      const Position end = begin + random.between(1, scenario.end() / 10);
      line.silent.push_back({begin, end});
      position = end;
    }
  }
  // Somebody has to be there when it begins: of what comes before nobody knows.
  scenario.lines[random.below(scenario.lines.size())].silent.clear();
  some_lag(scenario, random, 2'000);
}

void some_sessions(Scenario& scenario, Random& random) {
  scenario.framing = "moldudp64";
  scenario.lives.resize(random.between(2, 4));
}

/// Never on from where another session was: such a line may as well be still in that one.
void other_numbers_in_each(Scenario& scenario, Random& random) {
  for (std::size_t i = 0; i < scenario.lives.size(); ++i)
    scenario.lives[i] = {1 + i / 2 * 20'000'000, fmt::format("SESSION{:03}", i)};
  some_weather(scenario, random);
}

void some_restarts(Scenario& scenario, Random& random) {
  scenario.lives.resize(random.between(2, 4));
  scenario.restarts_in_session = true;
  scenario.senders = 1;
}

void shortly_behind_each_other(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines) line.impairment.loss = random.one_of({0.0, 0.02});
  some_lag(scenario, random, 500);
}

void some_poison(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines) {
    line.poison_one_in = random.one_of<std::uint32_t>({0, 1'000, 50'000});
    line.impairment.loss = random.one_of({0.0, 0.01});
  }
  some_lag(scenario, random, 50);
}

void many_channels(Scenario& scenario, Random& random) {
  scenario.channels = static_cast<std::uint32_t>(random.between(100, 256));
  scenario.threads = static_cast<std::uint32_t>(random.between(1, 3));
}

void a_hole_in_one(Scenario& scenario, Random& random) {
  const Position begin = some_place(scenario, random, 0.1, 0.5);
  scenario.hole = {begin, begin + random.between(1, scenario.end() / 3)};
  some_lag(scenario, random, 50);
}

/// Packet by packet, so that the ledger knows of each what became of it.
void small_rings(Scenario& scenario, Random& random) {
  scenario.frames = 64;
  scenario.block = random.one_of<std::uint32_t>({1, 1, 128});
  scenario.batch = std::min(scenario.batch, scenario.block);
}

void nobody_waits(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines) line.waits_for_room = random.one_in(3);
  scenario.lines[0].waits_for_room = false;
  some_lag(scenario, random, 50'000);
}

void slow_application(Scenario& scenario, Random& random) {
  scenario.slow_ns = random.one_of<std::uint32_t>({1'000, 5'000, 20'000});
  scenario.block = random.one_of<std::uint32_t>({1, 16});
}

/// What waits in the rings of a line spans more numbers than user space has a bitmap for, and the
/// other lines are already behind it.
void deep_rings(Scenario& scenario, Random& random) {
  large_packets(scenario, random);
  scenario.mode = Mode::native;
  scenario.frames = random.one_of<std::uint32_t>({4096, 16'384, 16'384});
  scenario.block = 64;
  scenario.batch = 64;
  scenario.slow_ns = random.one_of<std::uint32_t>({5'000, 10'000, 20'000});
  scenario.packets_factor = 2;
}

void everybody_floods(Scenario& scenario, Random& random) {
  for (LineHabits& line : scenario.lines) {
    line.waits_for_room = false;
    line.impairment.loss = random.one_of({0.0, 0.02});
  }
  some_lag(scenario, random, 20'000);
}

void a_stop(Scenario& scenario, Random& random) {
  scenario.disturbances.push_back({Disturbance::Kind::stopped, some_stretch(scenario, random)});
  some_lag(scenario, random, 50'000);
  for (LineHabits& line : scenario.lines) line.impairment.loss = random.one_of({0.0, 0.02});
}

/// Before the channels are published all of it goes up, on half of the credits.
void a_stop_at_once(Scenario& scenario, Random& random) {
  const Position begin = random.between(1, 2'000);
  scenario.disturbances.push_back(
      {Disturbance::Kind::stopped, {begin, begin + some_place(scenario, random, 0.05, 0.5)}});
  some_lag(scenario, random, 20'000);
  for (LineHabits& line : scenario.lines) {
    line.waits_for_room = random.one_in(2);
    line.impairment.loss = random.one_of({0.0, 0.02});
  }
}

void another_receiver(Scenario& scenario, Random& random, Disturbance::Kind kind) {
  const std::uint64_t times = random.between(1, 2);
  for (std::uint64_t i = 0; i < times; ++i) {
    const Position begin = some_place(scenario, random, 0.1 + 0.4 * static_cast<double>(i),
                                      0.3 + 0.4 * static_cast<double>(i));
    scenario.disturbances.push_back({kind, {begin, begin}});
  }
  some_lag(scenario, random, 1'000);
  for (LineHabits& line : scenario.lines) line.impairment.loss = random.one_of({0.0, 0.01});
}
void a_kill(Scenario& scenario, Random& random) {
  another_receiver(scenario, random, Disturbance::Kind::killed);
}
void an_end(Scenario& scenario, Random& random) {
  another_receiver(scenario, random, Disturbance::Kind::ended);
}

/// They sleep: there are not as many CPUs.
void several_threads(Scenario& scenario, Random& random) {
  scenario.threads = static_cast<std::uint32_t>(random.between(2, 4));
  scenario.channels = static_cast<std::uint32_t>(random.between(2, 12));
  scenario.wait = Wait::poll;
}

void anything(Scenario& scenario, Random& random) {
  switch (random.below(5)) {
    case 0:
      return a_kill(scenario, random);
    case 1:
      return an_end(scenario, random);
    case 2:
      return a_stop(scenario, random);
    case 3:
      return nobody_waits(scenario, random);
    default:
      return some_weather(scenario, random);
  }
}

struct KindOfScenario {
  Kind kind;
  void (*shape)(Scenario&, Random&);
  void (*happen)(Scenario&, Random&);
};

constexpr std::array kKinds = {
    KindOfScenario{{"flow", "as many packets as this machine can"}, full_flow, a_little_loss},
    KindOfScenario{{"race", "two lines at full rate from two CPUs"}, race_of_two, nothing_more},
    KindOfScenario{
        {"packing", "the same, each line with packets of its own cut"}, race_of_cuts, some_loss},
    KindOfScenario{{"loss", "packets are lost on each line"}, perhaps_other_cuts, some_loss},
    KindOfScenario{{"bursts", "many in a row are"}, nothing_more, some_bursts},
    KindOfScenario{
        {"weather", "loss, bursts, duplicates, reordering"}, perhaps_other_cuts, some_weather},
    KindOfScenario{{"skew", "lines further apart than a window"}, large_packets, several_windows},
    KindOfScenario{
        {"silence", "lines that are silent, die, come and go"}, nothing_more, some_silence},
    KindOfScenario{{"sessions", "the session changes, lines behind each other"},
                   some_sessions,
                   other_numbers_in_each},
    KindOfScenario{{"restarts", "numbers begin again in one session, after a pause"},
                   some_restarts,
                   shortly_behind_each_other},
    KindOfScenario{
        {"poison", "single packets with numbers far beyond everything"}, nothing_more, some_poison},
    KindOfScenario{
        {"channels", "more than a hundred, a hole in one"}, many_channels, a_hole_in_one},
    KindOfScenario{{"overload", "rings of 64, lines that do not wait"}, small_rings, nobody_waits},
    KindOfScenario{{"slow", "an application slower than the feed"}, slow_application, nobody_waits},
    KindOfScenario{{"backlog", "the same, with rings that span several windows"},
                   deep_rings,
                   everybody_floods},
    KindOfScenario{
        {"stopped", "a receiver that stands still while the lines go on"}, nothing_more, a_stop},
    KindOfScenario{
        {"surprised", "the same before its channels are published"}, nothing_more, a_stop_at_once},
    KindOfScenario{{"killed", "a receiver that is killed, and the next one"}, nothing_more, a_kill},
    KindOfScenario{
        {"ended", "a receiver that ends in full flow, and the next one"}, nothing_more, an_end},
    KindOfScenario{{"threads", "several data threads with channels of their own; any of the above"},
                   several_threads,
                   anything},
};

const KindOfScenario& kind_of(std::uint64_t seed) {
  return kKinds[seed % kKinds.size()];
}

const KindOfScenario& kind_named(std::string_view name) {
  for (const KindOfScenario& kind : kKinds)
    if (kind.kind.name == name) return kind;
  throw UsageError(fmt::format("there is no scenario {}; --list names those there are", name));
}

std::string describe(const LineHabits& line) {
  const feeder::LineImpairment& impairment = line.impairment;
  std::string text = fmt::format("{}", line.cut);
  if (line.lag) text += fmt::format(" lag {}", line.lag);
  if (impairment.loss > 0) text += fmt::format(" loss {:.4}", impairment.loss);
  if (impairment.burst.rate > 0)
    text += fmt::format(" bursts {}x{}", impairment.burst.rate, impairment.burst.mean_length);
  if (impairment.duplicate > 0) text += fmt::format(" duplicates {}", impairment.duplicate);
  if (impairment.reorder > 0)
    text += fmt::format(" reordering {}x{}", impairment.reorder, impairment.reorder_depth);
  if (line.poison_one_in) text += fmt::format(" poison 1/{}", line.poison_one_in);
  for (const Stretch& silent : line.silent)
    text += fmt::format(" silent {}-{}", silent.begin, silent.end);
  if (!line.waits_for_room) text += " floods";
  return text;
}

std::string describe(const Disturbance& disturbance) {
  constexpr std::array kNames = {"stopped", "killed", "ended"};
  return fmt::format("{} {}-{}", kNames[static_cast<std::size_t>(disturbance.kind)],
                     disturbance.where.begin, disturbance.where.end);
}

}  // namespace

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (const KindOfScenario& kind : kKinds) all.push_back(kind.kind);
  return all;
}

Scenario draw(std::uint64_t seed, std::string_view name, std::uint64_t packets) {
  const KindOfScenario& kind = name.empty() ? kind_of(seed) : kind_named(name);
  Random random(seed);
  Scenario scenario{.name = std::string(kind.kind.name), .seed = seed};
  some_feed(scenario, random);
  kind.shape(scenario, random);
  some_messages(scenario, packets);
  kind.happen(scenario, random);
  if (random.one_in(3)) scenario.order = Order::sequence;
  return scenario;
}

std::string describe(const Scenario& scenario) {
  constexpr std::array kWaits = {"poll", "spin", "busy-poll"};
  std::string text = fmt::format(
      "{}, {}{}, {} frames, {}{}, {} channels, {} lives of {} messages, {} senders, blocks of "
      "{}/{}",
      scenario.mode == Mode::native ? "native" : "generic",
      kWaits[static_cast<std::size_t>(scenario.wait)],
      scenario.order == Order::sequence ? ", in sequence" : "", scenario.frames, scenario.framing,
      scenario.checksum == Checksum::verify ? " verified" : "", scenario.channels,
      scenario.lives.size(), scenario.messages, scenario.senders, scenario.block, scenario.batch);
  if (scenario.threads > 1) text += fmt::format(", {} threads", scenario.threads);
  if (scenario.slow_ns) text += fmt::format(", {} ns a packet", scenario.slow_ns);
  if (scenario.hole.end)
    text += fmt::format(", hole {}-{}", scenario.hole.begin, scenario.hole.end);
  for (const Disturbance& disturbance : scenario.disturbances) text += ", " + describe(disturbance);
  for (std::size_t i = 0; i < scenario.lines.size(); ++i)
    text += fmt::format("; {} {}", static_cast<char>('A' + i), describe(scenario.lines[i]));
  return text;
}

}  // namespace linearb::soak
