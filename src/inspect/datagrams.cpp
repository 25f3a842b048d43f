// SPDX-License-Identifier: Apache-2.0
#include "inspect/datagrams.h"

#include "core/walk.h"

namespace linearb::inspect {

Datagrams::Datagrams(const std::string& path, const lb_framing& framing) {
  if (capture::is_capture(path))
    capture_.emplace(path);
  else
    payloads_.emplace(path, framing);
}

std::optional<Datagram> Datagrams::next() {
  if (capture_) {
    const auto record = capture_->next();
    return record ? std::optional(of_record(*record)) : std::nullopt;
  }
  const auto payload = payloads_->next();
  if (!payload) return std::nullopt;
  Datagram datagram;
  datagram.payload = *payload;
  return datagram;
}

Datagram Datagrams::of_record(const capture::Record& record) const noexcept {
  Datagram datagram;
  datagram.time_ns = record.timestamp_ns;
  datagram.is_whole = false;
  lb_walk walk{};
  const std::uint8_t* data = record.bytes.data();
  const std::uint8_t* data_end = data + record.bytes.size();
  const lb_walk_result result = lb_walk_frame(data, data_end, &walk);
  if (result == LB_WALK_NOT_UDP) return datagram;
  datagram.destination = Destination{.address = walk.destination, .port = walk.port};
  datagram.source = lb_walk_source(data, data_end, walk.ip_offset);
  datagram.is_whole = result == LB_WALK_DATAGRAM;
  if (datagram.is_whole)
    datagram.payload = record.bytes.subspan(walk.payload_offset, walk.payload_length);
  return datagram;
}

}  // namespace linearb::inspect
