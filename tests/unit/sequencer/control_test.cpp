// SPDX-License-Identifier: Apache-2.0
//
// What a feed says of its numbers itself: resets, ends of session with a message, retransmissions,
// sessions that are numbered.
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "config/framing_file.h"
#include "sequencer/sequencer.h"

namespace linearb::sequencer {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint8_t A = 0;
constexpr std::uint8_t B = 1;

/// With sessions that rise, if they have bits.
config::Framing framing_of(lb_u8 session_bits) {
  config::Framing framing = config::builtin_framing("optiq");
  if (session_bits) framing.descriptor.flags |= LB_FRAMING_SESSIONS_RISE;
  framing.descriptor.session_bits = session_bits;
  return framing;
}

class Control : public ::testing::Test, private Decisions {
 protected:
  explicit Control(lb_u8 session_bits = 0) : framing(framing_of(session_bits)) {}

  struct Told {
    lb_kind kind = LB_KIND_DATA;
    std::uint64_t first = 0;
    std::uint32_t count = 1;
    std::uint64_t session = 0;
    std::string bytes{};
  };

  void push(std::uint8_t line, const Told& told) {
    Packet packet;
    packet.line = line;
    packet.kind = told.kind;
    packet.datagram = {told.first, told.session, told.count, 1};
    packet.arrival_ns = now_ns += kMs / 10;
    packet.place = place;
    payloads.push_back(told.bytes);
    packet.payload = {reinterpret_cast<const std::uint8_t*>(payloads.back().data()),
                      payloads.back().size()};
    sequencer.push(packet);
  }
  void send(std::uint8_t line, std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number)
      push(line,
           {.first = number, .bytes = "life " + std::to_string(life) + std::to_string(number)});
  }
  /// Its message has the number itself (NYSE); without one the number is the next one's (HKEX).
  void reset(std::uint8_t line, std::uint64_t first, const std::string& bytes = "reset") {
    push(line, {.kind = LB_KIND_RESET, .first = first, .count = messages, .bytes = bytes});
  }
  std::uint64_t delivered() const { return sequencer.messages(0); }
  std::uint64_t epoch() const { return sequencer.channel(0).newest_epoch(); }
  std::uint64_t missing() {
    sequencer.finish();
    return sequencer.channel(0).gap_messages();
  }
  std::uint64_t count_of(std::uint8_t line, Outcome outcome) const {
    return sequencer.line(line).of(outcome);
  }

  void decided(const Packet&, const Decision&) noexcept override {}

  std::uint64_t now_ns = 1000 * kMs;
  std::uint32_t messages = 1;
  std::uint32_t life = 1;
  std::int32_t place = LB_PLACE_UNKNOWN;
  const config::Framing framing;
  const std::vector<const lb_framing*> framings{&framing.descriptor};
  std::deque<std::string> payloads;
  Sequencer sequencer{framings, Settings{}, Sequencer::Dedup::window, *this};
};

TEST_F(Control, AResetBeginsAnEpochAtOnce) {
  send(A, 1, 500);
  now_ns += 50 * kMs;
  reset(A, 1);
  EXPECT_EQ(epoch(), 2u);
  send(A, 2, 300);
  EXPECT_EQ(delivered(), 800u);
  EXPECT_EQ(missing(), 0u);
}

TEST_F(Control, AResetWithoutAMessageSaysTheNextNumber) {
  messages = 0;
  send(A, 1, 500);
  now_ns += 50 * kMs;
  reset(A, 1);
  send(A, 1, 300);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 800u);
  EXPECT_EQ(count_of(A, Outcome::control), 1u);
  EXPECT_EQ(missing(), 0u);
}

/// The hook measures its place by the mark of the epoch that it ends.
TEST_F(Control, TheHooksPlaceOfAResetSaysNothing) {
  send(A, 1, 500);
  now_ns += 50 * kMs;
  place = 1 - 501;
  reset(A, 1);
  place = LB_PLACE_UNKNOWN;
  send(A, 2, 300);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 800u);
}

TEST_F(Control, TheSlowerLinesResetIsTheSame) {
  send(A, 1, 500);
  send(B, 1, 400);
  now_ns += 50 * kMs;
  reset(A, 1);
  send(A, 2, 300);
  send(B, 401, 500);
  now_ns += 50 * kMs;
  reset(B, 1);
  send(B, 2, 300);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 800u);
  EXPECT_EQ(missing(), 0u);
}

/// For seconds, and each with another time in it.
TEST_F(Control, AResetThatIsRepeatedIsOne) {
  send(A, 1, 500);
  send(B, 1, 500);
  now_ns += 50 * kMs;
  for (int second = 0; second < 3; ++second) {
    reset(A, 1, "at " + std::to_string(second));
    EXPECT_EQ(sequencer.channel(0).line_seen_ns(A), now_ns) << "it lives";
    now_ns += 1000 * kMs;
  }
  send(A, 2, 300);
  for (int second = 0; second < 3; ++second) {
    reset(B, 1, "at " + std::to_string(second));
    now_ns += 1000 * kMs;
  }
  send(B, 2, 300);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 800u);
  EXPECT_EQ(missing(), 0u);
}

TEST_F(Control, ACopyOfAResetThatComesLateIsNone) {
  send(A, 1, 500);
  now_ns += 50 * kMs;
  reset(A, 1);
  send(A, 2, 300);
  now_ns += 50 * kMs;
  reset(A, 1);
  send(A, 301, 400);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 900u);
}

TEST_F(Control, AResetThatWasOvertakenIsNone) {
  send(A, 1, 500);
  send(B, 1, 500);
  now_ns += 50 * kMs;
  reset(A, 1);
  send(A, 2, 30);
  reset(A, 1, "another");
  send(A, 31, 40);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 540u);
}

TEST_F(Control, ASecondResetBeginsAnotherEpoch) {
  send(A, 1, 500);
  for (int again = 0; again < 3; ++again) {
    now_ns += 50 * kMs;
    reset(A, 1, std::to_string(again));
    send(A, 2, 300);
  }
  EXPECT_EQ(epoch(), 4u);
  EXPECT_EQ(delivered(), 1400u);
  EXPECT_EQ(missing(), 0u);
}

/// By its bytes it is a copy of the first.
TEST_F(Control, ASecondResetOfTheSameBytesIsFoundByTheNumbersBehindIt) {
  send(A, 1, 500);
  for (life = 2; life <= 3; ++life) {
    now_ns += 100'000 * kMs;
    reset(A, 1);
    send(A, 2, 300);
  }
  EXPECT_EQ(epoch(), 3u);
  EXPECT_EQ(delivered(), 1100u);
  EXPECT_EQ(missing(), 0u);
}

/// Each of its resets is one that another line was the first to show.
TEST_F(Control, ALineThatIsTwoResetsBehindFollowsOneByOne) {
  send(A, 1, 500);
  send(B, 1, 400);
  for (int again = 0; again < 2; ++again) {
    now_ns += 50 * kMs;
    reset(A, 1, std::to_string(again));
    send(A, 2, again == 0 ? 200 : 300);
  }
  reset(B, 1, "0");
  life = 2;
  send(B, 2, 250);
  reset(B, 1, "1");
  send(B, 2, 300);
  EXPECT_EQ(epoch(), 3u);
  EXPECT_EQ(delivered(), 500u + 250 + 300);
  EXPECT_EQ(missing(), 0u);
}

/// The numbers between were never there.
TEST_F(Control, AResetToAHigherNumberLeavesNoGap) {
  send(A, 1, 500);
  send(B, 1, 500);
  reset(A, 9000);
  send(A, 9001, 9100);
  reset(B, 9000);
  send(B, 9001, 9200);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 701u);
  EXPECT_EQ(missing(), 0u);
  EXPECT_EQ(sequencer.lost_messages(A), 0u);
}

TEST_F(Control, AResetOpensASessionAtOnce) {
  send(A, 1, 500);
  push(A, {.kind = LB_KIND_RESET, .first = 1, .count = 0, .session = 7, .bytes = "start"});
  EXPECT_EQ(epoch(), 2u);
  push(A, {.first = 1, .session = 7});
  push(B, {.first = 500});
  push(B, {.kind = LB_KIND_RESET, .first = 1, .count = 0, .session = 7, .bytes = "start"});
  push(B, {.first = 1, .session = 7});
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 501u);
}

TEST_F(Control, AResetOfASessionThatIsOverIsNone) {
  send(A, 1, 500);
  for (const std::uint64_t session : {7, 8, 9})
    push(A, {.kind = LB_KIND_RESET, .first = 1, .count = 0, .session = session});
  push(B, {.kind = LB_KIND_RESET, .first = 1, .count = 0, .session = 7});
  EXPECT_EQ(epoch(), 4u);
}

TEST_F(Control, AResetBeforeAnythingElseBeginsTheFirstEpoch) {
  reset(A, 1);
  send(A, 2, 100);
  EXPECT_EQ(epoch(), 1u);
  EXPECT_EQ(delivered(), 100u);
}

TEST_F(Control, AResetWithNoNumberOfTheFeedIsNone) {
  send(A, 1, 100);
  push(A, {.kind = LB_KIND_RESET, .first = framing.descriptor.sequence_limit, .count = 0});
  EXPECT_EQ(epoch(), 1u);
}

/// OPRA's and CTA's is a message like others.
TEST_F(Control, AnEndOfSessionWithAMessageIsDelivered) {
  send(A, 1, 500);
  push(A, {.kind = LB_KIND_END_OF_SESSION, .first = 501});
  push(B, {.kind = LB_KIND_END_OF_SESSION, .first = 501});
  EXPECT_EQ(delivered(), 501u);
  EXPECT_EQ(count_of(A, Outcome::won), 501u);
  EXPECT_EQ(count_of(B, Outcome::duplicate), 1u);
}

TEST_F(Control, ARetransmissionFillsAHole) {
  send(A, 1, 100);
  send(A, 111, 200);
  now_ns += 200 * kMs;
  for (std::uint64_t number = 101; number <= 105; ++number)
    push(B, {.kind = LB_KIND_RETRANSMISSION, .first = number});
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 50});
  send(A, 201, 210);
  EXPECT_EQ(epoch(), 1u);
  EXPECT_EQ(delivered(), 205u);
  EXPECT_EQ(count_of(B, Outcome::duplicate), 1u);
  EXPECT_EQ(sequencer.channel(0).line_epoch(B), 0u) << "it has shown nothing";
  EXPECT_EQ(missing(), 5u);
}

/// Under one session, in a life that is over: what the newest has not come to yet.
TEST_F(Control, ARetransmissionFillsAHoleOfTheLifeBefore) {
  send(A, 1, 300);
  send(A, 311, 500);
  now_ns += 50 * kMs;
  reset(A, 1);
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 305});
  EXPECT_EQ(delivered(), 491u + 1);
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 305});
  EXPECT_EQ(count_of(B, Outcome::duplicate), 0u);
  send(A, 2, 400);
  EXPECT_EQ(missing(), 9u);
}

/// No line had brought the end of that session when the next one began.
TEST_F(Control, ARetransmissionFillsTheLostEndOfTheSessionBefore) {
  send(A, 1, 300);
  push(A, {.kind = LB_KIND_RESET, .first = 1, .count = 0, .session = 7, .bytes = "start"});
  push(A, {.first = 1, .session = 7});
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 305});
  EXPECT_EQ(delivered(), 302u);
  EXPECT_EQ(count_of(B, Outcome::won), 1u);
  EXPECT_EQ(missing(), 4u);
}

/// The one before began behind it, and cannot have missed it.
TEST_F(Control, ARetransmissionIsNotOfALifeThatBeganLater) {
  send(A, 800'000, 800'100);
  now_ns += 50 * kMs;
  reset(A, 1);
  send(A, 2, 40);
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 50});
  EXPECT_EQ(missing(), 9u);
}

TEST_F(Control, ARetransmissionNeverRestartsTheNumbers) {
  send(A, 1000, 1500);
  now_ns += 500 * kMs;
  for (std::uint64_t number = 1; number <= 50; ++number)
    push(A, {.kind = LB_KIND_RETRANSMISSION, .first = number});
  send(A, 1501, 1600);
  EXPECT_EQ(epoch(), 1u);
  EXPECT_EQ(delivered(), 651u);
}

TEST_F(Control, ARetransmissionOfNobodyKnowsWhatIsDeliveredOnce) {
  push(A, {.kind = LB_KIND_RETRANSMISSION, .first = 7, .bytes = "seven"});
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 7, .bytes = "seven"});
  send(A, 1'000'000, 1'000'100);
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 5'000'000, .bytes = "far"});
  EXPECT_EQ(epoch(), 1u);
  EXPECT_EQ(delivered(), 103u);
}

TEST_F(Control, ARetransmissionOfASessionThatIsOverIsOld) {
  send(A, 1, 10);
  for (const std::uint64_t session : {7, 8, 9})
    push(A, {.kind = LB_KIND_RESET, .first = 1, .count = 0, .session = session});
  push(B, {.kind = LB_KIND_RETRANSMISSION, .first = 5, .session = 7});
  EXPECT_EQ(count_of(B, Outcome::old_epoch), 1u);
}

class RisingSessions : public Control {
 protected:
  RisingSessions() : Control(3) {}
  void send_session(std::uint8_t line, std::uint64_t session, std::uint64_t last) {
    for (std::uint64_t number = 1; number <= last; ++number)
      push(line, {.first = number, .session = session});
  }
};

/// Which was never seen here.
TEST_F(RisingSessions, ALowerOneIsOver) {
  send_session(A, 3, 100);
  send_session(B, 2, 50);
  EXPECT_EQ(epoch(), 1u);
  EXPECT_EQ(count_of(B, Outcome::old_epoch), 50u);
  send_session(B, 4, 50);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 150u);
}

TEST_F(RisingSessions, GoRound) {
  for (const std::uint64_t session : {6, 7, 0, 1}) send_session(A, session, 100);
  EXPECT_EQ(epoch(), 4u);
  send_session(B, 6, 10);
  EXPECT_EQ(count_of(B, Outcome::old_epoch), 10u);
  EXPECT_EQ(delivered(), 400u);
}

TEST_F(RisingSessions, BeginAnewAfterAWhile) {
  send_session(A, 3, 100);
  now_ns += 100'000 * kMs;
  send_session(A, 1, 100);
  EXPECT_EQ(epoch(), 2u);
  EXPECT_EQ(delivered(), 200u);
}

}  // namespace
}  // namespace linearb::sequencer
