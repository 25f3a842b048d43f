// SPDX-License-Identifier: Apache-2.0
#include "inspect/capture_check.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace linearb::inspect {
namespace {

sequencer::Settings settings_of_one_line() {
  sequencer::Settings settings;
  settings.lines = 1;
  return settings;
}

}  // namespace

std::uint64_t CaptureFindings::datagrams() const noexcept {
  return std::accumulate(kinds.begin(), kinds.end(), std::uint64_t{0});
}

CaptureCheck::CaptureCheck(const lb_framing& framing)
    : framing_(framing),
      sequencer_({}, settings_of_one_line(), sequencer::Sequencer::Dedup::window, *this,
                 kStreamsMax) {}

void CaptureCheck::take(const Datagram& datagram) {
  ++findings_.packets;
  now_ns_ = std::max(now_ns_, datagram.time_ns.value_or(now_ns_ + kStepNs));
  sequencer_.tick(now_ns_);
  if (!datagram.is_whole) {
    ++findings_.not_udp;
    return;
  }
  const Decoded decoded = decode(framing_, datagram.payload);
  ++findings_.kinds[decoded.kind];
  if (decoded.kind == LB_KIND_MALFORMED) {
    if (findings_.first_malformed.empty())
      findings_.first_malformed = fmt::format("packet {}: {}", findings_.packets,
                                              why_malformed(framing_, datagram.payload));
    return;
  }
  const std::optional<std::uint16_t> index = stream_of(datagram);
  if (index)
    follow(*index, decoded, datagram.payload);
  else
    ++findings_.not_followed;
}

std::optional<std::uint16_t> CaptureCheck::stream_of(const Datagram& datagram) {
  StreamName name{datagram.destination ? destination_text(*datagram.destination) : "",
                  key_of(framing_, datagram.payload)};
  if (const auto found = indexes_.find(name); found != indexes_.end()) return found->second;
  if (findings_.streams.size() == kStreamsMax) return std::nullopt;
  const auto index = static_cast<std::uint16_t>(findings_.streams.size());
  sequencer_.install(index, sequencer_.make_channel(index, framing_));
  Stream stream;
  stream.destination = name.first;
  stream.key = name.second;
  findings_.streams.push_back(std::move(stream));
  indexes_.emplace(std::move(name), index);
  return index;
}

void CaptureCheck::follow(std::uint16_t index, const Decoded& decoded, Payload payload) {
  Stream& stream = findings_.streams[index];
  ++stream.packets;
  if (decoded.kind == LB_KIND_HEARTBEAT) ++stream.heartbeats;
  if (const auto session = session_text(framing_, payload)) {
    const bool is_new = std::ranges::find(stream.sessions, *session) == stream.sessions.end();
    if (is_new && stream.sessions.size() < kSessionsNamed) stream.sessions.push_back(*session);
  }
  const std::uint64_t handle = findings_.packets;
  std::vector<std::uint8_t>& bytes = undecided_[handle];
  bytes.assign(payload.begin(), payload.end());
  sequencer::Packet packet;
  packet.channel = index;
  packet.kind = decoded.kind;
  packet.datagram = decoded.datagram;
  packet.arrival_ns = now_ns_;
  packet.payload = bytes;
  packet.handle = handle;
  sequencer_.push(packet);
}

void CaptureCheck::decided(const sequencer::Packet& packet,
                           const sequencer::Decision& decision) noexcept {
  using sequencer::Outcome;
  const bool is_copy = decision.outcome == Outcome::duplicate ||
                       decision.outcome == Outcome::late || decision.outcome == Outcome::old_epoch;
  findings_.streams[packet.channel].duplicates += is_copy;
  undecided_.erase(packet.handle);
}

CaptureFindings CaptureCheck::finish() {
  sequencer_.finish();
  for (std::size_t i = 0; i < findings_.streams.size(); ++i) {
    Stream& stream = findings_.streams[i];
    const sequencer::Channel& channel = sequencer_.channel(i);
    stream.messages = channel.messages();
    stream.missing = channel.gap_messages();
    stream.restarts = std::max<std::uint64_t>(channel.newest_epoch(), 1) - 1;
  }
  for (const auto& gap : sequencer_.gaps().gaps()) ++findings_.streams[gap.origin.channel].gaps;
  return findings_;
}

}  // namespace linearb::inspect
