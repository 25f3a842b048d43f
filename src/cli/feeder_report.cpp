// SPDX-License-Identifier: Apache-2.0
#include "cli/feeder_report.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "report/numbers.h"
#include "report/text.h"

namespace linearb::cli {
namespace {

struct Count {
  std::string_view name;
  std::uint64_t (*of)(const feeder::LineResult& line);
  std::string_view meaning;
};

/// The one list of what is said about a line: text and JSON are made from it.
constexpr Count kCounts[] = {
    {"offered", [](const auto& line) { return line.ledger.offered; }, "packets of the feed"},
    {"sent", [](const auto& line) { return line.sent; }, "handed to the kernel"},
    {"dropped", [](const auto& line) { return line.ledger.dropped; }, "lost on purpose"},
    {"duplicated", [](const auto& line) { return line.ledger.duplicated; }, "sent twice"},
    {"reordered", [](const auto& line) { return line.ledger.reordered; }, "sent after later ones"},
    {"corrupted", [](const auto& line) { return line.ledger.corrupted; },
     "sent with a bit flipped"},
    {"delayed", [](const auto& line) { return line.ledger.delayed; }, "sent later than generated"},
    {"completed", [](const auto& line) { return line.completed; }, "given back by the kernel"},
    {"interface_dropped", [](const auto& line) { return line.interface_dropped; },
     "meanwhile, by the interface: a queue had no room"},
};

}  // namespace

nlohmann::ordered_json to_json(const feeder::FeederResult& result) {
  using Json = nlohmann::ordered_json;
  Json lines = Json::array();
  for (const feeder::LineResult& line : result.lines) {
    Json object{{"name", line.name}};
    for (const Count& count : kCounts) object[std::string(count.name)] = count.of(line);
    lines.push_back(object);
  }
  return {{"units", result.units},
          {"lines", lines},
          {"skipped", result.skipped},
          {"pauses", result.pauses},
          {"seconds", result.seconds}};
}

void print_result(std::FILE* stream, const feeder::FeederResult& result) {
  using report::grouped;
  std::uint64_t rate = report::rate_per_second(result.units, result.seconds);
  fmt::print(stream, "fed        {} units of the feed in {:.2f} s, {} units/s\n",
             grouped(result.units), result.seconds, grouped(rate));
  if (result.skipped)
    fmt::print(stream, "skipped    {} records that are no UDP datagram\n", grouped(result.skipped));
  std::vector<report::Row> rows{{"line", {}, ""}};
  for (const feeder::LineResult& line : result.lines) rows[0].cells.push_back(line.name);
  for (const Count& count : kCounts) {
    report::Row row{std::string(count.name), {}, std::string(count.meaning)};
    for (const feeder::LineResult& line : result.lines)
      row.cells.push_back(grouped(count.of(line)));
    rows.push_back(row);
  }
  fmt::print(stream, "\n{}", report::table_text(rows));
}

}  // namespace linearb::cli
