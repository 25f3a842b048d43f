// SPDX-License-Identifier: Apache-2.0
#include "feeder/generator.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "feeder/random.h"
#include "framing/encode.h"
#include "linearb/error.h"

namespace linearb::feeder {
namespace {

constexpr std::string_view kOptiq = "optiq";

/// Writes integers behind each other, little-endian.
class Packer {
 public:
  explicit Packer(std::uint8_t* bytes) noexcept : bytes_(bytes) {}

  template <class Integer>
  Packer& put(Integer value) noexcept {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    std::memcpy(bytes_, &value, sizeof(value));
    bytes_ += sizeof(value);
    return *this;
  }

 private:
  std::uint8_t* bytes_;
};

}  // namespace

std::array<std::uint8_t, kOptiqLength> optiq_message(std::uint32_t number,
                                                     std::uint64_t timestamp_ns) noexcept {
  std::array<std::uint8_t, kOptiqLength> message;
  Packer(message.data())
      .put(std::uint8_t{1})
      .put(std::uint8_t{kOptiqLength})
      .put(std::uint16_t{1})
      .put(number)
      .put(number)
      .put(timestamp_ns)
      .put(static_cast<std::uint16_t>(1 + number % 4))
      .put(static_cast<std::uint16_t>(1 + number % 1000))
      .put(static_cast<std::uint32_t>(10'000 + number % 5'000))
      .put(mix64(number));
  return message;
}

void write_message(const lb_framing& framing, std::uint64_t number,
                   std::span<std::uint8_t> message) noexcept {
  std::uint64_t nibbles = 0;
  for (std::size_t at = 0; at < message.size(); ++at, nibbles >>= 4) {
    if (at % 16 == 0) nibbles = mix64(number + at / 16);
    message[at] = static_cast<std::uint8_t>('a' + (nibbles & 15));
  }
  lb_message_encode_length(&framing, message.data(), static_cast<lb_u32>(message.size()));
}

Messages::Messages(const config::Framing& framing, const MessageOptions& options)
    : framing_(framing.descriptor),
      name_(framing.name),
      optiq_(framing.name == kOptiq),
      first_(options.first),
      key_(options.key),
      session_(options.session),
      header_length_(framing.descriptor.header_length),
      message_length_(options.message_length) {
  if (!lb_framing_can_encode(&framing_))
    throw UsageError(
        fmt::format("packets of the framing {} cannot be generated: its messages {}; "
                    "replay a capture",
                    name_,
                    lb_framing_numbers_messages(&framing_) ? "have numbers of their own"
                                                           : "do not say how long they are"));
  if (session_.empty()) session_ = kSession.substr(0, framing_.session.width);
  std::uint32_t fixed_length = optiq_ ? kOptiqLength - header_length_ : 0;
  if (message_length_ == 0)
    message_length_ =
        optiq_ ? fixed_length : std::max<std::uint32_t>(kMessageLength, framing_.smallest_message);
  if (optiq_ && message_length_ != fixed_length)
    throw UsageError("--message-length: messages of the framing optiq have one length");
  if (first_ >= framing_.sequence_limit)
    throw UsageError(fmt::format("--first {}: numbers of the framing {} end at {}", first_, name_,
                                 framing_.sequence_limit - 1));
}

void Messages::require_packet(std::uint32_t count, std::uint32_t room) const {
  std::uint64_t length = header_length_ + std::uint64_t{count} * message_length_;
  if (length > room)
    throw UsageError(fmt::format(
        "packets with {} messages of {} bytes have {} bytes of payload, and {} fit into "
        "a packet; ask for fewer or shorter messages",
        count, message_length_, length, room));

  std::vector<std::uint8_t> payload(length);
  write({0, count}, 0, payload.data());
  if (!reads_back(count, payload))
    throw UsageError(fmt::format(
        "the framing {} cannot carry {} messages of {} bytes in a packet with the number {}, "
        "session '{}' and key {}",
        name_, count, message_length_, first_, session_, key_));
}

std::uint64_t Messages::number(std::uint64_t position) const noexcept {
  std::uint64_t number = first_ + position;
  if (number < framing_.sequence_limit) return number;
  return framing_.wrap_to +
         (number - framing_.sequence_limit) % (framing_.sequence_limit - framing_.wrap_to);
}

void Messages::write(UnitRange messages, std::uint64_t timestamp_ns,
                     std::uint8_t* payload) const noexcept {
  if (optiq_) {
    auto number32 = static_cast<std::uint32_t>(number(messages.first));
    auto message = optiq_message(number32, timestamp_ns);
    std::copy(message.begin(), message.end(), payload);
    return;
  }
  std::uint32_t length = payload_length(messages.count);
  lb_header header{.first = number(messages.first),
                   .count = messages.count,
                   .key = key_,
                   .session = reinterpret_cast<const lb_u8*>(session_.data()),
                   .session_length = static_cast<lb_u32>(session_.size()),
                   .payload_length = length};
  lb_framing_encode_header(&framing_, payload, length, &header);
  for (std::uint32_t message = 0; message < messages.count; ++message) {
    std::uint8_t* bytes = payload + header_length_ + message * message_length_;
    write_message(framing_, number(messages.first + message), {bytes, message_length_});
  }
}

/// Whether a packet that begins at position 0 is read as it was meant.
bool Messages::reads_back(std::uint32_t count,
                          std::span<const std::uint8_t> payload) const noexcept {
  auto length = static_cast<lb_u32>(payload.size());
  lb_datagram datagram{};
  lb_kind kind =
      lb_framing_decode(&framing_, payload.data(), payload.data() + length, length, &datagram);
  bool same = kind == LB_KIND_DATA && datagram.first == first_ && datagram.count == count;
  for (std::uint32_t offset = header_length_; same && offset < length; offset += message_length_)
    same = lb_message_length(&framing_, payload.data(), length, offset) == message_length_;
  return same;
}

Generator::Generator(Messages messages, const GeneratorOptions& options,
                     std::vector<xsk::PacketHeader> headers)
    : messages_(std::move(messages)),
      headers_(std::move(headers)),
      units_(options.units != 0 ? options.units : kNever),
      interval_ns_(options.units_per_second > 0 ? 1e9 / options.units_per_second : 0) {}

void Generator::start(const StartTime& time) noexcept {
  start_ = time;
}

std::uint64_t Generator::due_ns() noexcept {
  if (finished()) return kNever;
  return start_.monotonic_ns +
         static_cast<std::uint64_t>(static_cast<double>(taken_) * interval_ns_);
}

std::uint64_t Generator::take(std::uint64_t now_ns) noexcept {
  std::uint64_t base_ns = interval_ns_ > 0 ? due_ns() : now_ns;
  ++taken_;
  return base_ns;
}

std::uint32_t Generator::write(std::size_t line, UnitRange units, std::uint64_t base_ns,
                               std::uint8_t* frame) const noexcept {
  std::uint64_t timestamp_ns = start_.realtime_ns + (base_ns - start_.monotonic_ns);
  messages_.write(units, timestamp_ns, frame + xsk::kHeaderLength);
  return headers_[line].write(frame, messages_.payload_length(units.count));
}

}  // namespace linearb::feeder
