// SPDX-License-Identifier: Apache-2.0
//
// The walk over the headers of any frame: what it says lies within the frame, and depends on
// nothing behind the datagram.
#include "core/walk.h"

#include "fuzz/fuzz.h"

namespace linearb::fuzz {
namespace {

bool is_one_of_the_offsets(std::size_t ip_offset) {
  for (std::size_t tags = 0; tags <= LB_VLAN_TAGS_MAX; ++tags)
    if (ip_offset == LB_ETHERNET_HEADER + tags * LB_VLAN_TAG) return true;
  return false;
}

void look_at(const lb_walk& walk, lb_walk_result result, std::span<const std::uint8_t> frame) {
  require(is_one_of_the_offsets(walk.ip_offset), "IPv4 begins behind up to two tags");
  require(walk.payload_offset >= walk.ip_offset + LB_IPV4_HEADER + LB_UDP_HEADER,
          "the payload is behind both headers");
  require(walk.payload_offset <= frame.size(), "the headers are there");
  require(lb_load_u16_be(frame.data() + walk.payload_offset - 6) == walk.port,
          "the port is that of the UDP header");
  require(lb_load_u32_be(frame.data() + walk.ip_offset + 16) == walk.destination,
          "the destination is that of the IPv4 header");
  if (result != LB_WALK_DATAGRAM) return;

  const std::size_t end = std::size_t{walk.payload_offset} + walk.payload_length;
  require(end <= frame.size(), "the payload is there");
  lb_walk again{};
  require(lb_walk_frame(frame.data(), frame.data() + end, &again) == LB_WALK_DATAGRAM,
          "nothing behind the datagram counts");
  if (end > 0)
    require(lb_walk_frame(frame.data(), frame.data() + end - 1, &again) != LB_WALK_DATAGRAM,
            "a datagram is not there without its last byte");
}

}  // namespace
}  // namespace linearb::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lb_walk walk{};
  const lb_walk_result result = lb_walk_frame(data, data + size, &walk);
  if (result != LB_WALK_NOT_UDP) linearb::fuzz::look_at(walk, result, {data, size});
  return 0;
}
