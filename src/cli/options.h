// SPDX-License-Identifier: Apache-2.0
//
// Options that several commands share, each in one place: its name, its help, its default.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "linearb/options.h"

namespace linearb::cli {

/// What help calls the value of an option that is a path.
inline constexpr const char* kFileType = "FILE";

/// For Option::check(): what is wrong with a path, or with a number. A number is not taken where
/// CLI11 would read another one: 0100 as 64, and one beyond 64 bits as the largest there is.
std::string names_a_file(const std::string& text);
std::string is_whole_number(const std::string& text);

/// An option whose value is one of a few words; `value` is the position of the word. The default is
/// the value that it has when the option is added.
template <typename Enum>
struct Choice {
  std::string name;
  std::vector<std::string> words;  ///< in the order of the enumerators
  std::string help;
};

/// The position of `word`; throws UsageError that suggests one.
std::size_t position_of_choice(const std::string& option, const std::string& word,
                               const std::vector<std::string>& words);
/// "auto|native|generic".
std::string choices_text(const std::vector<std::string>& words);

template <typename Enum>
CLI::Option* add_choice(CLI::App& command, Enum& value, const Choice<Enum>& choice) {
  auto set = [&value, choice](const std::string& word) {
    value = static_cast<Enum>(position_of_choice(choice.name, word, choice.words));
  };
  return command.add_option_function<std::string>(choice.name, set, choice.help)
      ->type_name(choices_text(choice.words))
      ->default_str(choice.words[static_cast<std::size_t>(value)]);
}

/// --line; the first one given replaces the default.
void add_line_option(CLI::App& command, std::vector<Line>& lines);
/// --channel; the same.
void add_channel_option(CLI::App& command, std::vector<Channel>& channels);
/// --repair.
void add_repair_option(CLI::App& command, std::vector<std::string>& lines);
/// --keys.
void add_keys_option(CLI::App& command, std::uint32_t& keys);
/// --mode.
void add_mode_option(CLI::App& command, Mode& mode);
/// --zero-copy.
void add_zero_copy_option(CLI::App& command, ZeroCopy& zero_copy);
/// --json.
void add_json_option(CLI::App& command, bool& json);
/// --repair, --channel, --keys, --checksum, --dedup and --order: what is arbitrated, and how,
/// wherever the packets come from.
void add_arbitration_options(CLI::App& command, ReceiverOptions& options);
/// --write.
void add_write_option(CLI::App& command, std::string& path);
/// --events.
void add_events_option(CLI::App& command, std::string& path);
/// Everything that a receiver can be told.
void add_receiver_options(CLI::App& command, ReceiverOptions& options);

}  // namespace linearb::cli
