// SPDX-License-Identifier: Apache-2.0
//
// A framing in words: which bytes of a packet say what.
#pragma once

#include <string>
#include <vector>

#include "framing/framing.h"

namespace linearb::inspect {

/// A place of the header, what it is called in the file, and what it says.
struct FieldWords {
  std::string name;
  lb_field field;
  std::string says;
};

/// In the order in which they stand in the packet.
std::vector<FieldWords> fields_of(const lb_framing& framing);

/// The header, eight bytes in a row, each under the names of what stands there.
std::string byte_map(const lb_framing& framing);

/// One sentence for each thing that is not a place: messages, kinds of packets, lengths.
std::vector<std::string> sentences_of(const lb_framing& framing);

/// "bytes 16 to 19, little-endian".
std::string place_text(lb_field field);

}  // namespace linearb::inspect
