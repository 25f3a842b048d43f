// SPDX-License-Identifier: Apache-2.0
//
// What numbers do, on the real path. The stories of the sequencer (unit/sequencer) have more of it,
// without a kernel.
#include <cctype>

#include "e2e/played.h"

namespace linearb::test {
namespace {

using namespace std::chrono_literals;

/// A row: whatever it tells, Played::complaint() has to be empty.
struct Numbers {
  const char* title;
  void (*tell)(Played&);
  /// What else has to hold, after the end.
  void (*check)(const Played&) = nullptr;
  const char* framing = "moldudp64";
  unsigned lines = 2;
  Checksum checksum = Checksum::ignore;
};

void PrintTo(const Numbers& row, std::ostream* out) {
  *out << row.title;
}

std::string name_of(const testing::TestParamInfo<Numbers>& info) {
  std::string name;
  bool begins_word = true;
  for (const char* letter = info.param.title; *letter; ++letter) {
    const bool is_word = std::isalnum(static_cast<unsigned char>(*letter)) != 0;
    if (is_word) name += begins_word ? static_cast<char>(std::toupper(*letter)) : *letter;
    begins_word = !is_word;
  }
  return name;
}

ReceiverOptions options_for(const char* framing, unsigned lines, Checksum checksum) {
  ReceiverOptions options;
  options.lines = lines_of(lines, false);
  options.channels = {{"played", framing, {0, 30'001}, {}}};
  options.checksum = checksum;
  return options;
}

class NumbersTest : public LabTest, public testing::WithParamInterface<Numbers> {
 protected:
  lab::LabOptions lab_options() const override { return {.lines = GetParam().lines}; }
};

TEST_P(NumbersTest, AreArbitrated) {
  Played played(options_for(GetParam().framing, GetParam().lines, GetParam().checksum));
  GetParam().tell(played);
  played.play();
  EXPECT_EQ(played.complaint(), "");
  if (GetParam().check) GetParam().check(played);
}

template <std::uint64_t kEpoch>
void expect_epoch(const Played& played) {
  EXPECT_EQ(played.epoch(), kEpoch);
}

/// Lives under one session, each after a pause.
void tell_lives(LineScript& line, int lives, std::uint64_t last) {
  line.sends(1, last);
  for (int life = 2; life <= lives; ++life) line.waits(80ms).restarts().sends(1, last);
}

constexpr std::uint64_t kFar = 3'000'000'000;
constexpr std::uint64_t kBeyondTheWindow = 1'000'000;

const Numbers kStarts[] = {
    {"a start in mid-stream",
     [](Played& played) {
       played.line(A).sends(1ull << 40, (1ull << 40) + 800);
       played.line(B).waits(10ms).sends(1ull << 40, (1ull << 40) + 800);
     },
     expect_epoch<1>},
    {"a start in mid-stream, B brings the numbers before the first of A",
     [](Played& played) {
       played.line(A).sends(5001, 6000);
       played.line(B).sends(4501, 6000);
     },
     expect_epoch<1>},
    {"three lines, each with losses of its own",
     [](Played& played) {
       played.line(A).sends(1, 99).loses(100, 149).sends(150, 800);
       played.line(B).waits(1ms).sends(1, 119).loses(120, 199).sends(200, 800);
       played.line(C).waits(2ms).sends(1, 129).loses(130, 139).sends(140, 800);
     },
     [](const Played& played) { EXPECT_EQ(played.summary().gap_messages, 10u); }, "moldudp64", 3},
};

const Numbers kWraps[] = {
    {"32 bits wrap, in step",
     [](Played& played) {
       for (const std::size_t line : {A, B})
         played.line(line).sends(4'294'966'800, 4'294'967'295).restarts().sends(1, 500);
     },
     expect_epoch<2>, "cboe-pitch"},
    {"32 bits wrap, B behind",
     [](Played& played) {
       played.line(A).sends(4'294'966'800, 4'294'967'295).restarts().sends(1, 500);
       played.line(B).waits(20ms).sends(4'294'966'800, 4'294'967'295).restarts().sends(1, 500);
     },
     expect_epoch<2>, "cboe-pitch"},
};

const Numbers kRestarts[] = {
    {"a new session within the window, B behind",
     [](Played& played) {
       played.line(A).sends(1, 800).opens_session("second").sends(1, 500);
       played.line(B).waits(50ms).sends(1, 800).opens_session("second").sends(1, 500);
     },
     expect_epoch<2>},
    {"a new session beyond the window, B behind",
     [](Played& played) {
       for (const std::size_t line : {A, B}) {
         if (line == B) played.line(B).waits(50ms);
         played.line(line).sends(kBeyondTheWindow, kBeyondTheWindow + 500);
         played.line(line).opens_session("second").sends(1, 500);
       }
     },
     expect_epoch<2>},
    {"the same session within the window, in step",
     [](Played& played) {
       for (const std::size_t line : {A, B}) tell_lives(played.line(line), 2, 800);
     },
     expect_epoch<2>},
    {"the same session within the window, B behind",
     [](Played& played) {
       tell_lives(played.line(A), 2, 800);
       tell_lives(played.line(B).waits(50ms), 2, 800);
     },
     expect_epoch<2>},
    {"the same session beyond the window, B behind",
     [](Played& played) {
       for (const std::size_t line : {A, B}) {
         if (line == B) played.line(B).waits(50ms);
         played.line(line).sends(kBeyondTheWindow, kBeyondTheWindow + 500);
         played.line(line).waits(80ms).restarts().sends(1, 500);
       }
     },
     expect_epoch<2>},
    {"the slower line alone carries the old epoch's tail",
     [](Played& played) {
       played.line(A).sends(1, 700).loses(701, 800).waits(80ms).restarts().sends(1, 500);
       tell_lives(played.line(B).waits(120ms), 2, 800);
     },
     expect_epoch<2>},
    {"of three lines the slowest carries the tail",
     [](Played& played) {
       for (const std::size_t line : {A, B})
         played.line(line).sends(1, 700).loses(701, 800).waits(80ms).restarts().sends(1, 500);
       tell_lives(played.line(C).waits(120ms), 2, 800);
     },
     expect_epoch<2>, "moldudp64", 3},
    {"two restarts in a row, B behind both",
     [](Played& played) {
       tell_lives(played.line(A), 3, 200);
       tell_lives(played.line(B).waits(60ms), 3, 200);
     },
     expect_epoch<3>},
    {"B away across a restart",
     [](Played& played) {
       played.line(A).sends(1, 1000).waits(80ms).restarts().sends(1, 500);
       played.line(B).sends(1, 800).waits(130ms).restarts().sends(301, 500);
     },
     expect_epoch<2>},
};

const Numbers kDoubtful[] = {
    {"a number from the far future",
     [](Played& played) {
       played.line(A).sends(1, 500).sends_poison(kFar).sends(501, 1000);
       played.line(B).waits(5ms).sends(1, 1000);
     },
     [](const Played& played) {
       EXPECT_EQ(played.poison_delivered(), 1u);
       EXPECT_EQ(played.epoch(), 1u);
       EXPECT_EQ(played.summary().lines[A].lost_messages, 0u);
     }},
    {"a number from the far future on each line",
     [](Played& played) {
       played.line(A).sends(1, 500).sends_poison(kFar).sends(501, 1000);
       played.line(B).sends(1, 500).sends_poison(kFar + 1'000'000).sends(501, 1000);
     },
     expect_epoch<1>},
    {"every packet twice",
     [](Played& played) {
       for (const std::size_t line : {A, B})
         played.line(line).repeats_each_after(0ms).sends(1, 800);
     },
     expect_epoch<1>},
    // Later than 20 ms it would be a restart, and the sender shares its CPU.
    {"every packet again 4 ms later",
     [](Played& played) {
       for (const std::size_t line : {A, B})
         played.line(line).repeats_each_after(4ms).sends(1, 800);
     },
     expect_epoch<1>},
    {"pairs change their places, B behind",
     [](Played& played) {
       played.line(A).sends_pairs_swapped(1, 800);
       played.line(B).waits(30ms).sends_pairs_swapped(1, 800);
     },
     [](const Played& played) {
       EXPECT_EQ(played.epoch(), 1u);
       EXPECT_EQ(played.summary().lines[A].lost_messages, 0u);
     }},
    {"pairs change their places and come twice",
     [](Played& played) {
       for (const std::size_t line : {A, B})
         played.line(line).repeats_each_after(0ms).sends_pairs_swapped(1, 800);
     },
     expect_epoch<1>},
    {"a number that stands still",
     [](Played& played) {
       for (const std::size_t line : {A, B}) {
         played.line(line).sends(1, 500);
         for (int i = 0; i < 300; ++i) played.line(line).sends(500, 500);
         played.line(line).sends(501, 1000);
       }
     },
     expect_epoch<1>},
    {"heartbeats whose number stands still",
     [](Played& played) {
       for (const std::size_t line : {A, B}) {
         played.line(line).sends(1, 500);
         for (int i = 0; i < 20; ++i) played.line(line).announces(501).waits(5ms);
         played.line(line).sends(501, 1000);
       }
     },
     [](const Played& played) {
       EXPECT_EQ(played.epoch(), 1u);
       EXPECT_EQ(played.summary().lines[A].control + played.summary().lines[B].control, 40u);
     }},
};

/// Within what is believed: the checksum alone can tell.
constexpr std::uint64_t kNear = 900;

const Numbers kDamaged[] = {
    {"a damaged number where checksums are verified",
     [](Played& played) {
       played.line(A).sends(1, 500).sends_poison(kNear).sends(501, 1000);
       played.line(B).waits(10ms).sends(1, 1000);
     },
     [](const Played& played) {
       EXPECT_EQ(played.poison_delivered(), 0u);
       EXPECT_EQ(played.summary().lines[A].malformed, 1u);
     },
     "moldudp64", 2, Checksum::verify},
    {"a damaged count where checksums are verified",
     [](Played& played) {
       played.line(A).packs(3).sends(1, 600).sends_cut(601, 603).sends(604, 900);
       played.line(B).waits(10ms).packs(3).sends(1, 900);
     },
     [](const Played& played) { EXPECT_EQ(played.summary().lines[A].malformed, 1u); }, "moldudp64",
     2, Checksum::verify},
    {"a damaged count where they are not, B behind",
     [](Played& played) {
       played.line(A).packs(3).sends(1, 600).sends_cut(601, 603).sends(604, 900);
       played.line(B).waits(200ms).packs(3).sends(1, 900);
     },
     [](const Played& played) { EXPECT_EQ(played.summary().lines[A].malformed, 1u); }},
};

INSTANTIATE_TEST_SUITE_P(Starts, NumbersTest, testing::ValuesIn(kStarts), name_of);
INSTANTIATE_TEST_SUITE_P(Wraps, NumbersTest, testing::ValuesIn(kWraps), name_of);
INSTANTIATE_TEST_SUITE_P(Restarts, NumbersTest, testing::ValuesIn(kRestarts), name_of);
INSTANTIATE_TEST_SUITE_P(Doubtful, NumbersTest, testing::ValuesIn(kDoubtful), name_of);
INSTANTIATE_TEST_SUITE_P(Damaged, NumbersTest, testing::ValuesIn(kDamaged), name_of);

using NumbersLimit = LabTest;

/// As README.md says: a number close ahead is believed, and the message that it should be of is a
/// duplicate on every line.
TEST_F(NumbersLimit, WithoutVerifyADamagedNumberCloseAheadIsBelieved) {
  Played played(options_for("moldudp64", 2, Checksum::ignore));
  played.line(A).sends(1, 500).sends_poison(kNear).sends(501, 1000);
  played.line(B).waits(10ms).sends(1, 1000);
  played.play();
  EXPECT_EQ(played.poison_delivered(), 1u);
  EXPECT_EQ(played.complaint(), "life 1: 900 delivered 0 times\n");
}

}  // namespace
}  // namespace linearb::test
