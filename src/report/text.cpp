// SPDX-License-Identifier: Apache-2.0
#include "report/text.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "report/numbers.h"

namespace linearb::report {
namespace {

/// Of the gaps, so many are printed; --json has the first 1,000.
constexpr std::size_t kGapsShown = 5;

/// A counter of a line, in the order in which a packet can meet it.
struct Counter {
  std::string_view name;
  std::uint64_t LineSummary::*value;
  std::string_view meaning;
  bool always = false;               // also when it is 0 on every line
  std::string_view of_capture = {};  // the meaning where no hook was there
};

constexpr Counter kCounters[] = {
    {"packets", &LineSummary::packets, "seen by the hook", true, "in the capture"},
    {"won", &LineSummary::won, "delivered: this line was first", true},
    {"overlap", &LineSummary::overlap, "delivered in part: the rest was there before"},
    {"unsequenced", &LineSummary::unsequenced, "delivered: carries no number"},
    {"duplicate", &LineSummary::duplicate, "nothing new", true},
    {"late", &LineSummary::late, "nothing new, behind the window"},
    {"old epoch", &LineSummary::old_epoch, "nothing new, from an epoch that is over"},
    {"control", &LineSummary::control, "heartbeats and the like"},
    {"unconfirmed", &LineSummary::unconfirmed, "a jump that nothing confirmed"},
    {"no credit", &LineSummary::no_credit, "dropped unclaimed: the receiver had no room"},
    {"no receiver", &LineSummary::no_receiver, "to the kernel: no socket for the queue"},
    {"malformed", &LineSummary::malformed, "to the kernel: not of the channel's framing", false,
     "not of the channel's framing, or cut off"},
    {"not feed", &LineSummary::not_feed, "to the kernel: no configured channel", false,
     "no configured channel"},
    {"kernel lost", &LineSummary::kernel_lost, "redirected, never seen again"},
    {"NIC lost", &LineSummary::nic_lost, "lost before the hook"},
    {"divergent", &LineSummary::divergent, "differs from its copy"},
};

/// Lines that are captures have no hook, and no mode in which it runs.
bool is_of_captures(const Summary& summary) {
  return std::ranges::all_of(summary.lines, &std::string::empty, &LineSummary::mode);
}

template <typename Cell>
Row row_of(std::string_view name, const Summary& summary, std::string_view meaning, Cell cell) {
  Row row{std::string(name), {}, std::string(meaning)};
  for (const LineSummary& line : summary.lines) row.cells.push_back(cell(line));
  return row;
}

void add_counters(std::vector<Row>& rows, const Summary& summary) {
  for (const Counter& counter : kCounters) {
    bool is_moved = std::any_of(summary.lines.begin(), summary.lines.end(),
                                [&](const LineSummary& line) { return line.*counter.value != 0; });
    if (!counter.always && !is_moved) continue;
    const bool other = is_of_captures(summary) && !counter.of_capture.empty();
    rows.push_back(row_of(counter.name, summary, other ? counter.of_capture : counter.meaning,
                          [&](const LineSummary& line) { return grouped(line.*counter.value); }));
  }
}

/// What is missing on every line is missing on this one too: the rest another line brought.
std::uint64_t repaired(const LineSummary& line, std::uint64_t gap_messages) {
  return line.lost_messages - std::min(line.lost_messages, gap_messages);
}

void add_losses(std::vector<Row>& rows, const Summary& summary) {
  rows.push_back(row_of("lost messages", summary, "numbers that the line skipped",
                        [](const LineSummary& line) { return grouped(line.lost_messages); }));
  if (!summary.gap_messages) return;
  rows.push_back(row_of(
      "repaired", summary, "of them, brought by another line",
      [&](const LineSummary& line) { return grouped(repaired(line, *summary.gap_messages)); }));
}

void add_skew(std::vector<Row>& rows, const Summary& summary) {
  auto row = [&](std::string_view name, std::uint64_t SkewSummary::*value,
                 std::string_view meaning) {
    rows.push_back(row_of(name, summary, meaning, [&](const LineSummary& line) -> std::string {
      return line.skew_ns.count ? time_text(line.skew_ns.*value) : "-";
    }));
  };
  row("skew, median", &SkewSummary::p50, "how far its copies came behind the winner");
  row("skew, 99 %", &SkewSummary::p99, "");
  row("skew, longest", &SkewSummary::max, "");
}

std::vector<Row> rows_of(const Summary& summary) {
  std::vector<Row> rows;
  rows.push_back(row_of("line", summary, "", [](const LineSummary& line) { return line.name; }));
  if (std::ranges::any_of(summary.lines, &LineSummary::repair))
    rows.push_back(row_of("role", summary, "repair: fills holes alone",
                          [](const LineSummary& line) { return line.repair ? "repair" : "feed"; }));
  add_counters(rows, summary);
  rows.push_back(row_of("packets/s", summary, "", [&](const LineSummary& line) {
    return grouped(rate_per_second(line.packets, summary.seconds));
  }));
  add_losses(rows, summary);
  add_skew(rows, summary);
  if (is_of_captures(summary)) return rows;
  rows.push_back(row_of("hook", summary, "mode of the XDP program",
                        [](const LineSummary& line) { return line.mode; }));
  rows.push_back(row_of("socket", summary, "how packets come up",
                        [](const LineSummary& line) { return line.bind; }));
  return rows;
}

void print_gaps(std::FILE* stream, const Summary& summary) {
  if (!summary.gap_messages || !summary.gaps) {
    fmt::print(stream, "missing    unknown: the identifiers have no order\n");
    return;
  }
  fmt::print(stream, "missing    {} messages on every line\n", grouped(*summary.gap_messages));
  std::size_t shown = std::min(summary.gaps->size(), kGapsShown);
  for (std::size_t i = 0; i < shown; i++) {
    const Gap& gap = (*summary.gaps)[i];
    fmt::print(stream, "           {} epoch {}: {} to {}\n", gap.channel, gap.epoch, gap.first,
               gap.first + gap.count - 1);
  }
  if (shown == summary.gaps->size()) return;
  fmt::print(stream, "           and {}{} other gaps\n", summary.gaps_truncated ? "at least " : "",
             grouped(summary.gaps->size() - shown));
}

void print_late_repairs(std::FILE* stream, const Summary& summary) {
  if (summary.late_repairs == 0) return;
  fmt::print(stream, "late       {} messages came when nobody waited for them any more\n",
             grouped(summary.late_repairs));
}

void print_injected(std::FILE* stream, const Summary& summary) {
  if (summary.injected == 0) return;
  fmt::print(stream, "injected   {} packets, {} of them delivered\n", grouped(summary.injected),
             grouped(summary.injected_delivered));
}

void print_written(std::FILE* stream, const Summary& summary) {
  if (summary.written == 0 && summary.write_error.empty()) return;
  fmt::print(stream, "written    {} packets", grouped(summary.written));
  if (summary.untrimmed)
    fmt::print(stream, ", {} of them whole though only a part was new", grouped(summary.untrimmed));
  if (summary.writer_waits)
    fmt::print(stream, "; the receiver waited {} times for the writer",
               grouped(summary.writer_waits));
  fmt::print(stream, "\n");
  if (!summary.write_error.empty())
    fmt::print(stream, "           and no more: {}\n", summary.write_error);
}

void print_balance(std::FILE* stream, const Summary& summary) {
  if (summary.balanced) {
    fmt::print(stream, "balanced   every packet is accounted for\n");
    return;
  }
  fmt::print(stream, "NOT BALANCED\n");
  for (const std::string& imbalance : summary.imbalances)
    fmt::print(stream, "           {}\n", imbalance);
}

}  // namespace

std::string table_text(const std::vector<Row>& rows) {
  std::size_t name_width = 0, cell_width = 0;
  for (const Row& row : rows) {
    name_width = std::max(name_width, row.name.size());
    for (const std::string& cell : row.cells) cell_width = std::max(cell_width, cell.size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += fmt::format("{:<{}}", row.name, name_width);
    for (const std::string& cell : row.cells) text += fmt::format("  {:>{}}", cell, cell_width);
    if (!row.meaning.empty()) text += "   " + row.meaning;
    text += "\n";
  }
  return text;
}

void print_summary(std::FILE* stream, const Summary& summary) {
  fmt::print(stream, "delivered  {} packets with {} messages in {:.2f} s, {} packets/s\n",
             grouped(summary.packets), grouped(summary.messages), summary.seconds,
             grouped(rate_per_second(summary.packets, summary.seconds)));
  print_gaps(stream, summary);
  print_late_repairs(stream, summary);
  print_injected(stream, summary);
  print_written(stream, summary);
  print_balance(stream, summary);
  fmt::print(stream, "\n{}", table_text(rows_of(summary)));
}

}  // namespace linearb::report
