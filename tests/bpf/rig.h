// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The hook on a bench: loaded and taken over as a receiver does it, between two veth lines, with
/// an AF_XDP socket on queue 0 of each. No packet ever comes along the veths: a test gives the
/// program one at a time, and looks at what it says and what it wrote.
///
/// A BPF test is one row:
///
///     {"a message that another line has brought is a duplicate",
///      optiq(1000), {.on = On::B, .claimed = {{1000, 1}}},
///      {XDP_DROP, "packets duplicate", "optiq: mark B 1001"}}
///
/// What a row does not name must not move.

#include <array>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include <linux/bpf.h>

#include "bpf/feeds.h"
#include "bpf/program_run.h"
#include "bpf/snapshot.h"
#include "core/run.h"
#include "hook/hook.h"
#include "support/namespace.h"
#include "xsk/socket.h"

namespace linearb::test {

/// The number that every line's mark is at when a row says nothing else.
constexpr std::uint64_t kStart = 1000;
constexpr std::uint32_t kGeneration = 1;
constexpr std::uint32_t kFrames = 64;  // of each socket, and so its credits
constexpr std::uint32_t kQueues = 2;   // of each interface; queue 1 has no socket

/// The interface that a packet comes on.
enum class On {
  A,
  B,
  elsewhere,  ///< one that the hook was not told of
};

/// How the packet comes, and what was there before. Of claims, marks and sessions: in every
/// channel.
struct Given {
  On on = On::A;
  std::uint32_t queue = 0;
  std::uint32_t earlier_metadata = 0;  ///< bytes
  std::uint64_t mark = kStart;         ///< of both lines
  std::vector<lb_run> claimed{};
  bool published = true;
  std::uint32_t mark_generation = kGeneration;
  std::uint64_t credits = kFrames;
  std::uint64_t credits_out = 0;
  bool metadata = true;      ///< the receiver wants it
  std::uint64_t jumped = 0;  ///< the end of a range too far ahead of the mark
  std::uint32_t jumped_generation = kGeneration;
  std::uint64_t jumped_unseen = 0;
};

struct Expected {
  std::uint32_t action = XDP_PASS;
  std::string counters{};  ///< of the packet's line: see counters_moved()
  std::string changes{};   ///< see changes()
  std::string metadata{};  ///< verdict and place: "CLAIMED +0", "BEHIND -1", "NOT_DATA"
};

struct Row {
  const char* description;
  PacketBuilder packet;
  Given given;
  Expected expected;
};

/// What one packet did.
struct Outcome {
  Result result;
  Expected in_words;
  std::string broken_rule;  ///< empty, or a rule that holds for every packet and did not
};

class Rig {
 public:
  /// After lab::up() with kQueues queues.
  Rig();

  /// Tells the hook of other flows than the standard ones. Sockets are out of their slots until
  /// the next prepare().
  void take_over(std::span<const lb_flow> flows, std::span<const lb_framing> framings);
  /// The four channels of feeds.h on both lines.
  void take_over();

  /// Forgets what was, and makes what is given.
  void prepare(const Given& given);
  /// Without prepare(): the packet finds what the last one left.
  Outcome run(const PacketBuilder& packet, const Given& given);
  Outcome run_bytes(std::span<const std::uint8_t> packet, const Given& given);

  /// Prepares and runs each row, and tells every difference in words.
  void check(std::initializer_list<Row> rows);

  const hook::Maps& maps() const noexcept { return hook_.maps(); }
  int program_fd() const noexcept { return hook_.program_fd(); }
  std::uint32_t interface_index(On on) const;
  /// Of the line's socket, for its slot: line * LB_QUEUES_MAX.
  int socket_fd(std::uint32_t line) const noexcept { return sockets_[line].fd(); }
  /// Whether every message of a range is claimed in the channel.
  bool holds(Channel channel, const lb_run& range) const;

 private:
  void publish(const Given& given);
  void open_slots(const Given& given);

  hook::Hook hook_;
  xsk::Umem umem_;
  std::deque<xsk::Socket> sockets_;  ///< by line
};

/// A flow of line A or B as a receiver would tell it: the framing is found under the channel's
/// number.
lb_flow flow_on(On line, Channel channel, std::string_view group, std::uint16_t port);
/// The framings in the places where flow_on looks for them.
std::vector<lb_framing> framings_by_channel();

class HookTest : public LabTest {
 protected:
  lab::LabOptions lab_options() const override { return {.queues = kQueues}; }
};

}  // namespace linearb::test
