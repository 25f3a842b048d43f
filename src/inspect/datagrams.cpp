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
  return Datagram{
      .time_ns = std::nullopt, .destination = std::nullopt, .is_whole = true, .payload = *payload};
}

Datagram Datagrams::of_record(const capture::Record& record) const noexcept {
  Datagram datagram{.time_ns = record.timestamp_ns,
                    .destination = std::nullopt,
                    .is_whole = false,
                    .payload = {}};
  lb_walk walk{};
  const std::uint8_t* data = record.bytes.data();
  const lb_walk_result result = lb_walk_frame(data, data + record.bytes.size(), &walk);
  if (result == LB_WALK_NOT_UDP) return datagram;
  datagram.destination = Destination{.address = walk.destination, .port = walk.port};
  datagram.is_whole = result == LB_WALK_DATAGRAM;
  if (datagram.is_whole)
    datagram.payload = record.bytes.subspan(walk.payload_offset, walk.payload_length);
  return datagram;
}

}  // namespace linearb::inspect
