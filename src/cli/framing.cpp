// SPDX-License-Identifier: Apache-2.0
//
// `linearb framing`: which feeds there are, what a framing says of their bytes, and whether a file
// is right, by itself and for a capture.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/options.h"
#include "config/framing_file.h"
#include "inspect/capture_check.h"
#include "inspect/framing_words.h"
#include "report/json.h"
#include "report/numbers.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;
using inspect::CaptureFindings;
using inspect::Stream;

struct FramingArguments {
  std::string name_or_path;
  std::string capture;
  bool toml = false;
  bool json = false;
};

int list(const FramingArguments& arguments) {
  Json array = Json::array();
  for (const std::string& name : config::builtin_framing_names()) {
    const config::Framing framing = config::builtin_framing(name);
    array.push_back({{"name", name}, {"title", framing.title}, {"source", framing.source}});
    if (!arguments.json) fmt::print("{:<22} {}\n", name, framing.title);
  }
  if (arguments.json) report::print_json(stdout, array);
  return kDone;
}

Json framing_json(const config::Framing& framing, const std::string& comment) {
  Json object{{"name", framing.name},
              {"title", framing.title},
              {"source", framing.source},
              {"comment", comment},
              {"header_length", framing.descriptor.header_length},
              {"least_length", framing.descriptor.least_length},
              {"fields", Json::array()},
              {"sentences", inspect::sentences_of(framing.descriptor)}};
  for (const inspect::FieldWords& words : inspect::fields_of(framing.descriptor))
    object["fields"].push_back({{"name", words.name},
                                {"offset", words.field.offset},
                                {"width", words.field.width},
                                {"endian", words.field.big_endian ? "big" : "little"},
                                {"says", words.says}});
  return object;
}

/// Kinds have sentences of their own.
void print_fields(const lb_framing& framing) {
  for (const inspect::FieldWords& words : inspect::fields_of(framing)) {
    if (words.name != "kind")
      fmt::print("{:<9} {}: {}\n", words.name, inspect::place_text(words.field), words.says);
  }
}

int show(const FramingArguments& arguments) {
  const config::Framing framing = config::load_framing(arguments.name_or_path);
  const std::string text = config::framing_text(arguments.name_or_path);
  const std::string comment = config::leading_comment(text);
  if (arguments.json) {
    report::print_json(stdout, framing_json(framing, comment));
  } else if (arguments.toml) {
    fmt::print("{}", text);
  } else {
    fmt::print("{}: {}\nsource: {}\n\n{}\n{}\n", framing.name, framing.title, framing.source,
               comment, inspect::byte_map(framing.descriptor));
    print_fields(framing.descriptor);
    fmt::print("\n{}\n", fmt::join(inspect::sentences_of(framing.descriptor), "\n"));
  }
  return kDone;
}

Json stream_json(const Stream& stream) {
  return {{"destination", stream.destination.empty() ? Json() : Json(stream.destination)},
          {"key", report::key_json(stream.key)},
          {"sessions", stream.sessions},
          {"packets", stream.packets},
          {"heartbeats", stream.heartbeats},
          {"duplicates", stream.duplicates},
          {"messages", stream.messages},
          {"gaps", stream.gaps},
          {"missing", stream.missing},
          {"restarts", stream.restarts}};
}

Json findings_json(const CaptureFindings& findings) {
  Json kinds = Json::object();
  for (std::size_t kind = 0; kind < findings.kinds.size(); ++kind)
    kinds[std::string(inspect::kind_name(static_cast<lb_kind>(kind)))] = findings.kinds[kind];
  Json object{{"packets", findings.packets},
              {"not_udp", findings.not_udp},
              {"decoded", findings.decoded()},
              {"kinds", kinds},
              {"first_malformed",
               findings.first_malformed.empty() ? Json() : Json(findings.first_malformed)},
              {"not_followed", findings.not_followed},
              {"streams", Json::array()}};
  for (const Stream& stream : findings.streams) object["streams"].push_back(stream_json(stream));
  return object;
}

std::string stream_name(const Stream& stream) {
  std::vector<std::string> words;
  if (!stream.destination.empty()) words.push_back(stream.destination);
  if (stream.key) words.push_back(fmt::format("key {}", *stream.key));
  if (!stream.sessions.empty())
    words.push_back(fmt::format("session{} {}", stream.sessions.size() > 1 ? "s" : "",
                                fmt::join(stream.sessions, ", ")));
  return words.empty() ? "all" : fmt::format("{}", fmt::join(words, ", "));
}

void print_stream(const Stream& stream) {
  fmt::print("\nstream {}\n", stream_name(stream));
  auto line = [](std::string_view name, std::uint64_t count, const std::string& meaning) {
    fmt::print("  {:<16} {:>12}{}{}\n", name, report::grouped(count), meaning.empty() ? "" : "  ",
               meaning);
  };
  line("packets", stream.packets, "");
  line("heartbeats", stream.heartbeats, "");
  line("duplicates", stream.duplicates, "packets with nothing new");
  line("messages", stream.messages, "");
  line("gaps", stream.gaps, fmt::format("{} messages in them", report::grouped(stream.missing)));
  line("restarts", stream.restarts, "new sessions, resets, numbers that begin anew");
}

void print_findings(const CaptureFindings& findings) {
  const std::uint64_t datagrams = findings.datagrams();
  auto line = [&](std::string_view name, std::uint64_t count) {
    fmt::print("{:<18} {:>12}  {}\n", name, report::grouped(count),
               report::share_text(count, datagrams));
  };
  fmt::print("{:<18} {:>12}  and {} that are no whole UDP datagram\n", "datagrams",
             report::grouped(datagrams), report::grouped(findings.not_udp));
  line("decode", findings.decoded());
  for (std::size_t kind = 0; kind < findings.kinds.size(); ++kind) {
    const auto name = inspect::kind_name(static_cast<lb_kind>(kind));
    if (findings.kinds[kind] && kind != LB_KIND_MALFORMED)
      line(fmt::format("  {}", name), findings.kinds[kind]);
  }
  if (findings.kinds[LB_KIND_MALFORMED]) line("malformed", findings.kinds[LB_KIND_MALFORMED]);
  if (!findings.first_malformed.empty()) fmt::print("  {}\n", findings.first_malformed);
  for (const Stream& stream : findings.streams) print_stream(stream);
  if (findings.not_followed)
    fmt::print("\n{} packets of further streams were not followed\n",
               report::grouped(findings.not_followed));
}

CaptureFindings read_capture(const lb_framing& framing, const std::string& path) {
  inspect::Datagrams datagrams(path, framing);
  inspect::CaptureCheck check(framing);
  while (const auto datagram = datagrams.next()) check.take(*datagram);
  return check.finish();
}

int check(const FramingArguments& arguments) {
  const config::Framing framing = config::load_framing(arguments.name_or_path);
  Json object{{"file", arguments.name_or_path}, {"name", framing.name}};
  if (!arguments.json) fmt::print("{}: fine\n", arguments.name_or_path);
  int status = kDone;
  if (!arguments.capture.empty()) {
    const CaptureFindings findings = read_capture(framing.descriptor, arguments.capture);
    object["capture"] = arguments.capture;
    object.update(findings_json(findings));
    if (!arguments.json) print_findings(findings);
    if (findings.decoded() == 0) status = kFailed;
  }
  if (arguments.json) report::print_json(stdout, object);
  return status;
}

void add_name(CLI::App& command, FramingArguments& arguments, const std::string& name,
              const std::string& help) {
  command.add_option(name, arguments.name_or_path, help)
      ->required()
      ->type_name("")
      ->check(names_a_file);
}

}  // namespace

Command add_framing(CLI::App& app) {
  CLI::App* command = app.add_subcommand("framing", "What the packets of a feed look like");
  command->require_subcommand(1);
  auto arguments = std::make_shared<FramingArguments>();

  CLI::App* list_all = command->add_subcommand("list", "The feeds that are built in");
  add_json_option(*list_all, arguments->json);

  CLI::App* show_one =
      command->add_subcommand("show", "A framing in words, with a map of its bytes");
  add_name(*show_one, *arguments, "NAME", "One that is built in, or the path of a file");
  CLI::Option* toml =
      show_one->add_flag("--toml", arguments->toml, "The file itself, to begin one's own with");
  add_json_option(*show_one, arguments->json);
  show_one->get_option("--json")->excludes(toml);

  CLI::App* check_one = command->add_subcommand(
      "check", "Whether a file is right, and what a capture looks like by it");
  add_name(*check_one, *arguments, "FILE", "The path of a file, or one that is built in");
  check_one
      ->add_option("CAPTURE", arguments->capture,
                   "All its datagrams are read by it: pcap, pcapng, or payloads back to back")
      ->type_name("")
      ->check(names_a_file);
  add_json_option(*check_one, arguments->json);

  return {command, [=] {
            if (list_all->parsed()) return list(*arguments);
            return show_one->parsed() ? show(*arguments) : check(*arguments);
          }};
}

}  // namespace linearb::cli
