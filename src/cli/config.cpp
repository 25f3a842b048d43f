// SPDX-License-Identifier: Apache-2.0
//
// `linearb config check`: what a command would make of a file, without doing it.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/options.h"
#include "cli/receive.h"
#include "linearb/error.h"
#include "report/json.h"

namespace linearb::cli {
namespace {

using Json = nlohmann::ordered_json;

enum class For {
  receive,
  feed,
  demo
};
const std::vector<std::string> kCommands{"receive", "feed", "demo"};

struct ConfigArguments {
  std::string path;
  For command = For::receive;
  bool json = false;

  const std::string& command_name() const { return kCommands[static_cast<std::size_t>(command)]; }
};

/// Lines and channels stand on their own in what is shown.
bool is_plain(const CLI::Option& option) {
  for (const char* name : {"--help", "--config", "--line", "--channel"}) {
    if (option.check_name(name)) return false;
  }
  return true;
}

bool is_default(const CLI::Option& option) {
  if (option.empty()) return true;
  std::string standard = option.get_default_str();
  bool is_flag = option.get_items_expected_max() == 0;
  return option.results() == CLI::results_t{is_flag ? "false" : standard};
}

Json number_json(const std::string& value) {
  Json number = Json::parse(value, nullptr, false);
  return number.is_number() ? number : Json(value);
}

/// A value as JSON has it: true for a flag, a number where the option takes nothing else, an array
/// where it takes several.
Json value_json(const CLI::Option& option) {
  const CLI::results_t& values = option.results();
  std::string type = option.get_type_name();
  if (option.get_items_expected_max() == 0) return values[0] == "true";
  const bool is_number = type.starts_with("N[") || type == "N" || type.starts_with("N:") ||
                         type == "S" || type == "BYTES";
  Json array = Json::array();
  for (const std::string& value : values)
    array.push_back(is_number ? number_json(value) : Json(value));
  const bool is_one = values.size() == 1 && (is_number || option.get_items_expected_max() == 1);
  return is_one ? array[0] : array;
}

/// What the file says beyond the defaults.
Json options_json(const CLI::App& command) {
  Json object = Json::object();
  for (const CLI::Option* option : command.get_options()) {
    if (is_plain(*option) && !is_default(*option))
      object[option->get_lnames().front()] = value_json(*option);
  }
  return object;
}

Json channel_json(const Channel& channel, const std::vector<Line>& lines) {
  Json destinations = Json::object();
  for (const Line& line : lines)
    destinations[line.name] = destination_text(channel.destination_on(line.name));
  return {{"name", channel.name}, {"framing", channel.framing}, {"destinations", destinations}};
}

void add_lines_and_channels(Json& object, const std::vector<Line>& lines,
                            const std::vector<Channel>& channels) {
  object["lines"] = Json::array();
  for (const Line& line : lines)
    object["lines"].push_back({{"name", line.name}, {"interface", line.interface}});
  object["channels"] = Json::array();
  for (const Channel& channel : channels)
    object["channels"].push_back(channel_json(channel, lines));
}

/// The words of a command line that has nothing but the file; CLI11 takes them from behind.
void parse_with_file(CLI::App& app, const ConfigArguments& arguments) {
  app.parse(std::vector<std::string>{"--config=" + arguments.path, arguments.command_name()});
}

Json understood_of_receive(const ConfigArguments& arguments) {
  CLI::App app;
  ReceiveArguments receive;
  CLI::App* command = declare_receive(app, receive);
  parse_with_file(app, arguments);
  finish_receiver_options(*command, receive.config_path, receive.options);
  Json object = Json::object();
  add_lines_and_channels(object, receive.options.lines, receive.options.channels);
  object["options"] = options_json(*command);
  return object;
}

/// What is wrong may be known only when all of the file was read: then at least the file is named.
void check_naming_file(const Command& command, const std::string& path) {
  try {
    command.check();
  } catch (const UsageError& error) {
    std::string text = error.what();
    if (text.find(path + ":") != text.npos) throw;
    throw UsageError(fmt::format("{}: {}", path, text));
  }
}

Json understood_of_other(const ConfigArguments& arguments) {
  CLI::App app;
  Command command = arguments.command == For::feed ? add_feed(app) : add_demo(app);
  parse_with_file(app, arguments);
  check_naming_file(command, arguments.path);
  Json object = Json::object();
  for (const char* name : {"line", "channel"}) {
    const CLI::Option* option = command.arguments->get_option_no_throw(std::string("--") + name);
    if (option && !option->empty()) object[std::string(name) + "s"] = option->results();
  }
  object["options"] = options_json(*command.arguments);
  return object;
}

/// The destinations of a channel: "A=233.252.0.1:26477 B=233.252.0.2:26477".
std::string pairs_text(const Json& object) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : object.items())
    pairs.push_back(fmt::format("{}={}", key, value.get<std::string>()));
  return fmt::format("{}", fmt::join(pairs, " "));
}

std::string value_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object()) return pairs_text(value);
  return value.dump();
}

/// What a line, a channel or a repeated option consists of, in columns.
std::string words_text(const Json& value) {
  if (!value.is_structured()) return value_text(value);
  std::vector<std::string> words;
  for (const auto& [key, element] : value.items())
    words.push_back(fmt::format("{:<15}", value_text(element)));
  std::string text = fmt::format("{}", fmt::join(words, " "));
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

void print_understood(const Json& object) {
  fmt::print("{} is right for linearb {}\n", value_text(object["file"]),
             value_text(object["command"]));
  for (const char* part : {"line", "channel"}) {
    auto found = object.find(std::string(part) + "s");
    if (found == object.end()) continue;
    for (const Json& value : *found) fmt::print("{:<8} {}\n", part, words_text(value));
  }
  for (const auto& [name, value] : object["options"].items())
    fmt::print("{:<8} {:<15} {}\n", "option", name, words_text(value));
}

int check(const ConfigArguments& arguments) {
  Json object{{"file", arguments.path}, {"command", arguments.command_name()}};
  object.update(arguments.command == For::receive ? understood_of_receive(arguments)
                                                  : understood_of_other(arguments));
  if (arguments.json)
    report::print_json(stdout, object);
  else
    print_understood(object);
  return kDone;
}

}  // namespace

Command add_config(CLI::App& app) {
  CLI::App* command = app.add_subcommand("config", "Configuration files");
  command->require_subcommand(1);
  auto arguments = std::make_shared<ConfigArguments>();
  CLI::App* action = command->add_subcommand(
      "check", "Read a file as a command would, say what it means, and touch nothing");
  action->add_option("FILE", arguments->path, "What --config of the command would be given")
      ->required()
      ->type_name("")
      ->check(names_a_file);
  add_choice<For>(*action, arguments->command, {"--for", kCommands, "The command it is for"});
  add_json_option(*action, arguments->json);
  return {command, [arguments] { return check(*arguments); }};
}

}  // namespace linearb::cli
