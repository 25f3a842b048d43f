// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/demo_story.h"
#include "cli/feeder_report.h"
#include "cli/live_display.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "config/framing_file.h"
#include "core/bytes.h"
#include "feeder/feeder.h"
#include "lab/lab.h"
#include "linearb/receiver.h"
#include "report/json.h"
#include "report/numbers.h"
#include "report/text.h"
#include "sys/cpu.h"
#include "sys/netns.h"

namespace linearb::cli {
namespace {

using std::chrono::milliseconds;

/// At 1 % loss in runs the ledger of the feeder (feeder::kLostRunsMax) holds every one of them.
constexpr std::uint64_t kPacketsMax = 50'000'000;

/// Each line loses 1 % of its packets, half of them one by one and half of them in bursts.
constexpr double kLoss = 0.005;
constexpr feeder::BurstLoss kBurstLoss{0.00025, 20};
/// Each line is this much later than the one before it.
constexpr std::uint64_t kSkewNs = 50'000;

/// The receiver is done when nothing has arrived for so long after the last packet was sent.
constexpr milliseconds kQuiet{500};
constexpr milliseconds kLook{5};

/// Of each socket. The demo shares its machine with whatever runs there: at its rate the receiver
/// may be kept from its CPU for 80 ms even while nothing is published yet.
constexpr std::uint32_t kFrames = 16'384;
constexpr double kRate = 100'000;

/// Of the time of sending in an optiq message: see feeder::optiq_message.
constexpr std::size_t kTimestampOffset = 12;

struct DemoArguments {
  std::uint64_t packets = 1'000'000;
  double rate = kRate;
  std::uint64_t seed = 1;
  unsigned lines = 2;
  Mode mode = Mode::automatic;
  std::string config_path;
  bool json = false;
};

/// What goes on at both ends, while it does.
struct Ends {
  feeder::Feeder& feeder;
  Receiver& receiver;
};

std::vector<Line> ends_of_lines(unsigned count, std::string (*name)(char)) {
  std::vector<Line> lines;
  for (char line = 'A'; line < static_cast<char>('A' + count); line++)
    lines.push_back({std::string(1, line), name(line)});
  return lines;
}

ReceiverOptions receiver_options(const DemoArguments& arguments) {
  ReceiverOptions options;
  options.lines = ends_of_lines(arguments.lines, lab::destination_name);
  options.mode = arguments.mode;
  options.frames = kFrames;
  std::vector<unsigned> cpus = sys::allowed_cpus();
  if (cpus.size() > 1) options.cpus = {cpus[1]};
  return options;
}

feeder::FeederOptions feeder_options(const DemoArguments& arguments) {
  feeder::FeederOptions options;
  options.framing = config::builtin_framing("optiq");
  options.packets = arguments.packets;
  options.rate = arguments.rate;
  options.seed = arguments.seed;
  std::vector<unsigned> cpus = sys::allowed_cpus();
  if (cpus.size() > 1) options.cpu = cpus[0];
  for (const Line& line : ends_of_lines(arguments.lines, lab::source_name)) {
    feeder::FeederLine end;
    end.line = line;
    end.impairment.loss = kLoss;
    end.impairment.burst = kBurstLoss;
    end.impairment.skew_ns = kSkewNs * options.lines.size();
    options.lines.push_back(end);
  }
  return options;
}

/// Checks every byte: the time of sending is the only one that the number does not tell.
void check(const Delivery& delivery, DeliveredNumbers& numbers) noexcept {
  if (delivery.payload.size() != feeder::kOptiqLength) return numbers.add_wrong();
  std::uint64_t timestamp_ns = lb_load_u64_le(delivery.payload.data() + kTimestampOffset);
  auto number = static_cast<std::uint32_t>(delivery.range.first);
  auto sent = feeder::optiq_message(number, timestamp_ns);
  if (std::memcmp(sent.data(), delivery.payload.data(), sent.size()) != 0)
    return numbers.add_wrong();
  numbers.add(delivery.range.first);
}

std::vector<std::string> live_lines(const Ends& ends, const DemoArguments& arguments) {
  using report::grouped;
  Progress received = ends.receiver.progress();
  std::uint64_t generated = ends.feeder.progress().units;
  std::vector<report::Row> rows{{"line", {"sent", "first", "duplicate"}, ""}};
  for (std::size_t i = 0; i < received.lines.size(); i++) {
    const Progress::OfLine& line = received.lines[i];
    rows.push_back(
        {std::string(1, static_cast<char>('A' + i)),
         {grouped(ends.feeder.progress().sent[i]), grouped(line.won), grouped(line.duplicate)},
         ""});
  }
  std::vector<std::string> lines{fmt::format("{} of {} messages generated, {} delivered",
                                             grouped(generated), grouped(arguments.packets),
                                             grouped(received.messages))};
  for (const report::Row& row : rows) {
    std::string text;
    for (const std::string& cell : row.cells) text += fmt::format("{:>14}", cell);
    lines.push_back(fmt::format("{:>6}{}", row.name, text));
  }
  return lines;
}

std::uint64_t packets_seen(const Receiver& receiver) {
  std::uint64_t packets = 0;
  for (const Progress::OfLine& line : receiver.progress().lines) packets += line.packets;
  return packets;
}

/// Everything was sent: waits until it has arrived, or until nothing arrives any more.
void wait_until_seen(const Receiver& receiver, const feeder::FeederResult& fed) {
  std::uint64_t sent = 0;
  for (const feeder::LineResult& line : fed.lines) sent += line.sent;
  std::uint64_t seen = packets_seen(receiver);
  for (milliseconds quiet{0}; seen < sent && quiet < kQuiet; quiet += kLook) {
    std::this_thread::sleep_for(kLook);
    std::uint64_t now = packets_seen(receiver);
    if (now != seen) quiet = milliseconds{0};
    seen = now;
  }
}

struct Run {
  feeder::FeederResult fed;
  Summary summary;
};

/// The feeder on a thread of its own, the receiver on this one, since it belongs to one thread.
Run run_both(const Ends& ends, const DemoArguments& arguments) {
  Run run;
  std::exception_ptr failure;
  LiveDisplay display([&] { return live_lines(ends, arguments); });
  std::jthread feeding([&] {
    try {
      run.fed = ends.feeder.run();
      wait_until_seen(ends.receiver, run.fed);
    } catch (...) {
      failure = std::current_exception();
    }
    ends.receiver.stop();
  });
  try {
    run.summary = ends.receiver.run();
  } catch (...) {
    ends.feeder.stop();
    throw;
  }
  feeding.join();
  if (failure) std::rethrow_exception(failure);
  return run;
}

int show(Run& run, const DeliveredNumbers& delivered, const DemoArguments& arguments) {
  Story story = tell_story(run.fed, delivered, run.summary);
  if (arguments.json) {
    nlohmann::ordered_json json = report::to_json(run.summary);
    json["feeder"] = to_json(run.fed);
    json["story"] = to_json(story);
    report::print_json(stdout, json);
  } else {
    print_story(stdout, story);
    report::print_summary(stdout, run.summary);
  }
  return run.summary.balanced && story.is_good() ? kDone : kFailed;
}

int demo(const DemoArguments& arguments) {
  hold_stop_signals();
  sys::enter_private_namespace();
  lab::up({.lines = arguments.lines});
  DeliveredNumbers delivered(arguments.packets);
  Receiver receiver(receiver_options(arguments),
                    [&](const Delivery& delivery) { check(delivery, delivered); });
  feeder::Feeder feeder(feeder_options(arguments));
  StopWatcher watcher([&] { feeder.stop(); });
  Run run = run_both({feeder, receiver}, arguments);
  return show(run, delivered, arguments);
}

}  // namespace

Command add_demo(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("demo",
                         "The whole thing in a private network namespace: lossy lines, hook, "
                         "receiver; shows what each "
                         "line lost and that nothing was lost in all. Leaves nothing behind");
  auto arguments = std::make_shared<DemoArguments>();
  command->add_option("--packets", arguments->packets, "Packets to generate, before impairments")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1}, kPacketsMax));
  command
      ->add_option("--rate", arguments->rate,
                   "Packets a second on each line; 0: as fast as it goes")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "Of all losses: one seed repeats them exactly")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--lines", arguments->lines, "Lines, 1 to 8")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1u, static_cast<unsigned>(kLinesMax)));
  add_mode_option(*command, arguments->mode);
  add_config_option(*command, arguments->config_path);
  add_json_option(*command, arguments->json);
  auto read = [command, arguments] { apply_config_file(*command, arguments->config_path); };
  return {command,
          [arguments, read] {
            read();
            return demo(*arguments);
          },
          read};
}

}  // namespace linearb::cli
