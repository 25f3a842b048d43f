// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/framing_file.h"
#include "core/walk.h"
#include "hook/flow_table.h"
#include "linearb/receiver.h"
#include "merge/capture_clock.h"
#include "merge/capture_line.h"
#include "merge/options.h"
#include "merge/packet_pool.h"
#include "merge/skew_meter.h"
#include "merge/summing_up.h"
#include "sequencer/copy_check.h"
#include "sequencer/in_order.h"
#include "sequencer/passed_by_all.h"
#include "sequencer/sequencer.h"
#include "sequencer/streams.h"
#include "sequencer/watch.h"
#include "sink/file_sink.h"

namespace linearb::merge {

/// How far a merge is, for a display.
struct Progress {
  std::uint64_t bytes_read = 0;  ///< of the files as they are on disk
  std::uint64_t bytes = 0;       ///< of all files; 0 where one of them cannot say
  std::uint64_t packets = 0;     ///< read, of all lines
};

/// Arbitrates captures as a receiver arbitrates interfaces: the same sequencer, told the time by
/// the records' time stamps. No rights, no kernel, and the same result each time.
///
/// Records go in by time, equal ones in the order of the lines; within one capture their order is
/// kept whatever their time stamps say. Of each capture one record is in memory, of what waits to
/// be decided, or for its turn in the order of numbers, a bounded number: how large the files are
/// does not matter.
///
/// What it is bad at: lines whose clocks differ by more than the sequencer remembers. They are
/// arbitrated, but what fills a hole may come too late for it; an offset is for that.
///
/// `stop` and `progress` may be called from any thread, everything else from one.
class Merge final : private sequencer::Decisions, private sequencer::Notices {
 public:
  using Deliver = std::function<void(const Delivery&)>;
  /// Told in one line about what somebody should know of a capture.
  using Tell = std::function<void(const std::string&)>;

  /// Opens everything; each function may be empty. Delivery::arrival_ns is the time of the record,
  /// and so is Event::time_ns of what `on_event` is told of gaps, epochs and lines, on the thread
  /// of run(). Throws UsageError for what the caller can mend, Error for a file that cannot be
  /// written.
  explicit Merge(const MergeOptions& options, Deliver deliver = {}, Tell tell = {},
                 OnEvent on_event = {});

  /// To the end of all captures, or to stop(). Call once. Throws UsageError for a capture that is
  /// damaged; what was delivered before is written then.
  Summary run();

  /// Ends run() soon. Safe from a signal handler.
  void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }
  Progress progress() const noexcept;

 private:
  static constexpr std::size_t kNoLine = ~std::size_t{0};

  std::size_t earliest() const noexcept;
  void take(std::size_t line);
  const lb_flow* flow_of(std::size_t line, const lb_walk& walk) const noexcept;
  void judge(std::size_t line, const lb_flow& flow, const lb_walk& walk);
  void note_cut(std::size_t line);
  void tick_until(std::uint64_t now_ns) noexcept;
  void tick(std::uint64_t now_ns) noexcept;
  bool something_waits() const noexcept;
  void publish_progress() noexcept;
  bool has_room() const noexcept override { return true; }
  void tell(const sequencer::Notice& notice) noexcept override;
  void look_at_channels(std::uint64_t now_ns) noexcept;
  void decided(const sequencer::Packet& packet,
               const sequencer::Decision& decision) noexcept override;
  void part(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept override;
  void deliver(const sequencer::Packet& packet, const sequencer::Decision& decision) noexcept;
  void write(const KeptPacket& kept, const sequencer::Packet& packet,
             const sequencer::Decision& decision) noexcept;
  Summary sum_up() const;

  ReceiverOptions options_;
  Deliver deliver_;
  Tell tell_;
  OnEvent on_event_;
  std::vector<config::Framing> framings_;
  hook::FlowTable flows_;
  sequencer::ChannelPlaces places_;
  std::deque<CaptureLine> lines_;
  std::unique_ptr<sink::FileSink> sink_;  ///< after the captures: one of them may be refused
  PacketPool packets_;
  std::vector<LineCounts> counts_;
  std::unique_ptr<sequencer::InOrder> order_;  ///< null: in order of arrival
  SkewMeter meter_;
  sequencer::CopyCheck copies_;
  std::unique_ptr<sequencer::Watch> watch_;  ///< null: nobody wants to know
  sequencer::Sequencer sequencer_;
  std::unique_ptr<sequencer::PassedByAll> passed_;  ///< with order_
  Delivered delivered_;
  std::vector<Run> news_;  ///< scratch for the application's view
  CaptureClock clock_;
  std::uint64_t first_ns_ = 0;  ///< of a packet of the feed; 0: none yet
  std::uint64_t last_ns_ = 0;
  std::uint64_t next_tick_ns_ = 0;
  std::uint64_t bytes_ = 0;
  std::atomic<std::uint64_t> bytes_read_ = 0;
  std::atomic<std::uint64_t> packets_read_ = 0;
  std::atomic<bool> stopping_ = false;
};

}  // namespace linearb::merge
