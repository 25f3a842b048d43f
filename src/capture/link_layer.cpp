// SPDX-License-Identifier: Apache-2.0
#include "capture/link_layer.h"

#include <algorithm>

#include <fmt/format.h>
#include <pcap/pcap.h>

#include "core/walk.h"
#include "linearb/error.h"

namespace linearb::capture {
namespace {

constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;  // IEEE 802 numbers, IANA

/* Header lengths and places of the type: www.tcpdump.org/linktypes.html, LINKTYPE_LINUX_SLL,
 * LINKTYPE_LINUX_SLL2, LINKTYPE_RAW, LINKTYPE_IPV4. */
constexpr LinkLayer kLinkLayers[] = {
    {DLT_EN10MB, LB_ETHERNET_HEADER, LB_ETHERNET_HEADER - 2},
    {DLT_LINUX_SLL, 16, 14},
    {DLT_LINUX_SLL2, 20, 0},
    {DLT_RAW, 0, kTypeFromVersion},
    {DLT_IPV4, 0, kTypeFromVersion},
};

std::uint16_t type_of(const LinkLayer& link, std::span<const std::uint8_t> frame) {
  if (frame.size() < std::max(link.header_length, 1u)) return 0;
  if (link.type_offset == kTypeFromVersion)
    return frame[0] >> 4 == 6 ? kEthertypeIpv6 : std::uint16_t{LB_ETHERTYPE_IPV4};
  return lb_load_u16_be(frame.data() + link.type_offset);
}

}  // namespace

const LinkLayer& find_link_layer(int pcap_number, const std::string& path) {
  for (const LinkLayer& link : kLinkLayers) {
    if (link.pcap_number == pcap_number) return link;
  }
  const char* name = ::pcap_datalink_val_to_name(pcap_number);
  const char* description = ::pcap_datalink_val_to_description(pcap_number);
  throw UsageError(fmt::format(
      "{}: its link type is {} ({}, number {}); Ethernet, Linux cooked and raw IP can be read: "
      "capture the lines on an Ethernet interface",
      path, description ? description : "unknown", name ? name : "no name", pcap_number));
}

std::span<const std::uint8_t> to_ethernet(const LinkLayer& link,
                                          std::span<const std::uint8_t> frame,
                                          std::vector<std::uint8_t>& storage) {
  if (link.pcap_number == DLT_EN10MB) return frame;
  std::uint16_t type = type_of(link, frame);
  storage.assign(LB_ETHERNET_HEADER, 0);
  storage[LB_ETHERNET_HEADER - 2] = static_cast<std::uint8_t>(type >> 8);
  storage[LB_ETHERNET_HEADER - 1] = static_cast<std::uint8_t>(type);
  auto content = frame.subspan(std::min<std::size_t>(link.header_length, frame.size()));
  storage.insert(storage.end(), content.begin(), content.end());
  return storage;
}

std::uint32_t ethernet_length(const LinkLayer& link, std::uint32_t length) noexcept {
  if (link.pcap_number == DLT_EN10MB) return length;
  return length - std::min(link.header_length, length) + LB_ETHERNET_HEADER;
}

}  // namespace linearb::capture
