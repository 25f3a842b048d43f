// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The hook without a kernel: the XDP program's own source, compiled for this machine, with maps of
/// memory. A simulator can stop it at every access to shared memory, a sanitizer sees what it
/// reads, and it runs a million packets in the time in which BPF_PROG_RUN runs some ten thousand.
///
///     native::Hook hook({.channels = 4, .flows = 8});
///     hook::take_over(hook.maps(), {...});                     // as a receiver does it
///     hook.maps().set_socket(0, native::kSocket);
///     native::Outcome outcome = hook.run(packet, {.interface_index = 3, .now_ns = 1});
///
/// What it is bad at: what the verifier and the kernel do with the program. tests/bpf compares the
/// two packet by packet.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "hook/maps.h"
#include "support/packet.h"

namespace linearb::test::native {

struct Capacity {
  std::uint32_t channels = LB_CHANNELS_DEFAULT;  ///< exactly so many
  std::uint32_t flows = 0;
  std::uint32_t seen_sessions = LB_SEEN_SESSIONS;
};

/// Any descriptor that is not negative does for Maps::set_socket: nothing is ever sent to it.
constexpr int kSocket = 0;

/// How a packet comes to the hook.
struct Arrival {
  std::uint32_t interface_index = 0;
  std::uint32_t queue = 0;
  std::uint32_t cpu = 0;
  std::uint64_t now_ns = 0;            ///< bpf_ktime_get_ns, for as long as this packet is inside
  std::uint32_t earlier_metadata = 0;  ///< bytes that an XDP program before the hook has put there
  bool has_metadata_room = true;       ///< a matter of the driver's
};

/// What the hook made of it.
struct Outcome {
  std::uint32_t action = 0;           ///< XDP_PASS, ...
  std::optional<std::uint32_t> slot;  ///< of xsks_map, where it was redirected to
  Bytes metadata;                     ///< what lies in front of the packet now
  Bytes packet;
};

class Hook {
 public:
  explicit Hook(const Capacity& capacity = {});
  ~Hook();
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  /// As the receiver has them: all that is written in terms of them works on this hook too.
  const hook::Maps& maps() const noexcept;

  /// Several threads may be inside at once; and several fibers of one thread, which come and go at
  /// schedule points. Two that are inside must not say the same CPU: counters have one writer each.
  Outcome run(std::span<const std::uint8_t> packet, const Arrival& arrival);

  /// What memory has no view for.
  bool has_socket(std::uint32_t slot) const noexcept;
  std::size_t seen_sessions() const noexcept;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

/// Called by every native hook of this thread before each access to shared memory. It may switch to
/// another fiber, as long as each fiber stays on its thread. Empty, the default: nothing is called.
void set_schedule_point(std::function<void()> schedule_point);

}  // namespace linearb::test::native
