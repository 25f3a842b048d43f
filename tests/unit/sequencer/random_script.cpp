// SPDX-License-Identifier: Apache-2.0
#include "unit/sequencer/random_script.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <random>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace linearb::sequencer::test {
namespace {

constexpr std::uint64_t kUs = 1'000;
constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kBeginNs = 1'000'000'000'000;
/// Less than the allowance that a line is given to put right what it reordered.
constexpr std::uint64_t kOvertakenNs = PassedByAll::kReorderNs * 9 / 10;
constexpr std::uint32_t kPacksAtMost = 6;
/// Messages that are in so many packets at least.
constexpr std::uint64_t in_packets(std::uint64_t packets) {
  return packets * kPacksAtMost;
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + engine_() % (most - least + 1);
  }
  std::uint32_t count(std::uint32_t least, std::uint32_t most) {
    return static_cast<std::uint32_t>(between(least, most));
  }
  bool chance(double probability) {
    return std::uniform_real_distribution<>()(engine_) < probability;
  }

 private:
  std::mt19937_64 engine_;
};

/// Numbers that a life has, and when its first and its last are sent.
struct Life {
  std::uint32_t number = 1;
  std::uint64_t first = 1;
  std::uint64_t messages = 0;
  std::uint64_t begin_ns = 0;
  std::uint64_t interval_ns = 0;

  std::uint64_t end() const { return first + messages; }
  std::uint64_t time_ns(std::uint64_t number_sent) const {
    return begin_ns + (number_sent - first) * interval_ns;
  }
  std::uint64_t end_ns() const { return time_ns(end()); }
};

struct Feed {
  Renewal renewal = Renewal::none;
  bool is_punctual = false;
  std::vector<Life> lives;
  std::uint64_t pause_ns = 0;  ///< between lives
  std::uint32_t resets = 0;    ///< packets that say it; of one message each, or one without
  bool resets_have_messages = false;
};

/// How one line treats the feed.
struct Habits {
  std::uint8_t line = 0;
  std::uint64_t skew_ns = 0;
  std::uint32_t packs_at_most = 1;
  double loss = 0;
  double burst = 0;
  double overtaken = 0;
  double repeated = 0;
  std::uint64_t repeated_within_ns = 0;
  double sent_again = 0;  ///< marked as such, of what the line has lost
  double heartbeat = 0;
};

Feed draw_feed(Dice& dice, const Weather& weather, int size) {
  Feed feed;
  feed.renewal = weather.renewal;
  feed.is_punctual = weather.is_punctual;
  feed.pause_ns = dice.between(60 * kMs, 100 * kMs);
  feed.resets_have_messages = dice.chance(0.5);
  feed.resets = dice.count(1, 3);
  const std::uint32_t lives = weather.renewal == Renewal::none ? 1 : dice.count(2, 3);
  std::uint64_t begin_ns = kBeginNs;
  for (std::uint32_t i = 1; i <= lives; ++i) {
    Life life;
    life.number = i;
    const bool may_begin_anywhere = i == 1 || weather.renewal == Renewal::reset;
    // From not so far a restart is a reordering.
    const std::uint64_t least_far = weather.renewal == Renewal::restart ? 10'000 : 1;
    life.first = may_begin_anywhere && dice.chance(0.3) ? dice.between(least_far, 1'000'000) : 1;
    life.messages =
        dice.between(in_packets(4), in_packets(4) + 2 * static_cast<std::uint64_t>(size));
    life.begin_ns = begin_ns;
    life.interval_ns = dice.between(20, 400) * kUs;
    begin_ns = life.end_ns() + feed.pause_ns;
    feed.lives.push_back(life);
  }
  return feed;
}

/// A line that is two lives behind is nobody's; and where the numbers alone say that they restart,
/// or where messages are sent again, the life before has to be over everywhere.
std::uint64_t largest_skew_ns(const Feed& feed) {
  switch (feed.renewal) {
    case Renewal::none:
      return 200 * kMs;
    case Renewal::restart:
      return feed.pause_ns / 4;
    case Renewal::session:
    case Renewal::reset:
      return feed.pause_ns * 3 / 2;
  }
  return 0;
}

Habits draw_habits(Dice& dice, const Weather& weather, const Feed& feed, std::uint8_t line) {
  Habits habits;
  habits.line = line;
  if (line > 0 && dice.chance(0.7)) habits.skew_ns = dice.between(0, largest_skew_ns(feed));
  habits.packs_at_most = dice.count(1, kPacksAtMost);
  if (dice.chance(0.8)) habits.loss = 0.01 * static_cast<double>(dice.between(1, 40));
  if (dice.chance(0.3)) habits.burst = 0.03;
  if (dice.chance(0.5)) habits.overtaken = 0.2;
  if (dice.chance(0.3)) habits.repeated = 0.2;
  habits.repeated_within_ns = weather.is_punctual ? kOvertakenNs : 5 * kMs;
  const bool ends_in_time = weather.renewal == Renewal::none ||
                            weather.renewal == Renewal::session ||
                            habits.skew_ns <= feed.pause_ns / 4;
  if (!weather.is_punctual && ends_in_time && dice.chance(0.3)) habits.sent_again = 0.5;
  if (dice.chance(0.4)) habits.heartbeat = 0.1;
  return habits;
}

/// What a line brings of the feed.
class LineWriter {
 public:
  LineWriter(Dice& dice, const Feed& feed, const Habits& habits, std::vector<Step>& steps)
      : dice_(dice), feed_(feed), habits_(habits), steps_(steps) {}

  void write(const Life& life) {
    lost_before_ = 0;
    std::uint64_t number = life.first;
    if (life.number > 1 && feed_.renewal == Renewal::reset) number = write_resets(life);
    if (life.number == 1 && has_all_lines()) number = write_first(life);
    head_end_ = number + head_of(life);
    while (number < life.end()) {
      const std::uint64_t last = std::min(life.end() - 1, number + dice_.between(0, most_ahead()));
      write_packet(life, number, last);
      number = last + 1;
    }
    if (dice_.chance(0.2)) put(life, life.end_ns(), life.end(), 0xffff, 0);
  }

 private:
  /// Messages that show in which life the line is. A restart is known by three packets, whose
  /// numbers the line had passed before; a session by two; a reset by what comes behind it.
  std::uint64_t head_of(const Life& life) const {
    if (feed_.renewal == Renewal::restart) return in_packets(3);
    if (life.number == 1) return 0;
    return feed_.renewal == Renewal::session ? in_packets(2) : in_packets(1);
  }
  /// All lines are there when the feed begins, whatever their skew is later: of one that comes up
  /// when others are in the next life nobody knows in which it is.
  bool has_all_lines() const { return feed_.is_punctual || feed_.renewal != Renewal::none; }
  std::uint64_t write_first(const Life& life) {
    put_at(life, life.begin_ns, life.first, 1, 1).is_needed = true;
    return life.first + 1;
  }
  std::uint64_t most_ahead() const { return habits_.packs_at_most - 1; }

  /// The first is needed: without it the line goes back by itself, which is a restart.
  std::uint64_t write_resets(const Life& life) {
    for (std::uint32_t i = 0; i < (feed_.resets_have_messages ? feed_.resets : 1); ++i) {
      if (i > 0 && dice_.chance(habits_.loss)) continue;
      Step& step = put(life, life.time_ns(life.first + i), life.first + i,
                       feed_.resets_have_messages ? 1 : 0, 1);
      step.sent.marked_as = LB_KIND_RESET;
      step.is_needed = i == 0;
    }
    return life.first + (feed_.resets_have_messages ? feed_.resets : 0);
  }

  void write_packet(const Life& life, std::uint64_t first, std::uint64_t last) {
    const auto count = static_cast<std::uint32_t>(last - first + 1);
    const std::uint64_t time_ns = life.time_ns(last);
    if (first < head_end_ || ends_what_restarts(life, last)) {
      put(life, time_ns, first, count, count).is_needed = true;
    } else if (is_lost(first)) {
      if (dice_.chance(habits_.sent_again)) send_again(life, first, count);
    } else {
      const bool is_overtaken = dice_.chance(habits_.overtaken);
      const std::uint64_t late_ns = is_overtaken ? dice_.between(0, kOvertakenNs) : 0;
      put(life, time_ns + late_ns, first, count, count);
      if (dice_.chance(habits_.repeated))
        put(life, time_ns + dice_.between(0, habits_.repeated_within_ns), first, count, count);
    }
    if (dice_.chance(habits_.heartbeat)) put(life, time_ns, last + 1, 0, 0);
  }

  /// A line that loses the end of a life and the beginning of the next may look as if it went on.
  bool ends_what_restarts(const Life& life, std::uint64_t last) const {
    return feed_.renewal == Renewal::restart && last + 1 == life.end();
  }

  bool is_lost(std::uint64_t first) {
    if (dice_.chance(habits_.burst)) lost_before_ = first + dice_.between(2, 20);
    return first < lost_before_ || dice_.chance(habits_.loss);
  }

  void send_again(const Life& life, std::uint64_t first, std::uint32_t count) {
    const std::uint64_t time_ns = life.time_ns(first) + dice_.between(5 * kMs, 20 * kMs);
    put(life, time_ns, first, count, count).sent.marked_as = LB_KIND_RETRANSMISSION;
  }

  Step& put(const Life& life, std::uint64_t time_ns, std::uint64_t first, std::uint64_t count,
            std::uint32_t messages) {
    return put_at(life, time_ns + habits_.skew_ns, first, count, messages);
  }
  Step& put_at(const Life& life, std::uint64_t time_ns, std::uint64_t first, std::uint64_t count,
               std::uint32_t messages) {
    Sent sent;
    sent.time_ns = time_ns;
    sent.line = habits_.line;
    sent.life = life.number;
    sent.session = feed_.renewal == Renewal::session ? std::to_string(life.number) : "one";
    sent.first = first;
    sent.count = count;
    sent.messages = messages;
    steps_.push_back({.sent = sent, .is_needed = false});
    return steps_.back();
  }

  Dice& dice_;
  const Feed& feed_;
  const Habits& habits_;
  std::vector<Step>& steps_;
  std::uint64_t head_end_ = 0;
  std::uint64_t lost_before_ = 0;
};

/// What is sent again is of a life that has begun; under one session, of the one that has come to
/// it. A heartbeat from before where a life began for us says nothing of it.
void leave_out_what_nobody_can_place(Script& script) {
  const bool lives_are_told = script.renewal == Renewal::none || script.renewal == Renewal::session;
  struct Shown {
    std::uint64_t first = ~0ull;
    std::uint64_t end = 0;
  };
  std::map<std::uint32_t, Shown> lives;
  std::erase_if(script.steps, [&](const Step& step) {
    const Sent& sent = step.sent;
    Shown& shown = lives[sent.life];
    if (sent.marked_as == LB_KIND_RETRANSMISSION)
      return shown.end == 0 || (!lives_are_told && sent.first >= shown.end);
    if (sent.messages == 0 && shown.end != 0 && sent.first < shown.first) return true;
    shown.first = std::min(shown.first, sent.first);
    shown.end = std::max(shown.end, sent.first);
    return false;
  });
}

Script draw_script(Dice& dice, const Weather& weather, int size) {
  const Feed feed = draw_feed(dice, weather, size);
  Script script;
  script.renewal = weather.renewal;
  script.lines = dice.count(1, 4);
  for (std::uint8_t line = 0; line < script.lines; ++line) {
    const Habits habits = draw_habits(dice, weather, feed, line);
    LineWriter writer(dice, feed, habits, script.steps);
    for (const Life& life : feed.lives) writer.write(life);
  }
  std::ranges::stable_sort(script.steps, {}, [](const Step& step) { return step.sent.time_ns; });
  leave_out_what_nobody_can_place(script);
  return script;
}

template <class Goes>
Script without(Script script, Goes goes) {
  std::erase_if(script.steps, goes);
  leave_out_what_nobody_can_place(script);
  return script;
}

/// Without one line; without the last life; without some of the packets that may be lost.
std::vector<Script> smaller(const Script& script) {
  std::vector<Script> result;
  std::uint32_t last_life = 1;
  std::size_t lossable = 0;
  for (const Step& step : script.steps) {
    last_life = std::max(last_life, step.sent.life);
    lossable += step.is_needed ? 0 : 1;
  }
  for (std::uint8_t line = 0; line < script.lines; ++line)
    result.push_back(without(script, [=](const Step& step) { return step.sent.line == line; }));
  if (last_life > 1)
    result.push_back(
        without(script, [=](const Step& step) { return step.sent.life == last_life; }));
  for (std::size_t chunk = lossable; chunk > 0; chunk /= 2)
    for (std::size_t begin = 0; begin < lossable; begin += chunk) {
      std::size_t index = 0;
      result.push_back(without(script, [&](const Step& step) {
        if (step.is_needed) return false;
        const std::size_t own = index++;
        return own >= begin && own < begin + chunk;
      }));
    }
  std::erase_if(result, [&](const Script& other) {
    return other.steps.empty() || other.steps.size() == script.steps.size();
  });
  return result;
}

rc::Shrinkable<Script> shrinkable(const Script& script) {
  return rc::shrinkable::shrinkRecur(
      script, [](const Script& larger) { return rc::seq::fromContainer(smaller(larger)); });
}

std::string range_text(const Sent& sent) {
  if (sent.count == 0 || sent.count == 0xffff) return fmt::format("next {}", sent.first);
  if (sent.count == 1) return fmt::format("{}", sent.first);
  return fmt::format("{}-{}", sent.first, sent.first + sent.count - 1);
}

const char* mark_text(const Sent& sent) {
  if (sent.marked_as == LB_KIND_RETRANSMISSION) return " again";
  if (sent.marked_as == LB_KIND_RESET) return " reset";
  return sent.count == 0xffff ? " end" : "";
}

}  // namespace

rc::Gen<Script> scripts(const Weather& weather) {
  return rc::Gen<Script>([weather](const rc::Random& random, int size) {
    rc::Random source(random);
    Dice dice(source.next());
    return shrinkable(draw_script(dice, weather, size));
  });
}

std::ostream& operator<<(std::ostream& out, const Script& script) {
  out << script.lines << " lines\n";
  const std::uint64_t begin_ns = script.steps.empty() ? 0 : script.steps.front().sent.time_ns;
  for (const auto& [sent, is_needed] : script.steps)
    out << fmt::format(
        "{:>9.3f} ms  {}  life {}: {}{}\n", static_cast<double>(sent.time_ns - begin_ns) / 1e6,
        static_cast<char>('A' + sent.line), sent.life, range_text(sent), mark_text(sent));
  return out;
}

}  // namespace linearb::sequencer::test
