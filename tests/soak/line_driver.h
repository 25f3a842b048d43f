// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "live/sender.h"
#include "soak/findings.h"
#include "soak/hook_view.h"
#include "soak/ledger.h"
#include "soak/line_traffic.h"
#include "soak/messages.h"

namespace linearb::soak {

/// What became of the packets of one line, by what the hook counted.
struct LineLedger {
  std::uint64_t packets = 0;                        ///< sent
  std::uint64_t messages = 0;                       ///< in them
  std::uint64_t poison = 0;                         ///< packets of them that no other line has
  std::uint64_t no_credit = 0;                      ///< refused
  std::uint64_t no_credit_mixed = 0;                ///< of them in blocks that were taken in part
  std::array<std::uint64_t, kLedgerRuns> to_run{};  ///< for certain
  bool certain = true;  ///< every packet was for a run that was there before and after it
};

/// What director and senders share.
struct Stage {
  const Scenario& scenario;
  Ledger& ledger;
  Findings& findings;

  /// Which run packets are for, and whether it is there for certain: it may also start or end. The
  /// view of a run is there before it is certain.
  std::atomic<std::uint32_t> phase = 0;
  std::array<std::unique_ptr<HookView>, kLedgerRuns> views{};
  /// While the receiver stands still nobody can wait for it.
  std::atomic<bool> may_wait = true;
  std::atomic<bool> stop = false;
  /// How far each sender is.
  std::array<std::atomic<Position>, 2> positions{};
  std::array<LineLedger, kLedgerLines> lines{};  ///< each by its sender

  /// Of runs that did not add up.
  std::string summaries{};

  static constexpr std::uint32_t certain(std::size_t run) {
    return static_cast<std::uint32_t>(2 * run + 1);
  }
  static constexpr std::uint32_t uncertain(std::size_t run) {
    return static_cast<std::uint32_t>(2 * run);
  }
  static constexpr std::size_t run_of(std::uint32_t phase) { return phase / 2; }
  static constexpr bool is_certain(std::uint32_t phase) { return phase & 1; }
};

/// One sender: its lines side by side, each as far behind as it lags, on one CPU.
class LineDriver {
 public:
  LineDriver(Stage& stage, live::Sender& sender, std::size_t place);

  /// Sends all of it. What goes wrong is a finding, and stops the stage.
  void run() noexcept;

 private:
  struct Driven {
    std::size_t line;
    std::uint32_t interface_index;
    LineTraffic traffic;
  };

  void send_all();
  Position step() const noexcept;
  void send_life();
  void send_up_to(Position position);
  bool lives_are_over() const noexcept;
  void wait_for_other_sender(Position position) const;
  void send_line_up_to(Driven& driven, Position limit);
  std::uint32_t wait_for_room(std::size_t line);
  std::uint32_t fill(Driven& driven, Position limit, std::uint32_t most);
  void send_block(std::size_t line, std::uint32_t count);
  void wait_until_seen(std::uint32_t phase, std::size_t line, std::uint64_t packets) const;
  void enter(std::size_t line, std::uint32_t before, std::uint32_t after,
             const HookView::Counts& counts, std::uint32_t count);
  void enter_messages(std::size_t line, std::size_t run, Ledger::Certainty certainty,
                      std::uint32_t count);
  void pause();

  Stage& stage_;
  const Scenario& scenario_;
  live::Sender& sender_;
  std::size_t place_;
  PacketWriter writer_;
  std::vector<Driven> lines_;
  std::vector<Outgoing> block_;
  Position furthest_lag_ = 0;
};

}  // namespace linearb::soak
