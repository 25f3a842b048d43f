// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hook/flow_table.h"
#include "receiver/data_path.h"
#include "receiver/port.h"
#include "sim/feed.h"
#include "sim/kernel.h"
#include "sim/random.h"
#include "sim/reference.h"

namespace linearb::sim {

/// One receiver from start to end, as receiver/receiver.cpp and receiver/wiring.cpp have it, but
/// for interfaces, configuration and reports: the takeover, sockets, data path, publication and
/// sequencer are the production's own. Its constructor and run() are the data thread's fiber.
class ReceiverRun {
 public:
  struct Settings {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint32_t frames = 64;
    bool metadata = true;
    bool breaks_off = false;         ///< it is killed: nothing is drained
    std::uint32_t stall_one_in = 0;  ///< batches after which it does something else; 0: never
    std::uint64_t stall_ns_at_most = 0;
  };

  ReceiverRun(const Settings& settings, const Feed& feed, Reference& reference, Random random);
  void run();
  /// Before its time: asked to, or killed.
  void end(bool breaks_off) noexcept;
  bool breaks_off() const noexcept { return settings_.breaks_off; }

  /// Who stores to `returned`.
  enum class Stage {
    taking_over,
    opening,
    running,
  };
  Stage stage() const noexcept { return stage_; }
  const linearb::hook::Maps& maps() const noexcept { return maps_; }
  const receiver::Port& port(std::uint32_t line) const noexcept { return *ports_[line]; }

 private:
  void open_ports();
  void take_over();
  void start();
  void open_slots();
  void loop();
  void wait();
  void drain();
  void sum_up();
  std::vector<lb_flow> flows() const;

  Settings settings_;
  Stage stage_ = Stage::taking_over;
  const Feed& feed_;
  Reference& reference_;
  Random random_;
  const linearb::hook::Maps& maps_;
  Receiver::Deliver deliver_;
  std::vector<std::unique_ptr<receiver::Port>> ports_;
  linearb::hook::FlowTable flow_table_;
  std::unique_ptr<receiver::DataPath> data_path_;
};

}  // namespace linearb::sim
