// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>

/// Packets for tests, built in words:
///
///     udp_packet().vlan(5).to("239.1.1.1", 30001).payload({1, 2, 3}).build()
///
/// What is not said is right: lengths, checksums, the multicast MAC address. A word of the second
/// group replaces one right value by a wrong one, and leaves everything else as it was; the
/// checksums cover the wrong value, so that a packet is wrong in one respect only.
namespace linearb::test {

using Bytes = std::vector<std::uint8_t>;

/// An IPv4 address in host byte order.
inline std::uint32_t address(std::string_view text) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &parsed) != 1)
    throw std::invalid_argument("not an IPv4 address: " + std::string(text));
  return ntohl(parsed.s_addr);
}

/// The sum of RFC 1071 before it is complemented: 0xffff over a header whose checksum is right.
inline std::uint16_t checksum_fold(std::span<const std::uint8_t> bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); i++) sum += bytes[i] << (i % 2 ? 0 : 8);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

class PacketBuilder {
 public:
  PacketBuilder& from(std::string_view source, std::uint16_t port) {
    source_ = address(source);
    source_port_ = port;
    return *this;
  }
  PacketBuilder& to(std::string_view destination, std::uint16_t port) {
    destination_ = address(destination);
    destination_port_ = port;
    return *this;
  }
  /// In host byte order.
  PacketBuilder& to_address(std::uint32_t destination, std::uint16_t port) {
    destination_ = destination;
    destination_port_ = port;
    return *this;
  }
  PacketBuilder& payload(Bytes bytes) {
    payload_ = std::move(bytes);
    return *this;
  }
  /// Adds a tag behind those that are there; 0x88a8 is the type of an outer tag (802.1Q).
  PacketBuilder& vlan(std::uint16_t id, std::uint16_t tag_type = 0x8100) {
    tags_.push_back({tag_type, id});
    return *this;
  }
  /// Bytes of IPv4 options, a multiple of 4 up to 40; filled with "no operation" (RFC 791 3.1).
  PacketBuilder& options(std::size_t bytes) {
    options_ = bytes;
    return *this;
  }
  /// Flags and offset in units of 8 bytes, as the header has them: 0x4000 is "don't fragment",
  /// 0x2000 "more fragments".
  PacketBuilder& fragment(std::uint16_t flags_and_offset) {
    fragment_ = flags_and_offset;
    return *this;
  }
  PacketBuilder& protocol(std::uint8_t number) {
    protocol_ = number;
    return *this;
  }
  PacketBuilder& ethertype(std::uint16_t type) {
    ethertype_ = type;
    return *this;
  }
  /// Bytes behind the IPv4 packet: Ethernet padding, or the trailer of a capture card.
  PacketBuilder& padding(std::size_t bytes) {
    padding_ = bytes;
    return *this;
  }
  /// Sends the UDP checksum as 0: "none" (RFC 768).
  PacketBuilder& without_udp_checksum() {
    udp_checksum_ = false;
    return *this;
  }

  PacketBuilder& wrong_ip_version(std::uint8_t version) {
    ip_version_ = version;
    return *this;
  }
  /// The header length field in words of 4 bytes.
  PacketBuilder& wrong_ip_header_words(std::uint8_t words) {
    ip_header_words_ = words;
    return *this;
  }
  PacketBuilder& wrong_ip_length(std::uint16_t bytes) {
    ip_length_ = bytes;
    return *this;
  }
  PacketBuilder& wrong_udp_length(std::uint16_t bytes) {
    udp_length_ = bytes;
    return *this;
  }
  PacketBuilder& wrong_udp_checksum() {
    wrong_udp_checksum_ = true;
    return *this;
  }
  PacketBuilder& wrong_payload_byte(std::size_t offset, std::uint8_t value) {
    payload_.at(offset) = value;
    return *this;
  }
  /// The frame ends after so many bytes, whatever its lengths say.
  PacketBuilder& cut_to(std::size_t bytes) {
    cut_to_ = bytes;
    return *this;
  }

  /// From the first byte of the frame to the first byte of the payload.
  std::size_t payload_offset() const {
    return kEthernetHeader + 4 * tags_.size() + kIpv4Header + options_ + kUdpHeader;
  }
  Bytes build() const;

 private:
  static constexpr std::size_t kEthernetHeader = 14;
  static constexpr std::size_t kIpv4Header = 20;
  static constexpr std::size_t kUdpHeader = 8;
  /// Stands in a length that was not replaced: longer than any field can say.
  static constexpr std::uint32_t kRight = 1 << 16;

  struct Tag {
    std::uint16_t type;
    std::uint16_t id;
  };

  Bytes ethernet() const;
  Bytes ipv4() const;
  Bytes udp() const;

  std::uint32_t source_ = address("192.0.2.1");  // TEST-NET-1, RFC 5737
  std::uint32_t destination_ = address("239.192.30.1");
  std::uint16_t source_port_ = 40000;
  std::uint16_t destination_port_ = 30001;
  Bytes payload_;
  std::vector<Tag> tags_;
  std::size_t options_ = 0;
  std::size_t padding_ = 0;
  std::uint16_t fragment_ = 0;
  std::uint16_t ethertype_ = 0x0800;
  std::uint8_t protocol_ = 17;
  std::uint8_t ip_version_ = 4;
  std::uint32_t ip_header_words_ = kRight;
  std::uint32_t ip_length_ = kRight;
  std::uint32_t udp_length_ = kRight;
  std::size_t cut_to_ = SIZE_MAX;
  bool udp_checksum_ = true;
  bool wrong_udp_checksum_ = false;
};

inline PacketBuilder udp_packet() {
  return {};
}

/// Big-endian integers, as every header here has them.
inline void append_u16(Bytes& bytes, std::uint32_t value) {
  bytes.push_back(static_cast<std::uint8_t>(value >> 8));
  bytes.push_back(static_cast<std::uint8_t>(value));
}
inline void append_u32(Bytes& bytes, std::uint32_t value) {
  append_u16(bytes, value >> 16);
  append_u16(bytes, value);
}
inline void store_u16(Bytes& bytes, std::size_t offset, std::uint32_t value) {
  bytes[offset] = static_cast<std::uint8_t>(value >> 8);
  bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

inline Bytes PacketBuilder::ethernet() const {
  Bytes bytes;
  if (destination_ >> 28 == 14) {  // multicast: RFC 1112 6.4
    append_u16(bytes, 0x0100);
    append_u32(bytes, 0x5e000000 | (destination_ & 0x7fffff));
  } else {
    append_u16(bytes, 0x0200);  // locally administered
    append_u32(bytes, destination_);
  }
  append_u16(bytes, 0x0200);
  append_u32(bytes, source_);
  for (const Tag& tag : tags_) {
    append_u16(bytes, tag.type);
    append_u16(bytes, tag.id);
  }
  append_u16(bytes, ethertype_);
  return bytes;
}

inline Bytes PacketBuilder::ipv4() const {
  std::uint32_t header = static_cast<std::uint32_t>(kIpv4Header + options_);
  std::uint32_t words = ip_header_words_ == kRight ? header / 4 : ip_header_words_;
  std::uint32_t length = static_cast<std::uint32_t>(header + kUdpHeader + payload_.size());
  Bytes bytes;
  append_u16(bytes, (ip_version_ << 4u | (words & 0xf)) << 8);
  append_u16(bytes, ip_length_ == kRight ? length : ip_length_);
  append_u16(bytes, 0);  // identification
  append_u16(bytes, fragment_);
  append_u16(bytes, 64u << 8 | protocol_);  // time to live
  append_u16(bytes, 0);
  append_u32(bytes, source_);
  append_u32(bytes, destination_);
  bytes.insert(bytes.end(), options_, 1);
  store_u16(bytes, 10, 0xffffu - checksum_fold(bytes));
  return bytes;
}

inline Bytes PacketBuilder::udp() const {
  std::uint32_t right_length = static_cast<std::uint32_t>(kUdpHeader + payload_.size());
  std::uint32_t length = udp_length_ == kRight ? right_length : udp_length_;
  Bytes bytes;
  append_u16(bytes, source_port_);
  append_u16(bytes, destination_port_);
  append_u16(bytes, length);
  append_u16(bytes, 0);
  bytes.insert(bytes.end(), payload_.begin(), payload_.end());
  if (!udp_checksum_) return bytes;

  Bytes pseudo_header;
  append_u32(pseudo_header, source_);
  append_u32(pseudo_header, destination_);
  append_u16(pseudo_header, protocol_);
  append_u16(pseudo_header, length);
  std::uint32_t checksum = 0xffffu - checksum_fold(bytes, checksum_fold(pseudo_header));
  if (wrong_udp_checksum_) checksum ^= 0x5555;
  store_u16(bytes, 6, checksum ? checksum : 0xffff);  // 0 would say "none"
  return bytes;
}

inline Bytes PacketBuilder::build() const {
  Bytes packet = ethernet();
  for (const Bytes& part : {ipv4(), udp()}) packet.insert(packet.end(), part.begin(), part.end());
  packet.insert(packet.end(), padding_, 0);
  if (packet.size() > cut_to_) packet.resize(cut_to_);
  return packet;
}

}  // namespace linearb::test
