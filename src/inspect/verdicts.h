// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/framing_file.h"
#include "inspect/datagrams.h"
#include "inspect/packet_words.h"
#include "linearb/options.h"
#include "sequencer/sequencer.h"
#include "sequencer/streams.h"

namespace linearb::inspect {

/// What a packet is, and what became of it.
struct Explained {
  std::optional<std::uint64_t> time_ns;
  const Channel* channel = nullptr;  ///< null: no configured one
  std::string_view kind;             ///< kind_name(), or "not_feed"
  std::optional<std::string> session;
  std::optional<std::string> key;
  lb_datagram datagram{};
  bool is_malformed = false;
  std::string_view verdict;  ///< outcome_name(), or "not_feed"
  std::string reason;        ///< of a malformed one
};

/// Says of every packet of a capture what arbitration would make of it, if nothing else came: by
/// the sequencer that a receiver has, with the capture's time. Where the lines of a channel have
/// destinations of their own, each of these is a line; else all is one.
class Verdicts final : private sequencer::Decisions {
 public:
  /// Of the options channels, the names of lines that only repair, and keys; `framings` are those
  /// of the channels. `tell` is called once for each packet, in their order: some are decided only
  /// when later ones have come.
  Verdicts(const ReceiverOptions& options, const std::vector<config::Framing>& framings,
           std::function<void(const Explained&)> tell);

  void take(const Datagram& datagram);
  /// Decides and tells what is left.
  void finish();

 private:
  struct Row {
    Explained explained;
    std::vector<std::uint8_t> payload;
    bool is_decided = false;
  };
  struct Place {
    std::size_t channel;
    std::uint8_t line;
    bool only_repairs;
  };

  void decided(const sequencer::Packet& packet,
               const sequencer::Decision& decision) noexcept override;
  bool only_repairs(const std::string& line) const noexcept;
  std::optional<Place> place_of(const Datagram& datagram) const noexcept;
  void take_of_channel(const Datagram& datagram, Place place);
  void tell_decided();
  static std::uint32_t lines_of(const std::vector<Channel>& channels) noexcept;

  std::vector<Channel> channels_;
  std::vector<std::string> repair_lines_;
  std::vector<lb_framing> framings_;
  std::function<void(const Explained&)> tell_;
  std::deque<Row> rows_;    ///< from the first one that was not told yet
  std::uint64_t told_ = 0;  ///< rows that were
  std::uint64_t now_ns_ = 0;
  sequencer::ChannelPlaces places_;
  sequencer::Sequencer sequencer_;
};

}  // namespace linearb::inspect
