// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/layout.h"
#include "linearb/receiver.h"
#include "sequencer/gap_list.h"
#include "sim/feed.h"

namespace linearb::sim {

/// How a packet left the hook, by the counter that moved.
enum class WayOut : std::uint8_t {
  duplicate,
  claimed,
  passed_up,
  no_credit,
  not_feed,
  malformed,
  no_receiver,
  uncounted,  ///< nothing is known of its interface yet
};

/// What has to be true, written down plainly: sets of messages, one entry each. It knows nothing of
/// windows, credits or epochs.
class Reference {
 public:
  explicit Reference(const Feed& feed);
  const Feed& feed() const noexcept { return feed_; }

  // What the hook did with a packet.
  struct Seen {
    const WirePacket* packet = nullptr;
    std::uint32_t cpu = 0;
    WayOut way_out = WayOut::uncounted;
    std::uint32_t action = 0;
    std::uint32_t verdict = 0;
    std::int32_t place = 0;
  };
  void hook_saw(std::uint64_t now_ns, const Seen& seen);

  // A receiver from its first to its last packet.
  void receiver_begins();
  /// From its last slot to its end, or its death: what is claimed meanwhile has to come.
  void receiver_is_there(bool is) noexcept { receiver_is_there_ = is; }
  void delivered(std::uint64_t now_ns, const Delivery& delivery);
  /// When all that was redirected is decided: every message that came is delivered, and every gap
  /// is one.
  void receiver_ends(const sequencer::GapList& gaps);
  /// Without a word: what was on its way is gone.
  void receiver_breaks_off();

  /// For a report: what happened to a number.
  std::string history(std::uint32_t channel, std::uint64_t number) const;
  std::string all_events() const;

  /// Whoever declares gaps while lines go on: none of them brings it.
  void declared_missing(std::uint32_t life, std::uint64_t number);
  bool is_delivered(std::uint32_t life, std::uint64_t number) {
    return message(0, life, number).delivered != 0;
  }

  /// The receiver has delivered something of the channel, and so knows where its numbers are.
  bool has_begun(std::uint32_t channel) const {
    const auto first = life_of_epoch_.lower_bound({channel, 0});
    return first != life_of_epoch_.end() && first->first.first == channel;
  }

  std::uint64_t packets(std::uint32_t line) const noexcept { return packets_[line]; }
  std::uint64_t deliveries() const noexcept { return deliveries_; }

 private:
  /// Of one receiver.
  struct Message {
    bool brought = false;  ///< a copy came, and was not refused
    std::uint8_t delivered = 0;
    bool declared_missing = false;
    /// Delivered as a jump that nothing has confirmed: of no epoch, and so perhaps in a gap of one.
    bool is_apart = false;
  };
  struct Numbering {
    std::uint64_t first = 0;
    std::vector<Message> messages;
  };
  struct Event {
    std::uint64_t now_ns = 0;
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    std::uint8_t channel = 0;
    std::uint8_t line = 0;
    std::uint8_t life = 0;
    PacketKind kind = PacketKind::data;
    bool is_delivery = false;
    WayOut way_out = WayOut::uncounted;
    std::uint8_t cpu = 0;
    std::uint32_t verdict = 0;
    std::int32_t place = 0;
    std::uint64_t epoch = 0;
  };

  Message& message(std::uint32_t channel, std::uint32_t life, std::uint64_t number);
  void check_bytes(const Delivery& delivery, std::uint64_t now_ns);
  void take_message(const Delivery& delivery, std::uint32_t life, std::uint64_t number);
  void check_all_delivered() const;
  void check_gaps(const sequencer::GapList& gaps);
  std::string describe(const Event& event) const;

  const Feed& feed_;
  std::vector<std::vector<Numbering>> numberings_;  ///< of each channel and life
  std::map<std::pair<std::uint32_t, std::uint64_t>, Message> poison_;
  /// Which life the sequencer calls an epoch, by what it delivered.
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> life_of_epoch_;
  std::array<std::uint64_t, LB_LINES_MAX> packets_{};
  std::uint64_t unsequenced_up_ = 0;
  std::uint64_t unsequenced_delivered_ = 0;
  std::uint64_t deliveries_ = 0;
  bool receiver_is_there_ = false;
  std::vector<Event> events_;
};

std::string to_string(WayOut way_out);

}  // namespace linearb::sim
