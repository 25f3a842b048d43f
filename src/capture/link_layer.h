// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace linearb::capture {

/// A link layer that captures come in, and how its frames become Ethernet frames: everything behind
/// the reader knows Ethernet alone. A further one is a row in link_layer.cpp.
struct LinkLayer {
  int pcap_number;  // DLT_...
  std::uint32_t header_length;
  int type_offset;  // of the Ethernet type in the header; kTypeFromVersion: there is no header
};

/// The first four bits of an IP packet say whether it is version 4 or 6.
constexpr int kTypeFromVersion = -1;

/// Throws UsageError with the name of the link layer when it is none that can be read.
const LinkLayer& find_link_layer(int pcap_number, const std::string& path);

/// The frame as an Ethernet frame: itself, or a copy in `storage` behind a header with addresses
/// of zero. A frame that ends within its link header becomes a header of type 0 with nothing
/// behind.
std::span<const std::uint8_t> to_ethernet(const LinkLayer& link,
                                          std::span<const std::uint8_t> frame,
                                          std::vector<std::uint8_t>& storage);

/// The length that an Ethernet frame of the same content has.
std::uint32_t ethernet_length(const LinkLayer& link, std::uint32_t length) noexcept;

}  // namespace linearb::capture
