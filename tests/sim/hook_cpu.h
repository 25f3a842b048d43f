// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/feed.h"
#include "sim/kernel.h"
#include "sim/random.h"
#include "sim/reference.h"
#include "support/native_hook/program.h"

namespace linearb::sim {

/// What comes in on an interface, and who takes it.
struct Wire {
  const std::vector<WirePacket>* packets = nullptr;
  std::size_t next = 0;
};

/// A CPU that runs the hook for one line: in native mode it takes a batch of packets, and what was
/// redirected becomes visible at the end of it; in generic mode each packet by itself, and several
/// CPUs may be there for one line.
class HookCpu {
 public:
  struct Settings {
    std::uint32_t id = 0;
    std::uint32_t line = 0;
    std::uint32_t batch = 1;
    bool native = true;
    std::uint32_t refuses_metadata_one_in = 0;  ///< packets; 0: the driver always has room for it
  };

  HookCpu(const Settings& settings, Wire& wire, Reference& reference, Random random);

  /// Until the wire is empty. The fiber's body.
  void run();

  // The helpers of the hook, for the packet that this CPU has in hand.
  static HookCpu& current();
  std::uint32_t id() const noexcept { return settings_.id; }
  long redirect(std::uint32_t slot, std::uint64_t flags) noexcept;
  /// Of the packet: from taking a credit on, until it is given back.
  bool holds_credit() const noexcept { return holds_credit_; }
  void hold_credit(bool holds) noexcept { holds_credit_ = holds; }
  long adjust_metadata(lb_native_context& context, int delta) noexcept;

  static constexpr std::uint32_t interface_index_of(std::uint32_t line) noexcept {
    return 10 + line;
  }

 private:
  /// This CPU's counters for its line, and the bank that is counted in.
  struct Counted {
    std::uint64_t bank = 0;
    std::array<std::array<lb_u64, sizeof(lb_counters) / sizeof(lb_u64)>, LB_COUNTER_BANKS> banks{};
  };

  bool take_next(WirePacket& packet) noexcept;
  void poll();
  bool is_first_and_poison(const WirePacket& packet) const;
  void process(const WirePacket& packet);
  void sleep_until_due(const WirePacket& packet) const;
  void redirect_now(const lb_native_context& context);
  void flush();
  Counted counted() const noexcept;
  WayOut way_out(const Counted& before) const;

  Settings settings_;
  Wire& wire_;
  Reference& reference_;
  Random random_;
  Kernel& kernel_ = Kernel::instance();
  KernelSocket* target_ = nullptr;
  std::uint32_t slot_ = 0;  ///< where the target is
  std::uint64_t number_ = 0;
  bool holds_credit_ = false;
  std::vector<KernelSocket*> unflushed_;
  /// The packet, with the kernel's room in front of it.
  std::array<std::uint8_t, XDP_PACKET_HEADROOM + 2048> buffer_{};
};

}  // namespace linearb::sim
