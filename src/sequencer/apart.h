// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "core/fnv.h"
#include "core/layout.h"
#include "sequencer/gap_list.h"
#include "sequencer/packet.h"

namespace linearb::sequencer {

/// Messages that were delivered while it was not known where they belong: of a jump that nothing
/// had confirmed yet, or in a hole of an epoch that the line may have left. Another line may bring
/// them again in their turn, and then they are copies; but a number that was damaged on its way
/// turns up again as well, with other bytes, and then the message is new. So bytes are compared, by
/// a hash.
///
/// A message is forgotten after a while, or when it is the oldest of the kWays in its set and there
/// comes another. All memory is taken in the constructor. One thread.
class ApartMessages {
 public:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kSets = 4096;
  static constexpr std::size_t kMessages = kSets * kWays;

  ApartMessages() : messages_(kMessages) {}

  /// `epoch` is the one that counts it, or 0.
  void add(std::uint32_t channel, const Packet& packet, std::uint64_t number, std::uint64_t hash,
           std::uint64_t epoch) noexcept;
  /// Whether it was delivered with these bytes.
  bool has(std::uint32_t channel, std::uint64_t session, std::uint64_t number,
           std::uint64_t hash) const noexcept;
  /// None is remembered, of any channel.
  bool empty() const noexcept { return used_ == 0; }
  /// Whether one of its numbers was. Cheap.
  bool may_have(std::uint32_t channel, const Packet& packet) const noexcept;
  /// Whether the line brought it, and that epoch counts it.
  bool is_counted_in(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                     std::uint64_t number) const noexcept;
  /// When it was delivered, if that epoch counts it; else 0.
  std::uint64_t counted_since_ns(std::uint64_t epoch, std::uint32_t channel,
                                 std::uint64_t number) const noexcept;
  struct Origin {
    std::uint64_t epoch = 0;           ///< that counts it; 0: none does
    std::uint8_t line = LB_LINES_MAX;  ///< that brought it; LB_LINES_MAX: none of the feed's
  };
  /// It is known now where it belongs. Returns what was known before.
  Origin forget(std::uint32_t channel, std::uint64_t session, std::uint64_t number) noexcept;
  /// What the line brought of the range and that epoch counts has found its place.
  void forget_counted(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                      Range range) noexcept;
  /// Calls `visit(channel, session, number, since_ns)` before it forgets one that no epoch counts.
  template <class Visit>
  void forget_older_than(std::uint64_t ns, Visit visit) {
    if (used_ == 0 || oldest_ns_ >= ns) return;
    oldest_ns_ = ~0ull;
    for (Message& message : messages_) {
      if (message.used && message.since_ns < ns) {
        if (message.epoch == 0)
          visit(message.channel, message.session, message.number, message.since_ns);
        if (message.used) forget(message);
      }
      if (message.used) oldest_ns_ = std::min(oldest_ns_, message.since_ns);
    }
  }
  /// Calls `visit(number)` for each message of the channel and session that no epoch counts and
  /// that was delivered in [since_ns, until_ns). It may be forgotten meanwhile. Looks at all.
  template <class Visit>
  void for_each_uncounted(std::uint32_t channel, std::uint64_t session, std::uint64_t since_ns,
                          std::uint64_t until_ns, Visit visit) const {
    if (used_ == 0) return;
    for (const Message& message : messages_)
      if (message.used && message.epoch == 0 && message.channel == channel &&
          message.session == session && message.since_ns >= since_ns && message.since_ns < until_ns)
        visit(message.number);
  }

 private:
  struct Message {
    std::uint64_t number = 0;
    std::uint64_t session = 0;
    std::uint64_t hash = 0;
    std::uint64_t since_ns = 0;
    std::uint64_t epoch = 0;
    std::uint32_t channel = 0;
    std::uint8_t line = 0;
    bool used = false;

    bool is_of(std::uint32_t of_channel, std::uint64_t of_number) const noexcept {
      return used && number == of_number && channel == of_channel;
    }
  };

  using Set = std::span<Message, kWays>;

  /// Where messages with this number are. The ones next to it are elsewhere.
  Set set_of(std::uint64_t number) noexcept {
    return Set(messages_.data() + number % kSets * kWays, kWays);
  }
  /// Null when there is none.
  const Message* find(std::uint32_t channel, std::uint64_t number) const noexcept {
    const Message* const set = messages_.data() + number % kSets * kWays;
    for (std::size_t way = 0; way < kWays; ++way)
      if (set[way].is_of(channel, number)) return &set[way];
    return nullptr;
  }
  Message* find(std::uint32_t channel, std::uint64_t number) noexcept {
    return const_cast<Message*>(std::as_const(*this).find(channel, number));
  }
  void forget(Message& message) noexcept;

  std::vector<Message> messages_;
  std::size_t used_ = 0;
  std::uint64_t oldest_ns_ = ~0ull;  ///< no message in use is older: until then nobody has to look
};

/// Whether the framing tells where each message of the packet is.
inline bool messages_are_told_apart(const lb_framing& framing, const Packet& packet) noexcept {
  return packet.datagram.count == 1 ||
         lb_messages_can_be_walked(&framing, packet.payload.data(),
                                   static_cast<lb_u32>(packet.payload.size()));
}

/// Tells bytes apart where nobody wants to make them look alike, eight at a time.
inline std::uint64_t hash_of_bytes(std::uint64_t hash, const std::uint8_t* bytes,
                                   std::size_t length) noexcept {
  for (; length >= 8; bytes += 8, length -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 29;
  }
  return lb_fnv(hash, bytes, length);
}

/// Calls `visit(number, hash)` for each message of the packet. Where the framing does not tell one
/// message from the next, the hash is of the whole packet, and only the same packet has it.
template <class Visit>
void for_each_message(const lb_framing& framing, const Packet& packet, Visit visit) {
  const auto hash_of = [&](std::uint64_t hash, std::uint32_t offset, std::uint32_t length) {
    return hash_of_bytes(hash, packet.payload.data() + offset, length);
  };
  const auto length = static_cast<std::uint32_t>(packet.payload.size());
  const std::uint32_t header = std::min<std::uint32_t>(framing.header_length, length);
  const bool tells_messages = messages_are_told_apart(framing, packet);
  const std::uint64_t whole =
      tells_messages ? 0 : hash_of(LB_FNV_BASIS ^ packet.first(), header, length - header);
  std::uint32_t offset = header;
  for (std::uint32_t i = 0; i < packet.datagram.count; ++i) {
    if (!tells_messages) {
      visit(packet.first() + i, whole);
      continue;
    }
    std::uint32_t message = lb_message_length(&framing, packet.payload.data(), length, offset);
    if (message == 0) message = length - offset;  // the last one, cut off
    visit(packet.first() + i, hash_of(LB_FNV_BASIS, offset, message));
    offset += message;
  }
}

}  // namespace linearb::sequencer
