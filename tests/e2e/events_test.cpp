// SPDX-License-Identifier: Apache-2.0
//
// What a receiver tells while the feed goes on. Whether the gaps that it tells are those of its
// summary is looked at in every test of arbitration (expect_sound).
#include <chrono>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>

#include "e2e/arbitration.h"
#include "support/json_lines.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;

class Events : public BothModes {
 protected:
  static std::vector<Event> of(const Running& running, Event::Kind kind) {
    std::vector<Event> events = running.events();
    std::erase_if(events, [kind](const Event& event) { return event.kind != kind; });
    return events;
  }
  static std::uint64_t messages_in(const std::vector<Event>& events) {
    std::uint64_t messages = 0;
    for (const Event& event : events) messages += event.count;
    return messages;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Events, ::testing::Values(Mode::native, Mode::generic), mode_name);

TEST_P(Events, AGapIsToldWhileTheFeedGoesOn) {
  Running running(options());
  feed(feed_on("AB", 1, 1000));
  feed(feed_on("AB", 1011, 1000));
  ASSERT_TRUE(running.wait_for(Event::Kind::gap)) << running.event_texts();
  const Event gap = of(running, Event::Kind::gap).front();
  EXPECT_EQ(gap.channel, "optiq");
  EXPECT_EQ(gap.channel_number, 0u);
  EXPECT_EQ(gap.epoch, 1u);
  EXPECT_EQ(gap.first, 1001u);
  EXPECT_EQ(gap.count, 10u);
  EXPECT_EQ(gap.text, "channel optiq: no line brought messages 1001 to 1010 (epoch 1)");
  feed(feed_on("AB", 2011, 100));
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(of(running, Event::Kind::gap).size(), 1u);
}

TEST_P(Events, ALineThatBringsItLaterRepairsIt) {
  Running running(options());
  feed(feed_on("AB", 1, 1000));
  feed(feed_on("A", 1011, 1000));
  ASSERT_TRUE(running.wait_for(Event::Kind::gap)) << running.event_texts();
  feed(feed_on("B", 1001, 1010));
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(summary.gap_messages, 0u);
  const std::vector<Event> repairs = of(running, Event::Kind::late_repair);
  EXPECT_EQ(messages_in(repairs), 10u);
  ASSERT_FALSE(repairs.empty());
  EXPECT_EQ(repairs.front().lines, "B");
  EXPECT_EQ(repairs.front().text,
            "channel optiq: message 1001 of a gap came after all, on line B (epoch 1)");
}

TEST_P(Events, AnEpochIsTold) {
  Running running(options());
  feed(feed_on("AB", 5, 1000));
  std::this_thread::sleep_for(50ms);
  feed(feed_on("AB", 1, 1000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  const std::vector<Event> epochs = of(running, Event::Kind::epoch);
  ASSERT_EQ(epochs.size(), 2u) << running.event_texts();
  EXPECT_EQ(epochs[0].epoch, 1u);
  EXPECT_EQ(epochs[0].first, 5u);
  EXPECT_EQ(epochs[1].epoch, 2u);
  EXPECT_EQ(epochs[1].first, 1u);
}

TEST_P(Events, ALineThatIsSilentIsToldAndThatItIsBack) {
  Running running(options());
  feed(feed_on("AB", 1, 100));
  auto alone = feed_on("A", 101, 4000);
  alone.rate = 1000;
  feed(alone);
  ASSERT_TRUE(running.wait_for(Event::Kind::line_state)) << running.event_texts();
  EXPECT_EQ(running.events().back().state, LineState::silent);
  feed(feed_on("AB", 4101, 100));
  ASSERT_TRUE(running.wait_for(Event::Kind::line_state, 2)) << running.event_texts();
  const Summary summary = running.end();
  expect_sound(summary, running);
  const std::vector<Event> states = of(running, Event::Kind::line_state);
  EXPECT_EQ(states[0].lines, "B");
  EXPECT_EQ(states[0].text, "channel optiq: line B is silent: it brings nothing");
  EXPECT_EQ(states[1].lines, "B");
  EXPECT_EQ(states[1].state, LineState::back);
}

TEST_P(Events, ALineWhoseInterfaceIsDownIsDown) {
  Running running(options());
  feed(feed_on("AB", 1, 100));
  sys::set_interface_up(lab::destination_name('B'), false);
  ASSERT_TRUE(running.wait_for(Event::Kind::line_state)) << running.event_texts();
  const Event state = of(running, Event::Kind::line_state).front();
  EXPECT_EQ(state.lines, "B");
  EXPECT_EQ(state.state, LineState::down);
  sys::set_interface_up(lab::destination_name('B'), true);
  running.end();
}

TEST_P(Events, AtTheEndAsManyGapsAreToldAsThereAre) {
  Running running(options());
  auto lines = feed_on("AB", 1, 20'000);
  for (auto& line : lines.lines) line.impairment.loss = 0.5;
  lines.rate = 0;
  feed(lines);
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced);
  ASSERT_GT(*summary.gap_messages, 1000u);
  EXPECT_EQ(messages_in(of(running, Event::Kind::gap)),
            *summary.gap_messages + messages_in(of(running, Event::Kind::late_repair)));
  EXPECT_TRUE(of(running, Event::Kind::events_lost).empty());
}

TEST_P(Events, AnApplicationThatThrowsEndsNothing) {
  std::uint64_t delivered = 0;
  Receiver receiver(
      options(), [&](const Delivery& delivery) { delivered += delivery.range.count; },
      [](const Event&) { throw std::runtime_error("the application's"); });
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  feed(feed_on("AB", 1, 100));
  feed(feed_on("AB", 111, 100));
  std::this_thread::sleep_for(500ms);
  receiver.stop();
  const Summary summary = result.get();
  EXPECT_TRUE(summary.balanced);
  EXPECT_EQ(delivered, 200u);
  EXPECT_EQ(summary.gap_messages, 10u);
}

TEST_P(Events, ALineThatLosesWhatTheOtherBringsIsDegraded) {
  Running running(options());
  feed(feed_on("AB", 1, 1000));  // what is lost before anybody looked is no news
  running.wait_until_quiet();
  auto lossy = feed_on("AB", 1001, 2000);
  lossy.lines[0].impairment.loss = 0.1;
  feed(lossy);
  ASSERT_TRUE(running.wait_for(Event::Kind::line_state)) << running.event_texts();
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 3000);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_GT(summary.lines[0].lost_messages, 0u);
  const std::vector<Event> states = of(running, Event::Kind::line_state);
  ASSERT_EQ(states.size(), 1u) << running.event_texts();
  EXPECT_EQ(states[0].lines, "A");
  EXPECT_EQ(states[0].state, LineState::degraded);
}

class Hours : public Events {
 protected:
  /// From so many hours from now on, for two hours, by the local time of the machine.
  static std::string hours_in(int hours) {
    const std::time_t at = std::time(nullptr) + hours * 3600;
    std::tm local{};
    ::localtime_r(&at, &local);
    return fmt::format("{:02}:{:02}-{:02}:{:02}", local.tm_hour, local.tm_min,
                       (local.tm_hour + 2) % 24, local.tm_min);
  }
  static ReceiverOptions with_hours(const std::string& hours) {
    ReceiverOptions with = options();
    with.channels[0].hours = hours;
    with.channels[0].silence_seconds = 0.5;
    return with;
  }
  static std::map<std::string, LineState> last_states(const std::vector<Event>& states) {
    std::map<std::string, LineState> last;
    for (const Event& event : states) last[event.lines] = event.state;
    return last;
  }
  /// B brings nothing while A does for three times as long as a line may be silent; then no line
  /// does.
  static void fall_silent(const Running& running) {
    feed(feed_on("AB", 1, 100));
    auto alone = feed_on("A", 101, 1500);
    alone.rate = 1000;
    feed(alone);
    std::this_thread::sleep_for(1500ms);
    EXPECT_TRUE(running.wait_for(Event::Kind::epoch));
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Hours, ::testing::Values(Mode::native, Mode::generic), mode_name);

TEST_P(Hours, OutsideOfThemSilenceIsNoAlarm) {
  Running running(with_hours(hours_in(4)));
  fall_silent(running);
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 1600);
  EXPECT_TRUE(of(running, Event::Kind::line_state).empty()) << running.event_texts();
}

/// That of one line, and then that of all.
TEST_P(Hours, InsideOfThemItIsOne) {
  Running running(with_hours(hours_in(-1)));
  fall_silent(running);
  ASSERT_TRUE(running.wait_for(Event::Kind::line_state, 2)) << running.event_texts();
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 1600);
  const std::vector<Event> states = of(running, Event::Kind::line_state);
  EXPECT_EQ(states.front().state, LineState::silent);
  EXPECT_EQ(last_states(states),
            (std::map<std::string, LineState>{{"A", LineState::silent}, {"B", LineState::silent}}))
      << running.event_texts();
}

/// Nobody expects the end of a feed to be one.
TEST_P(Hours, WithoutThemThatAllLinesAreSilentIsNone) {
  Running running(with_hours(""));
  feed(feed_on("AB", 1, 100));
  std::this_thread::sleep_for(2s);
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_TRUE(of(running, Event::Kind::line_state).empty()) << running.event_texts();
}

/// It ends with its hours, and begins with them.
TEST_P(Hours, AReloadThatChangesThemChangesWhatIsAnAlarm) {
  Running running(with_hours(hours_in(4)));
  fall_silent(running);
  EXPECT_TRUE(of(running, Event::Kind::line_state).empty()) << running.event_texts();
  running.receiver().reload(with_hours(hours_in(-1)));
  EXPECT_TRUE(running.wait_for(Event::Kind::line_state, 2)) << running.event_texts();
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_EQ(last_states(of(running, Event::Kind::line_state)),
            (std::map<std::string, LineState>{{"A", LineState::silent}, {"B", LineState::silent}}))
      << running.event_texts();
}

/// A channel that a reload adds at night.
TEST_P(Hours, AChannelThatIsAddedOutsideOfThemRaisesNoAlarm) {
  Running running(options());
  feed(feed_on("AB", 1, 100));
  ReceiverOptions more = options();
  more.channels.push_back({"night", "moldudp64", {0, 30'009}, {}});
  more.channels[1].hours = hours_in(4);
  more.channels[1].silence_seconds = 0.2;
  running.receiver().reload(more);
  std::this_thread::sleep_for(2s);
  const Summary summary = running.end();
  expect_sound(summary, running);
  EXPECT_TRUE(of(running, Event::Kind::line_state).empty()) << running.event_texts();
}

/// What is looked at each second is looked at while events are told as well.
TEST_P(Hours, BeginAlsoWhileEventsAreToldAllTheTime) {
  Running running(with_hours(hours_in(4)));
  feed(feed_on("AB", 1, 1));
  running.receiver().reload(with_hours(hours_in(-1)));
  for (std::uint64_t i = 0; i < 40; ++i) {  // each a gap
    feed(feed_on("A", 3 + 2 * i, 1));
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_FALSE(of(running, Event::Kind::line_state).empty()) << running.event_texts();
  EXPECT_TRUE(running.end().balanced);
}

class EventsFile : public LabTest {
 protected:
  ~EventsFile() override { std::filesystem::remove(path_); }

  std::vector<nlohmann::json> gaps() const {
    std::vector<nlohmann::json> objects = read_json_lines(path_);
    std::erase_if(objects, [](const nlohmann::json& object) { return object["event"] != "gap"; });
    return objects;
  }

  std::string path_ = ::testing::TempDir() + "linearb-events-" + std::to_string(::getpid());
};

TEST_F(EventsFile, HasEachEventAsItHappensAndIsMadeAgainAfterSighup) {
  Program receiver(LINEARB_PROGRAM, "receive --events " + path_);
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  feed(feed_on("AB", 1, 1000));
  feed(feed_on("AB", 1011, 1000));
  ASSERT_TRUE(wait_until([&] { return gaps().size() == 1; })) << receiver.errors();
  const nlohmann::json gap = gaps()[0];
  EXPECT_EQ(gap["event"], "gap");
  EXPECT_EQ(gap["channel"], "optiq");
  EXPECT_EQ(gap["first"], 1001);
  EXPECT_EQ(gap["count"], 10);
  EXPECT_TRUE(
      contains(receiver.errors(),
               "linearb: channel optiq: no line brought messages 1001 to 1010 (epoch 1)\n"));
  std::filesystem::remove(path_);
  receiver.signal(SIGHUP);
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(path_); }));
  feed(feed_on("AB", 2021, 100));
  ASSERT_TRUE(wait_until([&] { return gaps().size() == 1; }));
  EXPECT_EQ(gaps()[0]["first"], 2011);
  receiver.interrupt();
  EXPECT_EQ(receiver.wait(), 0) << receiver.errors();
}

TEST_F(EventsFile, ThatCannotBeOpenedIsRefused) {
  Program receiver(LINEARB_PROGRAM, "receive --events /nowhere/events");
  EXPECT_EQ(receiver.wait(), 2);
  EXPECT_TRUE(contains(receiver.errors(),
                       "--events /nowhere/events: cannot write it: No such file or directory"))
      << receiver.errors();
}

TEST_F(EventsFile, OnAFullDiskTheRunGoesOnAndFailsAtItsEnd) {
  Program receiver(LINEARB_PROGRAM, "receive --packets 200 --events /dev/full");
  ASSERT_TRUE(receiver.wait_until_receiving()) << receiver.errors();
  feed(feed_on("AB", 1, 100));
  ASSERT_TRUE(wait_until([&] { return contains(receiver.errors(), "No space left"); }));
  feed(feed_on("AB", 101, 100));
  EXPECT_EQ(receiver.wait(), 1) << receiver.errors();
  EXPECT_TRUE(contains(receiver.output(), "200")) << receiver.output();
}

}  // namespace
}  // namespace linearb::test
