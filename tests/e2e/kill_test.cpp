// SPDX-License-Identifier: Apache-2.0
//
// Processes that are killed, in full flow. Where, a seed says; what became of each message, a
// ledger that outlives them. LINEARB_KILLS says how often in all tests together (20), LINEARB_SEED
// where.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "e2e/arbitration.h"
#include "hook/attached.h"
#include "support/ledger.h"
#include "support/program.h"
#include "sys/fd.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kTests = 5;  // that share the kills

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::stoull(value) : otherwise;
}

std::uint64_t kills() {
  return (from_environment("LINEARB_KILLS", 20) + kTests - 1) / kTests;
}

struct Row {
  const char* name;
  const char* mode;
  bool keep_hook;
};

void PrintTo(const Row& row, std::ostream* stream) {
  *stream << row.name;
}

/// A feed that goes on until it is told to end. Line B is behind by more than it takes until the
/// next receiver is there: so that one gets copies of what the one before it delivered, and of what
/// came while nobody was there.
class EndlessFeed {
 public:
  EndlessFeed()
      : feeder_([] {
          auto options = feed_on("AB", 1, 0);
          for (auto& line : options.lines) line.impairment.loss = 0.01;
          options.lines[1].impairment.skew_ns = 400'000'000;
          return options;
        }()),
        result_(std::async(std::launch::async, [this] { return feeder_.run(); })) {}
  ~EndlessFeed() { feeder_.stop(); }

  feeder::FeederResult end() {
    feeder_.stop();
    return result_.get();
  }

 private:
  feeder::Feeder feeder_;
  std::future<feeder::FeederResult> result_;
};

/// One packet of the feed, by the kernel's own stack.
bool kernel_gets_the_feed(const std::string& interface) {
  const sys::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const ip_mreqn group{.imr_multiaddr = {htonl(0xefc01e01)},  // 239.192.30.1
                       .imr_address = {},
                       .imr_ifindex = static_cast<int>(sys::interface_index(interface))};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(30'001);
  EXPECT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                         static_cast<socklen_t>(interface.size())),
            0);
  EXPECT_EQ(::setsockopt(socket.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  pollfd ready{.fd = socket.get(), .events = POLLIN, .revents = 0};
  constexpr int kGiveUpMs = 20'000;
  return ::poll(&ready, 1, kGiveUpMs) == 1;
}

/// A chain of receivers that write into one ledger.
class Chain : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    path_ = ::testing::TempDir() + "linearb-" + std::to_string(::getpid()) + "-ledger";
    ledger_ = std::make_unique<Ledger>(path_);
    const std::uint64_t seed = from_environment("LINEARB_SEED", std::random_device()());
    std::printf("LINEARB_SEED=%llu\n", static_cast<unsigned long long>(seed));
    random_.seed(seed);
  }
  void TearDown() override {
    receiver_.reset();
    std::filesystem::remove(path_);
    if (std::system((std::string(LINEARB_PROGRAM) + " detach >/dev/null 2>&1").c_str()) != 0)
      ADD_FAILURE() << "the hook could not be detached";
    LabTest::TearDown();
  }

  void start(const std::string& options) {
    receiver_ = std::make_unique<Program>(LINEARB_LEDGER,
                                          path_ + " " + std::to_string(++run_) + " " + options);
  }
  void start_and_wait(const std::string& options) {
    start(options);
    ASSERT_TRUE(receiver_->wait_until_receiving()) << receiver_->errors();
  }
  /// Until so many deliveries have been written down, by all of them.
  void wait_for(std::size_t deliveries) const {
    ASSERT_TRUE(wait_until([&] { return ledger_->entries().size() >= deliveries; }))
        << ledger_->entries().size() << " of " << deliveries << "\n"
        << receiver_->errors();
  }
  void kill() {
    receiver_->signal(SIGKILL);
    EXPECT_EQ(receiver_->wait(), -SIGKILL) << receiver_->errors();
    note_what_it_said();
  }
  void note_what_it_said() {
    EXPECT_FALSE(contains(receiver_->errors(), "owns the hook")) << receiver_->errors();
    std::istringstream said(receiver_->errors());
    for (std::string line; std::getline(said, line);) {
      unsigned long long first = 0, count = 0;
      if (std::sscanf(line.c_str(), "in hand %llu %llu", &first, &count) != 2) continue;
      for (unsigned long long i = 0; i < count; ++i) in_hand_.insert(first + i);
    }
  }
  void wait_until_quiet() const {
    std::uint64_t before = 0;
    for (int quiet = 0; quiet < 6; ++quiet) {
      ::usleep(50'000);
      if (const std::uint64_t now = ledger_->entries().size(); std::exchange(before, now) != now)
        quiet = 0;
    }
  }
  /// The last one, that may end as it should.
  Json end() {
    wait_until_quiet();
    receiver_->interrupt();
    EXPECT_EQ(receiver_->wait(), 0) << receiver_->errors();
    note_what_it_said();
    return Json::parse(receiver_->output());
  }

  /// How often each number was delivered, by all of them or by one run.
  std::map<std::uint64_t, int> delivered(std::uint32_t run = 0) const {
    std::map<std::uint64_t, int> times;
    for (const LedgerEntry& entry : ledger_->entries())
      for (std::uint64_t i = 0; i < entry.count; ++i)
        if (run == 0 || entry.run == run) ++times[entry.first + i];
    return times;
  }
  std::uint32_t last_run() const { return run_; }
  Program& receiver() { return *receiver_; }
  const Ledger& ledger() const { return *ledger_; }
  /// What those that came after a death said that it had in hand.
  const std::set<std::uint64_t>& in_hand() const { return in_hand_; }
  std::uint64_t any(std::uint64_t below) { return random_() % below; }

 private:
  std::mt19937_64 random_;
  std::string path_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Program> receiver_;
  std::set<std::uint64_t> in_hand_;
  std::uint32_t run_ = 0;
};

class Killed : public Chain, public ::testing::WithParamInterface<Row> {
 protected:
  void SetUp() override {
    Chain::SetUp();
    // What comes on the lines has no way back: the stack would drop it as spoofed.
    for (const char* where : {"all", "vethA_dst", "vethB_dst"})
      ASSERT_EQ(
          std::system(
              (std::string("echo 0 > /proc/sys/net/ipv4/conf/") + where + "/rp_filter").c_str()),
          0);
  }

  void start_next() {
    start(std::string(GetParam().mode) + (GetParam().keep_hook ? " --keep-hook" : ""));
  }
  /// After some deliveries, or while it starts.
  void kill_somewhere() {
    const bool while_it_starts = any(4) == 0;
    if (while_it_starts) {
      ::usleep(static_cast<useconds_t>(any(150'000)));
    } else {
      ASSERT_TRUE(receiver().wait_until_receiving()) << receiver().errors();
      const std::uint64_t deliveries = ledger().entries().size() + 1 + any(3'000);
      ASSERT_TRUE(wait_until([&] { return ledger().entries().size() >= deliveries; }))
          << "nothing is delivered\n"
          << receiver().errors();
      ::usleep(static_cast<useconds_t>(any(500)));
    }
    kill();
  }
};

std::set<std::uint64_t> gaps_of(const Json& summary) {
  std::set<std::uint64_t> gaps;
  for (const Json& gap : summary.at("gaps"))
    for (std::uint64_t i = 0; i < gap.at("count"); ++i)
      gaps.insert(gap.at("first").get<std::uint64_t>() + i);
  return gaps;
}

/// From the first number that was delivered to the last: once, or missing and said to be.
void expect_exact(const std::map<std::uint64_t, int>& times, const std::set<std::uint64_t>& gaps,
                  const std::set<std::uint64_t>& in_hand) {
  ASSERT_FALSE(times.empty());
  std::uint64_t twice = 0, lost = 0, delivered_and_missing = 0;
  std::ostringstream which;
  for (std::uint64_t number = times.begin()->first; number <= times.rbegin()->first; ++number) {
    const auto found = times.find(number);
    const int here = found == times.end() ? 0 : found->second;
    const bool is_missing = gaps.contains(number);
    const bool was_in_hand = in_hand.contains(number);
    if (here > (was_in_hand ? 2 : 1)) which << " twice " << number, ++twice;
    if (here == 0 && !is_missing) which << " lost " << number, ++lost;
    if (here > 0 && is_missing && !was_in_hand)
      which << " both " << number, ++delivered_and_missing;
  }
  EXPECT_EQ(twice, 0u) << which.str().substr(0, 400);
  EXPECT_EQ(lost, 0u) << "and no gap was said:" << which.str().substr(0, 400);
  EXPECT_EQ(delivered_and_missing, 0u) << which.str().substr(0, 400);
  EXPECT_TRUE(gaps.empty() || *gaps.rbegin() <= times.rbegin()->first);
}

TEST_P(Killed, TheFeedIsTheKernelsAndTheNextOneDeliversOnce) {
  EndlessFeed feed;
  start_next();
  for (std::uint64_t i = 0; i < kills(); ++i) {
    SCOPED_TRACE("kill " + std::to_string(i + 1));
    ASSERT_NO_FATAL_FAILURE(kill_somewhere());
    for (const char* interface : {"vethA_dst", "vethB_dst"})
      ASSERT_TRUE(kernel_gets_the_feed(interface)) << interface;
    start_next();
  }
  // Long enough to be told from the end of the one before.
  const std::size_t before = ledger().entries().size();
  ASSERT_TRUE(wait_until([&] { return ledger().entries().size() > before + 3'000; }));
  feed.end();
  const Json summary = end();
  EXPECT_TRUE(summary.at("balanced").get<bool>()) << summary.dump();
  EXPECT_FALSE(summary.at("gaps_truncated").get<bool>());
  EXPECT_EQ(ledger().wrong_bytes(), 0u);

  const auto own = delivered(last_run());
  const std::set<std::uint64_t> gaps = gaps_of(summary);
  EXPECT_EQ(summary.at("messages"), own.size());
  EXPECT_EQ(summary.at("gap_messages"), gaps.size());
  std::uint64_t first = own.begin()->first;
  if (!gaps.empty()) first = std::min(first, *gaps.begin());
  const Json& channel = summary.at("channels").at(0);
  EXPECT_EQ(own.size() + gaps.size() + channel.at("adopted").get<std::uint64_t>(),
            own.rbegin()->first - first + 1);

  if (GetParam().keep_hook) {
    expect_exact(delivered(), gaps, in_hand());
    EXPECT_LE(in_hand().size(), kills()) << "one packet of each that died";
    return;
  }
  EXPECT_EQ(channel.at("adopted"), 0);
  EXPECT_TRUE(in_hand().empty());
  expect_exact(own, gaps, {});
  for (std::uint32_t run = 1; run <= last_run(); ++run)
    for (const auto& [number, times] : delivered(run))
      EXPECT_EQ(times, 1) << number << " in run " << run;
}

/// [first, end), each as often.
void expect_times(const std::map<std::uint64_t, int>& times, std::uint64_t first, std::uint64_t end,
                  int wanted) {
  for (std::uint64_t number = first; number < end; ++number) {
    const auto found = times.find(number);
    ASSERT_EQ(found == times.end() ? 0 : found->second, wanted) << number;
  }
}

std::set<std::uint64_t> numbers(std::uint64_t first, std::uint64_t end) {
  std::set<std::uint64_t> all;
  for (std::uint64_t number = first; number < end; ++number) all.insert(all.end(), number);
  return all;
}

constexpr const char* kKeep = "native --keep-hook";

struct Hanging {
  const char* name;
  const char* option;
  int times;  ///< that the application has the message in the end
};

void PrintTo(const Hanging& row, std::ostream* stream) {
  *stream << row.name;
}

class InHand : public Chain, public ::testing::WithParamInterface<Hanging> {};

TEST_P(InHand, ItIsSaidAndDeliveredAgainWhereALineBringsIt) {
  start_and_wait(std::string(kKeep) + " --" + GetParam().option + " 500");
  feed(feed_on("A", 1, 1'000));
  wait_for(499);
  kill();
  start_and_wait(kKeep);
  feed(feed_on("B", 1, 1'000));
  wait_for(1'000);
  const Json summary = end();
  EXPECT_EQ(in_hand(), numbers(500, 501));
  EXPECT_TRUE(contains(receiver().errors(), "had messages 500 to 500")) << receiver().errors();
  EXPECT_TRUE(contains(receiver().errors(), "channel optiq: goes on at message "));
  expect_times(delivered(), 1, 500, 1);
  expect_times(delivered(), 500, 501, GetParam().times);
  expect_times(delivered(), 501, 1'001, 1);
  EXPECT_EQ(summary.at("gap_messages"), 0);
  EXPECT_EQ(summary.at("messages"), 501) << "its own";
  EXPECT_EQ(summary.at("lines").at(1).at("duplicate"), 499);
}

TEST_P(InHand, ItIsInTheGapWhereNoLineBringsIt) {
  start_and_wait(std::string(kKeep) + " --" + GetParam().option + " 500");
  feed(feed_on("AB", 1, 1'000));
  wait_for(499);
  kill();
  start_and_wait(kKeep);
  feed(feed_on("AB", 1'101, 100));
  const Json summary = end();
  EXPECT_EQ(in_hand(), numbers(500, 501));
  EXPECT_EQ(gaps_of(summary), numbers(500, 1'101));
  EXPECT_EQ(summary.at("messages"), 100);
  EXPECT_EQ(summary.at("gap_messages"), 601);
  EXPECT_EQ(summary.at("channels").at(0).at("adopted"), 0);
  for (const Json& line : summary.at("lines")) EXPECT_EQ(line.at("lost_messages"), 0);
}

INSTANTIATE_TEST_SUITE_P(Moments, InHand,
                         ::testing::Values(Hanging{"before", "hang-before", 1},
                                           Hanging{"after", "hang-after", 2}),
                         [](const auto& test) { return std::string(test.param.name); });

/// A jump that nothing has confirmed yet is in no epoch, so no memory says that it was delivered.
TEST_F(Chain, AJumpThatNobodyHasConfirmedIsSaid) {
  start_and_wait(kKeep);
  feed(feed_on("A", 1, 500));
  feed(feed_on("A", 100'000, 1));
  wait_for(501);
  kill();
  start_and_wait(kKeep);
  feed(feed_on("B", 1, 500));
  feed(feed_on("B", 100'000, 3));
  wait_for(504);
  const Json summary = end();
  EXPECT_EQ(in_hand(), numbers(100'000, 100'001));
  EXPECT_EQ(summary.at("messages"), 3);
  EXPECT_EQ(gaps_of(summary), numbers(501, 100'000));
}

/// The feed has no session, and nobody was there when it began again: copies of the old numbers
/// look the same, so the line that was further is what tells.
TEST_F(Chain, AFeedThatRestartedWhileNobodyWasThereLosesNothing) {
  start_and_wait(kKeep);
  feed(feed_on("AB", 1, 5'000));
  wait_for(5'000);
  kill();
  feed(feed_on("AB", 1, 300));
  start_and_wait(kKeep);
  feed(feed_on("AB", 301, 1'000));
  wait_for(6'000);
  const Json summary = end();
  expect_times(delivered(last_run()), 301, 1'301, 1);
  EXPECT_TRUE(in_hand().empty()) << "it had nothing to do when it died";
  EXPECT_EQ(summary.at("messages"), 1'000);
  EXPECT_EQ(summary.at("channels").at(0).at("epoch"), 2);
  EXPECT_TRUE(summary.at("balanced").get<bool>()) << summary.dump();
}

/// Line B came second, so that the hook dropped all of it: its mark alone knows how far the line
/// was. Without it the numbers that begin again on B would look like copies.
TEST_F(Chain, TheHooksMarkTellsWhereALineWas) {
  for (const bool is_killed : {true, false}) {
    SCOPED_TRACE(is_killed ? "killed" : "ended");
    const std::size_t before = ledger().entries().size();
    start_and_wait(std::string(kKeep) + (is_killed ? "" : " --channel again=optiq@any:30001"));
    feed(feed_on("A", 1, 5'000));
    wait_for(before + 5'000);
    feed(feed_on("B", 1, 5'000));
    if (is_killed)
      kill();
    else
      EXPECT_GT(end().at("lines").at(1).at("duplicate"), 4'000);
    start_and_wait(std::string(kKeep) + (is_killed ? "" : " --channel again=optiq@any:30001"));
    feed(feed_on("B", 2'001, 1'000));
    wait_for(before + 6'000);
    EXPECT_EQ(end().at("messages"), 1'000);
  }
}

/// It has said them. What a slower line brings of them all the same is delivered.
TEST_F(Chain, WhoEndsByItselfLeavesNoGapsToTheNextOne) {
  start_and_wait(kKeep);
  feed(feed_on("AB", 1, 1'000));
  feed(feed_on("A", 1'101, 1'000));
  wait_for(2'000);
  EXPECT_EQ(gaps_of(end()), numbers(1'001, 1'101));
  start_and_wait(kKeep);
  feed(feed_on("B", 1'001, 40));
  feed(feed_on("B", 1'061, 1'640));
  feed(feed_on("A", 2'201, 500));
  wait_for(2'680);
  const Json summary = end();
  EXPECT_TRUE(in_hand().empty());
  expect_times(delivered(), 1, 1'041, 1);
  expect_times(delivered(), 1'061, 2'701, 1);
  EXPECT_EQ(summary.at("gap_messages"), 0) << "from 1,041 on they were reported";
  EXPECT_EQ(summary.at("messages"), 680);
  EXPECT_EQ(summary.at("channels").at(0).at("adopted"), 2'701 - 1'001 - 680);
}

/// A memory is of a channel by name and framing, and of those alone that have had it ever since.
TEST_F(Chain, AnotherChannelBeginsAnewAndIsTheEndOfTheMemory) {
  start_and_wait(kKeep);
  feed(feed_on("A", 1, 500));
  wait_for(500);
  kill();
  start_and_wait(std::string(kKeep) + " --channel other=optiq@any:30001");
  feed(feed_on("B", 1, 500));
  wait_for(1'000);
  EXPECT_FALSE(contains(receiver().errors(), "goes on")) << receiver().errors();
  kill();
  start_and_wait(kKeep);
  feed(feed_on("A", 1, 500));
  wait_for(1'500);
  EXPECT_FALSE(contains(receiver().errors(), "goes on")) << receiver().errors();
  EXPECT_EQ(end().at("gap_messages"), 0);
  expect_times(delivered(), 1, 501, 3);
}

/// The hook may have been there before anybody asked for a memory: it gets one.
TEST_F(Chain, AHookThatWasThereIsGivenAMemory) {
  start_and_wait("native");
  feed(feed_on("A", 1, 500));
  wait_for(500);
  kill();
  start_and_wait(kKeep);
  feed(feed_on("A", 501, 500));
  wait_for(1'000);
  kill();
  start_and_wait("native");  // uses it, too
  feed(feed_on("B", 501, 600));
  wait_for(1'100);
  kill();
  start_and_wait("native");
  feed(feed_on("A", 1'001, 200));
  wait_for(1'200);
  EXPECT_EQ(end().at("gap_messages"), 0);
  expect_times(delivered(), 1, 1'201, 1);
}

using KilledFeeder = Chain;

/// In mid-batch: some packets of a batch have left, on each line another number of them.
TEST_F(KilledFeeder, LeavesNothingBehindAndTheNextOneGoesOn) {
  start_and_wait("native");
  std::uint64_t next = 1;
  for (std::uint64_t i = 0; i < kills(); ++i) {
    SCOPED_TRACE("feeder " + std::to_string(i + 1));
    {
      Program feeder(LINEARB_PROGRAM, fmt::format("feed --rate {} --first {}", feed_rate(), next));
      ASSERT_NO_FATAL_FAILURE(wait_for(ledger().entries().size() + 1 + any(2'000)));
      ::usleep(static_cast<useconds_t>(any(1'000)));
      feeder.signal(SIGKILL);
      EXPECT_EQ(feeder.wait(), -SIGKILL) << feeder.errors();
    }
    for (const char* interface : {"vethA_src", "vethB_src"})
      EXPECT_EQ(hook::attachment_of({interface, sys::interface_index(interface)}).program_id, 0u);
    wait_until_quiet();
    next = delivered().rbegin()->first + 1;
  }
  const Json summary = end();
  EXPECT_TRUE(summary.at("balanced").get<bool>()) << summary.dump();
  expect_exact(delivered(), gaps_of(summary), {});
  EXPECT_EQ(
      summary.at("messages").get<std::uint64_t>() + summary.at("gap_messages").get<std::uint64_t>(),
      next - 1);
  EXPECT_EQ(ledger().wrong_bytes(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Rows, Killed,
                         ::testing::Values(Row{"native", "native", false},
                                           Row{"generic", "generic", false},
                                           Row{"native_keep_hook", "native", true},
                                           Row{"generic_keep_hook", "generic", true}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace linearb::test
