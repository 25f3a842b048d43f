// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framing/framing.h"
#include "sequencer/packet.h"

namespace linearb::sequencer {

/// The streams of one destination, told apart by a key in their packets (lb_framing::key), each
/// with numbers of its own. A stream gets a channel when it is first seen, as long as there are
/// any.
///
/// One writer; nothing allocates after the constructor.
class StreamGroup {
 public:
  /// `places` are those of the channels that streams get, in this order, at least one; the first of
  /// them are those of the `keys` that are known already.
  StreamGroup(const lb_framing& framing, std::vector<std::uint16_t> places,
              std::span<const std::uint64_t> keys = {});

  const lb_framing& framing() const noexcept { return framing_; }
  std::span<const std::uint16_t> places() const noexcept { return places_; }
  /// Of the streams that were seen; the one at i has the place at i.
  std::span<const std::uint64_t> keys() const noexcept { return keys_; }

  /// Gives a packet that was decoded to the channel of its stream. True when the stream is a new
  /// one. A malformed packet has no key, and goes to any of them.
  bool assign(Packet& packet) noexcept;

  /// Packets of streams for which there was no channel. Any thread.
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
  /// The key of the last of them. Any thread.
  std::uint64_t refused_key() const noexcept {
    return refused_key_.load(std::memory_order_relaxed);
  }

 private:
  lb_framing framing_;
  std::vector<std::uint16_t> places_;
  std::vector<std::uint64_t> keys_;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> refused_key_ = 0;
};

/// Which places have streams of theirs instead of a sequence: one for all channels.
class Streams {
 public:
  /// Among so many places.
  explicit Streams(std::size_t room) : groups_(room) {}

  void open(std::uint16_t place, std::unique_ptr<StreamGroup> group) noexcept {
    groups_[place] = std::move(group);
  }
  /// Null where there was none.
  std::unique_ptr<StreamGroup> close(std::uint16_t place) noexcept {
    return std::move(groups_[place]);
  }
  /// Null: the place is that of one sequence, or of nothing.
  StreamGroup* at(std::uint16_t place) noexcept { return groups_[place].get(); }
  const StreamGroup* at(std::uint16_t place) const noexcept { return groups_[place].get(); }

 private:
  std::vector<std::unique_ptr<StreamGroup>> groups_;
};

/// Where channels that are all there from the start have their places: channel i has place i, and
/// those of its streams, where its framing has a key, stand behind all channels.
class ChannelPlaces {
 public:
  struct Configured {
    const lb_framing* framing;  ///< outlives this
    std::uint32_t keys;         ///< how many there may be
  };
  explicit ChannelPlaces(std::span<const Configured> channels);

  /// By place, null where there is no sequence: as a Sequencer wants them.
  std::span<const lb_framing* const> framings() const noexcept { return framings_; }
  std::size_t size() const noexcept { return framings_.size(); }
  /// The configured channel that the place belongs to.
  std::size_t channel_of(std::size_t place) const noexcept { return origins_[place]; }
  /// Gives a decoded packet of a configured channel to that of its stream, where it has streams.
  void assign(Packet& packet) noexcept {
    if (StreamGroup* const group = streams_.at(packet.channel)) group->assign(packet);
  }
  /// Those in which something was, or that need no key: in the order of the channels, streams in
  /// that in which they were seen.
  std::vector<std::uint16_t> used() const;
  /// Of a used one: the channel's, or with a key behind it.
  std::string name_of(std::size_t place, std::string_view channel) const;

 private:
  std::vector<const lb_framing*> framings_;
  std::vector<std::size_t> origins_;
  Streams streams_;
};

/// "cboe/3": the channel of a stream.
std::string stream_name(std::string_view channel, std::uint64_t key);

}  // namespace linearb::sequencer
