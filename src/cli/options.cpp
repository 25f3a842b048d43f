// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/nearest.h"
#include "core/layout.h"
#include "linearb/error.h"

namespace linearb::cli {
namespace {

std::string lines_text(const std::vector<Line>& lines) {
  std::vector<std::string> texts;
  for (const Line& line : lines) texts.push_back(fmt::format("{}={}", line.name, line.interface));
  return fmt::format("{}", fmt::join(texts, " "));
}

/// An option that is repeated, once for each value: a word that follows the value is not taken for
/// a second one.
template <typename Value>
CLI::Option* add_repeatable(CLI::App& command, const std::string& name, std::vector<Value>& values,
                            Value (*parse)(const std::string&), const std::string& help) {
  auto set = [&values, parse](const std::vector<std::string>& texts) {
    values.clear();
    for (const std::string& text : texts) values.push_back(parse(text));
  };
  return command.add_option_function<std::vector<std::string>>(name, set, help + " (repeatable)")
      ->allow_extra_args(false);
}

}  // namespace

std::string names_a_file(const std::string& text) {
  return text.empty() ? "the name of a file is missing" : "";
}

std::string is_whole_number(const std::string& text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data(), end, number);
  bool is_padded = text.size() > 1 && text.front() == '0';
  if (error == std::errc{} && stopped == end && !is_padded) return "";
  return fmt::format("\"{}\" is no whole number below 2^64", text);
}

std::size_t position_of_choice(const std::string& option, const std::string& word,
                               const std::vector<std::string>& words) {
  auto found = std::ranges::find(words, word);
  if (found == words.end())
    throw UsageError(fmt::format("{} \"{}\": {}", option, word, config::suggest_name(word, words)));
  return static_cast<std::size_t>(found - words.begin());
}

std::string choices_text(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, "|"));
}

void add_line_option(CLI::App& command, std::vector<Line>& lines) {
  std::string standard = lines_text(lines);
  add_repeatable(command, "--line", lines, parse_line, "A copy of the feed and its interface")
      ->type_name("NAME=INTERFACE")
      ->default_str(standard);
}

void add_repair_option(CLI::App& command, std::vector<std::string>& lines) {
  command
      .add_option("--repair", lines,
                  "Lines that only repair, such as groups for retransmissions: what they bring "
                  "fills holes, and says nothing about where the feed is")
      ->type_name("LINE[,LINE...]")
      ->delimiter(',')
      ->allow_extra_args(false);
}

void add_channel_option(CLI::App& command, std::vector<Channel>& channels) {
  add_repeatable(
      command, "--channel", channels, parse_channel,
      "A sequence of messages; where lines differ, FRAMING@A=GROUP:PORT,B=GROUP:PORT; "
      "\"any\" as the group takes every address; SOURCE@GROUP:PORT takes what comes from "
      "there alone, SOURCE+SOURCE@GROUP:PORT from two")
      ->type_name("NAME=FRAMING@GROUP:PORT")
      ->default_str("optiq=optiq@any:30001");
}

void add_keys_option(CLI::App& command, std::uint32_t& keys) {
  command
      .add_option("--keys", keys,
                  "Streams that share a destination of a channel, by the key in their packets: how "
                  "many there may be")
      ->type_name("N")
      ->check(is_whole_number)
      ->check(CLI::Range(1, LB_CHANNELS_MAX - 1))
      ->capture_default_str();
}

void add_mode_option(CLI::App& command, Mode& mode) {
  add_choice<Mode>(command, mode,
                   {"--mode",
                    {"auto", "native", "generic"},
                    "Where the hook runs: in the driver or behind it; auto is native where the "
                    "driver has it"});
}

void add_zero_copy_option(CLI::App& command, ZeroCopy& zero_copy) {
  add_choice<ZeroCopy>(command, zero_copy,
                       {"--zero-copy",
                        {"auto", "require", "off"},
                        "Whether the NIC writes into user memory itself"});
}

void add_json_option(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "One JSON object on stdout at the end, and nothing else there");
}

void add_arbitration_options(CLI::App& command, ReceiverOptions& options) {
  add_repair_option(command, options.repair_lines);
  add_channel_option(command, options.channels);
  add_keys_option(command, options.keys);
  add_choice<Checksum>(command, options.checksum,
                       {"--checksum",
                        {"ignore", "verify"},
                        "Of UDP: whether a packet whose checksum is wrong is believed"});
  add_choice<Dedup>(command, options.dedup,
                    {"--dedup",
                     {"window", "lru"},
                     "What is remembered: a window of numbers, or identifiers without order"});
  add_choice<Order>(command, options.order,
                    {"--order",
                     {"arrival", "sequence"},
                     "Deliver at once, or in the order of numbers: what is behind a hole waits"});
}

void add_write_option(CLI::App& command, std::string& path) {
  command.add_option("--write", path, "Write what is delivered as a pcap file with nanoseconds")
      ->type_name(kFileType)
      ->check(names_a_file);
}

void add_events_option(CLI::App& command, std::string& path) {
  command
      .add_option(
          "--events", path,
          "Write gaps, late repairs, epochs and what happens to lines, as JSON, a line each")
      ->type_name(kFileType)
      ->check(names_a_file);
}

void add_receiver_options(CLI::App& command, ReceiverOptions& options) {
  add_line_option(command, options.lines);
  add_arbitration_options(command, options);
  add_mode_option(command, options.mode);
  add_zero_copy_option(command, options.zero_copy);
  add_choice<Wait>(command, options.wait,
                   {"--wait",
                    {"poll", "spin", "busy-poll"},
                    "How to wait for packets; spin is for a core of its own"});
  command
      .add_option("--threads", options.threads,
                  "Threads that receive, each with a share of the channels")
      ->type_name("N")
      ->check(is_whole_number)
      ->capture_default_str();
  command
      .add_option("--cpu", options.cpus,
                  "Pin the thread that receives to this CPU; several threads to one each")
      ->type_name("N[,N...]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(is_whole_number);
  command
      .add_option("--frames", options.frames, "Frames of each socket, a power of two, 64 to 65536")
      ->type_name("N")
      ->check(is_whole_number)
      ->capture_default_str();
  command.add_flag("--hugepages", options.hugepages, "Frames in huge pages, where there are any");
  command.add_flag("--keep-hook", options.keep_hook,
                   "Leave the hook for the next receiver, which goes on where this one ended");
  command.add_option("--packets", options.packets, "End after N delivered packets")
      ->type_name("N")
      ->check(is_whole_number);
  command
      .add_option("--silence", options.silence_seconds,
                  "A line that brings nothing for S seconds while others do is silent")
      ->type_name("S")
      ->capture_default_str();
  command
      .add_option("--idle-exit", options.idle_exit_seconds,
                  "End when no feed packet came for S seconds, after the first")
      ->type_name("S");
  add_write_option(command, options.write_path);
}

}  // namespace linearb::cli
