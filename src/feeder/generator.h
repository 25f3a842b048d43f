// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/framing_file.h"
#include "feeder/source.h"
#include "xsk/packet_header.h"

namespace linearb::feeder {

inline constexpr std::size_t kOptiqLength = 36;

/// The message of the optiq feed (framings/optiq.toml) with a number, packed little-endian:
///
///   version u8       1                  timestamp u64      as given: CLOCK_REALTIME ns
///   length u8        36                 message_type u16   1 + number % 4
///   service_id u16   1                  quantity u16       1 + number % 1000
///   session_id u32   number             price u32          10000 + number % 5000
///   sequence u32     number             order_id u64       mix64(number), see random.h
///
/// So whoever receives one can check every byte of it.
std::array<std::uint8_t, kOptiqLength> optiq_message(std::uint32_t number,
                                                     std::uint64_t timestamp_ns) noexcept;

/// The message of any other feed with a number: byte i is 'a' + (nibble i % 16 of
/// mix64(number + i / 16)), lowest nibble first, and then the length field of the framing is
/// written over it. Letters only, so that no message reads as a venue's reset or end of day.
void write_message(const lb_framing& framing, std::uint64_t number,
                   std::span<std::uint8_t> message) noexcept;

struct MessageOptions {
  std::uint64_t first = 1;
  /// Bytes of a message, its length field included; 0: kMessageLength, or what the framing fixes.
  std::uint32_t message_length = 0;
  /// As it stands in the packet; empty: kSession. Ignored where the framing has no session.
  std::string session{};
  std::uint64_t key = 1;  // of the sequence (Cboe's unit); ignored where the framing has none
};
inline constexpr std::uint32_t kMessageLength = 32;
inline constexpr std::string_view kSession = "LINEARB001";

/// The messages of one channel, and the packets that carry them. Pure.
class Messages {
 public:
  /// Throws UsageError when the framing cannot say what the options ask for.
  Messages(const config::Framing& framing, const MessageOptions& options);

  /// Throws UsageError when packets of `count` messages cannot be made, or exceed `room` bytes of
  /// UDP payload.
  void require_packet(std::uint32_t count, std::uint32_t room) const;

  /// The number of the message at a position; positions count from 0, numbers as the feed does,
  /// wrap included.
  std::uint64_t number(std::uint64_t position) const noexcept;
  std::uint32_t payload_length(std::uint32_t count) const noexcept {
    return header_length_ + count * message_length_;
  }
  /// Writes payload_length(messages.count) bytes, of a packet that require_packet accepts. Only
  /// optiq has a time stamp.
  void write(UnitRange messages, std::uint64_t timestamp_ns, std::uint8_t* payload) const noexcept;

 private:
  bool reads_back(std::uint32_t count, std::span<const std::uint8_t> payload) const noexcept;

  lb_framing framing_;
  std::string name_;
  bool optiq_;
  std::uint64_t first_;
  std::uint64_t key_;
  std::string session_;
  std::uint32_t header_length_;
  std::uint32_t message_length_;
};

struct GeneratorOptions {
  std::uint64_t units = 0;      // messages to generate; 0: until it is stopped
  double units_per_second = 0;  // 0: as fast as the lines take them
};

/// Generates the messages of one channel on every line. The unit is a message. Paced, unit n is
/// due at start + n / rate whatever was late before it; its time stamp is its base time.
class Generator : public Source {
 public:
  /// One header for each line. The messages have to fit (Messages::require_packet).
  Generator(Messages messages, const GeneratorOptions& options,
            std::vector<xsk::PacketHeader> headers);

  void start(const StartTime& time) noexcept override;
  std::uint64_t due_ns() noexcept override;
  bool finished() const noexcept override { return taken_ == units_; }
  std::uint64_t take(std::uint64_t now_ns) noexcept override;
  std::uint32_t payload_length(UnitRange units) const noexcept override {
    return messages_.payload_length(units.count);
  }
  std::uint32_t payload_offset(UnitRange) const noexcept override { return xsk::kHeaderLength; }
  std::uint32_t write(std::size_t line, UnitRange units, std::uint64_t base_ns,
                      std::uint8_t* frame) const noexcept override;
  void release(UnitRange) noexcept override {}

 private:
  Messages messages_;
  std::vector<xsk::PacketHeader> headers_;
  std::uint64_t units_;
  double interval_ns_;
  std::uint64_t taken_ = 0;
  StartTime start_{};
};

}  // namespace linearb::feeder
