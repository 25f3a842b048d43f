// SPDX-License-Identifier: Apache-2.0
//
// Any text as a file of a framing: it is understood, or refused as a mistake of the user's; and
// what was understood keeps the hook within its bounds.
#include <string_view>

#include "config/framing_file.h"
#include "fuzz/fuzz.h"
#include "linearb/error.h"

namespace linearb::fuzz {
namespace {

bool lies_within(const lb_field& field, std::uint32_t bytes) {
  return field.width == 0 || std::uint32_t{field.offset} + field.width <= bytes;
}

void look_at(const lb_framing& framing) {
  const std::uint32_t header = framing.least_length;
  require(framing.header_length <= LB_HEADER_SPAN, "a header has its bounds");
  require(header >= 1 && header <= LB_HEADER_SPAN, "the shortest packet has its bounds");
  require(framing.sequence.width >= 1 && framing.sequence.width <= 8, "there is a sequence");
  for (const lb_field& field :
       {framing.sequence, framing.sequence_high, framing.session, framing.keys[0], framing.keys[1],
        framing.keys[2], framing.payload_length})
    require(lies_within(field, header), "a field lies in the shortest packet");
  require(lies_within(framing.count, framing.header_length), "a count lies in the header");
  require(lies_within(framing.opaque, framing.header_length), "what is opaque is said before");
  require(framing.smallest_message >= 1, "a message has a byte at least");
  require(lies_within(framing.message_length, framing.smallest_message),
          "a length lies in the smallest message");
  require(framing.guard_count <= LB_GUARDS_MAX, "guards have their places");
  for (std::uint32_t i = 0; i < framing.guard_count; ++i)
    require(lies_within(framing.guards[i].field, header), "a guard lies in the shortest packet");
  require(framing.rule_count <= LB_RULES_MAX, "rules have their places");
  for (std::uint32_t i = 0; i < framing.rule_count; ++i) {
    require(lies_within(framing.rules[i].field, LB_HEADER_SPAN), "a rule looks into its span");
    require(lies_within(framing.rules[i].next, LB_HEADER_SPAN), "and so does what it reads");
    require(framing.rules[i].least <= framing.rules[i].most, "a rule can fit");
  }
  require(framing.sequence_limit <= 1ull << LB_MARK_BITS, "a number fits a mark");
  require(framing.wrap_to < framing.sequence_limit, "the numbers wrap to one of them");
}

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    linearb::fuzz::look_at(linearb::config::parse_framing(text, "fuzz.toml").descriptor);
  } catch (const linearb::UsageError& error) {
    linearb::fuzz::require(std::string_view(error.what()).starts_with("fuzz.toml:"),
                           "a refusal says where");
  }
  return 0;
}
