// SPDX-License-Identifier: Apache-2.0
//
// A feed as a file: one short TOML file that says where a feed keeps session, number and count.
// docs and framings/ hold examples; this is every key there is.
//
//   name            how commands call the feed: lower-case letters, digits, "-" and "_"
//   title, source   for people: what it is, and in which document and section it stands
//   endian          "big" or "little"; a field may say otherwise for itself
//   header_length   bytes before the first message
//   least_length    bytes of the shortest packet, in which all fields lie but those of [count] and
//                   [[kind]]; header_length without it
//   [sequence]      offset, width; number of the first message. Integers have 1 to 8 bytes
//     high            offset, width, mask: more bits of it, above these
//     heartbeat       what the number of a heartbeat (count 0) says: "next" or "last" message
//     unsequenced     "never", or "zero": number 0 means that the messages carry none
//     largest         the largest number there is; the number after it is
//     wraps_to
//   [count]         offset, width; messages in the packet. Without it each packet is one message
//     end_of_session  the count that is no count, but marks the end of a session
//     by              "field", or "walk": no field, messages follow each other to the end. The hook
//                     passes such packets up
//   [session]       offset, width; 1 to 16 opaque bytes
//     mask            of it as a number, in up to 8 bytes
//     order           "none", or "rising": of two sessions (up to 4 bytes) the higher one is newer
//   [key]           offset, width; 1 to 8 bytes that tell apart the sequences of one destination
//   [payload_length] offset, width; with extra it equals the length of the UDP payload
//     extra           bytes that the field does not count
//   [message]
//     smallest        bytes of the smallest message, its length field included; 1 without it
//     length          offset, width of the length field, from the first byte of the message, and
//                     extra: bytes of the message that the field does not count
//     opaque          offset, width, mask: if any of these bits is set the messages of the packet
//                     cannot be told apart, since they are compressed
//   [[guard]]       offset, width, value; 1 to 4 bytes that every packet has
//     or              another value that they may have
//   [[kind]]        what a packet is, by 1 to 4 of its bytes, of the first message as well. The
//                   first that fits; one whose bytes are not in the packet does not. Without any:
//                   data, or a heartbeat where the count is 0
//     is              "data", "heartbeat", "end_of_session", "reset", "unsequenced",
//                     "retransmission" (only fills holes) or "malformed"
//     offset, width, mask, and value, or least and most
//     number          of a heartbeat, an end of session and a reset: whether the sequence is the
//                     message's "own", as it is of data, that of the "next" or the "last" message,
//                     or "none"; or else
//     next            offset, width: where the number of the next message stands
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

/// The file as it was written; empty where there is none.
std::string framing_text(const std::string& name_or_path);
/// The lines of comment that it begins with, without their "#": what the feed is, and what of it is
/// not confirmed.
std::string leading_comment(std::string_view toml);

}  // namespace linearb::config
