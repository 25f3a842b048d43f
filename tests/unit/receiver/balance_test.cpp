// SPDX-License-Identifier: Apache-2.0
#include "receiver/balance.h"

#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>

namespace linearb::receiver {
namespace {

/// Two lines, two sockets and a file: what a run of 100 packets a line looks like to each of them.
/// Line B lost a packet in the kernel, and one of its packets is still held.
Ledger balanced() {
  Ledger ledger;
  Ledger::Line a{.name = "A"};
  a.hook.packets = 100;
  a.hook.duplicate = 10;
  a.hook.claimed = 60;
  a.hook.passed_up = 20;
  a.hook.no_credit = 4;
  a.hook.not_feed = 3;
  a.hook.malformed = 2;
  a.hook.no_receiver = 1;
  a.judged = 80;
  a.decided = 80;
  Ledger::Line b{.name = "B"};
  b.hook.packets = 100;
  b.hook.duplicate = 70;
  b.hook.claimed = 25;
  b.hook.passed_up = 5;
  b.judged = 29;
  b.decided = 28;
  b.held = 1;
  b.kernel_lost = 1;
  ledger.lines = {a, b};
  ledger.sockets = {
      {.name = "vethA_dst queue 0", .redirected = 80, .received = 80},
      {.name = "vethB_dst queue 0", .redirected = 30, .received = 29, .kernel_lost = 1}};
  ledger.won_overlap_unsequenced = 90;
  ledger.delivered = 90;
  ledger.sequencer_messages = 270;
  ledger.delivered_messages = 270;
  ledger.written = 90;
  ledger.writes = true;
  return ledger;
}

TEST(Balance, HoldsWhereEveryPacketIsAccountedFor) {
  EXPECT_TRUE(imbalances(balanced()).empty());
  EXPECT_TRUE(imbalances({}).empty()) << "a run without a packet";
}

TEST(Balance, AsksForNoFileWhereNoneIsWritten) {
  Ledger ledger = balanced();
  ledger.writes = false;
  ledger.written = 0;
  EXPECT_TRUE(imbalances(ledger).empty());
}

/// A packet that is swallowed, or made up, at one stage, and the sentence that names the stage.
struct Swallowed {
  const char* stage;
  void (*swallow)(Ledger& ledger);
  std::vector<std::string> sentences;
};

void PrintTo(const Swallowed& row, std::ostream* out) {
  *out << row.stage;
}

const std::string kIntoTheHook = "line A: packets into the hook, ways out of it: ";
const std::string kIntoTheSequencer =
    "line A: packets redirected, packets handed to the sequencer or lost in the kernel: ";

const Swallowed kSwallowed[] = {
    {"into the hook",
     [](Ledger& ledger) { --ledger.lines[0].hook.packets; },
     {kIntoTheHook + "99 against 100"}},
    {"dropped as a duplicate",
     [](Ledger& ledger) { --ledger.lines[0].hook.duplicate; },
     {kIntoTheHook + "100 against 99"}},
    {"no credit",
     [](Ledger& ledger) { --ledger.lines[0].hook.no_credit; },
     {kIntoTheHook + "100 against 99"}},
    {"not the feed",
     [](Ledger& ledger) { --ledger.lines[0].hook.not_feed; },
     {kIntoTheHook + "100 against 99"}},
    {"malformed",
     [](Ledger& ledger) { --ledger.lines[0].hook.malformed; },
     {kIntoTheHook + "100 against 99"}},
    {"no receiver",
     [](Ledger& ledger) { --ledger.lines[0].hook.no_receiver; },
     {kIntoTheHook + "100 against 99"}},
    {"claimed",
     [](Ledger& ledger) { --ledger.lines[0].hook.claimed; },
     {kIntoTheHook + "100 against 99", kIntoTheSequencer + "79 against 80"}},
    {"passed up",
     [](Ledger& ledger) { --ledger.lines[0].hook.passed_up; },
     {kIntoTheHook + "100 against 99", kIntoTheSequencer + "79 against 80"}},
    {"between the ring and the sequencer",
     [](Ledger& ledger) {
       --ledger.lines[0].judged;
       --ledger.lines[0].decided;
     },
     {kIntoTheSequencer + "80 against 79"}},
    {"in the sequencer",
     [](Ledger& ledger) { --ledger.lines[0].decided; },
     {"line A: packets handed to the sequencer, packets decided: 80 against 79"}},
    {"held by the sequencer",
     [](Ledger& ledger) { --ledger.lines[1].held; },
     {"line B: packets handed to the sequencer, packets decided: 29 against 28"}},
    {"lost in the kernel, of a line",
     [](Ledger& ledger) { --ledger.lines[1].kernel_lost; },
     {"line B: packets redirected, packets handed to the sequencer or lost in the kernel: 30 "
      "against 29"}},
    {"out of the ring",
     [](Ledger& ledger) { --ledger.sockets[0].received; },
     {"vethA_dst queue 0: credits taken, packets received or lost in the kernel: 80 against 79"}},
    {"credit taken",
     [](Ledger& ledger) { --ledger.sockets[0].redirected; },
     {"vethA_dst queue 0: credits taken, packets received or lost in the kernel: 79 against 80"}},
    {"lost in the kernel, of a socket",
     [](Ledger& ledger) { --ledger.sockets[1].kernel_lost; },
     {"vethB_dst queue 0: credits taken, packets received or lost in the kernel: 30 against 29"}},
    {"a frame",
     [](Ledger& ledger) { ledger.sockets[1].frames_conserved = false; },
     {"vethB_dst queue 0: frames are missing or there twice"}},
    {"to the application",
     [](Ledger& ledger) {
       --ledger.delivered;
       --ledger.written;
     },
     {"packets decided to be delivered, packets delivered: 90 against 89"}},
    {"a message",
     [](Ledger& ledger) { --ledger.delivered_messages; },
     {"messages in the sequencer's memory, messages delivered: 270 against 269"}},
    {"to the file",
     [](Ledger& ledger) { --ledger.written; },
     {"packets delivered, packets written: 90 against 89"}},
};

class SwallowedPacket : public testing::TestWithParam<Swallowed> {};

TEST_P(SwallowedPacket, IsNamedByItsStage) {
  Ledger ledger = balanced();
  GetParam().swallow(ledger);
  EXPECT_EQ(imbalances(ledger), GetParam().sentences);
}

INSTANTIATE_TEST_SUITE_P(AtEachStage, SwallowedPacket, testing::ValuesIn(kSwallowed));

}  // namespace
}  // namespace linearb::receiver
