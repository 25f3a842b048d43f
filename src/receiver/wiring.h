// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hook/hook.h"
#include "hook/takeover.h"
#include "linearb/event.h"
#include "linearb/options.h"
#include "linearb/reloaded.h"
#include "linearb/summary.h"
#include "receiver/channel_table.h"
#include "receiver/data_thread.h"
#include "receiver/handover.h"
#include "receiver/link_watch.h"
#include "receiver/notice_ring.h"
#include "receiver/port.h"
#include "sys/interface.h"
#include "sys/multicast.h"

namespace linearb::receiver {

/// An interface that lines are on; several lines may share one. It is known by its name: the
/// interface behind the name may go, and another one come.
struct LineInterface {
  std::string name;
  std::string lines;             ///< for messages: "A", "A, B"
  std::uint32_t first_line = 0;  ///< place in the options
  std::uint32_t place = 0;       ///< among the interfaces
  LinkState known;
  bool native = false;                     ///< as last attached
  bool zero_copy = false;                  ///< as last bound
  sys::InterfaceCounters counters_before;  ///< when it was opened
  sys::InterfaceCounters counters;         ///< when it was looked at last
  std::uint64_t nic_lost_before = 0;       ///< on interfaces of that name that are gone
  std::optional<sys::MulticastJoins> joins;
  std::uint64_t losses = 0;  ///< of the kernel, when they were looked at last
  std::string trouble;       ///< what was said last, so that it is said once

  std::uint64_t nic_lost() const noexcept;
};

/// In bytes, with Ethernet header and VLAN tags.
std::uint32_t largest_packet(std::uint32_t mtu) noexcept;

/// Whether sockets of one queue might be given one frame at the same time: several CPUs may run a
/// hook in generic mode for it, and the kernel lets one at a time at its fill ring since 6.15
/// (rx_lock of struct xsk_buff_pool in include/net/xsk_buff_pool.h).
bool is_unguarded(const std::string& kernel_release, bool native, unsigned threads) noexcept;

/// A channel that a reload has removed.
struct RemovedChannel {
  RunningChannel channel;
  std::vector<ChannelSummary> summaries;
};

/// What joins the interfaces of a host to the data threads: the hook on them, the flows that it
/// knows, sockets in its slots, groups that are joined. It is set up once, and mended while the
/// threads run: interfaces go and come back, channels change. They take part by
/// DataThread::request, and carry out all that is requested until nobody is at the wiring any more:
/// of what concerns several of them, all is done or nothing.
///
/// One thread at a time.
class Wiring {
 public:
  /// Finds the interfaces, loads or adopts the hook, attaches it, opens a socket for every RX
  /// queue, takes the hook over, joins the groups. The slots are empty still. Throws UsageError,
  /// Error.
  Wiring(const ReceiverOptions& options, OnEvent on_event);
  /// Empties the slots; sockets go before the hook, the hook before the ownership of it.
  ~Wiring();
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;

  /// All that the data threads have to know before they run.
  void start(const DataThreads& threads);
  /// From here on the hook redirects.
  void open_slots();
  /// From here on it does not, and all that it had claimed is on its way. Throws Error.
  void empty_slots();

  /// One look at every interface; does what is to be done about it, and tells. What fails is tried
  /// again at the next look.
  void look(const DataThreads& threads) noexcept;
  /// See Receiver::reload.
  Reloaded reload(const ReceiverOptions& options, const DataThreads& threads);
  /// The data threads have ended: what stands in the counters of interfaces is taken for the
  /// summary.
  void finish();

  const ReceiverOptions& options() const noexcept { return options_; }
  const hook::Maps& maps() const noexcept { return hook_.maps(); }
  const LineInterface& interface_of(std::size_t line) const noexcept;
  const std::vector<std::unique_ptr<Port>>& ports() const noexcept { return ports_; }
  const std::vector<ClosedPort>& closed_ports() const noexcept { return closed_ports_; }
  const std::vector<RunningChannel>& channels() const noexcept { return channels_; }
  const std::vector<RemovedChannel>& removed_channels() const noexcept { return removed_; }
  /// Channels that there ever were; each serial is below it.
  std::size_t channel_count() const noexcept { return labels_.size(); }
  /// The running channel of this serial, with a framing that has numbered messages in the payload.
  /// Throws UsageError.
  const RunningChannel& channel_for(std::uint32_t serial,
                                    std::span<const std::uint8_t> payload) const;
  /// What a notice of the data path is to the user.
  Event event_of(const TaggedNotice& notice) const;
  /// Of a sequence, by its serial. When the run is over.
  std::string name_of(std::uint32_t serial, const DataThreads& threads) const;
  /// Numbers that the hook saw the line skip, where the receiver could not.
  std::uint64_t skipped_unseen(std::uint32_t line) const noexcept;

 private:
  using Ports = std::vector<std::unique_ptr<Port>>;

  std::vector<hook::Interface> hook_interfaces() const;
  ChannelRoom room() const noexcept;
  Ports open_ports(LineInterface& interface, std::uint32_t first_queue, std::uint32_t queues);
  const hook::FlowTable& flows() const noexcept { return *flows_.back(); }
  void add_flows(std::unique_ptr<hook::FlowTable> flows);
  std::vector<lb_flow> flows_of(const std::vector<RunningChannel>& channels) const;
  sys::MulticastJoins join_groups(const LineInterface& interface,
                                  const std::vector<RunningChannel>& channels) const;
  static void add_channel(const RunningChannel& channel, DataPath& path, Change& change);
  void go_on(sequencer::Channel& channel, const RunningChannel& running, std::uint16_t place,
             DataPath& path);
  void tell_channel(Event::Kind kind, const std::string& channel, lb_range messages,
                    const std::string& text) const noexcept;
  void tell(Event event) const;
  void tell_if_unguarded(const LineInterface& interface) const;
  void begin_credit(Port& port);
  void open_slot(const Port& port);

  // mend.cpp
  LinkState observe(LineInterface& interface);
  void tell_losses(LineInterface& interface);
  bool has_dead_sockets(const LineInterface& interface) const;
  std::uint64_t losses_on(const LineInterface& interface) const noexcept;
  void look_at(LineInterface& interface, const DataThreads& threads);
  void look_at_streams(const DataThreads& threads);
  void tell_watches(const DataThreads& threads) const noexcept;
  void act(LinkChange change, LineInterface& interface, const LinkState& seen,
           const DataThreads& threads);
  void close(LineInterface& interface, const DataThreads& threads);
  void take_back(LineInterface& interface, const LinkState& seen, const DataThreads& threads);
  void open_more(LineInterface& interface, std::uint32_t queues, const DataThreads& threads);
  void attach_again(LineInterface& interface, std::uint32_t index);
  void hand_over(Ports opened, LineInterface& interface, const DataThreads& threads);
  void forget(LineInterface& interface);
  std::string larger_than_a_frame(std::uint32_t mtu) const;
  void take_out(const Port& port);
  void renew_sockets(LineInterface& interface, const LinkState& seen, const DataThreads& threads);
  void tell(Event::Kind kind, const LineInterface& interface,
            const std::string& text) const noexcept;
  // reload.cpp
  void remember_removed(const std::vector<RunningChannel>& removed,
                        const std::vector<Change>& endings);

  ReceiverOptions options_;
  OnEvent on_event_;
  std::vector<RunningChannel> channels_;
  std::vector<ChannelLabel> labels_;  ///< by serial
  std::uint32_t stream_count_ = 0;    ///< that there ever were
  std::vector<RemovedChannel> removed_;
  std::array<std::uint64_t, LB_LINES_MAX> skipped_on_removed_{};
  std::vector<LineInterface> interfaces_;
  std::optional<hook::Ownership> ownership_;  ///< nobody else's until the hook is detached
  hook::Hook hook_;
  std::uint32_t frame_size_ = xsk::kFrameSizeSmall;
  /// The newest is last. A data path may still look into the two before it.
  std::vector<std::unique_ptr<hook::FlowTable>> flows_;
  bool slots_are_open_ = false;
  Ports ports_;   ///< open
  Ports closed_;  ///< with frames that the sequencer holds, perhaps
  std::vector<ClosedPort> closed_ports_;
};

}  // namespace linearb::receiver
