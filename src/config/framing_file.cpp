// SPDX-License-Identifier: Apache-2.0
#include "config/framing_file.h"

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "config/strict_table.h"
#include "linearb/error.h"

namespace linearb::config {
namespace {

/// Numbers are kept beside a generation in one word (core/mark.h).
constexpr std::uint64_t kSequenceLimit = std::uint64_t{1} << LB_MARK_BITS;

/// An identifier of more bytes is a session: it has to be folded (lb_session_read).
constexpr std::uint64_t kKeyWidth = 8;
constexpr std::uint64_t kGuardWidth = sizeof(lb_guard::value);
constexpr std::uint64_t kIntegerWidth = 8;
constexpr std::uint64_t kRisingWidth = 4;

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
        static_cast<lb_u16>(root_.number("header_length", {.least = 0, .most = LB_HEADER_SPAN}));
    header_.least_length = static_cast<lb_u16>(
        root_.optional_number("least_length", {.least = 1, .most = LB_HEADER_SPAN})
            .value_or(header_.header_length));
    read_count();
    read_sequence();
    read_session();
    read_key();
    read_payload_length();
    read_message();
    read_guards();
    read_kinds();
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

  Room header_room() const {
    return header_.least_length == header_.header_length
               ? Room{"the header", header_.header_length}
               : Room{"the shortest packet", header_.least_length};
  }

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
    if (table->choice("by", {"field", "walk"}) == 1) {
      header_.flags |= LB_FRAMING_COUNT_BY_WALK;
      return table->finish();
    }
    header_.count = read_integer(*table, kIntegerWidth, {"the header", header_.header_length});
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
        table.choice("heartbeat", {"next", "last"}) == 0 ? LB_NUMBER_NEXT : LB_NUMBER_LAST);
    bool zero = table.choice("unsequenced", {"never", "zero"}) == 1;
    if (zero) header_.flags |= LB_FRAMING_ZERO_UNSEQUENCED;
    const unsigned high_bits = read_sequence_high(table);
    std::uint64_t most =
        std::min((largest_of_width(header_.sequence.width) + 1) << high_bits, kSequenceLimit) - 1;
    if (header_.sequence.width == 8) most = kSequenceLimit - 1;
    std::uint64_t largest =
        table.optional_number("largest", {.least = 1, .most = most}).value_or(most);
    header_.sequence_limit = largest + 1;
    std::uint64_t after = zero ? 1 : 0;
    header_.wrap_to =
        table.optional_number("wraps_to", {.least = after, .most = largest}).value_or(after);
    table.finish();
  }

  /// The bits of the number that stand somewhere else. Returns how many.
  unsigned read_sequence_high(StrictTable& sequence) {
    std::optional<StrictTable> table = sequence.optional_table("high");
    if (!table) return 0;
    header_.sequence_high = read_header_integer(*table, kGuardWidth);
    const auto mask = static_cast<lb_u32>(
        table->number("mask", {.least = 1, .most = largest_of_width(header_.sequence_high.width)}));
    const auto shift = static_cast<unsigned>(std::countr_zero(mask));
    const auto bits = static_cast<unsigned>(std::popcount(mask));
    if (mask >> shift != (1ull << bits) - 1)
      table->refuse("mask", "has to be of bits that stand side by side");
    if (8u * header_.sequence.width + bits > LB_MARK_BITS)
      table->refuse("mask", fmt::format("makes numbers of more than {} bits", +LB_MARK_BITS));
    header_.sequence_high_mask = mask;
    header_.sequence_high_shift = static_cast<lb_u8>(shift);
    header_.sequence_high_place = static_cast<lb_u8>(8 * header_.sequence.width);
    table->finish();
    return bits;
  }

  void read_session() {
    std::optional<StrictTable> table = root_.optional_table("session");
    if (!table) return;
    std::uint64_t offset = table->number("offset", {.least = 0, .most = LB_HEADER_SPAN - 1});
    std::uint64_t width = table->number("width", {.least = 1, .most = LB_SESSION_MAX});
    refuse_outside(*table, offset, width, header_room());
    const std::optional<bool> own = read_big_endian(*table);
    const std::optional<bool> big_endian = own ? own : big_endian_;
    const bool is_number = table->has("mask") || table->has("order");
    if (is_number && width > 1 && !big_endian)
      table->refuse("", "needs endian = \"big\" or \"little\", here or for the whole file");
    header_.session = {.offset = static_cast<lb_u16>(offset),
                       .width = static_cast<lb_u8>(width),
                       .big_endian = big_endian.value_or(false)};
    header_.session_ignored =
        ~table
             ->optional_number("mask",
                               {.least = 1, .most = largest_of_width(header_.session.width)})
             .value_or(~0ull);
    if (table->has("mask") && width > kIntegerWidth)
      table->refuse("mask", "is of no use: a session of more than 8 bytes is no number");
    if (table->choice("order", {"none", "rising"}) == 1) read_rising_session(*table);
    table->finish();
  }

  /// Sessions that can be compared are not folded.
  void read_rising_session(const StrictTable& table) {
    const lb_u8 width = header_.session.width;
    if (width > kRisingWidth)
      table.refuse("order", fmt::format("can be \"rising\" for up to {} bytes", kRisingWidth));
    header_.flags |= LB_FRAMING_SESSIONS_RISE;
    header_.session_bits =
        static_cast<lb_u8>(std::bit_width(~header_.session_ignored & largest_of_width(width)));
  }

  void read_key() {
    std::vector<StrictTable> tables = root_.table_or_tables("key");
    if (tables.size() > LB_KEY_FIELDS_MAX)
      tables[LB_KEY_FIELDS_MAX].refuse(
          "", fmt::format("is one too many: a key has at most {} fields", +LB_KEY_FIELDS_MAX));
    std::uint64_t width = 0;
    for (std::size_t i = 0; i < tables.size(); ++i) {
      header_.keys[i] = read_header_integer(tables[i], kKeyWidth);
      width += header_.keys[i].width;
      if (width > kKeyWidth)
        tables[i].refuse("width", fmt::format("makes the key longer than {} bytes", kKeyWidth));
      tables[i].finish();
    }
  }

  void read_payload_length() {
    std::optional<StrictTable> table = root_.optional_table("payload_length");
    if (!table) return;
    header_.payload_length = read_header_integer(*table, kIntegerWidth);
    header_.payload_length_extra =
        static_cast<lb_u8>(table->optional_number("extra", {.least = 0, .most = 0xFF}).value_or(0));
    table->finish();
  }

  void read_message() {
    header_.smallest_message = 1;
    const bool is_walked = header_.flags & LB_FRAMING_COUNT_BY_WALK;
    if (is_walked && !root_.has("message"))
      root_.refuse("message", "is missing: with count by walk its length is what is counted by");
    std::optional<StrictTable> table = root_.optional_table("message");
    if (!table) return;
    header_.smallest_message = static_cast<lb_u16>(
        table->optional_number("smallest", {.least = 1, .most = 0xFFFF}).value_or(1));
    std::optional<StrictTable> length = table->optional_table("length");
    if (length) read_message_length(*length);
    std::optional<StrictTable> opaque = table->optional_table("opaque");
    if (opaque) read_opaque(*opaque);
    table->finish();
    if (!length && is_walked)
      table->refuse("length", "is missing: with count by walk it says where the next one begins");
  }

  /// Bytes that say that the messages of a packet cannot be told apart: they are compressed.
  void read_opaque(StrictTable& table) {
    header_.opaque = read_integer(table, kGuardWidth, {"the header", header_.header_length});
    header_.opaque_mask = static_cast<lb_u32>(
        table.optional_number("mask", {.least = 1, .most = largest_of_width(header_.opaque.width)})
            .value_or(largest_of_width(header_.opaque.width)));
    table.finish();
  }

  void read_message_length(StrictTable& table) {
    if (lb_framing_is_one_message(&header_))
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
      guard.other = static_cast<lb_u32>(
          table.optional_number("or", {.least = 0, .most = largest_of_width(guard.field.width)})
              .value_or(guard.value));
      table.finish();
    }
  }

  void read_kinds() {
    std::vector<StrictTable> tables = root_.tables("kind");
    if (tables.size() > LB_RULES_MAX)
      tables[LB_RULES_MAX].refuse(
          "", fmt::format("is one too many: a framing has at most {}", +LB_RULES_MAX));
    for (StrictTable& table : tables) read_kind(table, header_.rules[header_.rule_count++]);
  }

  void read_kind(StrictTable& table, lb_rule& rule) {
    constexpr lb_kind kKinds[] = {LB_KIND_DATA,     LB_KIND_HEARTBEAT,   LB_KIND_END_OF_SESSION,
                                  LB_KIND_RESET,    LB_KIND_UNSEQUENCED, LB_KIND_RETRANSMISSION,
                                  LB_KIND_MALFORMED};
    if (!table.has("is")) table.refuse("is", "is missing: what such a packet is");
    rule.kind = static_cast<lb_u8>(
        kKinds[table.choice("is", {"data", "heartbeat", "end_of_session", "reset", "unsequenced",
                                   "retransmission", "malformed"})]);
    rule.field = read_integer(table, kGuardWidth, {"what is looked at", LB_HEADER_SPAN});
    const std::uint64_t most = largest_of_width(rule.field.width);
    rule.mask = static_cast<lb_u32>(
        table.optional_number("mask", {.least = 1, .most = most}).value_or(most));
    read_range(table, rule);
    read_number(table, rule);
    table.finish();
  }

  static void read_range(StrictTable& table, lb_rule& rule) {
    if (table.has("value")) {
      rule.least = rule.most =
          static_cast<lb_u32>(table.number("value", {.least = 0, .most = rule.mask}));
      return;
    }
    rule.least = static_cast<lb_u32>(table.number("least", {.least = 0, .most = rule.mask}));
    rule.most = static_cast<lb_u32>(table.number("most", {.least = rule.least, .most = rule.mask}));
  }

  void read_number(StrictTable& table, lb_rule& rule) {
    const bool is_control = rule.kind == LB_KIND_HEARTBEAT || rule.kind == LB_KIND_RESET ||
                            rule.kind == LB_KIND_END_OF_SESSION;
    if (std::optional<StrictTable> next = table.optional_table("next")) {
      if (!is_control)
        table.refuse("next", "is what a heartbeat, an end of session or a reset says");
      rule.number = LB_NUMBER_FIELD;
      rule.next = read_integer(*next, kIntegerWidth, {"what is looked at", LB_HEADER_SPAN});
      return next->finish();
    }
    if (is_control && !table.has("number"))
      table.refuse(
          "number",
          "is missing: \"own\", \"next\", \"last\" or \"none\", or next = { offset, width }");
    rule.number =
        static_cast<lb_u8>(kNumbers[table.choice("number", {"own", "next", "last", "none"})]);
    if (rule.kind == LB_KIND_HEARTBEAT && rule.number == LB_NUMBER_OWN)
      table.refuse("number", "cannot be \"own\": a heartbeat has no message");
    if (!is_control && rule.number != LB_NUMBER_OWN)
      table.refuse("number", "is what a heartbeat, an end of session or a reset says");
    if (rule.kind == LB_KIND_MALFORMED) rule.number = LB_NUMBER_NONE;
  }

  static constexpr lb_number kNumbers[] = {LB_NUMBER_OWN, LB_NUMBER_NEXT, LB_NUMBER_LAST,
                                           LB_NUMBER_NONE};

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

}  // namespace linearb::config
