// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framing/framing.h"
#include "inspect/datagrams.h"
#include "inspect/packet_words.h"
#include "sequencer/sequencer.h"

namespace linearb::inspect {

/// One sequence of numbers in a capture: what came to one destination under one key.
struct Stream {
  std::string destination;  ///< "239.1.1.1:5000"; "" in a file of payloads
  std::optional<std::string> key;
  std::vector<std::string> sessions;  ///< in the order in which they came, kSessionsNamed at most
  std::uint64_t packets = 0;
  std::uint64_t heartbeats = 0;
  std::uint64_t duplicates = 0;  ///< packets with nothing new
  std::uint64_t messages = 0;
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;   ///< messages that are in them
  std::uint64_t restarts = 0;  ///< new sessions, resets, and numbers that begin anew
};

struct CaptureFindings {
  std::uint64_t packets = 0;  ///< of the file
  std::uint64_t not_udp = 0;  ///< or cut off
  std::array<std::uint64_t, LB_KIND_MALFORMED + 1> kinds{};
  std::uint64_t not_followed = 0;  ///< packets of more streams than are followed
  std::string first_malformed;     ///< which it is, and why
  std::vector<Stream> streams;     ///< in the order in which they came

  std::uint64_t datagrams() const noexcept;
  std::uint64_t decoded() const noexcept { return datagrams() - kinds[LB_KIND_MALFORMED]; }
};

/// Reads a capture as if every UDP datagram in it were of the framing. The numbers of each stream
/// are followed by the sequencer that a receiver has, as those of a line that is alone.
class CaptureCheck final : private sequencer::Decisions {
 public:
  static constexpr std::size_t kStreamsMax = 256;
  static constexpr std::size_t kSessionsNamed = 8;

  explicit CaptureCheck(const lb_framing& framing);

  void take(const Datagram& datagram);
  CaptureFindings finish();

 private:
  using StreamName = std::pair<std::string, std::optional<std::string>>;

  void decided(const sequencer::Packet& packet,
               const sequencer::Decision& decision) noexcept override;
  std::optional<std::uint16_t> stream_of(const Datagram& datagram);
  void follow(std::uint16_t index, const Decoded& decoded, Payload payload);

  lb_framing framing_;
  CaptureFindings findings_;
  std::map<StreamName, std::uint16_t> indexes_;
  std::map<std::uint64_t, std::vector<std::uint8_t>> undecided_;  ///< payloads, by their handle
  std::uint64_t now_ns_ = 0;
  sequencer::Sequencer sequencer_;
};

}  // namespace linearb::inspect
