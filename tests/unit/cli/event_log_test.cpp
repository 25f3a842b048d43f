// SPDX-License-Identifier: Apache-2.0
#include "cli/event_log.h"

#include <filesystem>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "linearb/error.h"
#include "support/json_lines.h"

namespace linearb::cli {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

Event gap(std::uint64_t first, std::uint64_t time_ns = kSecond) {
  Event event;
  event.kind = Event::Kind::gap;
  event.text = "channel optiq: gap at " + std::to_string(first);
  event.channel = "optiq";
  event.first = first;
  event.count = 2;
  event.epoch = 1;
  event.time_ns = time_ns;
  return event;
}

class EventLogTest : public testing::Test {
 protected:
  ~EventLogTest() override { std::filesystem::remove(path_); }

  std::vector<nlohmann::json> written() const { return test::read_json_lines(path_); }

  std::string path_ = testing::TempDir() + "linearb_events_" + std::to_string(::getpid());
};

TEST_F(EventLogTest, WritesAllAndShowsSome) {
  testing::internal::CaptureStderr();
  EventLog log(path_);
  for (std::uint64_t i = 1; i <= 50; ++i) log.tell(gap(i));
  EXPECT_EQ(written().size(), 50u) << "each is there when it was told";
  EXPECT_EQ(written()[49]["first"], 50);
  log.tell(gap(51, 2 * kSecond));
  log.tell(gap(52, 2 * kSecond));
  EXPECT_EQ(log.finish(), "");
  std::istringstream shown(testing::internal::GetCapturedStderr());
  std::vector<std::string> lines;
  for (std::string line; std::getline(shown, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 23u);
  EXPECT_EQ(lines[0], "linearb: channel optiq: gap at 1");
  EXPECT_EQ(lines[19], "linearb: channel optiq: gap at 20");
  EXPECT_EQ(lines[20], "linearb: 30 more events: " + path_);
  EXPECT_EQ(lines[21], "linearb: channel optiq: gap at 51");
}

TEST_F(EventLogTest, SaysAtTheEndWhatWasLeftOut) {
  testing::internal::CaptureStderr();
  EventLog log("");
  for (std::uint64_t i = 1; i <= 25; ++i) log.tell(gap(i));
  log.finish();
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                "linearb: 5 more events; --events FILE keeps all of them\n"),
            std::string::npos);
}

TEST_F(EventLogTest, AFirstEpochIsWrittenAndNotShown) {
  testing::internal::CaptureStderr();
  EventLog log(path_);
  Event event;
  event.kind = Event::Kind::epoch;
  event.epoch = 1;
  event.text = "the first";
  log.tell(event);
  event.epoch = 2;
  event.text = "the second";
  log.tell(event);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "linearb: the second\n");
  EXPECT_EQ(written().size(), 2u);
}

TEST_F(EventLogTest, GoesOnBehindWhatIsThere) {
  for (const std::uint64_t first : {1, 2}) {
    testing::internal::CaptureStderr();
    EventLog(path_).tell(gap(first));
    testing::internal::GetCapturedStderr();
  }
  ASSERT_EQ(written().size(), 2u);
  EXPECT_EQ(written()[1]["first"], 2);
}

TEST_F(EventLogTest, AFileThatWasMovedAwayIsMadeAgain) {
  testing::internal::CaptureStderr();
  EventLog log(path_);
  log.tell(gap(1));
  std::filesystem::rename(path_, path_ + ".1");
  log.tell(gap(2));
  log.reopen();
  log.tell(gap(3));
  testing::internal::GetCapturedStderr();
  ASSERT_EQ(written().size(), 1u);
  EXPECT_EQ(written()[0]["first"], 3);
  std::filesystem::remove(path_ + ".1");
}

TEST_F(EventLogTest, AFileThatCannotBeOpenedIsRefused) {
  try {
    EventLog log("/nowhere/events.json");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "--events /nowhere/events.json: cannot write it: No such file or directory");
  }
}

TEST_F(EventLogTest, AFullDiskIsSaidOnce) {
  testing::internal::CaptureStderr();
  EventLog log("/dev/full");
  log.tell(gap(1));
  log.tell(gap(2));
  const std::string shown = testing::internal::GetCapturedStderr();
  const std::string error = log.finish();
  EXPECT_NE(error.find("--events /dev/full: "), std::string::npos) << error;
  EXPECT_NE(error.find("No space left"), std::string::npos) << error;
  EXPECT_EQ(shown.find(error), shown.rfind(error));
  EXPECT_NE(shown.find("gap at 2"), std::string::npos) << "people are told on";
}

}  // namespace
}  // namespace linearb::cli
