// SPDX-License-Identifier: Apache-2.0
#include "sink/trim.h"

#include <algorithm>
#include <cstring>

#include "core/walk.h"
#include "framing/encode.h"

namespace linearb::sink {
namespace {

constexpr std::size_t kIpLength = 2;  // offsets in the header: RFC 791 section 3.1
constexpr std::size_t kIpChecksum = 10;
constexpr std::size_t kIpAddresses = 12;
constexpr std::size_t kUdpLength = 4;  // RFC 768
constexpr std::size_t kUdpChecksum = 6;

void store_u16_be(std::uint8_t* bytes, std::uint32_t value) noexcept {
  bytes[0] = static_cast<std::uint8_t>(value >> 8);
  bytes[1] = static_cast<std::uint8_t>(value);
}

/// The sum of 16-bit words of RFC 1071, not yet folded; at most 65,535 bytes cannot overflow it.
std::uint32_t sum_words(std::span<const std::uint8_t> bytes) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += lb_load_u16_be(&bytes[i]);
  if (bytes.size() % 2) sum += static_cast<std::uint32_t>(bytes.back()) << 8;
  return sum;
}

std::uint16_t checksum_of(std::uint64_t sum) noexcept {
  while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void write_ip_checksum(std::span<std::uint8_t> header) noexcept {
  store_u16_be(&header[kIpChecksum], 0);
  store_u16_be(&header[kIpChecksum], checksum_of(sum_words(header)));
}

/// `addresses` are source and destination: with protocol and length they are the pseudo-header.
void write_udp_checksum(std::span<const std::uint8_t> addresses,
                        std::span<std::uint8_t> datagram) noexcept {
  if (lb_load_u16_be(&datagram[kUdpChecksum]) == 0) return;
  store_u16_be(&datagram[kUdpChecksum], 0);
  std::uint16_t checksum = checksum_of(std::uint64_t{sum_words(addresses)} + LB_PROTOCOL_UDP +
                                       datagram.size() + sum_words(datagram));
  store_u16_be(&datagram[kUdpChecksum], checksum ? checksum : 0xFFFF);
}

/// How many messages stand between the two numbers, by the feed's own rule for the wrap; more than
/// a packet can have where `to` is no number of the feed.
std::uint64_t distance(const lb_framing& framing, std::uint64_t from, std::uint64_t to) noexcept {
  if (to >= from) return to - from;
  if (to < framing.wrap_to) return ~std::uint64_t{0};
  return framing.sequence_limit - from + to - framing.wrap_to;
}

}  // namespace

Trimmer::Trimmer(std::span<const std::uint8_t> frame, const Trim& trim) noexcept
    : frame_(frame), trim_(trim) {
  possible_ = parse() && all_runs_are_there();
  rewind();
}

bool Trimmer::parse() noexcept {
  lb_walk walk{};
  if (lb_walk_frame(frame_.data(), frame_.data() + frame_.size(), &walk) != LB_WALK_DATAGRAM)
    return false;
  if (walk.payload_offset != trim_.payload_offset || walk.payload_length != trim_.payload_length)
    return false;
  ip_offset_ = walk.ip_offset;
  payload_ = frame_.subspan(walk.payload_offset, walk.payload_length);
  if (lb_framing_is_one_message(&trim_.framing)) return false;
  lb_datagram datagram{};
  lb_kind kind =
      lb_framing_decode(&trim_.framing, payload_.data(), payload_.data() + payload_.size(),
                        static_cast<lb_u32>(payload_.size()), &datagram);
  message_count_ = datagram.count;
  return kind != LB_KIND_MALFORMED && datagram.numbered && datagram.first == trim_.first;
}

bool Trimmer::all_runs_are_there() noexcept {
  rewind();
  return std::all_of(trim_.runs.begin(), trim_.runs.end(),
                     [this](const lb_run& run) { return go_to(run); });
}

void Trimmer::rewind() noexcept {
  runs_done_ = 0;
  index_ = 0;
  offset_ = trim_.framing.header_length;
}

bool Trimmer::go_to(const lb_run& run) noexcept {
  std::uint64_t index = distance(trim_.framing, trim_.first, run.first);
  if (run.count == 0) return false;
  if (index < index_ || index > message_count_ || run.count > message_count_ - index) return false;
  if (!skip_messages(index - index_)) return false;
  begin_ = offset_;
  first_ = lb_framing_next(&trim_.framing, trim_.first, static_cast<lb_u32>(index));
  count_ = run.count;
  return skip_messages(run.count);
}

bool Trimmer::skip_messages(std::uint64_t count) noexcept {
  for (std::uint64_t i = 0; i < count; i++) {
    lb_u32 length = lb_message_length(&trim_.framing, payload_.data(),
                                      static_cast<lb_u32>(payload_.size()), offset_);
    if (length == 0) return false;
    offset_ += length;
  }
  index_ += count;
  return true;
}

bool Trimmer::next() noexcept {
  if (runs_done_ == trim_.runs.size()) return false;
  return go_to(trim_.runs[runs_done_++]);
}

std::size_t Trimmer::size() const noexcept {
  return trim_.payload_offset + trim_.framing.header_length + (offset_ - begin_);
}

void Trimmer::write(std::uint8_t* frame) const noexcept {
  std::size_t headers = trim_.payload_offset + trim_.framing.header_length;
  std::memcpy(frame, frame_.data(), headers);
  std::memcpy(frame + headers, payload_.data() + begin_, offset_ - begin_);
  lb_header header{};
  header.first = first_;
  header.count = count_;
  header.payload_length = static_cast<lb_u32>(size() - trim_.payload_offset);
  /* It fits: each of the three was read from its field, or is less than what was. */
  lb_framing_renumber(&trim_.framing, frame + trim_.payload_offset, frame + size(), &header);
  write_lengths(frame);
}

void Trimmer::write_lengths(std::uint8_t* frame) const noexcept {
  std::uint8_t* ip = frame + ip_offset_;
  std::uint8_t* udp = frame + trim_.payload_offset - LB_UDP_HEADER;
  auto ip_header = static_cast<std::size_t>(udp - ip);
  std::size_t udp_length = size() - trim_.payload_offset + LB_UDP_HEADER;
  store_u16_be(ip + kIpLength, static_cast<std::uint32_t>(ip_header + udp_length));
  store_u16_be(udp + kUdpLength, static_cast<std::uint32_t>(udp_length));
  write_ip_checksum({ip, ip_header});
  write_udp_checksum({ip + kIpAddresses, 8}, {udp, udp_length});
}

}  // namespace linearb::sink
