// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "linearb/summary.h"

namespace linearb::report {

/// A run with something in every field, and no two numbers alike, so that a field that is printed
/// in the place of another is seen.
inline Summary fixed_summary() {
  Summary summary;
  summary.packets = 1'000'101;
  summary.messages = 1'000'102;
  summary.gap_messages = 33;
  summary.gaps = {{"optiq", 1, 500, 3}, {"optiq", 2, 7'000, 30}};
  summary.gaps_truncated = true;
  LineSummary a;
  a.name = "A";
  a.packets = 990'001;
  a.won = 800'002;
  a.duplicate = 100'003;
  a.overlap = 4;
  a.unsequenced = 5;
  a.late = 6;
  a.old_epoch = 7;
  a.control = 8;
  a.unconfirmed = 9;
  a.no_credit = 10;
  a.no_receiver = 11;
  a.malformed = 12;
  a.not_feed = 13;
  a.kernel_lost = 14;
  a.passed_up = 15;
  a.nic_lost = 16;
  a.lost_messages = 10'017;
  a.divergent = 18;
  a.mode = "native";
  a.bind = "copy";
  a.skew_ns = {19, 834, 50'123, 1'234'567};
  LineSummary b;
  b.name = "B";
  b.repair = true;
  b.packets = 880'001;
  b.won = 200'001;
  b.duplicate = 680'000;
  b.lost_messages = 20;
  b.mode = "generic";
  b.bind = "zero-copy";
  summary.lines = {a, b};
  summary.channels = {{"optiq", "./own.toml", 1'000'103, 34, 35, 2, true}};
  summary.balanced = false;
  summary.imbalances = {"line A: 990001 packets came in, 900105 are accounted for"};
  summary.seconds = 2.5;
  summary.lost_races = 21;
  summary.hook_cpus = 2;
  summary.written = 22'000;
  summary.untrimmed = 23;
  summary.late_repairs = 36;
  summary.writer_waits = 24;
  summary.injected = 37;
  summary.injected_delivered = 36;
  summary.write_error = "no space";
  return summary;
}

}  // namespace linearb::report
