// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/framing_file.h"
#include "sequencer/in_order.h"
#include "sequencer/passed_by_all.h"
#include "sequencer/sequencer.h"
#include "sequencer/watch.h"
#include "support/told_gaps.h"
#include "unit/sequencer/hook_model.h"

/// A feed on several lines, told in words, and what a sequencer has to make of it.
///
///   Story story;
///   story.line(A).sends(1, 1000).waits(50ms).restarts().sends(1, 3);
///   story.line(B).waits(5ms).sends(1, 1000).restarts().waits(50ms).sends(1, 3);
///   story.play();
///   EXPECT_EQ(story.complaint(), "");
///
/// Each line has a time of its own; the packets of all are handed in by time. What a line sends
/// belongs to a life of the feed: life 1, until the line says that it restarts. So the story knows
/// what the sequencer has to find out: which messages are the same, and which have only the number
/// in common.
namespace linearb::sequencer::test {

using std::chrono::nanoseconds;

inline constexpr std::size_t A = 0;
inline constexpr std::size_t B = 1;
inline constexpr std::size_t C = 2;

/// Numbers [first, last] of a life.
struct Missing {
  std::uint32_t life = 1;
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  friend bool operator==(const Missing&, const Missing&) = default;
};

/// One packet on its way to the sequencer.
struct Sent {
  std::uint64_t time_ns = 0;
  std::uint8_t line = 0;
  std::uint32_t life = 1;
  bool is_poison = false;  ///< its number is not the feed's
  std::string session;
  std::uint64_t first = 0;     ///< as the header has it
  std::uint64_t count = 0;     ///< as the header has it
  std::uint32_t messages = 0;  ///< in the payload
  bool is_cut = false;         ///< the last of them is not there
  /// What it says beside its number; also where the framing has no place for it.
  std::optional<lb_kind> marked_as;
};

/// What happens on one line. Numbers are ranges with both ends.
class LineScript {
 public:
  LineScript(std::uint8_t line, std::uint64_t begin_ns, std::vector<Sent>& sent)
      : line_(line), now_ns_(begin_ns), sent_(sent) {}

  LineScript& sends(std::uint64_t first, std::uint64_t last);
  /// Sent, and lost before this machine.
  LineScript& loses(std::uint64_t first, std::uint64_t last);
  /// Pairs of packets change their places: 2, 1, 4, 3.
  LineScript& sends_pairs_swapped(std::uint64_t first, std::uint64_t last);
  LineScript& waits(nanoseconds time) { return now_ns_ += to_ns(time), *this; }
  /// Between two packets, from here on.
  LineScript& every(nanoseconds interval) { return interval_ns_ = to_ns(interval), *this; }
  /// Messages in a packet, from here on.
  LineScript& packs(std::uint32_t messages) { return messages_ = messages, *this; }
  /// Each packet once more, so long after it, from here on.
  LineScript& repeats_each_after(nanoseconds time);
  /// The next life of the feed, under the same session.
  LineScript& restarts() { return ++life_, *this; }
  /// What it sends from here on is of that life, under the same session.
  LineScript& goes_on_in_life(std::uint32_t life) { return life_ = life, *this; }
  /// The next life of the feed.
  LineScript& opens_session(std::string session);
  /// The next life of the feed, under the same session: each of these packets says so.
  LineScript& resets(std::uint64_t first, std::uint64_t last);
  /// A heartbeat: the next message will have this number.
  LineScript& announces(std::uint64_t next) { return control(next, 0); }
  LineScript& ends_session(std::uint64_t next) { return control(next, 0xffff); }
  LineScript& sends_unsequenced();
  /// A packet whose number or session was damaged on its way.
  LineScript& sends_poison(std::uint64_t number);
  LineScript& sends_poison_session(std::uint64_t number, std::string session);
  LineScript& announces_poison(std::uint64_t next);
  /// A packet with more messages in its header than in its payload.
  LineScript& sends_cut(std::uint64_t first, std::uint64_t last);

  std::uint64_t now_ns() const { return now_ns_; }

 private:
  static std::uint64_t to_ns(nanoseconds time) { return static_cast<std::uint64_t>(time.count()); }
  Sent packet(std::uint64_t first, std::uint64_t count) const;
  LineScript& control(std::uint64_t next, std::uint64_t count);
  void put(const Sent& sent);

  std::uint8_t line_;
  std::uint64_t now_ns_;
  std::vector<Sent>& sent_;
  std::uint64_t interval_ns_ = 100'000;
  std::uint32_t messages_ = 1;
  std::uint32_t life_ = 1;
  std::string session_ = "first";
  bool is_resetting_ = false;
  bool repeats_ = false;
  std::uint64_t repeat_after_ns_ = 0;
};

class Story final : private Decisions {
 public:
  using Dedup = Sequencer::Dedup;

  explicit Story(const std::string& framing = "moldudp64", std::uint32_t lines = 2,
                 Dedup dedup = Dedup::window);

  LineScript& line(std::size_t index) { return scripts_[index]; }
  const lb_framing& framing() const { return framing_.descriptor; }

  /// Puts the hook in front of the sequencer. It is ahead of it by as many packets as a batch has;
  /// the sequencer then reads line after line.
  void put_hook_in_front(std::size_t batch);
  /// What is delivered goes through the order of numbers. Without the hook.
  void put_in_order();
  /// A packet as it is, beside what the lines were told to send.
  void add(const Sent& sent) { sent_.push_back(sent); }

  /// Hands everything in by time, lets the clock tick as a receiver does, and ends the run.
  void play();

  /// What is wrong, a line each; empty when all that came was delivered once, every packet was
  /// decided once and counted, and the gaps are the feed's.
  std::string complaint() const;

  const Sequencer& sequencer() const { return sequencer_; }
  std::uint64_t newest_epoch() const { return sequencer_.channel(0).newest_epoch(); }
  std::uint64_t count_of(std::size_t line, Outcome outcome) const {
    return sequencer_.line(line).of(outcome);
  }
  /// Numbers that no line brought, in the order of lives, as the feed knows them.
  std::vector<Missing> gaps() const;
  std::uint64_t poison_delivered() const { return poison_delivered_; }
  std::uint64_t unsequenced_delivered() const { return unsequenced_delivered_; }
  /// The runs of each packet that was delivered in part.
  const std::vector<std::vector<std::pair<std::uint64_t, std::uint32_t>>>& trimmed() const {
    return trimmed_;
  }
  /// What was told while the feed went on, and at its end.
  const std::vector<Notice>& notices() const { return listener_.notices; }
  /// The most packets that were held at one time.
  std::uint64_t most_held() const { return most_held_; }
  /// Messages of whose place in the order nothing was left to wait for.
  std::uint64_t late_repairs() const { return order_ ? order_->late_repairs() : 0; }

 private:
  /// Behind the order of numbers.
  struct OrderedEnd final : Decisions {
    explicit OrderedEnd(Story& of) : story(of) {}
    void decided(const Packet& packet, const Decision& decision) noexcept override {
      story.note_decision(packet, decision);
    }
    void part(const Packet& packet, const Decision& decision) noexcept override {
      story.note_delivery(packet, decision);
    }
    Story& story;
  };

  /// Who is told while the feed goes on.
  struct Listener final : Notices {
    bool has_room() const noexcept override { return true; }
    void tell(const Notice& notice) noexcept override {
      const Gap gap{"", notice.epoch, notice.first, notice.count};
      if (notice.kind == Notice::Kind::gap) gaps.add(gap);
      if (notice.kind == Notice::Kind::late_repair) gaps.repair(gap);
      notices.push_back(notice);
    }
    linearb::test::ToldGaps gaps;
    std::vector<Notice> notices;
  };

  /// Numbers of a life, as far as packets and heartbeats of any line show them.
  struct Life {
    struct Message {
      bool came = false;  ///< whole, on any line
      std::uint32_t times_delivered = 0;
    };

    std::uint64_t first = ~0ull;
    std::uint64_t end = 0;
    std::vector<Message> messages;

    Message& at(std::uint64_t number) { return messages[number - first]; }
    std::uint64_t number_of(const Message& message) const {
      return first + static_cast<std::uint64_t>(&message - messages.data());
    }
  };

  void decided(const Packet& packet, const Decision& decision) noexcept override;
  void note_decision(const Packet& packet, const Decision& decision) noexcept;
  void note_delivery(const Packet& packet, const Decision& decision) noexcept;
  bool is_trimmed_right(const Packet& packet, const Decision& decision) const noexcept;
  void write_packets();
  void hand_in(const Packet& packet);
  void drain();
  void tick(std::uint64_t now_ns);
  void look(std::uint64_t now_ns);
  void note_what_came();
  bool shows_numbers(const Packet& packet) const;
  std::uint64_t messages_that_came() const;
  void complain_of_deliveries(std::string& text) const;
  void complain_of_counts(std::string& text) const;
  void complain_of_gaps(std::string& text) const;
  void complain_of_told_gaps(std::string& text) const;

  config::Framing framing_;
  const lb_framing* descriptors_[1] = {&framing_.descriptor};
  std::uint32_t lines_;
  bool has_order_;
  Listener listener_;
  Watch watch_;
  Sequencer sequencer_;
  OrderedEnd ordered_end_{*this};
  std::unique_ptr<InOrder> order_;  ///< null: in order of arrival
  std::unique_ptr<PassedByAll> passed_;
  std::pair<std::uint64_t, std::uint64_t> come_to_;  ///< epoch and number
  std::uint64_t out_of_order_ = 0;
  std::uint64_t wrongly_trimmed_ = 0;
  std::vector<Sent> sent_;
  std::deque<LineScript> scripts_;
  std::unique_ptr<HookModel> hook_;  ///< null: the sequencer sees every packet
  std::size_t batch_ = 0;
  std::vector<HookModel::Passed> batched_;
  bool has_drained_ = false;                    ///< since the watch began to look
  const HookModel::Passed* in_hand_ = nullptr;  ///< of the sequencer, if the hook is there

  std::vector<std::uint8_t> bytes_;       ///< of all payloads
  std::vector<Packet> packets_;           ///< as they are handed in; the handle is the index
  std::vector<std::uint32_t> decisions_;  ///< of each packet
  std::map<std::uint32_t, Life> lives_;
  std::vector<std::uint64_t> dropped_;  ///< by the hook, of each line
  std::uint64_t invented_ = 0;          ///< delivered, and no line brought it
  std::uint64_t poison_delivered_ = 0;
  std::uint64_t unsequenced_delivered_ = 0;
  std::uint64_t most_held_ = 0;
  std::vector<std::vector<std::pair<std::uint64_t, std::uint32_t>>> trimmed_;
};

}  // namespace linearb::sequencer::test
