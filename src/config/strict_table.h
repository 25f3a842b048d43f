// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

namespace linearb::config {

/// Reads the file and parses it. Throws UsageError with file, line and column of what is wrong.
toml::table parse_toml_file(const std::string& path);
toml::table parse_toml(std::string_view text, std::string_view file);

/// "site.toml:3:7", with which every message about a place in a file begins.
std::string place_text(std::string_view file, const toml::source_region& region);

/// A toml::table is sorted by name; these are its keys as they stand in the file.
std::vector<const toml::key*> keys_in_file_order(const toml::table& table);

/// A TOML table that is read by asking for each key that it may have. finish() then refuses every
/// key that nobody asked for, so that the code that reads a key is the only list of valid keys.
///
/// All refusals are UsageErrors that begin with file, line and column. It refers to the table it
/// was made from, which has to live longer.
class StrictTable {
 public:
  /// `name` is how messages call the table: "[sequence]"; empty for the whole file.
  StrictTable(std::string file, std::string name, const toml::table& table);

  bool has(std::string_view key);
  /// All that there are, in the order of the file.
  std::vector<std::string> keys() const;
  /// Of the value at the key, or of the whole table where the key is missing or empty.
  std::string place_of(std::string_view key) const;

  std::string text(std::string_view key);
  std::optional<std::string> optional_text(std::string_view key);
  /// A text with its place in the file.
  struct PlacedText {
    std::string text;
    std::string place;
  };
  /// One text, or an array of them, which may not be empty. None where the key is missing.
  std::vector<PlacedText> texts(std::string_view key);
  /// The position of the text among `choices`; 0, the default, where the key is missing.
  std::size_t choice(std::string_view key, std::initializer_list<std::string_view> choices);

  /// Least and most are allowed; both stand in the message that refuses another number.
  struct Range {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
  };
  std::uint64_t number(std::string_view key, Range range);
  std::optional<std::uint64_t> optional_number(std::string_view key, Range range);

  std::optional<bool> optional_flag(std::string_view key);
  /// Whole or with a fraction.
  std::optional<double> optional_real(std::string_view key);

  std::optional<StrictTable> optional_table(std::string_view key);
  StrictTable table(std::string_view key);
  /// One table, or those of an array "[[key]]"; none where the key is missing.
  std::vector<StrictTable> table_or_tables(std::string_view key);
  /// The tables of an array "[[key]]"; none where the key is missing.
  std::vector<StrictTable> tables(std::string_view key);

  void finish() const;

  /// Refuses what stands at the key, or the whole table where the key is missing or empty.
  [[noreturn]] void refuse(std::string_view key, std::string_view reason) const;

 private:
  const toml::node* find(std::string_view key);
  bool is_asked(std::string_view key) const;
  std::string name_of(std::string_view key) const;
  [[noreturn]] void refuse_missing(std::string_view key) const;
  [[noreturn]] void refuse_unknown(const toml::key& key) const;

  std::string file_;
  std::string name_;
  const toml::table* table_;
  std::vector<std::string> asked_;
};

}  // namespace linearb::config
