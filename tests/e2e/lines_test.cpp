// SPDX-License-Identifier: Apache-2.0
//
// Lines whose interfaces go, come back, flap and change while a receiver runs:
//
//   situation                         the operator reads               what is delivered
//   interface deleted                 is gone; the other lines go on   what the others bring
//   there again                       is there again                   from it too, with new
//   sockets set down, and up                  is down; set it up / is up       the same sockets go
//   on more RX queues                    has 4 RX queues now              from all of them hook
//   detached by somebody         had lost its hook                attached again another program in
//   its place      has another XDP program (id)     what the others bring deleted while a packet is
//   held    is gone                          the held one is not lost
#include <filesystem>

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "e2e/arbitration.h"
#include "hook/attached.h"
#include "support/redirect_program.h"
#include "sys/interface.h"

namespace linearb::test {
namespace {

class Lines : public BothModes {
 protected:
  static void command(const std::string& text) { ASSERT_EQ(std::system(text.c_str()), 0) << text; }
  static bool wait_until_received_from_again(const Running& running) {
    return wait_until([&] {
      const std::vector<Event> events = running.events();
      return std::ranges::any_of(events, [](const Event& event) {
        return event.kind == Event::Kind::line_back || event.kind == Event::Kind::line_renewed;
      });
    });
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, Lines, ::testing::Values(Mode::native, Mode::generic), mode_name);

TEST_P(Lines, AnInterfaceThatIsDeletedLeavesTheOtherLineAndIsTakenBack) {
  Running running(options());
  feed(feed_on("AB", 1, 5'000));
  auto other = std::async(std::launch::async, [] { feed(feed_on("B", 5'001, 10'000)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  command("ip link del vethA_src");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone));
  other.get();
  lab::up({});
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
  feed(feed_on("A", 15'001, 5'000));
  feed(feed_on("AB", 20'001, 5'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 25'000);
  EXPECT_EQ(summary.messages, 25'000u);
  EXPECT_EQ(summary.gap_messages, 0u);
  EXPECT_EQ(summary.lines[0].packets, 15'000u);
  EXPECT_TRUE(contains(running.event_texts(), "line A: interface vethA_dst is gone"));
  EXPECT_TRUE(contains(running.event_texts(), "line A: interface vethA_dst is there again"));
}

TEST_P(Lines, InterfacesThatGoAndComeAgainAndAgainLoseNothing) {
  constexpr int kRounds = 8;
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t first = 1'001 + 2'000 * static_cast<std::uint64_t>(round);
    const std::string gone = round % 2 ? "A" : "B";
    const std::string stays = round % 2 ? "B" : "A";
    command("ip link del veth" + gone + "_src");
    feed(feed_on(stays, first, 1'000));
    lab::up({});
    const auto times = static_cast<std::ptrdiff_t>(round) + 1;
    ASSERT_TRUE(running.wait_for(Event::Kind::line_back, times)) << running.event_texts();
    feed(feed_on(gone, first + 1'000, 1'000));
  }
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 1'000 + 2'000 * kRounds);
  EXPECT_EQ(summary.gap_messages, 0u);
}

TEST_P(Lines, BothInterfacesMayGoAtOnce) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  lab::down();
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone, 2));
  lab::up({});
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back, 2)) << running.event_texts();
  feed(feed_on("AB", 1'001, 1'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 2'000);
}

TEST_P(Lines, AReceiverMayEndWhileAnInterfaceIsGone) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  command("ip link del vethA_src");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 1'000);
}

TEST_P(Lines, AnInterfaceThatIsDownIsSaidAndGoesOnWhenItIsUp) {
  Running running(options());
  feed(feed_on("AB", 1, 2'000));
  for (int flap = 1; flap <= 5; ++flap) {
    sys::set_interface_up("vethA_dst", false);
    ASSERT_TRUE(running.wait_for(Event::Kind::line_down, flap)) << running.event_texts();
    sys::set_interface_up("vethA_dst", true);
    ASSERT_TRUE(running.wait_for(Event::Kind::line_up, flap)) << running.event_texts();
  }
  feed(feed_on("A", 2'001, 2'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 4'000);
  EXPECT_TRUE(
      contains(running.event_texts(),
               "line A: interface vethA_dst is down; set it up (ip link set vethA_dst up)"));
}

TEST_P(Lines, AHookThatSomebodyDetachedIsAttachedAgain) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  const std::string mode = GetParam() == Mode::native ? "xdpdrv" : "xdpgeneric";
  command("ip link set dev vethA_dst " + mode + " off");
  EXPECT_TRUE(running.wait_for(Event::Kind::hook_again)) << running.event_texts();
  feed(feed_on("A", 1'001, 1'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 2'000);
}

TEST_P(Lines, AnotherProgramInPlaceOfTheHookIsSaidAndNotReplaced) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  const std::uint32_t flags = GetParam() == Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  {
    const RedirectProgram foreign("vethA_dst", flags);
    EXPECT_TRUE(running.wait_for(Event::Kind::hook_foreign)) << running.event_texts();
    feed(feed_on("AB", 1'001, 1'000));
  }
  EXPECT_TRUE(running.wait_for(Event::Kind::hook_again)) << running.event_texts();
  feed(feed_on("A", 2'001, 1'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 3'000);
  EXPECT_EQ(summary.lines[0].packets, 2'000u) << "what the foreign program took is not ours";
}

/// The numbers begin again after a pause: one such packet is held until a second one confirms it.
TEST_P(Lines, APacketThatIsHeldOutlivesItsInterface) {
  Running running(options());
  feed(feed_on("AB", 1, 3'000));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  feed(feed_on("A", 1, 1));
  command("ip link del vethA_src");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone));
  lab::up({});
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
  feed(feed_on("AB", 3'001, 1'000));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'200));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 4'000);
  EXPECT_EQ(summary.lines[0].packets, 4'001u);
}

bool has_program(const std::string& interface) {
  return hook::attachment_of({interface, sys::interface_index(interface)}).program_id != 0;
}

TEST_P(Lines, AnInterfaceThatWasRenamedAndNamedBackIsTakenBackAndLeftClean) {
  {
    Running running(options());
    feed(feed_on("AB", 1, 1'000));
    sys::set_interface_up("vethA_dst", false);
    command("ip link set vethA_dst name vethA_other");
    EXPECT_TRUE(running.wait_for(Event::Kind::line_gone)) << running.event_texts();
    feed(feed_on("B", 1'001, 1'000));
    command("ip link set vethA_other name vethA_dst");
    command("ip link set vethA_dst up");
    EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
    feed(feed_on("A", 2'001, 1'000));
    const Summary summary = running.end();
    expect_sound(summary, running);
    running.expect_once(1, 1, 3'000);
  }
  EXPECT_FALSE(has_program("vethA_dst")) << "what the receiver attached it takes off";
  EXPECT_FALSE(has_program("vethB_dst"));
}

TEST_P(Lines, AnInterfaceThatStaysUnderAnotherNameLosesTheHookAtTheEnd) {
  {
    Running running(options());
    feed(feed_on("AB", 1, 1'000));
    sys::set_interface_up("vethA_dst", false);
    command("ip link set vethA_dst name vethA_other");
    EXPECT_TRUE(running.wait_for(Event::Kind::line_gone)) << running.event_texts();
    const Summary summary = running.end();
    expect_sound(summary, running);
  }
  EXPECT_FALSE(has_program("vethA_other"));
  command("ip link set vethA_other name vethA_dst");
}

/// Its index is as before, and so, natively, is its hook: the sockets alone are dead.
TEST_P(Lines, AnInterfaceThatWasAwayInAnotherNetworkIsReceivedFromAgain) {
  Program host("unshare", "-n sleep 60");
  const std::string its_network = "/proc/" + std::to_string(host.pid()) + "/ns/net";
  ASSERT_TRUE(wait_until([&] {
    return std::filesystem::read_symlink(its_network) !=
           std::filesystem::read_symlink("/proc/self/ns/net");
  }));
  const std::string pid = std::to_string(host.pid());
  const std::string there_and_back = "ip link set vethA_dst netns " + pid + " && nsenter -t " +
                                     pid + " -n ip link set vethA_dst netns " +
                                     std::to_string(::getpid()) + " && ip link set vethA_dst up";
  {
    Running running(options());
    feed(feed_on("AB", 1, 1'000));
    command(there_and_back);
    EXPECT_TRUE(wait_until_received_from_again(running)) << running.event_texts();
    feed(feed_on("A", 1'001, 1'000));
    const Summary summary = running.end();
    EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
    running.expect_once(1, 1, 2'000);
  }
  EXPECT_FALSE(has_program("vethA_dst"));
}

TEST_P(Lines, AnInterfaceWithTheIndexOfTheOldOneIsReceivedFrom) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  const std::string index = std::to_string(sys::interface_index("vethA_dst"));
  command("ip link del vethA_src; ip link add vethA_src type veth peer name vethA_dst index " +
          index + " && ip link set vethA_src up && ip link set vethA_dst up");
  EXPECT_TRUE(wait_until_received_from_again(running)) << running.event_texts();
  feed(feed_on("A", 1'001, 1'000));
  const Summary summary = running.end();
  EXPECT_TRUE(summary.balanced) << text(summary.imbalances);
  running.expect_once(1, 1, 2'000);
  EXPECT_EQ(summary.gap_messages, 0u);
}

TEST_P(Lines, AnInterfaceThatComesBackWithALargerMtuIsSaidToBeTooLarge) {
  Running running(options());
  command("ip link del vethA_src");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone)) << running.event_texts();
  command("ip link add vethA_src mtu 3400 type veth peer name vethA_dst mtu 3400");
  command("ip link set vethA_src up");
  command("ip link set vethA_dst up");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
  EXPECT_TRUE(contains(running.event_texts(),
                       "is there again and received from; packets of more than 1792 bytes do not"))
      << running.event_texts();
  command("ip link set vethB_dst mtu 3000");
  EXPECT_TRUE(running.wait_for(Event::Kind::larger_mtu)) << running.event_texts();
  EXPECT_TRUE(contains(running.event_texts(), "line B: interface vethB_dst has an MTU of 3000; "));
  running.end();
}

/// What cannot be done is said once, and tried again until it can.
TEST_P(Lines, AnInterfaceThatComesBackWithAForeignProgramIsTakenBackWhenThatIsGone) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  command("ip link del vethA_src");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone));
  command("ip link add vethA_src type veth peer name vethA_dst");
  command("ip link set vethA_src up");
  {
    const std::uint32_t flags =
        GetParam() == Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    const RedirectProgram foreign("vethA_dst", flags);
    command("ip link set vethA_dst up");
    EXPECT_TRUE(running.wait_for(Event::Kind::trouble)) << running.event_texts();
    feed(feed_on("B", 1'001, 1'000));
  }
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
  feed(feed_on("A", 2'001, 1'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 3'000);
  EXPECT_TRUE(contains(running.event_texts(), "line A: vethA_dst has a foreign XDP program ("));
  const std::vector<Event> events = running.events();
  EXPECT_EQ(std::ranges::count(events, Event::Kind::trouble, &Event::kind), 1);
}

class Queues : public Lines {
 protected:
  lab::LabOptions lab_options() const override { return {.lines = 2, .queues = 4, .mtu = 1500}; }

  static void set_queues(const std::string& interface, std::uint32_t queues) {
    const sys::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&channels);
    ASSERT_EQ(::ioctl(socket.get(), SIOCETHTOOL, &request), 0);
    channels.cmd = ETHTOOL_SCHANNELS;
    channels.rx_count = channels.tx_count = queues;
    ASSERT_EQ(::ioctl(socket.get(), SIOCETHTOOL, &request), 0) << std::strerror(errno);
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, Queues, ::testing::Values(Mode::native, Mode::generic), mode_name);

TEST_P(Queues, AnInterfaceWithMoreQueuesIsReceivedFromOnAll) {
  // Natively a veth takes no fewer RX queues than its other end has TX queues.
  set_queues("vethA_src", 1);
  set_queues("vethA_dst", 1);
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  set_queues("vethA_dst", 4);
  set_queues("vethA_src", 4);
  EXPECT_TRUE(running.wait_for(Event::Kind::more_queues)) << running.event_texts();
  for (std::uint32_t queue = 0; queue < 4; ++queue) {
    auto lines = feed_on("A", 1'001 + 1'000 * queue, 1'000);
    lines.lines[0].queue = queue;
    feed(lines);
    running.wait_until_quiet();
  }
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 5'000);
  EXPECT_EQ(sum(summary, &LineSummary::no_receiver), 0u);
  EXPECT_TRUE(contains(running.event_texts(), "line A: interface vethA_dst has 4 RX queues now"));
}

TEST_P(Queues, AForeignProgramIsLeftAloneAlsoWhenThereAreMoreQueues) {
  set_queues("vethA_src", 1);
  set_queues("vethA_dst", 1);
  Running running(options());
  const std::uint32_t flags = GetParam() == Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  const RedirectProgram foreign("vethA_dst", flags);
  EXPECT_TRUE(running.wait_for(Event::Kind::hook_foreign)) << running.event_texts();
  const std::uint32_t before =
      hook::attachment_of({"vethA_dst", sys::interface_index("vethA_dst")}).program_id;
  set_queues("vethA_dst", 4);
  EXPECT_TRUE(running.wait_for(Event::Kind::more_queues)) << running.event_texts();
  EXPECT_EQ(hook::attachment_of({"vethA_dst", sys::interface_index("vethA_dst")}).program_id,
            before);
  EXPECT_TRUE(contains(running.event_texts(), GetParam() == Mode::native
                                                  ? "(ip link set dev vethA_dst xdpdrv off)"
                                                  : "(ip link set dev vethA_dst xdpgeneric off)"));
  running.end();
}

TEST_P(Queues, AnInterfaceMayComeBackWithFewerQueues) {
  Running running(options());
  feed(feed_on("AB", 1, 1'000));
  command("ip link del vethA_src");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_gone));
  command("ip link add vethA_src type veth peer name vethA_dst");
  command("ip link set vethA_src up");
  command("ip link set vethA_dst up");
  EXPECT_TRUE(running.wait_for(Event::Kind::line_back)) << running.event_texts();
  feed(feed_on("A", 1'001, 1'000));
  const Summary summary = running.end();
  expect_sound(summary, running);
  running.expect_once(1, 1, 2'000);
}

}  // namespace
}  // namespace linearb::test
