// SPDX-License-Identifier: Apache-2.0
//
// `linearb explain`: what each packet of a capture is, and what arbitration makes of it; or what
// one payload is.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/options.h"
#include "config/check.h"
#include "config/framing_file.h"
#include "inspect/datagrams.h"
#include "inspect/packet_words.h"
#include "inspect/verdicts.h"
#include "linearb/error.h"
#include "report/json.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<std::uint8_t>;

/// Of a UDP datagram.
constexpr std::size_t kPayloadMax = 65'507;

struct ExplainArguments {
  std::string capture;
  ReceiverOptions receiver;  ///< channels and keys of it
  std::string framing;
  std::string hex;
  bool json = false;
};

/// Session, number and count of a packet that is not malformed.
struct Numbers {
  const std::optional<std::string>& session;
  const std::optional<std::string>& key;
  const lb_datagram& datagram;
};

void add_numbers(Json& object, const Numbers& numbers, bool is_valid) {
  object["session"] = numbers.session ? Json(*numbers.session) : Json();
  object["key"] = report::key_json(numbers.key);
  const bool is_numbered = is_valid && numbers.datagram.numbered;
  object["first"] = is_numbered ? Json(numbers.datagram.first) : Json();
  object["count"] = is_valid ? Json(numbers.datagram.count) : Json();
}

std::string session_words(const Numbers& numbers) {
  std::string words = numbers.session.value_or("");
  if (numbers.key) words += fmt::format("{}key {}", words.empty() ? "" : " ", *numbers.key);
  return words.empty() ? "-" : words;
}

/// The value of a digit; -1 for what is none.
int digit(char letter) noexcept {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto lower = static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter + 32 : letter);
  const std::size_t value = kDigits.find(lower);
  return value == kDigits.npos ? -1 : static_cast<int>(value);
}

/// Blanks and colons may stand between digits.
Bytes bytes_of_hex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  Bytes bytes;
  bool is_half = false;
  for (char letter : text) {
    if (std::string_view(" \t\n:").find(letter) != std::string_view::npos) continue;
    const int value = digit(letter);
    if (value < 0) throw UsageError(fmt::format("--hex: '{}' is no hexadecimal digit", letter));
    if (!is_half) bytes.push_back(0);
    bytes.back() = static_cast<std::uint8_t>(bytes.back() << 4 | value);
    is_half = !is_half;
  }
  if (is_half) throw UsageError("--hex: an odd number of digits: half a byte is missing");
  if (bytes.size() > kPayloadMax)
    throw UsageError(
        fmt::format("--hex: {} bytes; a UDP datagram has at most {}", bytes.size(), kPayloadMax));
  return bytes;
}

/// If it were the first that comes.
std::string verdict_of(const config::Framing& framing, const Bytes& payload) {
  ReceiverOptions options;
  std::string verdict;
  inspect::Verdicts verdicts(options, {framing},
                             [&](const inspect::Explained& packet) { verdict = packet.verdict; });
  inspect::Datagram datagram;
  datagram.payload = payload;
  verdicts.take(datagram);
  verdicts.finish();
  return verdict;
}

int explain_payload(const ExplainArguments& arguments) {
  const config::Framing loaded = config::load_framing(arguments.framing);
  const lb_framing& framing = loaded.descriptor;
  const Bytes payload = bytes_of_hex(arguments.hex);
  const inspect::Decoded decoded = inspect::decode(framing, payload);
  const bool is_valid = decoded.kind != LB_KIND_MALFORMED;
  const auto session = is_valid ? inspect::session_text(framing, payload) : std::nullopt;
  const auto key = is_valid ? inspect::key_of(framing, payload) : std::nullopt;
  const Numbers numbers{session, key, decoded.datagram};
  const bool is_numbered = is_valid && decoded.datagram.numbered;
  const std::uint64_t next =
      is_numbered ? lb_framing_next(&framing, decoded.datagram.first, decoded.datagram.count) : 0;
  const std::string reason = is_valid ? "" : inspect::why_malformed(framing, payload);
  const std::string verdict = verdict_of(loaded, payload);

  if (arguments.json) {
    Json object{{"channel", Json()}, {"kind", inspect::kind_name(decoded.kind)}};
    add_numbers(object, numbers, is_valid);
    object["next"] = is_numbered ? Json(next) : Json();
    object["verdict"] = verdict;
    if (!is_valid) object["reason"] = reason;
    report::print_json(stdout, object);
    return kDone;
  }
  fmt::print("kind     {}\n", inspect::kind_name(decoded.kind));
  if (!is_valid) fmt::print("why      {}\n", reason);
  if (session) fmt::print("session  {}\n", *session);
  if (key) fmt::print("key      {}\n", *key);
  if (is_valid) fmt::print("count    {}\n", decoded.datagram.count);
  if (is_numbered) fmt::print("first    {}\nnext     {}\n", decoded.datagram.first, next);
  fmt::print("verdict  {}\n", verdict);
  return kDone;
}

void print_as_json(const inspect::Explained& packet) {
  Json object{{"time_ns", packet.time_ns ? Json(*packet.time_ns) : Json()},
              {"channel", packet.channel ? Json(packet.channel->name) : Json()},
              {"kind", packet.kind}};
  const bool is_valid = packet.channel && !packet.is_malformed;
  add_numbers(object, {packet.session, packet.key, packet.datagram}, is_valid);
  object["verdict"] = packet.verdict;
  if (!packet.reason.empty()) object["reason"] = packet.reason;
  report::print_json(stdout, object);
}

std::string time_words(const std::optional<std::uint64_t>& time_ns) {
  if (!time_ns) return "-";
  return fmt::format("{}.{:09}", *time_ns / 1'000'000'000, *time_ns % 1'000'000'000);
}

void print_as_text(const inspect::Explained& packet) {
  const bool is_valid = packet.channel && !packet.is_malformed;
  const bool is_numbered = is_valid && packet.datagram.numbered;
  fmt::print("{:<20} {:<12} {:<14} {:<20} {:>12} {:>6}  {}{}\n", time_words(packet.time_ns),
             packet.channel ? packet.channel->name : "-", packet.kind,
             session_words({packet.session, packet.key, packet.datagram}),
             is_numbered ? fmt::format("{}", packet.datagram.first) : "-",
             is_valid ? fmt::format("{}", packet.datagram.count) : "-", packet.verdict,
             packet.reason.empty() ? "" : ": " + packet.reason);
}

/// Its lines are those that channels name.
void refuse_unknown_lines(const ReceiverOptions& options) {
  std::vector<std::string> lines;
  for (const Channel& channel : options.channels)
    for (const auto& [line, destination] : channel.line_destinations) lines.push_back(line);
  for (const std::string& line : options.repair_lines)
    if (std::ranges::find(lines, line) == lines.end())
      throw UsageError(
          fmt::format("--repair: no --channel has a destination on line \"{}\"", line));
}

int explain_capture(const ExplainArguments& arguments) {
  const std::vector<config::Framing> framings = config::load_framings(arguments.receiver);
  if (framings.empty()) throw UsageError("--channel: there is none");
  refuse_unknown_lines(arguments.receiver);
  inspect::Datagrams datagrams(arguments.capture, framings.front().descriptor);
  inspect::Verdicts verdicts(arguments.receiver, framings,
                             arguments.json ? print_as_json : print_as_text);
  if (!arguments.json)
    fmt::print("{:<20} {:<12} {:<14} {:<20} {:>12} {:>6}  {}\n", "time", "channel", "kind",
               "session", "first", "count", "verdict");
  while (const auto datagram = datagrams.next()) verdicts.take(*datagram);
  verdicts.finish();
  return kDone;
}

int explain(const ExplainArguments& arguments) {
  if (!arguments.hex.empty() || !arguments.framing.empty()) {
    if (!arguments.capture.empty())
      throw UsageError("explain: a capture, or --framing with --hex, but not both");
    if (arguments.framing.empty())
      throw UsageError("--hex: --framing NAME has to say what the bytes are");
    if (arguments.hex.empty())
      throw UsageError(
          "--framing: --hex BYTES has to say of which payload; a capture takes "
          "--channel NAME=FRAMING@GROUP:PORT");
    return explain_payload(arguments);
  }
  if (arguments.capture.empty())
    throw UsageError("explain: what? A capture and --channel, or --framing NAME and --hex BYTES");
  return explain_capture(arguments);
}

}  // namespace

Command add_explain(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "explain", "What each packet of a capture is, and what arbitration makes of it");
  auto arguments = std::make_shared<ExplainArguments>();
  command
      ->add_option("CAPTURE", arguments->capture,
                   "pcap, pcapng, or the first channel's payloads back to back")
      ->type_name("")
      ->check(names_a_file);
  add_channel_option(*command, arguments->receiver.channels);
  add_repair_option(*command, arguments->receiver.repair_lines);
  add_keys_option(*command, arguments->receiver.keys);
  command->add_option("--framing", arguments->framing, "Of --hex: one that is built in, or a file")
      ->type_name("NAME");
  command->add_option("--hex", arguments->hex, "One UDP payload, in place of a capture")
      ->type_name("BYTES");
  command->add_flag("--json", arguments->json,
                    "One JSON object for each packet, on a line of its own");
  return {command, [arguments] { return explain(*arguments); }};
}

}  // namespace linearb::cli
