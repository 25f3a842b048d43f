// SPDX-License-Identifier: Apache-2.0
#include "inspect/framing_words.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "inspect/packet_words.h"

namespace linearb::inspect {
namespace {

constexpr std::size_t kBytesInARow = 8;
constexpr std::size_t kByteWidth = 8;  ///< columns, one of them for the border

constexpr std::uint64_t kHexFrom = 10'000;

/// A value as it stands in the file of a framing, and as letters where it is some.
std::string value_text(std::uint64_t value, lb_u8 width) {
  std::string letters;
  for (int i = width - 1; i >= 0; --i) letters += static_cast<char>(value >> 8 * i & 0xFF);
  const bool is_text =
      std::ranges::all_of(letters, [](char letter) { return letter >= ' ' && letter <= '~'; });
  if (is_text) return fmt::format("{:#x} (\"{}\")", value, letters);
  return value < kHexFrom ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string mask_text(std::uint64_t mask, lb_u8 width) {
  const bool is_all = mask == (width >= 8 ? ~0ull : (1ull << 8 * width) - 1);
  return is_all ? "" : fmt::format(" under the mask {:#x}", mask);
}

std::string bits_text(std::uint64_t mask) {
  const int lowest = std::countr_zero(mask), highest = 63 - std::countl_zero(mask);
  return lowest == highest ? fmt::format("bit {}", lowest)
                           : fmt::format("bits {} to {}", lowest, highest);
}

std::string sequence_says(const lb_framing& framing) {
  std::string says =
      lb_framing_is_one_message(&framing) ? "number of the packet" : "number of the first message";
  if (framing.flags & LB_FRAMING_ZERO_UNSEQUENCED) says += "; 0: its messages have none";
  return says + fmt::format("; after {} comes {}", framing.sequence_limit - 1, framing.wrap_to);
}

std::string count_says(const lb_framing& framing) {
  std::string says = "messages in the packet";
  if (framing.flags & LB_FRAMING_HAS_END_COUNT)
    says += fmt::format("; {:#x}: end of the session", framing.end_count);
  return says;
}

std::string session_says(const lb_framing& framing) {
  std::string says = "session";
  if (framing.session_ignored)
    says += fmt::format(", {} of it", bits_text(~framing.session_ignored));
  return says + (framing.flags & LB_FRAMING_SESSIONS_RISE
                     ? "; of two the higher one is the newer, and they go round"
                     : "; of two nothing says which is the newer");
}

std::string length_says(const lb_framing& framing) {
  if (framing.payload_length_extra == 0) return "length of the payload";
  return fmt::format("length of the payload, less {}", framing.payload_length_extra);
}

std::string guard_says(const lb_guard& guard) {
  std::string says = value_text(guard.value, guard.field.width);
  if (guard.other != guard.value) says += " or " + value_text(guard.other, guard.field.width);
  return says + " in every packet";
}

std::string number_says(const lb_rule& rule) {
  switch (rule.number) {
    case LB_NUMBER_OWN:
      return rule.kind == LB_KIND_END_OF_SESSION || rule.kind == LB_KIND_RESET
                 ? ", a message with a number of its own"
                 : "";
    case LB_NUMBER_NEXT:
      return ", with the number of the next message";
    case LB_NUMBER_LAST:
      return ", with the number of the last message";
    case LB_NUMBER_FIELD:
      return fmt::format("; the number of the next message is {}", place_text(rule.next));
    default:
      return rule.kind == LB_KIND_MALFORMED ? "" : ", which says nothing of numbers";
  }
}

std::string rule_sentence(const lb_rule& rule) {
  std::string values = value_text(rule.least, rule.field.width);
  if (rule.most != rule.least) values += " to " + value_text(rule.most, rule.field.width);
  return fmt::format("{}{} is {}: {}{}", place_text(rule.field),
                     mask_text(rule.mask, rule.field.width), values,
                     kind_name(static_cast<lb_kind>(rule.kind)), number_says(rule));
}

std::string key_says(const lb_framing& framing, const lb_field& field) {
  const bool is_alone = framing.keys[1].width == 0;
  const auto number = static_cast<int>(&field - framing.keys) + 1;
  return is_alone
             ? "tells the sequences of one destination apart"
             : fmt::format("part {} of the key that tells the sequences of one destination apart",
                           number);
}

std::string messages_sentence(const lb_framing& framing) {
  if (lb_framing_is_one_message(&framing))
    return "Packets are numbered: each is one message, whatever is in it.";
  if (framing.flags & LB_FRAMING_COUNT_BY_WALK)
    return "Messages are counted by walking from one to the next, up to the end of the packet.";
  if (framing.message_length.width == 0)
    return "Messages do not say how long they are: a packet that is new in part is delivered "
           "whole.";
  return "A packet that is new in part is cut down to what is new.";
}

std::string message_sentence(const lb_framing& framing) {
  std::string text = fmt::format("A message has at least {} byte{}", framing.smallest_message,
                                 framing.smallest_message == 1 ? "" : "s");
  if (framing.message_length.width == 0) return text + ".";
  text += fmt::format("; its length is {} of it", place_text(framing.message_length));
  if (framing.message_length_extra)
    text += fmt::format(", which leaves out {}", framing.message_length_extra);
  return text + ".";
}

/// In the order of their places.
void add(std::vector<FieldWords>& fields, const char* name, lb_field field, std::string says) {
  if (field.width == 0) return;
  const auto behind = std::ranges::upper_bound(
      fields, field.offset, {}, [](const FieldWords& words) { return words.field.offset; });
  fields.insert(behind, {name, field, std::move(says)});
}

/// What stands at each byte of the header.
std::vector<std::string> labels_of(const lb_framing& framing) {
  std::vector<std::string> labels(
      std::max<std::size_t>(framing.header_length, framing.least_length));
  for (const FieldWords& words : fields_of(framing)) {
    const std::size_t end = std::size_t{words.field.offset} + words.field.width;
    for (std::size_t i = words.field.offset; i < std::min(end, labels.size()); ++i) {
      std::string& label = labels[i];
      if (label == words.name || label.ends_with("+" + words.name)) continue;
      label += (label.empty() ? "" : "+") + words.name;
    }
  }
  return labels;
}

std::string row_text(const std::vector<std::string>& labels, std::size_t first) {
  std::string row = fmt::format("{:>4} |", first);
  const std::size_t end = std::min(first + kBytesInARow, labels.size());
  for (std::size_t i = first; i < end;) {
    std::size_t same = i;
    while (same < end && labels[same] == labels[i]) ++same;
    const std::size_t width = (same - i) * kByteWidth - 1;
    row += fmt::format("{:<{}}|", labels[i].substr(0, width), width);
    i = same;
  }
  return row;
}

}  // namespace

std::string place_text(lb_field field) {
  if (field.width == 1) return fmt::format("byte {}", field.offset);
  return fmt::format("bytes {} to {}, {}-endian", field.offset, field.offset + field.width - 1,
                     field.big_endian ? "big" : "little");
}

std::vector<FieldWords> fields_of(const lb_framing& framing) {
  std::vector<FieldWords> fields;
  add(fields, "session", framing.session, session_says(framing));
  for (const lb_field& field : framing.keys) add(fields, "key", field, key_says(framing, field));
  add(fields, "sequence", framing.sequence, sequence_says(framing));
  add(fields, "high", framing.sequence_high,
      fmt::format("{} are the highest of the number",
                  bits_text(framing.sequence_high_mask | 0ull)));
  add(fields, "count", framing.count, count_says(framing));
  add(fields, "length", framing.payload_length, length_says(framing));
  add(fields, "opaque", framing.opaque,
      fmt::format("any of {:#x}: the messages cannot be told apart", framing.opaque_mask));
  for (int i = 0; i < framing.guard_count; ++i)
    add(fields, "guard", framing.guards[i].field, guard_says(framing.guards[i]));
  for (int i = 0; i < framing.rule_count; ++i)
    add(fields, "kind", framing.rules[i].field, rule_sentence(framing.rules[i]));
  return fields;
}

std::string byte_map(const lb_framing& framing) {
  const std::vector<std::string> labels = labels_of(framing);
  std::string map = "     ";
  for (std::size_t i = 0; i < std::min(kBytesInARow, labels.size()); ++i)
    map += fmt::format(" {:<{}}", fmt::format("+{}", i), kByteWidth - 1);
  map.erase(map.find_last_not_of(' ') + 1);
  for (std::size_t first = 0; first < labels.size(); first += kBytesInARow)
    map += "\n" + row_text(labels, first);
  return map + "\n";
}

std::vector<std::string> sentences_of(const lb_framing& framing) {
  std::vector<std::string> sentences;
  sentences.push_back(
      fmt::format("The header has {} bytes{}.", framing.header_length,
                  framing.least_length == framing.header_length
                      ? ""
                      : fmt::format(", and the shortest packet {}", framing.least_length)));
  sentences.push_back(messages_sentence(framing));
  sentences.push_back(message_sentence(framing));
  if (framing.count.width)
    sentences.push_back(
        fmt::format("A packet without messages is a heartbeat, with the number of the {} message.",
                    framing.heartbeat_number == LB_NUMBER_LAST ? "last" : "next"));
  if (framing.rule_count == 0) return sentences;
  sentences.push_back("The first of these that fits says what a packet is; else it is data:");
  for (int i = 0; i < framing.rule_count; ++i)
    sentences.push_back("  " + rule_sentence(framing.rules[i]));
  return sentences;
}

}  // namespace linearb::inspect
