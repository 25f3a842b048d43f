// SPDX-License-Identifier: Apache-2.0
//
// Several data threads, each with its share of the channels: whatever comes of a channel, on
// whatever line and queue, one of them handles alone, from a fill ring that they share.
#include <array>
#include <filesystem>
#include <set>

#include <sched.h>

#include "capture/reader.h"
#include "e2e/arbitration.h"
#include "e2e/fed_channels.h"
#include "hook/hook.h"
#include "linearb/error.h"
#include "support/error_text.h"
#include "support/raw_line.h"
#include "sys/cpu.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

class Threads : public BothModes {
 protected:
  static ReceiverOptions with(unsigned threads, std::size_t channels) {
    ReceiverOptions options = BothModes::options();
    options.threads = threads;
    options.channels.clear();
    for (std::size_t i = 0; i < channels; ++i)
      options.channels.push_back({"c" + std::to_string(i), "optiq", group_of(i), {}});
    return options;
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, Threads, ::testing::Values(Mode::native, Mode::generic), mode_name);

TEST_P(Threads, DivideTheChannelsAmongThem) {
  constexpr std::uint64_t kNumbers = 5'000;
  FedChannels fed(with(3, 6), 6);
  fed.send(1, kNumbers);
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  fed.expect_once(1, kNumbers);
  EXPECT_EQ(fed.threads(), 3u);
  EXPECT_EQ(summary.packets, 6 * kNumbers);
  EXPECT_EQ(summary.messages, 6 * kNumbers);
  EXPECT_EQ(summary.gap_messages, 0u);
  for (const LineSummary& line : summary.lines) EXPECT_EQ(line.packets, 6 * kNumbers);
  EXPECT_EQ(sum(summary, &LineSummary::won), 6 * kNumbers);
  for (const ChannelSummary& channel : summary.channels) EXPECT_EQ(channel.messages, kNumbers);
}

/// A thread that its application holds up has no credits left after a while, and the others all of
/// theirs: the fill ring they share is as large as what they were promised together.
TEST_P(Threads, OneThatIsHeldUpTakesNothingFromTheOthers) {
  constexpr std::uint64_t kNumbers = 8'000;
  ReceiverOptions options = with(2, 4);
  options.frames = 256;
  FedChannels fed(options, 4);
  fed.send(1, 1'000);
  EXPECT_TRUE(fed.wait_for_packets(4'000));
  fed.block(0);
  // Fewer at once than the other one has credits for.
  for (std::uint64_t first = 1'001; first < kNumbers - 999; first += 50) {
    fed.send(first, 50);
    EXPECT_TRUE(fed.wait_for_packets(4'000 + 2 * (first + 50 - 1'001)));
  }
  fed.block(-1);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  fed.send(kNumbers - 999, 1'000);
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  EXPECT_GT(sum(summary, &LineSummary::no_credit), 0u);
  for (const std::size_t channel : {1u, 3u}) {
    EXPECT_EQ(summary.channels[channel].messages, kNumbers) << "of the other thread";
    EXPECT_EQ(std::ranges::count(fed.taken()[channel].times, 1),
              static_cast<std::ptrdiff_t>(kNumbers));
  }
  EXPECT_GT(summary.channels[0].gap_messages, kNumbers / 2);
  for (const Taken& taken : fed.taken())
    EXPECT_EQ(std::ranges::count_if(taken.times, [](std::uint8_t times) { return times > 1; }), 0);
  for (const ChannelSummary& channel : summary.channels)
    EXPECT_EQ(channel.messages + channel.gap_messages, kNumbers) << channel.name;
}

TEST_P(Threads, DeliverInTheOrderOfNumbersEach) {
  constexpr std::uint64_t kNumbers = 5'000;
  ReceiverOptions options = with(2, 4);
  options.order = Order::sequence;
  FedChannels fed(options, 4);
  fed.send(1, 100);
  fed.send(101, kNumbers - 100, [](std::size_t line, std::size_t channel, std::uint64_t number) {
    return number > kNumbers - 10 || (number * 7 + channel) % 5 != line;
  });
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  fed.expect_once(1, kNumbers);
  EXPECT_EQ(fed.threads(), 2u);
  for (const Taken& taken : fed.taken()) EXPECT_EQ(taken.out_of_order, 0u);
}

/// What no line brought is told by the thread that missed it, and filled there.
TEST_P(Threads, TellTheirGapsAndTakeWhatFillsThem) {
  constexpr std::uint64_t kNumbers = 2'000;
  FedChannels fed(with(3, 3), 3);
  fed.send(1, kNumbers, [](std::size_t, std::size_t channel, std::uint64_t number) {
    return number != 1'000 + channel;
  });
  EXPECT_TRUE(wait_until([&] {
    const std::vector<Event> events = fed.events();
    return std::ranges::count(events, Event::Kind::gap, &Event::kind) == 3;
  }));
  for (std::uint32_t channel = 0; channel < 3; ++channel) {
    const auto message = feeder::optiq_message(1'000 + channel, channel);
    EXPECT_TRUE(fed.receiver().inject(channel, message));
  }
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  fed.expect_once(1, kNumbers);
  EXPECT_EQ(fed.threads(), 3u) << "a thread delivers what is injected for its channels, too";
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.injected_delivered, 3u);
  std::set<std::string> channels;
  for (const Event& event : fed.events())
    if (event.kind == Event::Kind::gap) channels.insert(event.channel);
  EXPECT_EQ(channels, (std::set<std::string>{"c0", "c1", "c2"}));
}

TEST_P(Threads, TheGapsOfAllAreInTheSummary) {
  FedChannels fed(with(2, 2), 2);
  fed.send(1, 1'000, [](std::size_t, std::size_t channel, std::uint64_t number) {
    return number != 500 + channel;
  });
  const Summary summary = fed.end();
  ASSERT_EQ(summary.gaps->size(), 2u);
  EXPECT_EQ(summary.gaps->at(0).channel, "c0");
  EXPECT_EQ(summary.gaps->at(0).first, 500u);
  EXPECT_EQ(summary.gaps->at(1).channel, "c1");
  EXPECT_EQ(summary.gaps->at(1).first, 501u);
  EXPECT_FALSE(summary.gaps_truncated);
  EXPECT_EQ(summary.gap_messages, 2u);
}

/// The sockets of all threads go with it, and come again on new memory.
TEST_P(Threads, AnInterfaceThatIsDeletedIsTakenBackByAll) {
  FedChannels fed(with(2, 4), 4);
  fed.send(1, 1'000);
  ASSERT_EQ(std::system("ip link del vethB_src"), 0);
  EXPECT_TRUE(fed.wait_for(Event::Kind::line_gone));
  fed.send(1'001, 1'000, [](std::size_t line, std::size_t, std::uint64_t) { return line == 0; });
  lab::up({});
  EXPECT_TRUE(fed.wait_for(Event::Kind::line_back));
  fed.renew_line(1);
  fed.send(2'001, 1'000, [](std::size_t line, std::size_t, std::uint64_t) { return line == 1; });
  fed.send(3'001, 1'000);
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  fed.expect_once(1, 4'000);
  EXPECT_EQ(fed.threads(), 2u);
  EXPECT_EQ(summary.gap_messages, 0u);
}

TEST_P(Threads, AReloadGivesNewChannelsToWhoHasTheFewest) {
  FedChannels fed(with(2, 3), 4);  // c0 and c2 are the first one's
  fed.send(1, 1'000, [](std::size_t, std::size_t channel, std::uint64_t) { return channel < 3; });
  Reloaded reloaded = fed.receiver().reload(with(2, 4));
  EXPECT_EQ(reloaded.added, std::vector<std::string>{"c3"});
  fed.send(1'001, 1'000);
  ReceiverOptions fewer = with(2, 4);
  fewer.channels.erase(fewer.channels.begin() + 1);
  reloaded = fed.receiver().reload(fewer);
  EXPECT_EQ(reloaded.removed, std::vector<std::string>{"c1"});
  EXPECT_EQ(reloaded.unchanged, 3u);
  fed.send(2'001, 1'000,
           [](std::size_t, std::size_t channel, std::uint64_t) { return channel != 1; });
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  ASSERT_EQ(summary.channels.size(), 4u);
  const std::uint64_t messages[] = {3'000, 2'000, 3'000, 2'000};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(summary.channels[i].messages, messages[i]) << i;
  EXPECT_TRUE(summary.channels[1].removed);
  EXPECT_EQ(fed.threads(), 2u);
  EXPECT_EQ(fed.taken()[3].threads, fed.taken()[1].threads);
}

TEST_P(Threads, AReloadThatMovesAChannelToAnotherIsRefused) {
  FedChannels fed(with(2, 2), 2);
  fed.send(1, 100);
  ReceiverOptions moved = with(2, 2);
  moved.channels[1].thread = 0;
  EXPECT_EQ(
      error_text([&] { fed.receiver().reload(moved); }),
      "channel c1: it is thread 1's, and cannot go to thread 0 while the receiver runs: start "
      "it again");
  EXPECT_EQ(error_text([&] { fed.receiver().reload(with(3, 2)); }),
            "threads cannot change while the receiver runs, channels alone can: start it again");
  fed.send(101, 100);
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  fed.expect_once(1, 200);
}

/// Where the maps are full a channel that comes gets the places of one that goes, which may be
/// another thread's.
TEST_P(Threads, AReloadMayGiveThePlaceOfOneToAnother) {
  constexpr std::size_t kFull = 66;  // more than the maps have by themselves
  ReceiverOptions options = with(2, kFull);
  options.keep_hook = true;
  ReceiverOptions others = with(2, kFull + 2);
  others.keep_hook = true;
  others.channels.erase(others.channels.begin() + 1, others.channels.begin() + 3);  // of each one
  {
    FedChannels fed(options, kFull + 2);
    const auto before = [](std::size_t, std::size_t channel, std::uint64_t) { return channel < 3; };
    const auto after = [](std::size_t, std::size_t channel, std::uint64_t) {
      return channel == 0 || channel >= kFull;
    };
    fed.send(1, 100, before);
    fed.receiver().reload(others);
    fed.send(101, 100, after);
    const Summary summary = fed.end();
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
    EXPECT_EQ(summary.gap_messages, 0u);
    fed.expect_once_in({kFull, kFull + 1}, 101, 100);
    EXPECT_NE(fed.taken()[kFull].threads, fed.taken()[kFull + 1].threads);
  }
  FedChannels next(others, kFull + 2);
  std::set<std::string> went_on;
  for (const Event& event : next.events())
    if (event.kind == Event::Kind::went_on) went_on.insert(event.channel);
  EXPECT_EQ(went_on, (std::set<std::string>{"c0", "c66", "c67"}));
  next.end();
}

/// What the hook has claimed is delivered, however long that takes: its copies are gone.
TEST_P(Threads, TheirRingsAreEmptiedHoweverSlowTheApplicationIs) {
  constexpr std::uint64_t kNumbers = 1'000;
  FedChannels fed(with(4, 4), 4);
  fed.send(1, 200);
  EXPECT_TRUE(fed.wait_for_packets(800));
  fed.slow_down(700);
  fed.send(201, kNumbers);
  fed.receiver().stop();
  const Summary summary = fed.result();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(sum(summary, &LineSummary::kernel_lost), 0u);
  EXPECT_EQ(sum(summary, &LineSummary::no_credit), 0u);
  fed.expect_once(1, 200 + kNumbers);
}

/// One thread has done its part of the reload, the other waits for what is on its way: then the run
/// ends.
TEST_P(Threads, AReloadThatHasBegunIsDoneBeforeTheRunEnds) {
  FedChannels fed(with(2, 2), 3);
  fed.send(1, 100, [](std::size_t, std::size_t channel, std::uint64_t) { return channel < 2; });
  EXPECT_TRUE(fed.wait_for_packets(200));
  fed.block(1);
  fed.send(101, 500, [](std::size_t, std::size_t channel, std::uint64_t) { return channel == 1; });
  ReceiverOptions other = with(2, 3);
  other.channels.erase(other.channels.begin());  // c0, of the thread that is not held up
  auto reloaded =
      std::async(std::launch::async, [&] { return fed.receiver().reload(other).removed; });
  EXPECT_EQ(reloaded.wait_for(std::chrono::milliseconds(500)), std::future_status::timeout);
  fed.receiver().stop();
  fed.block(-1);
  const Summary summary = fed.result();
  EXPECT_EQ(reloaded.get(), std::vector<std::string>{"c0"});
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  ASSERT_EQ(summary.channels.size(), 3u);
  EXPECT_TRUE(summary.channels[0].removed);
  EXPECT_EQ(summary.channels[0].messages, 100u);
  fed.expect_once_in({1}, 1, 600);
}

/// While one waits for what is on its way the other has done it; the run may end meanwhile.
TEST_P(Threads, ARunThatEndsBesideReloadsIsWhole) {
  for (int round = 0; round < 5; ++round) {
    FedChannels fed(with(3, 3), 4);
    std::atomic<bool> ends = false;
    std::thread reloads([&] {
      try {
        for (std::size_t channels = 4; !ends; channels = 7 - channels)
          fed.receiver().reload(with(3, channels));
      } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "reload: the run is over");
      }
    });
    fed.send(1, 50, [](std::size_t, std::size_t channel, std::uint64_t) { return channel < 3; });
    const Summary summary = fed.end();
    ends = true;
    reloads.join();
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
    fed.expect_once_in({0, 1, 2}, 1, 50);
  }
}

/// As many as the options say, in all, and a little more.
TEST_P(Threads, EndTogetherAfterSoManyPackets) {
  ReceiverOptions options = with(2, 2);
  options.packets = 1'000;
  FedChannels fed(options, 2);
  fed.send(1, 1'000);
  const Summary summary = fed.result();
  EXPECT_GE(summary.packets, 1'000u);
  EXPECT_LT(summary.packets, 2'000u) << "all that was sent";
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
}

TEST_P(Threads, EndTogetherWhenNothingCame) {
  ReceiverOptions options = with(3, 3);
  options.idle_exit_seconds = 0.5;
  FedChannels fed(options, 3);
  fed.send(1, 500, [](std::size_t, std::size_t channel, std::uint64_t) { return channel == 2; });
  const Summary summary = fed.result();
  EXPECT_EQ(summary.packets, 500u);
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
}

/// They write one file; each channel is in its order there.
TEST_P(Threads, WriteOneFile) {
  constexpr std::uint64_t kNumbers = 3'000;
  const std::string path = ::testing::TempDir() + "threads.pcap";
  ReceiverOptions options = with(3, 3);
  options.write_path = path;
  FedChannels fed(options, 3);
  fed.send(1, kNumbers);
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  EXPECT_EQ(summary.written, 3 * kNumbers);
  std::array<std::uint64_t, 3> next{1, 1, 1};
  capture::Reader reader(path);
  while (const auto record = reader.next()) {
    const auto channel = static_cast<std::size_t>(record->bytes[33] & 3);  // of its group
    ASSERT_LT(channel, 3u);
    EXPECT_TRUE(std::ranges::equal(record->bytes, packet_of(channel, next[channel])));
    ++next[channel];
  }
  EXPECT_EQ(next, (std::array<std::uint64_t, 3>{kNumbers + 1, kNumbers + 1, kNumbers + 1}));
  std::filesystem::remove(path);
}

/// The next receiver may divide the channels otherwise.
TEST_P(Threads, AHookThatIsKeptIsTakenOverByAnotherNumberOfThem) {
  std::uint64_t first = 1;
  for (const unsigned threads : {2u, 3u, 1u, 4u}) {
    ReceiverOptions options = with(threads, 4);
    options.keep_hook = true;
    FedChannels fed(options, 4);
    fed.send(first, 1'000);
    const Summary summary = fed.end();
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
    EXPECT_EQ(summary.packets, 4'000u);
    EXPECT_EQ(summary.gap_messages, 0u);
    EXPECT_EQ(fed.threads(), threads);
    fed.expect_once(first, 1'000);
    first += 1'000;
  }
}

/// A driver that gives no room in front of a packet: each thread parses again.
TEST_P(Threads, WithoutMetadataTheyFindTheChannelByTheirOwnTableOfFlows) {
  FedChannels fed(with(2, 4), 4);
  fed.send(1, 500);
  {
    const hook::Hook adopted({{"vethA_dst", sys::interface_index("vethA_dst")},
                              {"vethB_dst", sys::interface_index("vethB_dst")}},
                             {4, 8});
    lb_store_release(&adopted.maps().config().flags, 0);
  }
  fed.send(501, 1'500);
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  fed.expect_once(1, 2'000);
  EXPECT_EQ(fed.threads(), 2u);
}

/// Each to a CPU of its own, where there are several.
TEST_P(Threads, ArePinnedToTheirCpus) {
  const std::vector<unsigned> cpus = sys::allowed_cpus();
  if (cpus.size() < 2) GTEST_SKIP() << "needs two CPUs";
  ReceiverOptions options = with(2, 2);
  options.cpus = {cpus[1], cpus[0]};
  std::array<std::atomic<int>, 2> seen{-1, -1};
  Receiver receiver(options,
                    [&](const Delivery& delivery) { seen[delivery.channel] = ::sched_getcpu(); });
  auto result = std::async(std::launch::async, [&] { return receiver.run(); });
  const RawLine a("vethA_src");
  for (std::uint64_t number = 1; number <= 10; ++number)
    for (std::size_t channel = 0; channel < 2; ++channel) a.send(packet_of(channel, number));
  EXPECT_TRUE(wait_until([&] { return receiver.progress().packets == 20; }));
  receiver.stop();
  result.get();
  EXPECT_EQ(seen[0], static_cast<int>(cpus[1]));
  EXPECT_EQ(seen[1], static_cast<int>(cpus[0]));
}

/// Every queue of a line has a socket of each thread.
class ThreadsAndQueues : public Threads {
  lab::LabOptions lab_options() const override { return {.lines = 2, .queues = 2, .mtu = 1500}; }
};
INSTANTIATE_TEST_SUITE_P(Modes, ThreadsAndQueues, ::testing::Values(Mode::native, Mode::generic),
                         mode_name);

TEST_P(ThreadsAndQueues, AChannelIsOfOneThreadWhateverItsQueues) {
  ReceiverOptions options = with(2, 2);
  for (Channel& channel : options.channels) channel.destination.port = kFeedPort;
  FedChannels fed(options, 2);
  std::vector<std::thread> feeders;
  for (std::uint32_t channel = 0; channel < 2; ++channel)
    feeders.emplace_back([channel] {
      for (std::uint32_t part = 0; part < 4; ++part) {
        auto lines = feed_on("AB", 1 + 2'000 * part, 2'000);
        for (auto& line : lines.lines) {
          line.destination = group_of(channel);
          line.queue = (channel + part) % 2;  // another one each time
        }
        feed(lines);
      }
    });
  for (std::thread& feeder : feeders) feeder.join();
  const Summary summary = fed.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  for (const ChannelSummary& channel : summary.channels) {
    EXPECT_EQ(channel.messages, 8'000u);
    EXPECT_EQ(channel.gap_messages, 0u);
  }
  EXPECT_EQ(fed.threads(), 2u);
}

}  // namespace
}  // namespace linearb::test
