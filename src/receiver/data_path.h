// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hook/flow_table.h"
#include "linearb/receiver.h"
#include "receiver/handover.h"
#include "receiver/injections.h"
#include "receiver/notice_ring.h"
#include "receiver/on_the_way.h"
#include "receiver/passing.h"
#include "receiver/port.h"
#include "receiver/publication.h"
#include "sequencer/copy_check.h"
#include "sequencer/in_order.h"
#include "sequencer/sequencer.h"
#include "sequencer/streams.h"
#include "sequencer/watch.h"
#include "sink/file_sink.h"

namespace linearb::receiver {

/// From the RX rings through the sequencer to the application, in the frames that the kernel
/// wrote: nothing is copied. The one thread that owns the sockets runs it; after the constructor it
/// neither allocates nor locks nor throws.
///
/// The order for each batch: fill ring submit, RX release, then publish `returned`. It is what
/// makes a credit a promise, see core/credit.h.
class DataPath final : private sequencer::Decisions, private sequencer::Notices {
 public:
  struct Parts {
    const hook::Maps& maps;
    bool uses_identifiers = false;
    /// In the order of numbers, with room for so many packets that wait; 0: in that of arrival.
    std::uint32_t ordered_packets = 0;
    std::uint32_t lines = 0;
    std::uint32_t repair_lines = 0;  ///< a bit for each that only repairs
    const Receiver::Deliver& deliver;
    sink::Inlet* sink = nullptr;       ///< may be null
    NoticeRing* notices = nullptr;     ///< null: nobody wants to know
    Injections* injections = nullptr;  ///< null: nobody hands in anything
  };

  /// Without ports and channels; carry_out() brings them.
  explicit DataPath(const Parts& parts);

  /// A channel for a Change, that will have this place. Any thread.
  std::unique_ptr<sequencer::Channel> make_channel(std::uint32_t serial, const lb_framing& framing,
                                                   std::uint32_t index) {
    return sequencer_.make_channel(serial, framing, memory_of(index));
  }
  /// What the channel in this place leaves for the next receiver; null where the hook has no
  /// memory.
  lb_memory* memory_of(std::uint32_t index) const noexcept {
    return memories_.empty() ? nullptr : &memories_[index];
  }
  /// Before the first packet. What the lines of this channel skipped while nobody was there is no
  /// loss of theirs.
  void expect_skips(std::uint32_t index) noexcept { skips_expected_[index] = 0xff; }
  /// Does what can be done now, all or nothing: false as long as something has to come first.
  bool carry_out(Change& change) noexcept;

  /// One look at every socket. Returns how many packets were there.
  std::uint32_t receive() noexcept;
  /// Takes what was injected.
  void take_injected() noexcept;
  /// Now and then, and when nothing comes: lets the sequencer know the time, and gives back the
  /// credits of what was redirected and never came.
  void tick(std::uint64_t now_ns) noexcept;
  /// Packets of the line that differ from their copies.
  std::uint64_t divergent(std::uint32_t line) const noexcept { return copies_.divergent(line); }
  /// Null where nobody wants to know. What it says of any thread is of any thread here.
  sequencer::Watch* watch() const noexcept { return watch_.get(); }

  /// What the hook redirected has all come, or was given up.
  bool drained() const noexcept;
  /// Decides what is still held. The last call.
  void finish() noexcept;

  const std::vector<Port*>& ports() const noexcept { return ports_; }
  const sequencer::Sequencer& sequencer() const noexcept { return sequencer_; }
  const sequencer::StreamGroups& streams() const noexcept { return streams_; }
  /// Times that a packet was delivered in part, and something else before the rest of it.
  std::uint64_t parts() const noexcept { return parts_delivered_; }
  /// receive() has to be called soon, also where nothing comes: packets wait for their turn in the
  /// order of numbers, or frames for the fill ring that another thread is at.
  bool has_to_go_on() const noexcept;
  /// Messages that came when nobody waited for them any more.
  std::uint64_t late_repairs() const noexcept { return order_ ? order_->late_repairs() : 0; }
  std::uint64_t delivered() const noexcept { return delivered_.load(std::memory_order_relaxed); }
  std::uint64_t delivered_messages() const noexcept {
    return messages_.load(std::memory_order_relaxed);
  }
  std::uint64_t won(std::uint32_t line) const noexcept {
    return won_[line].load(std::memory_order_relaxed);
  }
  /// For kInjectedLine too.
  std::uint64_t judged(std::uint32_t line) const noexcept { return judged_[line]; }
  /// When the first and the last packet arrived that came up here; 0 if none did.
  std::uint64_t first_arrival_ns() const noexcept { return first_arrival_ns_; }
  std::uint64_t last_arrival_ns() const noexcept { return last_arrival_ns_; }

 private:
  static constexpr std::uint32_t kBatch = 64;
  static constexpr std::uint32_t kPrefetched = 4;  ///< packets
  /// A line whose ring is empty and whose hook redirects nothing for so long has lost what is
  /// outstanding: the kernel hands a redirected packet over at the end of its poll.
  static constexpr std::uint64_t kQuietNs = 200'000'000;

  bool has_come(const Port& port, std::uint64_t redirected) const noexcept;
  void open(Port& port) noexcept;
  void close(Port& port) noexcept;
  Port* furthest_behind(const Port* except = nullptr) const noexcept;
  std::uint32_t receive_up_to(Port& port, std::uint32_t most, std::uint64_t until_ns) noexcept;
  std::uint32_t receive_from(Port& port, std::uint32_t most) noexcept;
  void take(Port& port, const xsk::RxPacket& received) noexcept;
  bool describe(const xsk::RxPacket& received, const Port& port,
                sequencer::Packet& packet) noexcept;
  bool describe_by_walk(std::span<const std::uint8_t> bytes, const Port& port,
                        sequencer::Packet& packet) noexcept;
  void believe(const lb_metadata& metadata, sequencer::Packet& packet) const noexcept;
  void decode(sequencer::Packet& packet) noexcept;
  void add_stream(std::uint16_t of, std::uint64_t key, std::uint16_t place) noexcept;
  void remove_streams(std::uint16_t of) noexcept;
  lb_stream_bucket& bucket_of(std::uint16_t of, std::uint64_t key) const noexcept;
  void excuse_skip(sequencer::Packet& packet) noexcept;
  void decided(const sequencer::Packet& packet,
               const sequencer::Decision& decision) noexcept override;
  void part(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept override;
  void deliver(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept;
  void look_at_holds() noexcept;
  void look_at_channels(std::uint64_t now_ns) noexcept;
  bool has_room() const noexcept override;
  void tell(const sequencer::Notice& notice) noexcept override;
  void give_back(std::uint64_t handle) noexcept;
  const std::uint8_t* begin_of(std::uint64_t handle) const noexcept;
  void tell_marks(std::uint64_t now_ns) noexcept;
  void give_up_lost(Port& port, std::uint64_t now_ns) noexcept;
  void take_back_late(Port& port) noexcept;
  void return_credits(Port& port, std::uint32_t frames) noexcept;
  void give_back_frames(Port& port) noexcept;

  Parts parts_;
  std::span<lb_memory> memories_;              ///< empty where nothing is left for others
  std::vector<std::uint8_t> skips_expected_;   ///< by channel, a bit for each line
  std::unique_ptr<sequencer::InOrder> order_;  ///< null: in order of arrival
  sequencer::CopyCheck copies_;
  std::unique_ptr<sequencer::Watch> watch_;
  sequencer::Sequencer sequencer_;
  sequencer::StreamGroups streams_;
  /// By place: the configured channel, and the stream.
  struct Origin {
    std::uint32_t serial = 0;
    bool is_stream = false;
    std::uint64_t key = 0;
  };
  std::vector<Origin> origins_;
  Publication publication_;
  std::unique_ptr<Passing> passing_;      ///< with order_
  OnTheWay on_the_way_;                   ///< since watch_ began to look
  std::vector<Port*> ports_;              ///< open
  std::array<Port*, kPortsMax> by_id_{};  ///< open, or with frames that are held
  const hook::FlowTable* flows_ = nullptr;
  const hook::FlowTable* flows_before_ = nullptr;
  std::array<std::uint64_t, LB_LINES_MAX + 1> judged_{};
  std::array<std::atomic<std::uint64_t>, LB_LINES_MAX + 1> won_{};
  std::atomic<std::uint64_t> delivered_ = 0;
  std::atomic<std::uint64_t> messages_ = 0;
  std::vector<Run> news_;  ///< scratch for the application's view
  std::uint64_t realtime_offset_ns_;
  std::uint64_t first_arrival_ns_ = 0;
  std::uint64_t last_arrival_ns_ = 0;
  bool walks_ = false;  ///< frames come without metadata
  std::uint64_t parts_delivered_ = 0;
  std::uint32_t next_told_ = 0;   ///< channel whose marks are told next
  std::uint32_t generation_ = 0;  ///< of the packet in hand, if the hook claimed it; else 0
};

}  // namespace linearb::receiver
