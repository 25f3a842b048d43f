// SPDX-License-Identifier: Apache-2.0
#include "cli/config_file.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cli/options.h"
#include "cli/unknown_name.h"
#include "config/check.h"
#include "config/nearest.h"
#include "config/receiver_tables.h"
#include "config/strict_table.h"
#include "linearb/error.h"

namespace linearb::cli {
namespace {

constexpr std::string_view kNotInAFile[] = {"config", "help"};

/// What a merge takes of a receiver's file. Not `write`: it would write over what the receiver has
/// recorded.
constexpr std::string_view kOfMerge[] = {
    "channel", config::kChannelsTable, "checksum", "dedup", "keys", "order", "repair"};

[[noreturn]] void refuse(const std::string& path, const toml::source_region& region,
                         std::string_view reason) {
  throw UsageError(fmt::format("{}: {}", config::place_text(path, region), reason));
}

/// A value as it would stand on the command line; nothing for what cannot stand there.
std::optional<std::string> word_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

bool contains(const std::vector<std::string>& keys, const std::string& key) {
  return std::ranges::find(keys, key) != keys.end();
}

std::vector<std::string> keys_of(const CLI::App& command) {
  std::vector<std::string> keys;
  for (const std::string& option : long_options(command)) {
    std::string key = option.substr(2);
    if (std::ranges::find(kNotInAFile, key) == std::end(kNotInAFile)) keys.push_back(key);
  }
  return keys;
}

void require_known(const std::string& path, const toml::key& key,
                   const std::vector<std::string>& known) {
  std::string name(key.str());
  if (contains(known, name)) return;
  refuse(path, key.source(),
         fmt::format("there is no key \"{}\"; {}", name, config::suggest_name(name, known)));
}

/// One option and the value that a file has for it.
class Value {
 public:
  Value(CLI::Option& option, const std::string& path, const toml::node& node)
      : option_(option), path_(path), node_(node) {}

  /// Elements of an array are tried one by one first, so that a refusal names the very one.
  void apply() const {
    std::vector<std::string> words;
    for (const toml::node* element : elements()) {
      words.push_back(word_at(*element));
      if (node_.is_array()) set({words.back()}, *element);
    }
    set(words, node_);
  }

 private:
  std::vector<const toml::node*> elements() const {
    std::vector<const toml::node*> nodes;
    if (const toml::array* array = node_.as_array())
      for (const toml::node& element : *array) nodes.push_back(&element);
    else
      nodes.push_back(&node_);
    return nodes;
  }

  std::string word_at(const toml::node& node) const {
    std::optional<std::string> word = word_of(node);
    if (!word) refuse(path_, node.source(), "has to be a text, a number, true or false");
    bool is_flag = option_.get_items_expected_max() == 0;
    std::string name = option_.get_name();
    if (is_flag != node.is_boolean())
      refuse(path_, node.source(),
             name + (is_flag ? " is true or false" : " is a text or a number"));
    if (option_.get_type_name() == kFileType && !node.is_string())
      refuse(path_, node.source(), name + " is a text in quotation marks");
    return *word;
  }

  void set(const std::vector<std::string>& words, const toml::node& place) const {
    try {
      option_.clear();
      option_.add_result(words);
      option_.run_callback();
    } catch (const CLI::ParseError& error) {
      refuse(path_, place.source(), error.what());
    } catch (const UsageError& error) {
      refuse(path_, place.source(), error.what());
    }
  }

  CLI::Option& option_;
  const std::string& path_;
  const toml::node& node_;
};

/// Where the value of a key stands, and where each of its elements does.
void note_places(config::Places& places, const std::string& path, const std::string& key,
                 const toml::node& node) {
  places.set({key, {}, ""}, config::place_text(path, node.source()));
  const toml::array* array = node.as_array();
  for (std::size_t i = 0; array && i < array->size(); i++)
    places.set({key, i, ""}, config::place_text(path, array->get(i)->source()));
}

/// A receiver's file for one command. The options that the command itself does not have are
/// declared a second time, and bound to the same values.
class ReceiverFile {
 public:
  /// With `only`, all other keys are passed over.
  ReceiverFile(CLI::App& command, const std::string& path, ReceiverOptions& options,
               std::span<const std::string_view> only = {})
      : command_(command), path_(path), options_(options), only_(only) {
    add_receiver_options(receiver_, options);
    add_events_option(receiver_, events_);
    add_json_option(receiver_, json_);
  }

  config::Places apply() {
    toml::table file = config::parse_toml_file(path_);
    config::ReceiverTables tables(path_, file);
    apply_keys(file);
    if (is_wanted("line") && !is_given("line")) tables.read_lines(options_, places_);
    if (!is_given("channel")) tables.read_channels(options_, places_);
    return std::move(places_);
  }

 private:
  void apply_keys(const toml::table& file) {
    std::vector<std::string> known = keys_of(receiver_);
    known.insert(known.end(), {config::kLinesTable, config::kChannelsTable});
    for (const toml::key* key : config::keys_in_file_order(file)) {
      std::string name(key->str());
      require_known(path_, *key, known);
      if (!is_wanted(name)) continue;
      if (name == config::kLinesTable || name == config::kChannelsTable || is_given(name)) continue;
      const toml::node& node = *file.get(name);
      Value(option(name), path_, node).apply();
      note_places(places_, path_, name, node);
    }
  }

  CLI::Option& option(const std::string& key) {
    CLI::Option* own = command_.get_option_no_throw("--" + key);
    return own ? *own : *receiver_.get_option("--" + key);
  }
  bool is_wanted(std::string_view key) const {
    return only_.empty() || std::ranges::find(only_, key) != only_.end();
  }
  bool is_given(const std::string& key) { return !option(key).empty(); }

  CLI::App& command_;
  const std::string& path_;
  ReceiverOptions& options_;
  std::span<const std::string_view> only_;
  CLI::App receiver_;
  std::string events_;
  bool json_ = false;
  config::Places places_;
};

}  // namespace

void add_config_option(CLI::App& command, std::string& path) {
  command.add_option("--config", path, "TOML file with options; the command line wins")
      ->type_name(kFileType)
      ->check(names_a_file);
}

void apply_config_file(CLI::App& command, const std::string& path) {
  if (path.empty()) return;
  toml::table file = config::parse_toml_file(path);
  std::vector<std::string> known = keys_of(command);
  for (const toml::key* key : config::keys_in_file_order(file)) {
    require_known(path, *key, known);
    std::string name(key->str());
    CLI::Option& option = *command.get_option("--" + name);
    if (option.empty()) Value(option, path, *file.get(name)).apply();
  }
}

void finish_receiver_options(CLI::App& command, const std::string& path, ReceiverOptions& options) {
  config::Places places;
  if (!path.empty()) places = ReceiverFile(command, path, options).apply();
  config::check(options, places);
}

void finish_merge_options(CLI::App& command, const std::string& path, ReceiverOptions& options) {
  config::Places places;
  const bool is_said = !command.get_option("--repair")->empty();
  if (!path.empty()) places = ReceiverFile(command, path, options, kOfMerge).apply();
  if (!is_said)  // a line of the file that is not merged
    std::erase_if(options.repair_lines, [&](const std::string& line) {
      return std::ranges::find(options.lines, line, &Line::name) == options.lines.end();
    });
  for (Channel& channel : options.channels) channel.thread.reset();  // a merge has one
  config::check(options, places);
}

}  // namespace linearb::cli
