// SPDX-License-Identifier: Apache-2.0
#include "sequencer/feed_event.h"

#include <gtest/gtest.h>

namespace linearb::sequencer {
namespace {

std::string text_of(const Notice& notice, const std::string& line = "") {
  return feed_event(notice, "optiq", line, 7).text;
}

TEST(FeedEvent, SaysInOneLineWhatHappened) {
  Notice notice;
  notice.epoch = 2;
  notice.first = 5;
  notice.count = 1;
  EXPECT_EQ(text_of(notice), "channel optiq: no line brought message 5 (epoch 2)");
  notice.count = 3;
  EXPECT_EQ(text_of(notice), "channel optiq: no line brought messages 5 to 7 (epoch 2)");
  notice.kind = Notice::Kind::late_repair;
  EXPECT_EQ(text_of(notice), "channel optiq: messages 5 to 7 of a gap came after all (epoch 2)");
  EXPECT_EQ(text_of(notice, "B"),
            "channel optiq: messages 5 to 7 of a gap came after all, on line B (epoch 2)");
  notice.kind = Notice::Kind::epoch;
  EXPECT_EQ(text_of(notice), "channel optiq: epoch 2 begins with message 5");
}

TEST(FeedEvent, SaysHowALineIsDoing) {
  Notice notice;
  notice.kind = Notice::Kind::line;
  const auto text = [&](Condition condition) {
    notice.condition = condition;
    return text_of(notice, "B");
  };
  EXPECT_EQ(text(Condition::up), "channel optiq: line B is up, without a loss for a while");
  EXPECT_EQ(text(Condition::degraded), "channel optiq: line B is degraded: it loses messages");
  EXPECT_EQ(text(Condition::silent), "channel optiq: line B is silent: it brings nothing");
  EXPECT_EQ(text(Condition::down), "channel optiq: line B is down, as its interface is");
  EXPECT_EQ(text(Condition::back), "channel optiq: line B is back");
}

TEST(FeedEvent, HasWhatTheNoticeHas) {
  Notice notice;
  notice.kind = Notice::Kind::late_repair;
  notice.epoch = 2;
  notice.first = 5;
  notice.count = 3;
  const Event event = feed_event(notice, "pitch/3", "B", 1234);
  EXPECT_EQ(event.kind, Event::Kind::late_repair);
  EXPECT_EQ(event.channel, "pitch/3");
  EXPECT_EQ(event.lines, "B");
  EXPECT_EQ(event.epoch, 2u);
  EXPECT_EQ(event.first, 5u);
  EXPECT_EQ(event.count, 3u);
  EXPECT_EQ(event.time_ns, 1234u);
}

TEST(FeedEvent, EachKindHasAName) {
  EXPECT_STREQ(name_of(Event::Kind::line_gone), "line_gone");
  EXPECT_STREQ(name_of(Event::Kind::trouble), "trouble");
  EXPECT_STREQ(name_of(Event::Kind::gap), "gap");
  EXPECT_STREQ(name_of(Event::Kind::late_repair), "late_repair");
  EXPECT_STREQ(name_of(Event::Kind::epoch), "epoch");
  EXPECT_STREQ(name_of(Event::Kind::line_state), "line_state");
  EXPECT_STREQ(name_of(Event::Kind::events_lost), "events_lost");
  EXPECT_STREQ(name_of(LineState::back), "back");
}

}  // namespace
}  // namespace linearb::sequencer
