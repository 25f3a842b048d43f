// SPDX-License-Identifier: Apache-2.0
#include "inspect/packet_words.h"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

#include "sequencer/streams.h"

namespace linearb::inspect {
namespace {

/// Shorter ones are numbers, also where their bytes happen to be letters.
constexpr std::size_t kShortestText = 3;
constexpr std::size_t kDecimalWidth = 2;

std::optional<std::uint64_t> integer_at(lb_field field, Payload payload) noexcept {
  lb_u64 value = 0;
  if (!lb_field_read(&field, payload.data(), payload.data() + payload.size(), &value))
    return std::nullopt;
  return value;
}

/// The bytes without the zeros or blanks that fill them up; nothing where they are no text.
std::optional<std::string> text_of(Payload bytes) {
  std::string text(bytes.begin(), bytes.end());
  text.erase(text.find_last_not_of(std::string_view("\0 ", 2)) + 1);
  const bool is_text =
      std::ranges::all_of(text, [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (text.empty() || !is_text) return std::nullopt;
  return text;
}

std::string hex_of(Payload bytes) {
  std::string text = "0x";
  for (std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

/// Under the mask, and counted from its lowest bit.
std::string masked_text(std::uint64_t value, std::uint64_t mask) {
  return fmt::format("{}", (value & mask) >> std::countr_zero(mask));
}

std::string number_text(const lb_framing& framing, Payload payload) {
  const std::uint64_t value = integer_at(framing.session, payload).value_or(0);
  if (framing.session_ignored != 0) return masked_text(value, ~framing.session_ignored);
  if (framing.flags & LB_FRAMING_SESSIONS_RISE || framing.session.width <= kDecimalWidth)
    return fmt::format("{}", value);
  return fmt::format("0x{:0{}x}", value, 2 * framing.session.width);
}

std::string bytes_text(lb_field field) {
  if (field.width == 1) return fmt::format("byte {}", field.offset);
  return fmt::format("bytes {} to {}", field.offset, field.offset + field.width - 1);
}

std::optional<std::string> broken_guard(const lb_framing& framing, Payload payload) {
  for (int i = 0; i < framing.guard_count; ++i) {
    const lb_guard& guard = framing.guards[i];
    const std::uint64_t value = integer_at(guard.field, payload).value_or(0);
    if (value != guard.value && value != guard.other)
      return fmt::format("{} is {:#x} in place of {:#x}", bytes_text(guard.field), value,
                         guard.value);
  }
  return std::nullopt;
}

/// The rule that decides what the packet is; null where none fits.
const lb_rule* rule_of(const lb_framing& framing, Payload payload) noexcept {
  for (int i = 0; i < framing.rule_count; ++i) {
    if (lb_rule_fits(&framing.rules[i], payload.data(), payload.data() + payload.size(),
                     static_cast<lb_u32>(payload.size())))
      return &framing.rules[i];
  }
  return nullptr;
}

std::optional<std::string> broken_rule(const lb_rule* rule) {
  if (!rule) return std::nullopt;
  if (rule->kind == LB_KIND_MALFORMED)
    return fmt::format("the framing says so of {}", bytes_text(rule->field));
  if (rule->number == LB_NUMBER_FIELD)
    return fmt::format("{} have to say which number comes next, and are not there",
                       bytes_text(rule->next));
  return std::nullopt;
}

std::string broken_count(const lb_framing& framing, Payload payload) {
  if (payload.size() < framing.header_length)
    return fmt::format("it has {} bytes, and a header {}", payload.size(), framing.header_length);
  if (framing.flags & LB_FRAMING_COUNT_BY_WALK) return "its messages do not end where it ends";
  const std::uint64_t count =
      framing.count.width ? integer_at(framing.count, payload).value_or(0) : 1;
  const std::uint64_t room = payload.size() - framing.header_length;
  if (count > payload.size() || count * framing.smallest_message > room)
    return fmt::format("{} messages of at least {} bytes do not fit the {} bytes behind the header",
                       count, framing.smallest_message, room);
  return fmt::format("its number is beyond {}", framing.sequence_limit - 1);
}

}  // namespace

Decoded decode(const lb_framing& framing, Payload payload) noexcept {
  Decoded decoded;
  decoded.kind = lb_framing_decode(&framing, payload.data(), payload.data() + payload.size(),
                                   static_cast<lb_u32>(payload.size()), &decoded.datagram);
  return decoded;
}

std::string_view kind_name(lb_kind kind) noexcept {
  constexpr std::array<std::string_view, LB_KIND_MALFORMED + 1> kNames = {
      "data", "heartbeat", "end_of_session", "reset", "unsequenced", "retransmission", "malformed"};
  return kNames[kind];
}

std::string_view outcome_name(sequencer::Outcome outcome) noexcept {
  constexpr std::array<std::string_view, sequencer::kOutcomes> kNames = {
      "won",       "overlap", "unsequenced", "duplicate", "late",
      "old_epoch", "control", "unconfirmed", "malformed", "not_feed"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::optional<std::string> session_text(const lb_framing& framing, Payload payload) {
  const lb_field session = framing.session;
  if (session.width == 0 || payload.size() < std::size_t{session.offset} + session.width)
    return std::nullopt;
  const Payload bytes = payload.subspan(session.offset, session.width);
  const bool is_number = framing.flags & LB_FRAMING_SESSIONS_RISE ||
                         session.width < kShortestText || framing.session_ignored != 0;
  if (!is_number) {
    if (auto text = text_of(bytes)) return text;
  }
  return session.width <= sizeof(std::uint64_t) ? number_text(framing, payload) : hex_of(bytes);
}

std::optional<std::string> key_of(const lb_framing& framing, Payload payload) {
  if (!lb_framing_has_key(&framing)) return std::nullopt;
  const lb_u64 key = lb_framing_key(&framing, payload.data(), payload.data() + payload.size());
  return sequencer::key_text(framing, key);
}

std::string why_malformed(const lb_framing& framing, Payload payload) {
  if (payload.size() < framing.least_length)
    return fmt::format("it has {} bytes, and the shortest packet {}", payload.size(),
                       framing.least_length);
  if (const auto guard = broken_guard(framing, payload)) return *guard;
  if (framing.payload_length.width) {
    const std::uint64_t said = integer_at(framing.payload_length, payload).value_or(0);
    if (said + framing.payload_length_extra != payload.size())
      return fmt::format("it says that it has {} bytes, and has {}",
                         said + framing.payload_length_extra, payload.size());
  }
  if (const auto rule = broken_rule(rule_of(framing, payload))) return *rule;
  return broken_count(framing, payload);
}

}  // namespace linearb::inspect
