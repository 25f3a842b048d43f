// SPDX-License-Identifier: Apache-2.0
#include "cli/config_file.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "cli/unknown_name.h"
#include "config/nearest.h"
#include "config/strict_table.h"
#include "linearb/error.h"

namespace linearb::cli {
namespace {

constexpr std::string_view kNotInAFile[] = {"config", "help"};

[[noreturn]] void refuse(const std::string& path, const toml::source_region& region,
                         std::string_view reason) {
  throw UsageError(
      fmt::format("{}:{}:{}: {}", path, region.begin.line, region.begin.column, reason));
}

/// A value as it would stand on the command line; nothing for what cannot stand there.
std::optional<std::string> word_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

std::vector<std::string> words_of(const std::string& path, const toml::node& node) {
  std::vector<std::string> words;
  auto add = [&](const toml::node& element) {
    std::optional<std::string> word = word_of(element);
    if (!word) refuse(path, element.source(), "has to be a text, a number, true or false");
    words.push_back(*word);
  };
  if (const toml::array* array = node.as_array()) {
    for (const toml::node& element : *array) add(element);
  } else {
    add(node);
  }
  return words;
}

std::vector<std::string> keys_of(const CLI::App& command) {
  std::vector<std::string> keys;
  for (const std::string& option : long_options(command)) {
    std::string key = option.substr(2);
    if (std::ranges::find(kNotInAFile, key) == std::end(kNotInAFile)) keys.push_back(key);
  }
  return keys;
}

void apply_key(CLI::Option& option, const std::string& path, const toml::node& node) {
  std::vector<std::string> words = words_of(path, node);
  if (!option.empty()) return;
  bool is_flag = option.get_items_expected_max() == 0;
  if (is_flag && !node.is_boolean())
    refuse(path, node.source(), fmt::format("{} is true or false", option.get_name()));
  try {
    option.add_result(words);
    option.run_callback();
  } catch (const CLI::ParseError& error) {
    refuse(path, node.source(), error.what());
  } catch (const UsageError& error) {
    refuse(path, node.source(), error.what());
  }
}

}  // namespace

void add_config_option(CLI::App& command, std::string& path) {
  command.add_option("--config", path, "TOML file with options; the command line wins")
      ->type_name("FILE");
}

void apply_config_file(CLI::App& command, const std::string& path) {
  if (path.empty()) return;
  toml::table table = config::parse_toml_file(path);
  std::vector<std::string> keys = keys_of(command);
  for (const auto& [key, node] : table) {
    std::string name(key.str());
    if (std::ranges::find(keys, name) == keys.end())
      refuse(path, key.source(),
             fmt::format("there is no key \"{}\"; {}", name, config::suggest_name(name, keys)));
    apply_key(*command.get_option("--" + name), path, node);
  }
}

}  // namespace linearb::cli
