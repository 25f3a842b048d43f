// SPDX-License-Identifier: Apache-2.0
#include "feeder/line_option.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "linearb/error.h"

namespace linearb::feeder {
namespace {

const std::array<std::string, 2> kLines{"A", "B"};
using Lines = std::array<LineImpairment, 2>;

const ImpairmentOption& option(std::string_view name) {
  auto options = impairment_options();
  auto found = std::find_if(options.begin(), options.end(),
                            [&](const ImpairmentOption& each) { return each.name == name; });
  EXPECT_NE(found, options.end()) << name;
  return *found;
}

Lines parse(std::string_view name, std::string_view text) {
  Lines lines;
  set_impairment(option(name), text, kLines, lines);
  return lines;
}

std::string refusal(std::string_view name, std::string_view text) {
  try {
    parse(name, text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(LineOption, SetsOneLineOrAll) {
  Lines one = parse("loss", "B=1%");
  EXPECT_EQ(one[0].loss, 0);
  EXPECT_EQ(one[1].loss, 0.01);
  Lines all = parse("loss", "0.25");
  EXPECT_EQ(all[0].loss, 0.25);
  EXPECT_EQ(all[1].loss, 0.25);
}

TEST(LineOption, ALaterOneWins) {
  Lines lines = parse("skew", "1ms");
  set_impairment(option("skew"), "B=50us", kLines, lines);
  EXPECT_EQ(lines[0].skew_ns, 1'000'000u);
  EXPECT_EQ(lines[1].skew_ns, 50'000u);
}

TEST(LineOption, ReadsEveryForm) {
  EXPECT_EQ(parse("loss", "100%")[0].loss, 1);
  EXPECT_EQ(parse("loss", "0")[0].loss, 0);
  EXPECT_EQ(parse("loss", "1e-3")[0].loss, 0.001);
  EXPECT_EQ(parse("skew", "7ns")[0].skew_ns, 7u);
  EXPECT_EQ(parse("skew", "1.5us")[0].skew_ns, 1'500u);
  EXPECT_EQ(parse("jitter", "2s")[0].jitter_ns, 2'000'000'000u);
  EXPECT_EQ(parse("skew", "60s")[0].skew_ns, kDelayMaxNs);
  EXPECT_EQ(parse("duplicate", "3%")[0].duplicate, 0.03);
  EXPECT_EQ(parse("corrupt", "4%")[0].corrupt, 0.04);
  BurstLoss burst = parse("burst-loss", "A=0.1%x20")[0].burst;
  EXPECT_EQ(burst.rate, 0.001);
  EXPECT_EQ(burst.mean_length, 20);
  LineImpairment reorder = parse("reorder", "2%x4")[1];
  EXPECT_EQ(reorder.reorder, 0.02);
  EXPECT_EQ(reorder.reorder_depth, 4u);
  EXPECT_EQ(parse("reorder", "2%")[1].reorder_depth, 1u);
}

TEST(LineOption, RefusesWhatCannotBe) {
  const std::pair<const char*, std::vector<const char*>> refused[] = {
      {"loss", {"", "%", "101%", "-1%", "1.01", "nan", "1 %", "1%%", "one", "A=", "A=B=1%", "0x1"}},
      {"burst-loss", {"1%", "1%x", "x20", "1%x0", "1%x0.5", "200%x2", "1%x1e9", "1%xinf"}},
      {"skew", {"", "1", "-1ms", "1min", "1m", "61s", "ms", "inf s", "infs", "nanms", "1ms "}},
      {"jitter", {"5"}},
      {"reorder", {"1%x0", "1%x65", "1%x", "x3", "1%x-1", "1%x1.5", "2"}},
      {"duplicate", {"200%"}},
      {"corrupt", {"-0.1"}},
  };
  for (const auto& [name, texts] : refused) {
    for (const char* text : texts) {
      std::string expected = std::string("--") + name + " " + text + ": accepted is " +
                             std::string(option(name).accepted) +
                             ", with LINE= in front for one line";
      EXPECT_EQ(refusal(name, text), expected);
    }
  }
}

TEST(LineOption, RefusesUnknownLines) {
  EXPECT_EQ(refusal("loss", "C=1%"), "--loss C=1%: there is no line 'C'; the lines are A, B");
  EXPECT_EQ(refusal("skew", "=1ms"), "--skew =1ms: there is no line ''; the lines are A, B");
}

TEST(LineOption, ARefusedValueChangesNothing) {
  Lines lines;
  EXPECT_THROW(set_impairment(option("burst-loss"), "1%x0", kLines, lines), UsageError);
  EXPECT_EQ(lines[0].burst.rate, 0);
}

TEST(LineOption, Counts) {
  const CountOption packing{"messages-per-packet", 1, 9};
  std::array<std::uint32_t, 2> counts{1, 1};
  set_count(packing, "A=3", kLines, counts);
  EXPECT_EQ(counts, (std::array<std::uint32_t, 2>{3, 1}));
  set_count(packing, "4", kLines, counts);
  EXPECT_EQ(counts, (std::array<std::uint32_t, 2>{4, 4}));
  for (const char* text : {"0", "10", "-1", "3.0", "A=", "x"}) {
    try {
      set_count(packing, text, kLines, counts);
      ADD_FAILURE() << "accepted " << text;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.what(), std::string("--messages-per-packet ") + text +
                                  ": accepted is a whole number from 1 to 9, with LINE= in front "
                                  "for one line");
    }
  }
}

}  // namespace
}  // namespace linearb::feeder
