// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/fnv.h"
#include "sequencer/gap_list.h"
#include "sequencer/packet.h"

namespace linearb::sequencer {

/// Messages that were delivered while it was not known where they belong: of a jump that nothing
/// had confirmed yet, or in a hole of an epoch that the line may have left. Another line may bring
/// them again in their turn, and then they are copies; but a number that was damaged on its way
/// turns up again as well, with other bytes, and then the message is new. So bytes are compared, by
/// a hash.
///
/// A message is forgotten after a while, or for another whose number has the same remainder. All
/// memory is taken in the constructor. One thread.
class ApartMessages {
 public:
  static constexpr std::size_t kMessages = 4096;

  ApartMessages() : messages_(kMessages) {}

  /// `epoch` is the one that counts it, or 0.
  void add(std::uint32_t channel, const Packet& packet, std::uint64_t number, std::uint64_t hash,
           std::uint64_t epoch) noexcept;
  /// Whether it was delivered with these bytes.
  bool has(std::uint32_t channel, std::uint64_t session, std::uint64_t number,
           std::uint64_t hash) const noexcept;
  /// Whether one of its numbers was. Cheap.
  bool may_have(std::uint32_t channel, const Packet& packet) const noexcept;
  /// Whether the line brought it, and that epoch counts it.
  bool is_counted_in(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                     std::uint64_t number) const noexcept;
  /// When it was delivered, if that epoch counts it; else 0.
  std::uint64_t counted_since_ns(std::uint64_t epoch, std::uint32_t channel,
                                 std::uint64_t number) const noexcept;
  /// It is known now where it belongs. Returns the epoch that counts it, 0 if none does.
  std::uint64_t forget(std::uint32_t channel, std::uint64_t session, std::uint64_t number) noexcept;
  /// What the line brought of the range and that epoch counts has found its place.
  void forget_counted(std::uint64_t epoch, std::uint32_t channel, std::uint8_t line,
                      Range range) noexcept;
  void forget_older_than(std::uint64_t ns) noexcept;

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

  const Message& at(std::uint64_t number) const noexcept { return messages_[number % kMessages]; }
  Message& at(std::uint64_t number) noexcept { return messages_[number % kMessages]; }
  void forget(Message& message) noexcept;

  std::vector<Message> messages_;
  std::size_t used_ = 0;
};

/// Calls `visit(number, hash)` for each message of the packet. Where the framing does not tell one
/// message from the next, the hash is of the whole packet, and only the same packet has it.
template <class Visit>
void for_each_message(const lb_framing& framing, const Packet& packet, Visit visit) {
  const auto hash_of = [&](std::uint64_t hash, std::uint32_t offset, std::uint32_t length) {
    return lb_fnv(hash, packet.payload.data() + offset, length);
  };
  const auto length = static_cast<std::uint32_t>(packet.payload.size());
  const std::uint32_t header = std::min<std::uint32_t>(framing.header_length, length);
  const bool tells_messages = packet.datagram.count == 1 || framing.message_length.width != 0;
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
