// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framing/framing.h"
#include "sim/random.h"

namespace linearb::sim {

enum class PacketKind : std::uint8_t {
  data,
  heartbeat,
  unsequenced,
  poison,   ///< one packet with a number far beyond everything, as from a flipped bit
  foreign,  ///< not the feed
};

/// A packet on a wire.
struct WirePacket {
  std::uint64_t due_ns = 0;  ///< when it reaches the interface
  std::uint64_t first = 0;
  std::uint16_t count = 0;
  std::uint8_t channel = 0;
  std::uint8_t line = 0;
  std::uint8_t life = 0;
  PacketKind kind = PacketKind::data;
};

/// One numbering of a channel: what it sends, whatever the lines make of it.
struct Life {
  std::uint64_t first = 1;
  std::uint64_t end = 1;  ///< after its last message
};

/// What is sent, and what each line does to it. Everything follows from the seed.
///
/// Where the documentation says that numbers alone cannot tell, the feed does not ask: restarts of
/// the numbers under one session come after a pause and with skews that are shorter than it
/// (ARCHITECTURE.md, "Where one session restarts its numbers"), and poison lies further ahead than
/// `ahead` (README.md, Limits).
struct Feed {
  enum class Kind : std::uint8_t {
    one_life,
    sessions,  ///< each life has a session of its own
    restarts,  ///< lives under one session
    windows,   ///< packets of up to 256 messages, lines up to three windows apart
  };

  Feed(Random random, const std::vector<lb_framing>& framings);
  /// What somebody else has chosen, of one channel.
  Feed(Kind wanted, const lb_framing& framing, std::vector<std::vector<WirePacket>> chosen);

  Kind kind = Kind::one_life;
  std::uint32_t lines = 2;
  std::uint32_t channels = 1;
  /// Several CPUs may take packets of one line: their race reorders them.
  bool cpus_race = false;
  std::vector<std::vector<Life>> lives;        ///< of each channel
  std::vector<std::vector<WirePacket>> wires;  ///< of each line, by time
  std::uint64_t end_ns = 0;                    ///< when the last packet is due
  std::vector<lb_framing> framings;            ///< of each channel

  /// The frame of a packet. Returns its length in bytes.
  std::uint32_t build(const WirePacket& packet, std::span<std::uint8_t> frame) const;
  /// The bytes of a message, its length field included. Returns how many.
  std::uint32_t message(std::uint32_t channel, std::uint32_t life, std::uint64_t number,
                        std::uint8_t* bytes) const;

  static std::uint32_t destination_of(std::uint32_t channel) noexcept {
    return 0xe9fc0001 + channel;
  }
  static constexpr std::uint16_t kPort = 26477;
  /// The life that a poisoned packet says it is of, behind all real ones.
  static constexpr std::uint8_t kPoisonLife = 200;
  static constexpr std::uint8_t kUnsequencedLife = 201;
  /// In the message, behind its length field.
  static std::uint32_t life_offset(const lb_framing& framing) noexcept {
    return framing.message_length.width;
  }

 private:
  struct Habits;
  Habits some_habits(Random& random) const;
  void plan_lives(Random& random);
  void plan_line(Random random, std::uint32_t channel, std::uint32_t line);
  void send(Random& random, const Habits& habits, const Life& numbers, std::uint8_t life,
            std::vector<WirePacket>& wire) const;

  std::uint64_t salt_ = 0;
  bool long_messages_ = true;
  std::uint32_t packs_at_most_ = 8;
  std::uint64_t interval_ns_ = 10'000;  ///< between messages
  std::uint64_t skew_ns_at_most_ = 0;
  std::vector<std::uint64_t> life_begins_ns_;
};

std::string to_string(PacketKind kind);
std::string to_string(Feed::Kind kind);

}  // namespace linearb::sim
