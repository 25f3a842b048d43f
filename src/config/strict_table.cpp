// SPDX-License-Identifier: Apache-2.0
#include "config/strict_table.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/nearest.h"
#include "linearb/error.h"

namespace linearb::config {
namespace {

/// 4,096 channels with a destination on each of eight lines are a third of it, and leave room for
/// their sources; a capture given by mistake is refused early.
constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;

bool stands_before(const toml::key* left, const toml::key* right) {
  const toml::source_position& first = left->source().begin;
  const toml::source_position& second = right->source().begin;
  return std::tie(first.line, first.column) < std::tie(second.line, second.column);
}

}  // namespace

std::string place_text(std::string_view file, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", file, region.begin.line, region.begin.column);
}

std::vector<const toml::key*> keys_in_file_order(const toml::table& table) {
  std::vector<const toml::key*> keys;
  for (auto entry = table.begin(); entry != table.end(); ++entry) keys.push_back(&entry->first);
  std::ranges::sort(keys, stands_before);
  return keys;
}

toml::table parse_toml(std::string_view text, std::string_view file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    throw UsageError(fmt::format("{}: {}", place_text(file, error.source()), error.description()));
  }
}

toml::table parse_toml_file(const std::string& path) {
  std::string text(kFileBytesMax + 1, '\0');
  std::ifstream stream(path, std::ios::binary);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad())
    throw UsageError(fmt::format("read {}: {}", path, std::strerror(errno)));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kFileBytesMax)
    throw UsageError(fmt::format("{}: larger than {} bytes, which no TOML file of linearb is", path,
                                 kFileBytesMax));
  return parse_toml(text, path);
}

StrictTable::StrictTable(std::string file, std::string name, const toml::table& table)
    : file_(std::move(file)), name_(std::move(name)), table_(&table) {}

bool StrictTable::is_asked(std::string_view key) const {
  return std::find(asked_.begin(), asked_.end(), key) != asked_.end();
}

const toml::node* StrictTable::find(std::string_view key) {
  if (!is_asked(key)) asked_.emplace_back(key);
  return table_->get(key);
}

bool StrictTable::has(std::string_view key) {
  return find(key) != nullptr;
}

std::vector<std::string> StrictTable::keys() const {
  std::vector<std::string> names;
  for (const toml::key* key : keys_in_file_order(*table_)) names.emplace_back(key->str());
  return names;
}

std::string StrictTable::place_of(std::string_view key) const {
  const toml::node* node = key.empty() ? nullptr : table_->get(key);
  return place_text(file_, node ? node->source() : table_->source());
}

std::optional<std::string> StrictTable::optional_text(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (!node->is_string()) refuse(key, "has to be a text in quotation marks");
  return node->as_string()->get();
}

std::string StrictTable::text(std::string_view key) {
  std::optional<std::string> value = optional_text(key);
  if (!value) refuse_missing(key);
  return *value;
}

std::vector<StrictTable::PlacedText> StrictTable::texts(std::string_view key) {
  std::vector<PlacedText> texts;
  const toml::node* node = find(key);
  if (!node) return texts;
  const auto add = [&](const toml::node& element) {
    if (!element.is_string())
      refuse(key, "has to be a text in quotation marks, or an array of them");
    texts.push_back({element.as_string()->get(), place_text(file_, element.source())});
  };
  if (const toml::array* array = node->as_array())
    for (const toml::node& element : *array) add(element);
  else
    add(*node);
  if (texts.empty()) refuse(key, "is empty; leave it out, or name what it is to be");
  return texts;
}

std::size_t StrictTable::choice(std::string_view key,
                                std::initializer_list<std::string_view> choices) {
  std::optional<std::string> value = optional_text(key);
  if (!value) return 0;
  const auto* found = std::find(choices.begin(), choices.end(), *value);
  if (found == choices.end())
    refuse(key, fmt::format("is \"{}\"; it can be \"{}\"", *value, fmt::join(choices, "\", \"")));
  return static_cast<std::size_t>(found - choices.begin());
}

std::optional<std::uint64_t> StrictTable::optional_number(std::string_view key, Range range) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (!node->is_integer()) refuse(key, "has to be a whole number");
  std::int64_t value = node->as_integer()->get();
  if (value < 0 || std::cmp_less(value, range.least) || std::cmp_greater(value, range.most))
    refuse(key, fmt::format("is {}; it has to be {} to {}", value, range.least, range.most));
  return static_cast<std::uint64_t>(value);
}

std::uint64_t StrictTable::number(std::string_view key, Range range) {
  std::optional<std::uint64_t> value = optional_number(key, range);
  if (!value) refuse_missing(key);
  return *value;
}

std::optional<bool> StrictTable::optional_flag(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (!node->is_boolean()) refuse(key, "has to be true or false");
  return node->as_boolean()->get();
}

std::optional<double> StrictTable::optional_real(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (!node->is_number()) refuse(key, "has to be a number");
  return node->value<double>();
}

std::optional<StrictTable> StrictTable::optional_table(std::string_view key) {
  const toml::node* node = find(key);
  if (!node) return std::nullopt;
  if (!node->is_table()) refuse(key, "has to be a table");
  return StrictTable(file_, fmt::format("[{}]", name_of(key)), *node->as_table());
}

StrictTable StrictTable::table(std::string_view key) {
  std::optional<StrictTable> value = optional_table(key);
  if (!value) refuse_missing(key);
  return *std::move(value);
}

std::vector<StrictTable> StrictTable::table_or_tables(std::string_view key) {
  const toml::node* node = find(key);
  if (!node || node->is_array()) return tables(key);
  return {table(key)};
}

std::vector<StrictTable> StrictTable::tables(std::string_view key) {
  std::vector<StrictTable> values;
  const toml::node* node = find(key);
  if (!node) return values;
  if (!node->is_array_of_tables())
    refuse(key, fmt::format("has to be one or more tables: [[{}]]", name_of(key)));
  for (const toml::node& element : *node->as_array())
    values.emplace_back(file_, fmt::format("[[{}]]", name_of(key)), *element.as_table());
  return values;
}

void StrictTable::finish() const {
  for (const toml::key* key : keys_in_file_order(*table_)) {
    if (!is_asked(key->str())) refuse_unknown(*key);
  }
}

void StrictTable::refuse(std::string_view key, std::string_view reason) const {
  throw UsageError(fmt::format("{}: {}{}{} {}", place_of(key), name_,
                               name_.empty() || key.empty() ? "" : " ", key, reason));
}

/// The dotted name without brackets: "message.length".
std::string StrictTable::name_of(std::string_view key) const {
  std::string outer = name_;
  std::erase_if(outer, [](char letter) { return letter == '[' || letter == ']'; });
  return outer.empty() ? std::string(key) : fmt::format("{}.{}", outer, key);
}

void StrictTable::refuse_missing(std::string_view key) const {
  for (const auto& [other, node] : *table_) {
    if (!is_asked(other.str()) && nearest_name(other.str(), std::array{std::string(key)}))
      refuse_unknown(other);
  }
  throw UsageError(fmt::format("{}: {} has no \"{}\"", place_text(file_, table_->source()),
                               name_.empty() ? "the file" : name_, key));
}

void StrictTable::refuse_unknown(const toml::key& key) const {
  throw UsageError(fmt::format("{}: {} has no key \"{}\"; {}", place_text(file_, key.source()),
                               name_.empty() ? "the file" : name_, key.str(),
                               suggest_name(key.str(), asked_)));
}

}  // namespace linearb::config
