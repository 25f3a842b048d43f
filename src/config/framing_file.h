// SPDX-License-Identifier: Apache-2.0
//
// A feed as a file: one short TOML file that says where a feed keeps session, number and count.
// docs and framings/ hold examples; this is every key there is.
//
//   name            how commands call the feed: lower-case letters, digits, "-" and "_"
//   title, source   for people: what it is, and in which document and section it stands
//   endian          "big" or "little"; a field may say otherwise for itself
//   header_length   bytes before the first message
//   [sequence]      offset, width; number of the first message. Integers have 1 to 8 bytes
//     heartbeat       what the number of a heartbeat (count 0) says: "next" or "last" message
//     unsequenced     "never", or "zero": number 0 means that the messages carry none
//     largest         the largest number there is; the number after it is
//     wraps_to
//   [count]         offset, width; messages in the packet. Without it each packet is one message
//     end_of_session  the count that is no count, but marks the end of a session
//   [session]       offset, width; 1 to 16 opaque bytes
//   [key]           offset, width; 1 to 4 bytes that tell apart the sequences of one destination
//   [payload_length] offset, width; must equal the length of the UDP payload
//   [message]
//     smallest        bytes of the smallest message, its length field included; 1 without it
//     length          offset, width of the length field, from the first byte of the message, and
//                     extra: bytes of the message that the field does not count
//   [[guard]]       offset, width, value; 1 to 4 bytes that every packet has
//
// Offsets count from the first byte of the UDP payload. What a file says beyond this is refused:
// a framing that is half understood would lose messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framing/framing.h"

namespace linearb::config {

struct Framing {
  std::string name;
  std::string title;
  std::string source;
  lb_framing descriptor{};
};

/// Throws UsageError with file, line and column. `file` is what messages call the text.
Framing parse_framing(std::string_view toml, std::string_view file);
Framing read_framing_file(const std::string& path);

/// The framings that linearb brings along, sorted.
std::vector<std::string> builtin_framing_names();
/// Throws UsageError with the names that there are.
Framing builtin_framing(std::string_view name);

/// Whether a text names a file (it has a slash, or ends in ".toml"); else it names a built-in.
bool is_framing_path(std::string_view text) noexcept;
Framing load_framing(const std::string& name_or_path);

}  // namespace linearb::config
