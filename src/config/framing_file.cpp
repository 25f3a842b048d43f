// SPDX-License-Identifier: Apache-2.0
#include "config/framing_file.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/embedded_framings.h"
#include "config/nearest.h"
#include "config/strict_table.h"
#include "linearb/error.h"

namespace linearb::config {
namespace {

/// Numbers are kept beside a generation in one word (core/mark.h).
constexpr std::uint64_t kSequenceLimit = std::uint64_t{1} << LB_MARK_BITS;

/// An identifier of more bytes is a session: it has to be folded (lb_session_read).
constexpr std::uint64_t kKeyWidth = 4;
constexpr std::uint64_t kGuardWidth = sizeof(lb_guard::value);
constexpr std::uint64_t kIntegerWidth = 8;

std::uint64_t largest_of_width(unsigned width) {
  return width >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * width) - 1;
}

/// What a field has to lie in.
struct Room {
  std::string_view name;
  std::uint64_t bytes;
};

/// Turns one table of the file after the other into its part of the descriptor.
class FramingReader {
 public:
  explicit FramingReader(StrictTable root) : root_(std::move(root)) {}

  Framing read() {
    framing_.name = read_name();
    framing_.title = root_.text("title");
    framing_.source = root_.text("source");
    big_endian_ = read_big_endian(root_);
    header_.header_length =
        static_cast<lb_u16>(root_.number("header_length", {.least = 1, .most = LB_HEADER_SPAN}));
    read_count();
    read_sequence();
    read_session();
    read_key();
    read_payload_length();
    read_message();
    read_guards();
    root_.finish();
    return framing_;
  }

 private:
  /// Nothing where the table does not say.
  static std::optional<bool> read_big_endian(StrictTable& table) {
    if (!table.has("endian")) return std::nullopt;
    return table.choice("endian", {"big", "little"}) == 0;
  }

  std::string read_name() {
    std::string name = root_.text("name");
    bool good = !name.empty() &&
                name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == name.npos;
    if (!good)
      root_.refuse("name",
                   "has to be of lower-case letters, digits, \"-\" and \"_\": it is typed "
                   "in --channel NAME=FRAMING@GROUP:PORT");
    return name;
  }

  /// Offset, width and byte order of an integer that lies before `room`.
  lb_field read_integer(StrictTable& table, std::uint64_t widest, Room room) {
    std::uint64_t offset = table.number("offset", {.least = 0, .most = LB_HEADER_SPAN - 1});
    std::uint64_t width = table.number("width", {.least = 1, .most = widest});
    refuse_outside(table, offset, width, room);
    std::optional<bool> own = read_big_endian(table);
    std::optional<bool> big_endian = own ? own : big_endian_;
    if (width > 1 && !big_endian)
      table.refuse("", "needs endian = \"big\" or \"little\", here or for the whole file");
    return {.offset = static_cast<lb_u16>(offset),
            .width = static_cast<lb_u8>(width),
            .big_endian = big_endian.value_or(false)};
  }

  lb_field read_header_integer(StrictTable& table, std::uint64_t widest) {
    return read_integer(table, widest, header_room());
  }

  Room header_room() const { return {"the header", header_.header_length}; }

  static void refuse_outside(const StrictTable& table, std::uint64_t offset, std::uint64_t bytes,
                             Room room) {
    if (offset + bytes > room.bytes)
      table.refuse("offset",
                   fmt::format("is {}: the {} bytes read there do not end within {} of {} bytes",
                               offset, bytes, room.name, room.bytes));
  }

  void read_count() {
    std::optional<StrictTable> table = root_.optional_table("count");
    if (!table) return;
    header_.count = read_header_integer(*table, kIntegerWidth);
    auto end = table->optional_number("end_of_session",
                                      {.least = 1, .most = largest_of_width(header_.count.width)});
    if (end) {
      header_.flags |= LB_FRAMING_HAS_END_COUNT;
      header_.end_count = *end;
    }
    table->finish();
  }

  void read_sequence() {
    StrictTable table = root_.table("sequence");
    header_.sequence = read_header_integer(table, kIntegerWidth);
    if (table.has("heartbeat") && header_.count.width == 0)
      table.refuse("heartbeat", "is of no use without [count]: a heartbeat is a packet of count 0");
    header_.heartbeat_number = static_cast<lb_u8>(
        table.choice("heartbeat", {"next", "last"}) == 0 ? LB_HEARTBEAT_NEXT : LB_HEARTBEAT_LAST);
    bool zero = table.choice("unsequenced", {"never", "zero"}) == 1;
    if (zero) header_.flags |= LB_FRAMING_ZERO_UNSEQUENCED;
    std::uint64_t most = std::min(largest_of_width(header_.sequence.width), kSequenceLimit - 1);
    std::uint64_t largest =
        table.optional_number("largest", {.least = 1, .most = most}).value_or(most);
    header_.sequence_limit = largest + 1;
    std::uint64_t after = zero ? 1 : 0;
    header_.wrap_to =
        table.optional_number("wraps_to", {.least = after, .most = largest}).value_or(after);
    table.finish();
  }

  void read_session() {
    std::optional<StrictTable> table = root_.optional_table("session");
    if (!table) return;
    std::uint64_t offset = table->number("offset", {.least = 0, .most = LB_HEADER_SPAN - 1});
    std::uint64_t width = table->number("width", {.least = 1, .most = LB_SESSION_MAX});
    refuse_outside(*table, offset, width, header_room());
    header_.session = {
        .offset = static_cast<lb_u16>(offset), .width = static_cast<lb_u8>(width), .big_endian = 0};
    table->finish();
  }

  void read_key() {
    std::optional<StrictTable> table = root_.optional_table("key");
    if (!table) return;
    header_.key = read_header_integer(*table, kKeyWidth);
    table->finish();
  }

  void read_payload_length() {
    std::optional<StrictTable> table = root_.optional_table("payload_length");
    if (!table) return;
    header_.payload_length = read_header_integer(*table, kIntegerWidth);
    table->finish();
  }

  void read_message() {
    header_.smallest_message = 1;
    std::optional<StrictTable> table = root_.optional_table("message");
    if (!table) return;
    header_.smallest_message = static_cast<lb_u16>(
        table->optional_number("smallest", {.least = 1, .most = 0xFFFF}).value_or(1));
    std::optional<StrictTable> length = table->optional_table("length");
    if (length) read_message_length(*length);
    table->finish();
  }

  void read_message_length(StrictTable& table) {
    if (header_.count.width == 0)
      table.refuse("", "is of no use without [count]: a packet that is one message ends with it");
    header_.message_length =
        read_integer(table, kIntegerWidth, {"the smallest message", header_.smallest_message});
    header_.message_length_extra = static_cast<lb_u8>(
        table
            .optional_number(
                "extra",
                {.least = 0, .most = std::min<std::uint64_t>(0xFF, header_.smallest_message)})
            .value_or(0));
    table.finish();
  }

  void read_guards() {
    std::vector<StrictTable> tables = root_.tables("guard");
    if (tables.size() > LB_GUARDS_MAX)
      tables[LB_GUARDS_MAX].refuse(
          "", fmt::format("is one too many: a framing has at most {}", +LB_GUARDS_MAX));
    for (StrictTable& table : tables) {
      lb_guard& guard = header_.guards[header_.guard_count++];
      guard.field = read_header_integer(table, kGuardWidth);
      guard.value = static_cast<lb_u32>(
          table.number("value", {.least = 0, .most = largest_of_width(guard.field.width)}));
      table.finish();
    }
  }

  StrictTable root_;
  Framing framing_;
  lb_framing& header_ = framing_.descriptor;
  std::optional<bool> big_endian_;  // of the fields that do not say so themselves
};

Framing framing_of(const toml::table& table, std::string_view file) {
  return FramingReader(StrictTable(std::string(file), "", table)).read();
}

}  // namespace

Framing parse_framing(std::string_view toml, std::string_view file) {
  return framing_of(parse_toml(toml, file), file);
}

Framing read_framing_file(const std::string& path) {
  return framing_of(parse_toml_file(path), path);
}

std::vector<std::string> builtin_framing_names() {
  std::vector<std::string> names;
  for (const EmbeddedFraming& framing : embedded_framings()) names.emplace_back(framing.name);
  return names;
}

Framing builtin_framing(std::string_view name) {
  for (const EmbeddedFraming& framing : embedded_framings()) {
    if (framing.name == name)
      return parse_framing(framing.toml, fmt::format("framings/{}.toml", name));
  }
  throw UsageError(fmt::format(
      "no framing \"{}\" is built in; {}; a file of your own is named by its path: ./{}.toml", name,
      suggest_name(name, builtin_framing_names()), name));
}

bool is_framing_path(std::string_view text) noexcept {
  return text.find('/') != text.npos || text.ends_with(".toml");
}

Framing load_framing(const std::string& name_or_path) {
  return is_framing_path(name_or_path) ? read_framing_file(name_or_path)
                                       : builtin_framing(name_or_path);
}

}  // namespace linearb::config
