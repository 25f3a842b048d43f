// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bpf/feeds.h"
#include "hook/maps.h"

namespace linearb::test {

constexpr std::uint32_t kLines = 2;

/// A counter of lb_counters and its name in the words of a test.
struct Counter {
  const char* name;
  lb_u64 lb_counters::*member;
};
/// The ways out: each packet is in exactly one of them (I6).
inline constexpr Counter kWaysOut[] = {
    {"duplicate", &lb_counters::duplicate},     {"claimed", &lb_counters::claimed},
    {"passed_up", &lb_counters::passed_up},     {"no_credit", &lb_counters::no_credit},
    {"not_feed", &lb_counters::not_feed},       {"malformed", &lb_counters::malformed},
    {"no_receiver", &lb_counters::no_receiver},
};
inline constexpr Counter kDetails[] = {
    {"no_metadata", &lb_counters::no_metadata},   {"oversized", &lb_counters::oversized},
    {"lost_races", &lb_counters::lost_races},     {"late", &lb_counters::late},
    {"bad_checksum", &lb_counters::bad_checksum}, {"contended", &lb_counters::contended},
};
static_assert(sizeof(lb_counters) / sizeof(lb_u64) ==
                  1 + std::size(kWaysOut) + std::size(kDetails) + 2,
              "every counter has a name here: packets, these, and two that are unused");

/// Whatever the hook may write, of the lines and channels of these tests, at one moment.
struct Snapshot {
  explicit Snapshot(const hook::Maps& maps);

  struct OfChannel {
    lb_channel memory;
    std::array<lb_mark, kLines> marks;
  };
  struct OfLine {
    std::array<lb_counters, LB_COUNTER_BANKS> counters;  ///< summed over the CPUs
    std::array<std::uint64_t, LB_COUNTER_BANKS> skew_samples;
    std::uint64_t credits_taken;  ///< over all queues
  };
  std::vector<OfChannel> channels;
  std::array<OfLine, kLines> lines;
};

/// The counters that moved on a line, by name: "packets duplicate"; by more than one: "late+2".
std::string counters_moved(const Snapshot& before, const Snapshot& after, std::uint32_t line);

/// What else is different, by channel: "mold: bits 1000-1002, mark A 1003; skew B". Credits are
/// left out: they go with the action.
std::string changes(const Snapshot& before, const Snapshot& after);

/// Of one line, in both banks.
std::uint64_t moved(const Snapshot& before, const Snapshot& after, std::uint32_t line,
                    lb_u64 lb_counters::*counter);
std::uint64_t credits_moved(const Snapshot& before, const Snapshot& after, std::uint32_t line);

}  // namespace linearb::test
