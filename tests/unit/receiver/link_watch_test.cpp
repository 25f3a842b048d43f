// SPDX-License-Identifier: Apache-2.0
#include "receiver/link_watch.h"

#include <ostream>

#include <gtest/gtest.h>

namespace linearb::receiver {
namespace {

constexpr LinkState kNone{};
constexpr LinkState kUp{.index = 7, .up = true, .queues = 2, .program_id = 40};

constexpr LinkState with(LinkState state, void (*change)(LinkState&)) {
  change(state);
  return state;
}

struct Row {
  const char* situation;
  LinkState known;
  LinkState seen;
  std::vector<LinkChange> changes;
};

void PrintTo(const Row& row, std::ostream* stream) {
  *stream << row.situation;
}

class LinkWatch : public testing::TestWithParam<Row> {};

TEST_P(LinkWatch, SaysWhatIsToBeDone) {
  EXPECT_EQ(changes_between(GetParam().known, GetParam().seen), GetParam().changes);
}

INSTANTIATE_TEST_SUITE_P(
    Situations, LinkWatch,
    testing::Values(
        Row{"nothing has changed", kUp, kUp, {}}, Row{"it is gone", kUp, kNone, {LinkChange::gone}},
        Row{"it is not there still", kNone, kNone, {}},
        Row{"it is there again",
            kNone,
            with(kUp, [](auto& s) { s.index = 9; }),
            {LinkChange::back}},
        Row{"it is there again, but down", kNone, with(kUp, [](auto& s) { s.up = false; }), {}},
        Row{"another one has its name",
            kUp,
            with(kUp, [](auto& s) { s.index = 9; }),
            {LinkChange::gone, LinkChange::back}},
        Row{"another one has its name, and is down",
            kUp,
            with(kUp, [](auto& s) { s = {.index = 9, .up = false, .queues = 1}; }),
            {LinkChange::gone}},
        Row{"it was set down", kUp, with(kUp, [](auto& s) { s.up = false; }), {LinkChange::down}},
        Row{"it is up again", with(kUp, [](auto& s) { s.up = false; }), kUp, {LinkChange::up}},
        Row{"more queues",
            kUp,
            with(kUp, [](auto& s) { s.queues = 4; }),
            {LinkChange::more_queues}},
        Row{"more queues while it is down: a socket cannot be bound",
            with(kUp, [](auto& s) { s.up = false; }),
            with(kUp,
                 [](auto& s) {
                   s.queues = 4;
                   s.up = false;
                 }),
            {}},
        Row{"fewer queues: the kernel refuses that while they have sockets",
            kUp,
            with(kUp, [](auto& s) { s.queues = 1; }),
            {}},
        Row{"the hook was detached",
            kUp,
            with(kUp, [](auto& s) { s.program_id = 0; }),
            {LinkChange::hook_gone}},
        Row{"another program is in its place",
            kUp,
            with(kUp, [](auto& s) { s.program_id = 41; }),
            {LinkChange::hook_replaced}},
        Row{"it was away between two looks, its index is as before",
            kUp,
            with(kUp,
                 [](auto& s) {
                   s.sockets_dead = true;
                   s.program_id = 0;
                 }),
            {LinkChange::sockets_dead}},
        Row{"it was away, and is not up yet: a socket cannot be bound",
            kUp,
            with(kUp,
                 [](auto& s) {
                   s.sockets_dead = true;
                   s.up = false;
                 }),
            {LinkChange::down}},
        Row{"packets may be larger now",
            kUp,
            with(kUp, [](auto& s) { s.mtu = 9000; }),
            {LinkChange::larger_mtu}},
        Row{"and smaller", with(kUp, [](auto& s) { s.mtu = 9000; }), kUp, {}},
        Row{"up again without its hook",
            with(kUp, [](auto& s) { s.up = false; }),
            with(kUp, [](auto& s) { s.program_id = 0; }),
            {LinkChange::up, LinkChange::hook_gone}}));

/// Two questions of the kernel, and the interface may go between them.
TEST(LinkState, AnInterfaceThatWentWhileItWasLookedAtIsGone) {
  constexpr LinkState kDead = with(kUp, [](LinkState& state) { state.sockets_dead = true; });
  using Changes = std::vector<LinkChange>;
  EXPECT_EQ(changes_between(kUp, confirmed(kDead, 0)), Changes{LinkChange::gone});
  EXPECT_EQ(changes_between(kUp, confirmed(kDead, kUp.index + 1)), Changes{LinkChange::gone});
  EXPECT_EQ(changes_between(kUp, confirmed(kDead, kUp.index)), Changes{LinkChange::sockets_dead});
  EXPECT_EQ(changes_between(kUp, confirmed(kUp, 0)), Changes{}) << "the next look finds out";
}

}  // namespace
}  // namespace linearb::receiver
