// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framing/framing.h"
#include "sequencer/packet.h"

namespace linearb::sequencer {

/// The streams of one destination, told apart by a key in their packets (lb_framing::keys), each
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

  /// The key of the first stream for which there was no channel. Any thread.
  std::optional<std::uint64_t> refused_key() const noexcept {
    if (!has_refused_.load(std::memory_order_acquire)) return std::nullopt;
    return refused_key_.load(std::memory_order_relaxed);
  }

 private:
  void refuse(std::uint64_t key) noexcept;

  lb_framing framing_;
  std::vector<std::uint16_t> places_;
  std::vector<std::uint64_t> keys_;
  std::atomic<std::uint64_t> refused_key_ = 0;
  std::atomic<bool> has_refused_ = false;  ///< after the key
};

/// By place of a channel; null where that is one sequence, or nothing.
using StreamGroups = std::vector<std::unique_ptr<StreamGroup>>;

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
    if (StreamGroup* const group = groups_[packet.channel].get()) group->assign(packet);
  }
  /// Of a configured channel: its own place, or those of its streams in the order in which they
  /// were seen.
  std::vector<std::size_t> places_of(std::size_t channel) const;
  /// Of the stream that has the place; 0 where none has.
  std::uint64_t key_of(std::size_t place) const noexcept;
  /// The name of what has the place, where that of its channel is `channel`.
  std::string name_of(std::size_t place, std::string_view channel) const;

 private:
  std::vector<const lb_framing*> framings_;
  std::vector<std::size_t> origins_;
  StreamGroups groups_;
};

/// "3"; "3.17" where the key has several fields.
std::string key_text(const lb_framing& framing, std::uint64_t key);

/// "cboe/3": the channel of a stream.
std::string stream_name(std::string_view channel, const lb_framing& framing, std::uint64_t key);

}  // namespace linearb::sequencer
