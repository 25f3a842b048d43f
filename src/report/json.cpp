// SPDX-License-Identifier: Apache-2.0
#include "report/json.h"

#include <ctime>
#include <string>

#include <fmt/format.h>

#include "sys/error.h"

namespace linearb::report {
namespace {

using Json = nlohmann::ordered_json;

Json gaps_json(const std::vector<Gap>& gaps) {
  Json array = Json::array();
  for (const Gap& gap : gaps) {
    array.push_back({{"channel", gap.channel},
                     {"epoch", gap.epoch},
                     {"first", gap.first},
                     {"count", gap.count}});
  }
  return array;
}

Json skew_json(const SkewSummary& skew) {
  return {{"count", skew.count}, {"p50", skew.p50}, {"p99", skew.p99}, {"max", skew.max}};
}

Json line_json(const LineSummary& line) {
  return {{"name", line.name},
          {"repair", line.repair},
          {"packets", line.packets},
          {"won", line.won},
          {"duplicate", line.duplicate},
          {"overlap", line.overlap},
          {"unsequenced", line.unsequenced},
          {"late", line.late},
          {"old_epoch", line.old_epoch},
          {"control", line.control},
          {"unconfirmed", line.unconfirmed},
          {"no_credit", line.no_credit},
          {"no_receiver", line.no_receiver},
          {"malformed", line.malformed},
          {"not_feed", line.not_feed},
          {"kernel_lost", line.kernel_lost},
          {"passed_up", line.passed_up},
          {"nic_lost", line.nic_lost},
          {"lost_messages", line.lost_messages},
          {"divergent", line.divergent},
          {"mode", line.mode},
          {"bind", line.bind},
          {"skew_ns", skew_json(line.skew_ns)}};
}

Json channel_json(const ChannelSummary& channel) {
  return {{"name", channel.name},         {"framing", channel.framing},
          {"messages", channel.messages}, {"gap_messages", channel.gap_messages},
          {"adopted", channel.adopted},   {"epoch", channel.epoch},
          {"removed", channel.removed}};
}

/// RFC 3339, section 5.6: "2026-11-28T07:31:00.123456789Z".
std::string utc_text(std::uint64_t ns) {
  const auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     ns % 1'000'000'000);
}

bool has_range(Event::Kind kind) {
  return kind == Event::Kind::gap || kind == Event::Kind::late_repair ||
         kind == Event::Kind::in_hand || kind == Event::Kind::divergent;
}

bool has_epoch(Event::Kind kind) {
  return kind == Event::Kind::gap || kind == Event::Kind::late_repair || kind == Event::Kind::epoch;
}

}  // namespace

Json to_json(const Event& event) {
  Json object{{"time", utc_text(event.time_ns)}, {"event", name_of(event.kind)}};
  if (!event.channel.empty()) object["channel"] = event.channel;
  if (!event.lines.empty()) object["line"] = event.lines;
  if (!event.interface.empty()) object["interface"] = event.interface;
  if (event.kind == Event::Kind::line_state) object["state"] = name_of(event.state);
  if (has_epoch(event.kind)) object["epoch"] = event.epoch;
  if (has_range(event.kind) || event.kind == Event::Kind::epoch) object["first"] = event.first;
  if (has_range(event.kind) || event.kind == Event::Kind::events_lost)
    object["count"] = event.count;
  object["text"] = event.text;
  return object;
}

Json to_json(const Summary& summary) {
  Json lines = Json::array();
  for (const LineSummary& line : summary.lines) lines.push_back(line_json(line));
  Json channels = Json::array();
  for (const ChannelSummary& channel : summary.channels) channels.push_back(channel_json(channel));
  return {{"packets", summary.packets},
          {"messages", summary.messages},
          {"gap_messages", summary.gap_messages ? Json(*summary.gap_messages) : Json()},
          {"gaps", summary.gaps ? gaps_json(*summary.gaps) : Json()},
          {"gaps_truncated", summary.gaps_truncated},
          {"late_repairs", summary.late_repairs},
          {"lines", lines},
          {"channels", channels},
          {"balanced", summary.balanced},
          {"seconds", summary.seconds},
          {"imbalances", summary.imbalances},
          {"lost_races", summary.lost_races},
          {"hook_cpus", summary.hook_cpus},
          {"written", summary.written},
          {"untrimmed", summary.untrimmed},
          {"writer_waits", summary.writer_waits},
          {"write_error", summary.write_error},
          {"injected", summary.injected},
          {"injected_delivered", summary.injected_delivered}};
}

nlohmann::ordered_json key_json(const std::optional<std::string>& key) {
  if (!key) return nullptr;
  if (key->find('.') != key->npos) return *key;
  return std::stoull(*key);
}

void print_json(std::FILE* stream, const Json& object) {
  std::string text = object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0)
    sys::throw_errno("write JSON");
}

}  // namespace linearb::report
