// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "unit/sequencer/story.h"

/// Feeds by seed: whatever networks do to the lines, what came on any of them is delivered once.
/// A seed that fails is the report: run it alone with --gtest_filter and look at the complaint.
namespace linearb::sequencer::test {
namespace {

using namespace std::chrono_literals;

/// How one line treats the feed.
struct LineHabits {
  std::uint32_t packs_at_most = 1;
  double loss = 0;
  double burst = 0;  ///< begins at a packet and takes burst_messages
  std::uint64_t burst_messages = 0;
  double repeat = 0;
  std::size_t shuffled = 1;  ///< packets that may change their places among each other
  nanoseconds skew = 0ns;
};

struct FeedHabits {
  std::uint32_t lines = 2;
  std::uint32_t lives = 1;
  std::uint64_t first = 1;
  std::uint64_t messages = 3000;  ///< of each life
  nanoseconds interval = 50us;    ///< between messages
  bool changes_session = false;
  std::size_t batch = 0;  ///< of the hook in front; 0: there is none
};

using Random = std::mt19937_64;

bool chance(Random& random, double probability) {
  return std::uniform_real_distribution<>()(random) < probability;
}
std::uint64_t up_to(Random& random, std::uint64_t most) {
  return random() % (most + 1);
}

struct Range {
  std::uint64_t first;
  std::uint64_t last;
};

/// Cuts a life into packets, and puts some of them into other places.
std::vector<Range> cut_and_shuffle(Random& random, const FeedHabits& feed,
                                   const LineHabits& habits) {
  std::vector<Range> packets;
  const std::uint64_t end = feed.first + feed.messages;
  for (std::uint64_t number = feed.first; number < end;) {
    const std::uint64_t last = std::min(end - 1, number + up_to(random, habits.packs_at_most - 1));
    packets.push_back({number, last});
    number = last + 1;
  }
  for (std::size_t i = 0; i + habits.shuffled < packets.size(); i += habits.shuffled)
    if (chance(random, 0.3))
      std::shuffle(packets.begin() + static_cast<long>(i),
                   packets.begin() + static_cast<long>(i + habits.shuffled), random);
  return packets;
}

void send_life(Random& random, const FeedHabits& feed, const LineHabits& habits, LineScript& line) {
  std::uint64_t lost_before = 0;
  for (const Range& packet : cut_and_shuffle(random, feed, habits)) {
    const auto messages = static_cast<std::uint32_t>(packet.last - packet.first + 1);
    line.packs(messages);
    if (chance(random, habits.burst)) lost_before = packet.first + habits.burst_messages;
    if (packet.first < lost_before || chance(random, habits.loss)) {
      line.every(feed.interval * messages).loses(packet.first, packet.last);
      continue;
    }
    if (chance(random, habits.repeat)) line.every(0ns).sends(packet.first, packet.last);
    line.every(feed.interval * messages).sends(packet.first, packet.last);
  }
}

void tell(Random& random, const FeedHabits& feed, const std::vector<LineHabits>& habits,
          Story& story) {
  for (std::size_t i = 0; i < habits.size(); ++i) {
    LineScript& line = story.line(i).waits(habits[i].skew);
    send_life(random, feed, habits[i], line);
    for (std::uint32_t life = 2; life <= feed.lives; ++life) {
      line.waits(60ms);
      feed.changes_session ? line.opens_session(std::to_string(life)) : line.restarts();
      send_life(random, feed, habits[i], line);
    }
  }
}

LineHabits some_habits(Random& random, nanoseconds skew_at_most) {
  LineHabits habits;
  habits.packs_at_most = static_cast<std::uint32_t>(1 + up_to(random, 7));
  habits.loss = chance(random, 0.7) ? 0.1 : 0;
  habits.burst = chance(random, 0.5) ? 0.002 : 0;
  habits.burst_messages = up_to(random, 300);
  habits.repeat = chance(random, 0.5) ? 0.2 : 0;
  habits.shuffled = 1 + up_to(random, 4);
  habits.skew = nanoseconds(up_to(random, static_cast<std::uint64_t>(skew_at_most.count())));
  return habits;
}

std::string play(Random& random, const FeedHabits& feed, nanoseconds skew_at_most) {
  Story story("moldudp64", feed.lines);
  std::vector<LineHabits> habits;
  for (std::uint32_t i = 0; i < feed.lines; ++i)
    habits.push_back(some_habits(random, i == 0 ? 0ns : skew_at_most));
  // A network holds a packet back for a time, not until so many others have passed.
  if (feed.interval > 1ms)
    for (LineHabits& line : habits) line.shuffled = 1;
  std::ranges::shuffle(habits, random);
  tell(random, feed, habits, story);
  if (feed.batch != 0) story.put_hook_in_front(feed.batch);
  story.play();
  return story.complaint();
}

/// What `change` makes of each seed's feed is delivered once.
template <class Change>
void expect_each_once(nanoseconds skew_at_most, Change change) {
  constexpr std::uint64_t kSeeds = 100;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed);
    FeedHabits feed;
    feed.lines = 2 + seed % 2;
    change(feed, random, seed);
    EXPECT_EQ(play(random, feed, skew_at_most), "") << "seed " << seed;
  }
}

/// Alone, behind the hook, and so far behind it that a ring holds many packets.
class RandomFeed : public testing::TestWithParam<std::size_t> {};

TEST_P(RandomFeed, IsDeliveredOnceWithSkewsOf20000Numbers) {
  expect_each_once(200ms, [](FeedHabits& feed, Random&, std::uint64_t seed) {
    feed.batch = GetParam();
    feed.interval = 10us;
    feed.messages = seed % 20 == 0 ? 40'000 : 2000;
  });
}

TEST_P(RandomFeed, IsDeliveredOnceFromTheMiddleOn) {
  expect_each_once(100ms, [](FeedHabits& feed, Random&, std::uint64_t) {
    feed.batch = GetParam();
    feed.first = 1'000'000;
  });
}

TEST_P(RandomFeed, IsDeliveredOnceAcrossRestarts) {
  expect_each_once(25ms, [](FeedHabits& feed, Random& random, std::uint64_t) {
    feed.batch = GetParam();
    feed.lives = 4;
    feed.messages = 500 + up_to(random, 1000);
  });
}

TEST_P(RandomFeed, IsDeliveredOnceAcrossSlowRestarts) {
  expect_each_once(20ms, [](FeedHabits& feed, Random& random, std::uint64_t) {
    feed.batch = GetParam();
    feed.lives = 3;
    feed.messages = 300 + up_to(random, 300);
    feed.interval = 5ms;
  });
}

TEST_P(RandomFeed, IsDeliveredOnceAcrossSessions) {
  expect_each_once(50ms, [](FeedHabits& feed, Random& random, std::uint64_t) {
    feed.batch = GetParam();
    feed.lives = 4;
    feed.messages = 500 + up_to(random, 1000);
    feed.changes_session = true;
  });
}

INSTANTIATE_TEST_SUITE_P(HookAheadBy, RandomFeed, testing::Values(0, 1, 30));

}  // namespace
}  // namespace linearb::sequencer::test
