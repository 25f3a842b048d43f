// SPDX-License-Identifier: Apache-2.0
//
// What each venue's control packets do, from their bytes on: support/venue_stories.cpp, on two
// lines, through the framing that comes along and the sequencer.
#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "sequencer/sequencer.h"
#include "support/venue_packets.h"
#include "support/venue_stories.h"
#include "unit/sequencer/hook_model.h"

namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;
using linearb::test::VenueLine;
using linearb::test::VenueStep;
using linearb::test::VenueStory;
using linearb::test::venue::nyse;
using linearb::test::venue::nyse_reset;

constexpr std::uint64_t kBeginNs = 100'000'000'000;

/// How often each number came, or is missing, by epochs.
using Numbers = std::map<std::uint64_t, std::map<std::uint64_t, unsigned>>;

/// "1: 1-3 5; 2: 1", with a word on what came more than once.
std::string text_of(const Numbers& epochs) {
  std::string text;
  for (const auto& [epoch, numbers] : epochs) {
    text += fmt::format("{}{}:", text.empty() ? "" : "; ", epoch);
    for (auto at = numbers.begin(); at != numbers.end();) {
      const auto [first, times] = *at;
      std::uint64_t last = first;
      while (++at != numbers.end() && at->first == last + 1 && at->second == times) ++last;
      text += first == last ? fmt::format(" {}", first) : fmt::format(" {}-{}", first, last);
      if (times != 1) text += fmt::format(" ({} times)", times);
    }
  }
  return text;
}

/// The same read back, added to what is there.
void add_numbers(const std::string& text, Numbers& epochs) {
  std::istringstream words(text);
  std::uint64_t epoch = 0;
  for (std::string word; words >> word;) {
    std::size_t digits = 0;
    const std::uint64_t first = std::stoull(word, &digits);
    if (word[digits] == ':') {
      epoch = first;
      continue;
    }
    const std::uint64_t last = word[digits] == '-' ? std::stoull(word.substr(digits + 1)) : first;
    for (std::uint64_t number = first; number <= last; ++number) ++epochs[epoch][number];
  }
}

/// Which packets come, on which line, and when.
struct Coming {
  std::size_t line;
  VenueStep step;
};

class VenueTest : public testing::TestWithParam<VenueStory>, private Decisions {
 protected:
  /// What line B carries comes so long after line A's.
  std::vector<Coming> on_both_lines(std::uint64_t behind_ns) const {
    std::vector<Coming> coming;
    for (const unsigned line : {0u, 1u})
      for (VenueStep step : steps_on(line, GetParam())) {
        step.time_ns += line * behind_ns;
        coming.push_back({line, std::move(step)});
      }
    std::ranges::stable_sort(coming, {}, [](const Coming& one) { return one.step.time_ns; });
    return coming;
  }
  std::uint64_t length_ns() const { return steps_on(0, GetParam()).back().time_ns; }

  /// `brings(line, step)`: whether the line brings what is lost in the story.
  template <class Brings>
  void play(const std::vector<Coming>& all, Brings brings) {
    std::uint64_t tick_ns = kBeginNs;
    for (const auto& [line, step] : all) {
      if (step.is == VenueStep::Is::lost && !brings(line)) continue;
      const std::uint64_t now_ns = kBeginNs + step.time_ns;
      for (; tick_ns <= now_ns; tick_ns += Sequencer::kTickNs) tick(tick_ns);
      push(static_cast<std::uint8_t>(line), step, now_ns);
    }
    tick(tick_ns);
    sequencer_.finish();
  }
  void play(const std::vector<Coming>& all) {
    play(all, [](std::size_t) { return false; });
  }
  void put_hook_in_front() { hook_.emplace(framing_.descriptor, Settings{}.ahead); }

  std::string delivered() const { return text_of(delivered_); }
  std::string missing() const {
    Numbers missing;
    for (const GapList::Gap& gap : sequencer_.gaps().gaps())
      for (std::uint64_t number = gap.range.first; number < gap.range.end; ++number)
        ++missing[gap.origin.epoch][number];
    return text_of(missing);
  }
  /// Of a line: whatever it brings is counted once.
  std::uint64_t count_of(std::size_t line, Outcome outcome) const {
    return sequencer_.line(line).of(outcome);
  }
  void expect_as_told() const {
    EXPECT_EQ(delivered(), GetParam().delivered);
    EXPECT_EQ(missing(), GetParam().missing);
    for (const std::size_t line : {0u, 1u})
      EXPECT_EQ(count_of(line, Outcome::unsequenced), GetParam().unsequenced);
  }

 private:
  void tick(std::uint64_t now_ns) {
    if (hook_) hook_->tell_marks(sequencer_.channel(0), now_ns);
    sequencer_.tick(now_ns);
  }
  void push(std::uint8_t line, const VenueStep& step, std::uint64_t now_ns) {
    came_.push_back(step);
    Packet packet;
    packet.line = line;
    packet.arrival_ns = now_ns;
    packet.payload = came_.back().payload;
    packet.handle = came_.size() - 1;
    decode(framing_.descriptor, packet);
    EXPECT_EQ(packet.kind == LB_KIND_MALFORMED, step.is == VenueStep::Is::noise);
    if (!hook_ || step.is == VenueStep::Is::noise) return sequencer_.push(packet);
    HookModel::Passed passed{packet};
    // The hook does not walk messages to count them.
    const std::uint8_t* const begin = packet.payload.data();
    lb_framing_decode_header(&framing_.descriptor, begin, begin + packet.payload.size(),
                             static_cast<lb_u32>(packet.payload.size()), &passed.packet.datagram);
    if (!hook_->lets_through(passed)) return;
    passed.packet.datagram = packet.datagram;
    hook_->receive(passed);
    sequencer_.push(passed.packet);
    hook_->follow(passed, sequencer_.channel(0));
  }
  void decided(const Packet& packet, const Decision& decision) noexcept override {
    if (came_[packet.handle].is == VenueStep::Is::control) {
      EXPECT_TRUE(decision.news.empty()) << "what is no message was delivered as one";
    }
    for (const lb_run& run : decision.news)
      for (std::uint32_t i = 0; i < run.count; ++i) ++delivered_[decision.epoch][run.first + i];
  }

  config::Framing framing_ = config::builtin_framing(GetParam().framing);
  const lb_framing* framings_[1] = {&framing_.descriptor};
  Sequencer sequencer_{framings_, {.lines = 2}, Sequencer::Dedup::window, *this};
  std::optional<HookModel> hook_;  ///< nothing: the sequencer sees every packet
  std::deque<VenueStep> came_;     ///< all of them: some wait to be confirmed
  Numbers delivered_;
};

TEST_P(VenueTest, TheGapStaysAndTheNextMessageIsDelivered) {
  play(on_both_lines(0));
  expect_as_told();
}

TEST_P(VenueTest, TheSlowerLineChangesNothing) {
  play(on_both_lines(1'050'000));
  expect_as_told();
}

/// All that it brings was brought by the other one long before.
TEST_P(VenueTest, ALineThatBeginsWhenTheOtherHasEndedChangesNothing) {
  play(on_both_lines(length_ns() + 1'000'000));
  expect_as_told();
}

TEST_P(VenueTest, WhatOneLineLostTheOtherBrings) {
  play(on_both_lines(1'050'000), [](std::size_t line) { return line == 1; });
  Numbers all;
  add_numbers(GetParam().delivered, all);
  add_numbers(GetParam().missing, all);
  EXPECT_EQ(delivered(), text_of(all));
  EXPECT_EQ(missing(), "");
}

TEST_P(VenueTest, BehindTheHookItIsTheSame) {
  put_hook_in_front();
  play(on_both_lines(1'050'000));
  expect_as_told();
}

INSTANTIATE_TEST_SUITE_P(Control, VenueTest, testing::ValuesIn(linearb::test::venue_stories()),
                         [](const auto& row) { return name_of_story(row.param); });

}  // namespace
}  // namespace linearb::sequencer::test
