// SPDX-License-Identifier: Apache-2.0
#include "report/text.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "fixed_summary.h"

namespace linearb::report {
namespace {

std::string printed(const Summary& summary) {
  char* text = nullptr;
  std::size_t length = 0;
  std::FILE* stream = ::open_memstream(&text, &length);
  print_summary(stream, summary);
  std::fclose(stream);
  std::string copy(text, length);
  std::free(text);
  return copy;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The columns have the width of what stands in them: a test of one row does not know it.
std::string with_single_spaces(std::string text) {
  auto is_second_space = [](char left, char right) { return left == ' ' && right == ' '; };
  text.erase(std::unique(text.begin(), text.end(), is_second_space), text.end());
  return text;
}

TEST(SummaryText, AQuietRunIsShort) {
  Summary summary;
  summary.packets = 99'998;
  summary.messages = 99'998;
  summary.gap_messages = 2;
  summary.gaps = {{"optiq", 1, 7'000, 2}};
  LineSummary a;
  a.name = "A";
  a.packets = 99'000;
  a.won = 98'900;
  a.duplicate = 100;
  a.lost_messages = 1'000;
  a.mode = "native";
  a.bind = "copy";
  LineSummary b;
  b.name = "B";
  b.packets = 98'000;
  b.won = 1'098;
  b.duplicate = 96'902;
  b.lost_messages = 2'000;
  b.mode = "native";
  b.bind = "copy";
  b.skew_ns = {6'000, 50'123, 81'000, 1'234'567};
  summary.lines = {a, b};
  summary.balanced = true;
  summary.seconds = 2;
  EXPECT_EQ(printed(summary),
            "delivered  99,998 packets with 99,998 messages in 2.00 s, 49,999 packets/s\n"
            "missing    2 messages on every line\n"
            "           optiq epoch 1: 7000 to 7001\n"
            "balanced   every packet is accounted for\n"
            "\n"
            "line                 A        B\n"
            "packets         99,000   98,000   seen by the hook\n"
            "won             98,900    1,098   delivered: this line was first\n"
            "duplicate          100   96,902   nothing new\n"
            "packets/s       49,500   49,000\n"
            "lost messages    1,000    2,000   numbers that the line skipped\n"
            "repaired           998    1,998   of them, brought by another line\n"
            "skew, median         -  50.1 us   how far its copies came behind the winner\n"
            "skew, 99 %           -  81.0 us\n"
            "skew, longest        -  1.23 ms\n"
            "hook            native   native   mode of the XDP program\n"
            "socket            copy     copy   how packets come up\n");
}

TEST(SummaryText, EveryCounterThatMovedHasARow) {
  std::string text = with_single_spaces(printed(fixed_summary()));
  for (const char* row : {"packets 990,001 880,001 ",
                          "won 800,002 200,001 ",
                          "overlap 4 0 ",
                          "unsequenced 5 0 ",
                          "duplicate 100,003 680,000 ",
                          "late 6 0 ",
                          "old epoch 7 0 ",
                          "control 8 0 ",
                          "unconfirmed 9 0 ",
                          "no credit 10 0 ",
                          "no receiver 11 0 ",
                          "malformed 12 0 ",
                          "not feed 13 0 ",
                          "kernel lost 14 0 ",
                          "NIC lost 16 0 ",
                          "divergent 18 0 ",
                          "lost messages 10,017 20 ",
                          "repaired 9,984 0 ",
                          "hook native generic ",
                          "socket copy zero-copy "}) {
    EXPECT_TRUE(contains(text, row)) << row << "\nis not in\n" << text;
  }
}

TEST(SummaryText, OfCapturesSaysNothingOfAHook) {
  Summary summary = fixed_summary();
  for (LineSummary& line : summary.lines) line.mode = line.bind = "";
  std::string text = with_single_spaces(printed(summary));
  for (const char* row : {"packets 990,001 880,001 in the capture\n",
                          "malformed 12 0 not of the channel's framing, or cut off\n",
                          "not feed 13 0 no configured channel\n"}) {
    EXPECT_TRUE(contains(text, row)) << row << "\nis not in\n" << text;
  }
  for (const char* row : {"\nhook ", "\nsocket "}) EXPECT_FALSE(contains(text, row)) << text;
}

TEST(SummaryText, SaysWhatDoesNotAddUp) {
  EXPECT_TRUE(contains(printed(fixed_summary()),
                       "NOT BALANCED\n"
                       "           line A: 990001 packets came in, 900105 are accounted for\n"));
}

TEST(SummaryText, SaysWhatWasWritten) {
  EXPECT_TRUE(
      contains(printed(fixed_summary()),
               "written    22,000 packets, 23 of them whole though only a part was new; the "
               "receiver waited 24 times for the writer\n"));
}

TEST(SummaryText, SaysWhatCameTooLateForItsPlace) {
  EXPECT_TRUE(contains(printed(fixed_summary()),
                       "late       36 messages came when nobody waited for them any more\n"));
  EXPECT_FALSE(contains(printed(Summary{}), "nobody waited"));
}

TEST(SummaryText, ShowsFiveGapsAndCountsTheOthers) {
  Summary summary;
  summary.gap_messages = 7;
  summary.gaps.emplace();
  for (std::uint64_t first = 10; first < 80; first += 10)
    summary.gaps->push_back({"optiq", 1, first, 1});
  EXPECT_TRUE(contains(printed(summary), "epoch 1: 50 to 50\n           and 2 other gaps\n"));
  summary.gaps_truncated = true;
  EXPECT_TRUE(contains(printed(summary), "           and at least 2 other gaps\n"));
}

TEST(SummaryText, SaysThatGapsAreUnknownWhereIdentifiersHaveNoOrder) {
  Summary summary = fixed_summary();
  summary.gap_messages.reset();
  summary.gaps.reset();
  std::string text = printed(summary);
  EXPECT_TRUE(contains(text, "missing    unknown: the identifiers have no order\n"));
  EXPECT_FALSE(contains(text, "repaired"));
}

}  // namespace
}  // namespace linearb::report
