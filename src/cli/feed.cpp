// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/feeder_report.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "config/framing_file.h"
#include "feeder/feeder.h"
#include "feeder/line_option.h"
#include "linearb/error.h"
#include "report/json.h"

namespace linearb::cli {
namespace {

constexpr feeder::CountOption kMessagesPerPacket{"messages-per-packet", 1, 65'535};

/// What --line and --channel say first, since impairments are about lines by name.
struct FeedArguments {
  std::vector<Line> lines{{"A", "vethA_src"}, {"B", "vethB_src"}};
  std::vector<Channel> channels = ReceiverOptions{}.channels;
  std::vector<std::string> messages_per_packet;
  std::vector<std::vector<std::string>> impairments{feeder::impairment_options().size()};
  std::string speed;
  feeder::FeederOptions options;
  std::string config_path;
  bool json = false;
};

double parse_speed(const std::string& text) {
  if (text == "max") return 0;
  double speed = 0;
  const char* end = text.data() + text.size();
  auto [stopped, error] = std::from_chars(text.data(), end, speed);
  if (error != std::errc{} || stopped != end || !(speed > 0) ||
      speed > std::numeric_limits<double>::max())
    throw UsageError(
        fmt::format("--speed \"{}\": accepted is a number above 0, as 10 for ten times the "
                    "recorded pace, or max",
                    text));
  return speed;
}

void require_usable(const FeedArguments& arguments) {
  if (arguments.channels.size() != 1)
    throw UsageError(
        fmt::format("--channel: {} channels; feed sends one, so start it once for each",
                    arguments.channels.size()));
  ReceiverOptions checked;
  checked.lines = arguments.lines;
  checked.channels = arguments.channels;
  validate(checked);
  if (!arguments.speed.empty() && arguments.options.replay_path.empty())
    throw UsageError("--speed is about a capture: give one with --replay");
}

Destination destination_of(const Channel& channel, const std::string& line) {
  Destination destination = channel.destination_on(line);
  if (destination.address == 0) destination.address = feeder::kDefaultDestination.address;
  return destination;
}

std::vector<feeder::FeederLine> lines_of(const FeedArguments& arguments) {
  std::vector<std::string> names;
  for (const Line& line : arguments.lines) names.push_back(line.name);
  std::vector<feeder::LineImpairment> impairments(names.size());
  for (std::size_t i = 0; i < arguments.impairments.size(); i++) {
    for (const std::string& text : arguments.impairments[i])
      feeder::set_impairment(feeder::impairment_options()[i], text, names, impairments);
  }
  std::vector<std::uint32_t> counts(names.size(), 1);
  for (const std::string& text : arguments.messages_per_packet)
    feeder::set_count(kMessagesPerPacket, text, names, counts);

  std::vector<feeder::FeederLine> lines(names.size());
  for (std::size_t i = 0; i < names.size(); i++) {
    lines[i].line = arguments.lines[i];
    lines[i].destination = destination_of(arguments.channels[0], names[i]);
    lines[i].messages_per_packet = counts[i];
    lines[i].impairment = impairments[i];
  }
  return lines;
}

/// Live frames have no socket, and no frames of a UMEM. A run of them costs as much as some packets
/// do, so it takes as many as it can.
void finish_engine(const CLI::App& command, feeder::FeederOptions& options) {
  if (options.engine != feeder::Engine::live) return;
  for (const char* option : {"--frames", "--zero-copy"})
    if (!command.get_option(option)->empty())
      throw UsageError(fmt::format(
          "{}: live frames (--engine live) use no AF_XDP socket; leave it out", option));
  if (command.get_option("--batch")->empty()) options.batch = LB_LIVE_SLOTS;
}

feeder::FeederOptions options_of(CLI::App& command, FeedArguments& arguments) {
  apply_config_file(command, arguments.config_path);
  require_usable(arguments);
  feeder::FeederOptions options = arguments.options;
  finish_engine(command, options);
  options.framing = config::load_framing(arguments.channels[0].framing);
  options.lines = lines_of(arguments);
  if (!arguments.speed.empty()) options.speed = parse_speed(arguments.speed);
  return options;
}

int feed(CLI::App& command, FeedArguments& arguments) {
  feeder::FeederOptions options = options_of(command, arguments);
  hold_stop_signals();
  feeder::Feeder feeder(options);
  StopWatcher watcher([&] { feeder.stop(); });
  feeder::FeederResult result = feeder.run();
  if (arguments.json)
    report::print_json(stdout, to_json(result));
  else
    print_result(stdout, result);
  return kDone;
}

void add_generator_options(CLI::App& command, FeedArguments& arguments) {
  feeder::FeederOptions& options = arguments.options;
  command
      .add_option("--packets", options.packets,
                  "Packets of the first line, before impairments; 0: until it is stopped")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option(
          "--rate", options.rate,
          "Packets a second on the first line; 0: as fast as it goes, a capture at its pace")
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--first", options.messages.first, "Number of the first message")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--message-length", options.messages.message_length,
                  "Bytes of a message; 0: what the framing fixes, else 32")
      ->type_name("BYTES")
      ->capture_default_str();
  command
      .add_option("--session", options.messages.session,
                  "Session, for a framing that has one (default LINEARB001)")
      ->type_name("TEXT");
  command.add_option("--key", options.messages.key, "Key of the sequence, such as Cboe's unit")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("--messages-per-packet", arguments.messages_per_packet,
                  "How many messages a line packs (repeatable)")
      ->type_name("[LINE=]N")
      ->allow_extra_args(false);
}

void add_replay_options(CLI::App& command, FeedArguments& arguments) {
  command
      .add_option("--replay", arguments.options.replay_path,
                  "Send the UDP datagrams of a capture, or raw ones of the channel's framing")
      ->type_name(kFileType);
  command
      .add_option("--speed", arguments.speed,
                  "Times the recorded pace, or max: as fast as it goes (default 1)")
      ->type_name("N|max");
}

void add_impairment_options(CLI::App& command, FeedArguments& arguments) {
  std::span<const feeder::ImpairmentOption> options = feeder::impairment_options();
  for (std::size_t i = 0; i < options.size(); i++) {
    command
        .add_option(fmt::format("--{}", options[i].name), arguments.impairments[i],
                    fmt::format("{}: {} (repeatable)", options[i].help, options[i].accepted))
        ->type_name("[LINE=]VALUE")
        ->allow_extra_args(false)
        ->group("Impairments");
  }
  command
      .add_option("--seed", arguments.options.seed,
                  "Of all impairments: one seed repeats a run exactly")
      ->type_name("N")
      ->capture_default_str()
      ->group("Impairments");
}

void add_engine_options(CLI::App& command, feeder::FeederOptions& options) {
  add_choice<feeder::Engine>(command, options.engine,
                             {"--engine",
                              {"af_xdp", "live"},
                              "How packets leave: by a socket of each line, or, on veth lines and "
                              "about twice as fast, as live frames"});
  command
      .add_option("--batch", options.batch, "Packets of one line between two looks at the others")
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--frames", options.frames, "Frames of each line, a power of two")
      ->type_name("N")
      ->capture_default_str();
  add_zero_copy_option(command, options.zero_copy);
  command.add_option("--cpu", options.cpu, "Pin the sending thread to this CPU")->type_name("N");
}

}  // namespace

Command add_feed(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "feed", "Generate a feed, or replay a capture, onto every line, with the faults of each");
  auto arguments = std::make_shared<FeedArguments>();
  add_line_option(*command, arguments->lines);
  add_channel_option(*command, arguments->channels);
  add_generator_options(*command, *arguments);
  add_replay_options(*command, *arguments);
  add_impairment_options(*command, *arguments);
  add_engine_options(*command, arguments->options);
  add_config_option(*command, arguments->config_path);
  add_json_option(*command, arguments->json);
  return {command, [command, arguments] { return feed(*command, *arguments); },
          [command, arguments] { feeder::validate(options_of(*command, *arguments)); }};
}

}  // namespace linearb::cli
