// SPDX-License-Identifier: Apache-2.0
//
// What has to hold of any feed, whatever networks do to its lines: RapidCheck draws feeds, and
// makes one that breaks a property as small as it can. The story (story.h) is the plain reference.
//
// The feeds are the same each time; RC_PARAMS="seed=7 max_success=10000" asks for others.
#include <cstdlib>
#include <iterator>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "unit/sequencer/random_script.h"

namespace linearb::sequencer::test {
namespace {

/// Read by RapidCheck when it is used first.
class FixedSeed final : public testing::Environment {
  void SetUp() override { ::setenv("RC_PARAMS", "seed=1 max_success=500", 0); }
};
const testing::Environment* const kFixedSeed =
    testing::AddGlobalTestEnvironment(new FixedSeed);  // which GoogleTest deletes

enum class Order {
  arrival,
  sequence
};

/// A life that was lost whole is none that anybody could know of.
std::vector<Sent> packets_of(const Script& script) {
  std::set<std::uint32_t> lives;
  for (const Step& step : script.steps) lives.insert(step.sent.life);
  std::vector<Sent> packets;
  for (const Step& step : script.steps) {
    packets.push_back(step.sent);
    packets.back().life =
        static_cast<std::uint32_t>(1 + std::distance(lives.begin(), lives.find(step.sent.life)));
  }
  return packets;
}

/// Play it, and what is wrong; empty when nothing is.
std::string complaint_of(const Script& script, Order order, bool is_punctual = false) {
  Story story("moldudp64", script.lines);
  for (const Sent& sent : packets_of(script)) story.add(sent);
  if (order == Order::sequence) story.put_in_order();
  story.play();
  std::string text = story.complaint();
  if (is_punctual && story.late_repairs() > 0)
    text += fmt::format("{} late repairs where nothing was late\n", story.late_repairs());
  return text;
}

void require_nothing_wrong(const std::string& complaint) {
  RC_LOG() << complaint;
  RC_ASSERT(complaint.empty());
}

struct Row {
  const char* name;
  Renewal renewal;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class SequencerProperty : public testing::TestWithParam<Row> {
 protected:
  static void holds(const Weather& weather, Order order) {
    EXPECT_TRUE(rc::check([&] {
      const Script script = *scripts(weather);
      require_nothing_wrong(complaint_of(script, order, weather.is_punctual));
    }));
  }
};

/// Each message that any line brought is delivered once, trimmed to what is new; each packet is
/// decided once; gaps are what no line brought.
TEST_P(SequencerProperty, WhatAnyLineBroughtIsDeliveredOnce) {
  holds({.renewal = GetParam().renewal}, Order::arrival);
}

/// The same; and what is not in order are late repairs, and counted as such.
TEST_P(SequencerProperty, InTheOrderOfNumbersToo) {
  holds({.renewal = GetParam().renewal}, Order::sequence);
}

/// Where nothing comes too late nothing is out of order.
TEST_P(SequencerProperty, NumbersAscendWhereNothingComesTooLate) {
  holds({.renewal = GetParam().renewal, .is_punctual = true}, Order::sequence);
}

const Row kRows[] = {
    {"OneLife", Renewal::none},
    {"Sessions", Renewal::session},
    {"Restarts", Renewal::restart},
    {"Resets", Renewal::reset},
};
INSTANTIATE_TEST_SUITE_P(Feeds, SequencerProperty, testing::ValuesIn(kRows),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace linearb::sequencer::test
