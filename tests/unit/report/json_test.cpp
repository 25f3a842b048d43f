// SPDX-License-Identifier: Apache-2.0
#include "report/json.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "fixed_summary.h"
#include "linearb/error.h"

namespace linearb::report {
namespace {

// Names, order and values: what scripts of users read.
constexpr const char* kGolden = R"({
  "packets": 1000101, "messages": 1000102, "gap_messages": 33,
  "gaps": [{"channel": "optiq", "epoch": 1, "first": 500, "count": 3},
           {"channel": "optiq", "epoch": 2, "first": 7000, "count": 30}],
  "gaps_truncated": true, "late_repairs": 36,
  "lines": [
    {"name": "A", "repair": false, "packets": 990001, "won": 800002, "duplicate": 100003, "overlap": 4,
     "unsequenced": 5, "late": 6, "old_epoch": 7, "control": 8, "unconfirmed": 9, "no_credit": 10,
     "no_receiver": 11, "malformed": 12, "not_feed": 13, "kernel_lost": 14, "passed_up": 15,
     "nic_lost": 16, "lost_messages": 10017, "divergent": 18, "mode": "native", "bind": "copy",
     "skew_ns": {"count": 19, "p50": 834, "p99": 50123, "max": 1234567}},
    {"name": "B", "repair": true, "packets": 880001, "won": 200001, "duplicate": 680000, "overlap": 0,
     "unsequenced": 0, "late": 0, "old_epoch": 0, "control": 0, "unconfirmed": 0, "no_credit": 0,
     "no_receiver": 0, "malformed": 0, "not_feed": 0, "kernel_lost": 0, "passed_up": 0,
     "nic_lost": 0, "lost_messages": 20, "divergent": 0, "mode": "generic", "bind": "zero-copy",
     "skew_ns": {"count": 0, "p50": 0, "p99": 0, "max": 0}}],
  "channels": [{"name": "optiq", "framing": "./own.toml", "messages": 1000103, "gap_messages": 34,
                "adopted": 35, "epoch": 2, "removed": true}],
  "balanced": false, "seconds": 2.5,
  "imbalances": ["line A: 990001 packets came in, 900105 are accounted for"],
  "lost_races": 21, "hook_cpus": 2, "written": 22000, "untrimmed": 23, "writer_waits": 24,
  "write_error": "no space", "injected": 37, "injected_delivered": 36
})";

TEST(SummaryJson, EveryFieldUnderItsNameAndInOrder) {
  EXPECT_EQ(to_json(fixed_summary()).dump(1), nlohmann::ordered_json::parse(kGolden).dump(1));
}

TEST(SummaryJson, GapsAreNullWhereIdentifiersHaveNoOrder) {
  Summary summary = fixed_summary();
  summary.gap_messages.reset();
  summary.gaps.reset();
  nlohmann::ordered_json json = to_json(summary);
  EXPECT_TRUE(json.at("gap_messages").is_null());
  EXPECT_TRUE(json.at("gaps").is_null());
}

TEST(SummaryJson, NoGapsAreAnEmptyArray) {
  Summary summary;
  summary.gap_messages = 0;
  summary.gaps.emplace();
  EXPECT_EQ(to_json(summary).at("gaps").dump(), "[]");
  EXPECT_EQ(to_json(summary).at("lines").dump(), "[]");
}

TEST(PrintJson, OneLineAlsoWhenANameIsNotUtf8) {
  char* text = nullptr;
  std::size_t length = 0;
  std::FILE* stream = ::open_memstream(&text, &length);
  print_json(stream, {{"name", "\xff"}, {"count", 1}});
  std::fclose(stream);
  EXPECT_EQ(std::string(text, length), "{\"name\":\"\xef\xbf\xbd\",\"count\":1}\n");
  std::free(text);
}

TEST(PrintJson, AStreamThatIsFullIsAnError) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  EXPECT_THROW(print_json(full, {{"count", 1}}), Error);
  std::fclose(full);
}

TEST(EventJson, HasWhatItsKindHas) {
  Event event;
  event.kind = Event::Kind::gap;
  event.text = "no line brought them";
  event.channel = "optiq";
  event.epoch = 3;
  event.first = 5;
  event.count = 2;
  event.time_ns = 1'795'851'060'012'345'678;
  EXPECT_EQ(to_json(event).dump(),
            R"({"time":"2026-11-28T07:31:00.012345678Z","event":"gap","channel":"optiq",)"
            R"("epoch":3,"first":5,"count":2,)"
            R"("text":"no line brought them"})");
  event.kind = Event::Kind::late_repair;
  event.lines = "B";
  event.text = "";
  EXPECT_EQ(to_json(event).dump(),
            R"({"time":"2026-11-28T07:31:00.012345678Z","event":"late_repair","channel":"optiq",)"
            R"("line":"B","epoch":3,"first":5,"count":2,"text":""})");
  event.kind = Event::Kind::line_state;
  event.state = LineState::silent;
  EXPECT_EQ(to_json(event).dump(),
            R"({"time":"2026-11-28T07:31:00.012345678Z","event":"line_state","channel":"optiq",)"
            R"("line":"B","state":"silent","text":""})");
  event.kind = Event::Kind::epoch;
  event.lines.clear();
  EXPECT_EQ(to_json(event).dump(),
            R"({"time":"2026-11-28T07:31:00.012345678Z","event":"epoch","channel":"optiq",)"
            R"("epoch":3,"first":5,"text":""})");
  event.kind = Event::Kind::events_lost;
  event.channel.clear();
  EXPECT_EQ(
      to_json(event).dump(),
      R"({"time":"2026-11-28T07:31:00.012345678Z","event":"events_lost","count":2,"text":""})");
  event.kind = Event::Kind::line_gone;
  event.lines = "A, B";
  event.interface = "eth1";
  EXPECT_EQ(to_json(event).dump(),
            R"({"time":"2026-11-28T07:31:00.012345678Z","event":"line_gone","line":"A, B",)"
            R"("interface":"eth1","text":""})");
}

}  // namespace
}  // namespace linearb::report
