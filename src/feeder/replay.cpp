// SPDX-License-Identifier: Apache-2.0
#include "feeder/replay.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "capture/raw_datagrams.h"
#include "capture/reader.h"
#include "core/walk.h"
#include "linearb/error.h"

namespace linearb::feeder {
namespace {

class CaptureDatagrams : public DatagramReader {
 public:
  explicit CaptureDatagrams(const std::string& path) : reader_(path) {}

  std::optional<Datagram> next() override {
    while (auto record = reader_.next()) {
      lb_walk walk{};
      const std::uint8_t* data = record->bytes.data();
      if (lb_walk_frame(data, data + record->bytes.size(), &walk) == LB_WALK_DATAGRAM)
        return Datagram{.timestamp_ns = record->timestamp_ns,
                        .bytes = record->bytes,
                        .payload_offset = walk.payload_offset,
                        .payload_length = walk.payload_length,
                        .ip_offset = walk.ip_offset};
      ++skipped_;
    }
    return std::nullopt;
  }
  std::uint64_t skipped() const noexcept override { return skipped_; }

 private:
  capture::Reader reader_;
  std::uint64_t skipped_ = 0;
};

class RawPayloads : public DatagramReader {
 public:
  RawPayloads(const std::string& path, const lb_framing& framing) : reader_(path, framing) {}

  std::optional<Datagram> next() override {
    auto payload = reader_.next();
    if (!payload) return std::nullopt;
    return Datagram{.timestamp_ns = 0,
                    .bytes = *payload,
                    .payload_offset = xsk::kHeaderLength,
                    .payload_length = static_cast<std::uint32_t>(payload->size()),
                    .ip_offset = 0};
  }
  std::uint64_t skipped() const noexcept override { return 0; }

 private:
  capture::RawDatagrams reader_;
};

}  // namespace

std::unique_ptr<DatagramReader> open_datagrams(const std::string& path, const lb_framing& framing) {
  if (capture::is_capture(path)) return std::make_unique<CaptureDatagrams>(path);
  return std::make_unique<RawPayloads>(path, framing);
}

Replay::Replay(const ReplayOptions& options, const lb_framing& framing, std::uint32_t frame_size,
               std::uint32_t mtu, std::vector<xsk::PacketHeader> headers)
    : options_(options),
      framing_(framing),
      frame_size_(frame_size),
      mtu_(mtu),
      headers_(std::move(headers)),
      slots_(kLookAhead),
      bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(slots_.size() * frame_size)),
      paced_(options.units_per_second > 0) {
  read_whole_file();
  reader_ = open_datagrams(options_.path, framing_);
}

void Replay::start(const StartTime& time) noexcept {
  start_ns_ = time.monotonic_ns;
}

std::uint64_t Replay::due_ns() {
  if (!ahead_ && !at_end_ && slot(taken_).lines == 0) read_ahead();
  return ahead_ ? start_ns_ + since_start_ns_ : kNever;
}

std::uint64_t Replay::take(std::uint64_t now_ns) noexcept {
  ++taken_;
  ahead_ = false;
  return paced_ ? start_ns_ + since_start_ns_ : now_ns;
}

std::uint32_t Replay::payload_length(UnitRange units) const noexcept {
  return slot(units.first).payload_length;
}

std::uint32_t Replay::payload_offset(UnitRange units) const noexcept {
  return slot(units.first).payload_offset;
}

std::uint32_t Replay::write(std::size_t line, UnitRange units, std::uint64_t,
                            std::uint8_t* frame) const noexcept {
  const Slot& datagram = slot(units.first);
  const std::uint8_t* stored = bytes(units.first);
  if (datagram.framed) {
    std::copy_n(stored, datagram.length, frame);
    return datagram.length;
  }
  std::copy_n(stored, datagram.length, frame + xsk::kHeaderLength);
  return headers_[line].write(frame, datagram.length);
}

void Replay::release(UnitRange units) noexcept {
  --slot(units.first).lines;
}

void Replay::require_fits(const Datagram& datagram, std::uint64_t number) const {
  /* What the MTU does not count: Ethernet header and VLAN tags; the veth driver and most others
   * allow for one tag. */
  constexpr std::uint32_t kLinkHeaderMax = LB_ETHERNET_HEADER + LB_VLAN_TAG;
  bool framed = datagram.ip_offset != 0;
  std::size_t length = datagram.bytes.size() + (framed ? 0 : xsk::kHeaderLength);
  std::uint32_t link_header = framed ? datagram.ip_offset : std::uint32_t{LB_ETHERNET_HEADER};
  std::size_t room = std::min(frame_size_, mtu_ + std::min(link_header, kLinkHeaderMax));
  if (length <= room) return;
  throw UsageError(
      fmt::format("{}: datagram {} is a packet of {} bytes, and {} fit (frames have {} bytes, the "
                  "interface has "
                  "an MTU of {}); nothing was sent",
                  options_.path, number, length, room, frame_size_, mtu_));
}

/// Whatever may be wrong with a file shows before the first packet leaves.
void Replay::read_whole_file() {
  auto reader = open_datagrams(options_.path, framing_);
  std::uint64_t datagrams = 0;
  while (auto datagram = reader->next()) {
    require_fits(*datagram, ++datagrams);
    if (datagrams > 1) continue;
    first_timestamp_ns_ = datagram->timestamp_ns;
    paced_ = paced_ || (options_.speed > 0 && datagram->ip_offset != 0);
  }
  skipped_ = reader->skipped();
  if (datagrams == 0)
    throw UsageError(fmt::format("{}: there is no UDP datagram in it, and {} other records",
                                 options_.path, skipped_));
}

/// The slot of unit taken_ is free.
void Replay::read_ahead() {
  bool enough = options_.units != 0 && taken_ == options_.units;
  auto datagram = enough ? std::nullopt : reader_->next();
  at_end_ = !datagram;
  if (at_end_) return;
  require_fits(*datagram, taken_ + 1);
  store(*datagram);
  ahead_ = true;
  /* Records of a capture are not always in the order of their times. */
  since_start_ns_ = std::max(since_start_ns_, pace(*datagram));
}

void Replay::store(const Datagram& datagram) noexcept {
  slot(taken_) = {.length = static_cast<std::uint32_t>(datagram.bytes.size()),
                  .payload_offset = datagram.payload_offset,
                  .payload_length = datagram.payload_length,
                  .lines = headers_.size(),
                  .framed = datagram.ip_offset != 0};
  std::copy(datagram.bytes.begin(), datagram.bytes.end(), bytes(taken_));
}

/// When the datagram with the number taken_ is due, after the start.
std::uint64_t Replay::pace(const Datagram& datagram) const noexcept {
  if (options_.units_per_second > 0)
    return static_cast<std::uint64_t>(static_cast<double>(taken_) * 1e9 /
                                      options_.units_per_second);
  if (!paced_ || datagram.timestamp_ns < first_timestamp_ns_) return 0;
  return static_cast<std::uint64_t>(
      static_cast<double>(datagram.timestamp_ns - first_timestamp_ns_) / options_.speed);
}

}  // namespace linearb::feeder
